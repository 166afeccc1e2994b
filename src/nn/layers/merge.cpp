#include "nn/layers/merge.h"

#include <algorithm>
#include <numeric>

namespace glia::nn {
namespace {

std::string shapes_text(const std::vector<Shape>& shapes) {
  std::string s;
  for (const Shape& shape : shapes) s += (s.empty() ? "" : ", ") + to_string(shape);
  return s;
}

}  // namespace

void Merge::build(const std::vector<Shape>& in) {
  GLIA_CHECK(!in.empty(), "{}: expected a list of inputs. Received none.", title());
  GLIA_CHECK(kind_ != "Subtract" || in.size() == 2, "{}: expected exactly 2 inputs. Received {}.", title(), in.size());
  for (size_t i = 1; i < in.size(); ++i) {
    const Shape &a = in[0], &b = in[i];
    bool fits = !a.empty() && !b.empty() && (a[0] == b[0] || a[0] < 0 || b[0] < 0);
    for (size_t k = 1; fits && k < std::min(a.size(), b.size()); ++k) {
      int64_t x = a[a.size() - k], y = b[b.size() - k];
      fits = x == y || x == 1 || y == 1 || x < 0 || y < 0;
    }
    GLIA_CHECK(fits, "{}: the inputs cannot be merged because their shapes differ. Received {}.", title(), shapes_text(in));
  }
}

Value Merge::combine(const Value& a, const Value& b) const {
  if (kind_ == "Subtract") return a - b;
  if (kind_ == "Multiply") return a * b;
  if (kind_ == "Maximum") return ops::maximum(a, b);
  if (kind_ == "Minimum") return ops::minimum(a, b);
  return a + b;
}

Values Merge::call(const Values& inputs, const CallOptions& options) {
  GLIA_CHECK(!inputs.empty(), "{}: expected a list of inputs. Received none.", title());
  int rank = 0;
  for (const Value& x : inputs) rank = std::max(rank, x.rank());
  const bool product = kind_ == "Multiply", extreme = kind_ == "Maximum" || kind_ == "Minimum";
  Value out, out_mask;
  bool all_masked = true;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Value x = inputs[i], mask = (product || extreme) && i < options.masks.size() ? options.masks[i] : Value();
    while (x.rank() < rank) x = ops::expand_dims(x, 1);
    if (mask.defined()) {
      while (mask.rank() < x.rank()) mask = ops::expand_dims(mask, -1);
      mask = ops::broadcast_to(ops::cast(mask, DType::bool_), x.shape());
    }
    all_masked &= mask.defined();
    if (product && mask.defined()) x = ops::where(mask, x, ops::scalar_like(x, 1));  // neutral where masked
    if (i == 0) {
      out = x;
      out_mask = mask;
      continue;
    }
    if (extreme) {  // masked places of one take the other's value
      if (mask.defined()) x = ops::where(mask, x, out);
      if (out_mask.defined()) out = ops::where(out_mask, out, x);
    }
    out_mask = mask.defined() && out_mask.defined() ? ops::logical_or(out_mask, mask) : Value();
    out = combine(out, x);
  }
  if (product && all_masked) out = ops::where(out_mask, out, ops::scalar_like(out, 0));
  if (kind_ == "Average") {  // wide integers divide in float64, as in TensorFlow
    if (out.dtype() == DType::i32 || out.dtype() == DType::i64) out = ops::cast(out, DType::f64);
    out = out / static_cast<double>(inputs.size());
  }
  return {out};
}

Values Merge::compute_mask(const Values&, const Values& masks, const Values&) {
  Value all;
  for (const Value& m : masks) {
    if (!m.defined()) return {Value()};
    all = all.defined() ? ops::logical_or(all, m) : m;
  }
  return {all};
}

void Concatenate::fields(Fields& f) {
  Layer::fields(f);
  f("axis", o.axis);
}
void Concatenate::build(const std::vector<Shape>& in) {
  GLIA_CHECK(!in.empty(), "{}: expected a list of inputs. Received none.", title());
  int rank = static_cast<int>(in[0].size());
  int64_t axis = positive_axis(o.axis, rank);
  GLIA_CHECK(axis >= 0 && axis < rank, "{}: axis {} is out of range. Received shapes {}.", title(), o.axis, shapes_text(in));
  for (const Shape& s : in) {
    bool fits = s.size() == in[0].size();
    for (int64_t i = 0; fits && i < rank; ++i) fits = i == axis || s[i] == in[0][i] || s[i] < 0 || in[0][i] < 0;
    GLIA_CHECK(fits, "{}: the inputs must have equal shapes except along axis {}. Received {}.", title(), o.axis, shapes_text(in));
  }
}
Values Concatenate::call(const Values& inputs, const CallOptions&) { return {ops::concatenate(inputs, o.axis)}; }
Values Concatenate::compute_mask(const Values& inputs, const Values& masks, const Values&) {
  bool any = std::any_of(masks.begin(), masks.end(), [](const Value& m) { return m.defined(); });
  if (!any) return {Value()};
  Values full;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Value m = masks[i].defined() ? masks[i] : Value(Tensor::full({}, 1, DType::bool_));
    while (m.rank() > 0 && m.rank() < inputs[i].rank()) m = ops::expand_dims(m, -1);
    full.push_back(ops::broadcast_to(m, inputs[i].shape()));
  }
  return {ops::any(ops::concatenate(full, o.axis), {-1})};
}

void Dot::fields(Fields& f) {
  Layer::fields(f);
  axis_field(f, "axes", axes);
  f("normalize", o.normalize);
}
std::pair<int, int> Dot::axes_for(const Shape& a, const Shape& b) const {
  GLIA_CHECK(axes.size() == 1 || axes.size() == 2, "{}: axes takes one number or two. Received {}.", title(), axes.size());
  int ra = static_cast<int>(a.size()), rb = static_cast<int>(b.size());
  int x = static_cast<int>(positive_axis(axes[0], ra)), y = static_cast<int>(positive_axis(axes.back(), rb));
  GLIA_CHECK(ra >= 2 && rb >= 2 && x > 0 && x < ra && y > 0 && y < rb,
             "{}: axes must name axes after the batch axis. Received axes {} and {} for shapes {} and {}.", title(), axes[0],
             axes.back(), to_string(a), to_string(b));
  return {x, y};
}
void Dot::build(const std::vector<Shape>& in) {
  check_input_count(title(), in.size(), 2);
  auto [x, y] = axes_for(in[0], in[1]);
  GLIA_CHECK(in[0][x] == in[1][y] || in[0][x] < 0 || in[1][y] < 0, "{}: axis {} of the first input is {}, axis {} of the second {}. Received shapes {}.",
             title(), x, in[0][x], y, in[1][y], shapes_text(in));
}
Values Dot::call(const Values& inputs, const CallOptions&) {
  check_input_count(title(), inputs.size(), 2);
  Value a = inputs[0], b = inputs[1];
  auto [x, y] = axes_for(a.shape(), b.shape());
  if (o.normalize) {  // keras.utils.normalize: divides by the length, at least 1e-12 squared
    auto unit = [](const Value& v, int axis) {
      return v * ops::rsqrt(ops::maximum(ops::sum(ops::square(v), {axis}, true), ops::scalar_like(v, 1e-12)));
    };
    a = unit(a, x);
    b = unit(b, y);
  }
  // (batch, other axes of a, k) x (batch, k, other axes of b).
  auto moved = [](const Value& v, int axis, bool to_end) {
    Ints order(static_cast<size_t>(v.rank()));
    std::iota(order.begin(), order.end(), 0);
    order.erase(order.begin() + axis);
    order.insert(to_end ? order.end() : order.begin() + 1, axis);
    return ops::transpose(v, order);
  };
  a = moved(a, x, true);
  b = moved(b, y, false);
  Shape sa = a.shape(), sb = b.shape(), out(sa.begin(), sa.end() - 1);
  out.insert(out.end(), sb.begin() + 2, sb.end());
  auto product = [](const Shape& s, size_t from, size_t to) {  // -1 where it is not known
    int64_t n = 1;
    for (size_t i = from; i < to; ++i) n = n < 0 || s[i] < 0 ? -1 : n * s[i];
    return n;
  };
  const bool empty = sa[0] == 0 || sb[0] == 0;  // then -1 says nothing
  const int64_t rows = empty ? product(sa, 1, sa.size() - 1) : -1, columns = empty ? product(sb, 2, sb.size()) : -1;
  Value r = ops::matmul(ops::reshape(a, {sa[0], rows, sa.back()}), ops::reshape(b, {sb[0], sb[1], columns}));
  if (out.size() == 1) out.push_back(1);
  return {ops::reshape(r, out)};
}

}  // namespace glia::nn

namespace glia::layers {

static LayerRef merge(const char* kind, PlainOptions options) {
  return LayerRef(nn::make_with<nn::Merge>(std::move(options), kind));
}
LayerRef Add(PlainOptions options) { return merge("Add", std::move(options)); }
LayerRef Subtract(PlainOptions options) { return merge("Subtract", std::move(options)); }
LayerRef Multiply(PlainOptions options) { return merge("Multiply", std::move(options)); }
LayerRef Average(PlainOptions options) { return merge("Average", std::move(options)); }
LayerRef Maximum(PlainOptions options) { return merge("Maximum", std::move(options)); }
LayerRef Minimum(PlainOptions options) { return merge("Minimum", std::move(options)); }
LayerRef Concatenate(ConcatenateOptions options) { return LayerRef(nn::make_with<nn::Concatenate>(std::move(options))); }
LayerRef Dot(Ints axes, DotOptions options) {
  auto l = nn::make_with<nn::Dot>(std::move(options));
  l->axes = std::move(axes);
  return LayerRef(l);
}

Value add(const Values& inputs) { return Add()(inputs); }
Value subtract(const Values& inputs) { return Subtract()(inputs); }
Value multiply(const Values& inputs) { return Multiply()(inputs); }
Value average(const Values& inputs) { return Average()(inputs); }
Value maximum(const Values& inputs) { return Maximum()(inputs); }
Value minimum(const Values& inputs) { return Minimum()(inputs); }
Value concatenate(const Values& inputs, int64_t axis) { return Concatenate({.axis = axis})(inputs); }
Value dot(const Values& inputs, Ints axes, bool normalize) { return Dot(std::move(axes), {.normalize = normalize})(inputs); }

}  // namespace glia::layers
