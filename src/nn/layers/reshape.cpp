#include "nn/layers/reshape.h"

#include <algorithm>

namespace glia::nn {

void Flatten::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", o.data_format);
}
Value Flatten::call(const Value& x) {
  check_min_rank(title(), x.shape(), 1);
  Value v = is_channels_first(o.data_format) && x.rank() > 2 ? channels_to_last(x) : x;
  int64_t batch = v.dim(0), rest = 1;
  for (int i = batch == 0 ? 1 : 0; i < v.rank(); ++i) rest *= v.dim(i);
  return ops::reshape(v, {batch, batch > 0 ? rest / batch : rest});
}

void Reshape::fields(Fields& f) {
  Layer::fields(f);
  f("target_shape", target_shape);
}
Value Reshape::call(const Value& x) {
  Shape in = x.shape(), full{in[0]};
  full.insert(full.end(), target_shape.begin(), target_shape.end());
  int64_t known = 1, holes = 0, total = 1;
  for (size_t i = 1; i < in.size(); ++i) total *= in[i];
  for (int64_t d : target_shape) d < 0 ? ++holes : known *= d;
  GLIA_CHECK(holes <= 1 && (holes == 0 ? known == total : known > 0 && total % known == 0),
             "{}: cannot reshape {} into target_shape {}: {} elements per example do not fit.", title(), to_string(in),
             to_string(target_shape), total);
  for (size_t i = 1; i < full.size(); ++i)
    if (full[i] < 0) full[i] = total / known;
  return ops::reshape(x, full);
}

void Permute::fields(Fields& f) {
  Layer::fields(f);
  f("dims", dims);
}
Value Permute::call(const Value& x) {
  Ints order = dims;
  std::sort(order.begin(), order.end());
  for (size_t i = 0; i < order.size(); ++i)
    GLIA_CHECK(order[i] == static_cast<int64_t>(i) + 1, "{}: dims must be the numbers 1 to n in any order. Received {}.", title(),
               to_string(dims));
  check_rank(title(), x.shape(), dims.size() + 1, "the batch axis and one axis for each entry of dims");
  Ints axes{0};
  axes.insert(axes.end(), dims.begin(), dims.end());
  return ops::transpose(x, axes);
}

void RepeatVector::fields(Fields& f) {
  Layer::fields(f);
  f("n", n);
}
Value RepeatVector::call(const Value& x) {
  check_rank(title(), x.shape(), 2, "(batch, features)");
  GLIA_CHECK(n > 0, "{}: n must be positive. Received {}.", title(), n);
  Shape s = x.shape();
  return ops::broadcast_to(ops::expand_dims(x, 1), {s[0], n, s[1]});
}

// ---- borders ------------------------------------------------------------------------------------------------------------

Pairs Border::pairs() const {
  const Ints& v = cells.flat;
  size_t n = static_cast<size_t>(spatial_);
  Pairs r;
  if (cells.paired || (n == 1 && v.size() == 2)) {
    for (size_t i = 0; i + 1 < v.size(); i += 2) r.emplace_back(v[i], v[i + 1]);
  } else {
    for (size_t i = 0; i < n; ++i) {
      int64_t k = v.size() == 1 ? v[0] : i < v.size() ? v[i] : -1;
      r.emplace_back(k, k);
    }
  }
  bool ok = r.size() == n;
  for (auto [a, b] : r) ok &= a >= 0 && b >= 0;
  GLIA_CHECK(ok, "{}: {} takes a number, {}. Received {} numbers.", title(), crops_ ? "cropping" : "padding",
             n == 1 ? "or a pair (before, after)" : "a number per spatial axis, or a pair (before, after) per spatial axis", v.size());
  return r;
}

void Border::fields(Fields& f) {
  Layer::fields(f);
  const char* name = crops_ ? "cropping" : "padding";
  Tensor t;
  if (!f.reading()) {
    Ints flat;
    for (auto [a, b] : pairs()) flat.insert(flat.end(), {a, b});
    t = Tensor::from_vector<int64_t>(spatial_ == 1 ? Shape{2} : Shape{spatial_, 2}, flat);
  }
  f(name, t);
  if (f.reading() && t.defined()) {
    cells.flat.clear();
    for (int64_t i = 0; i < t.size(); ++i) cells.flat.push_back(static_cast<int64_t>(t.item(i)));
    cells.paired = t.rank() == 2;
  }
  if (!crops_ || spatial_ > 1) f("data_format", o.data_format);  // Keras's Cropping1D has none
}

void Border::build(const std::vector<Shape>& in) {
  check_rank(title(), in[0], static_cast<size_t>(spatial_) + 2, "(batch, spatial axes, channels)");
  check_data_format(title(), o.data_format);
  pairs();
}

Value Border::call(const Value& x) {
  check_rank(title(), x.shape(), static_cast<size_t>(spatial_) + 2, "(batch, spatial axes, channels)");
  int64_t first = is_channels_first(o.data_format) ? 2 : 1;
  Pairs p = pairs();
  if (!crops_) {
    Pairs all(static_cast<size_t>(x.rank()));
    std::copy(p.begin(), p.end(), all.begin() + first);
    return pad_zeros(x, all);
  }
  Value y = x;
  for (int64_t i = 0; i < spatial_; ++i) {
    auto [before, after] = p[static_cast<size_t>(i)];
    int64_t n = y.dim(static_cast<int>(first + i));
    GLIA_CHECK(before + after < n, "{}: cropping {} + {} cells leaves nothing of spatial axis {} of extent {}. Received shape {}.",
               title(), before, after, i, n, to_string(x.shape()));
    if (before + after > 0) y = slice_axis(y, first + i, before, n - before - after);
  }
  return y;
}

// ---- upsampling ---------------------------------------------------------------------------------------------------------

void UpSampling::fields(Fields& f) {
  Layer::fields(f);
  if (spatial_ == 1) f("size", size[0]);
  else f("size", size);
  if (spatial_ > 1) f("data_format", o.data_format);
  if (spatial_ == 2) f("interpolation", o.interpolation);
}
Value UpSampling::call(const Value& x) {
  check_rank(title(), x.shape(), static_cast<size_t>(spatial_) + 2, "(batch, spatial axes, channels)");
  check_data_format(title(), o.data_format);
  Ints factors = per_axis(title(), "size", size, static_cast<size_t>(spatial_));
  for (int64_t s : factors) GLIA_CHECK(s > 0, "{}: size must be positive. Received {}.", title(), to_string(factors));
  bool first = spatial_ > 1 && is_channels_first(o.data_format);
  if (spatial_ == 2 && o.interpolation != "nearest") {
    Value v = first ? channels_to_last(x) : x;
    v = ops::image::resize(v, {v.dim(1) * factors[0], v.dim(2) * factors[1]}, {.interpolation = o.interpolation});
    return first ? channels_to_first(v) : v;
  }
  Value y = x;
  for (int i = 0; i < spatial_; ++i) y = repeat_axis(y, (first ? 2 : 1) + i, factors[static_cast<size_t>(i)]);
  return y;
}

}  // namespace glia::nn

namespace glia::layers {

Borders::Borders(std::initializer_list<std::initializer_list<int64_t>> pairs) : paired(true) {
  for (const auto& p : pairs) flat.insert(flat.end(), p.begin(), p.end());
}

LayerRef Flatten(DataFormatOptions options) { return LayerRef(nn::make_with<nn::Flatten>(std::move(options))); }
LayerRef Reshape(Shape target_shape, PlainOptions options) {
  auto l = nn::make_with<nn::Reshape>(std::move(options));
  l->target_shape = std::move(target_shape);
  return LayerRef(l);
}
LayerRef Permute(Ints dims, PlainOptions options) {
  auto l = nn::make_with<nn::Permute>(std::move(options));
  l->dims = std::move(dims);
  return LayerRef(l);
}
LayerRef RepeatVector(int64_t n, PlainOptions options) {
  auto l = nn::make_with<nn::RepeatVector>(std::move(options));
  l->n = n;
  return LayerRef(l);
}

static LayerRef border(bool crops, int spatial, Borders cells, DataFormatOptions options) {
  auto l = nn::make_with<nn::Border>(std::move(options), crops, spatial);
  l->cells = std::move(cells);
  return LayerRef(l);
}
LayerRef ZeroPadding1D(Borders padding, DataFormatOptions options) { return border(false, 1, padding, std::move(options)); }
LayerRef ZeroPadding2D(Borders padding, DataFormatOptions options) { return border(false, 2, padding, std::move(options)); }
LayerRef ZeroPadding3D(Borders padding, DataFormatOptions options) { return border(false, 3, padding, std::move(options)); }
LayerRef Cropping1D(Borders cropping, DataFormatOptions options) { return border(true, 1, cropping, std::move(options)); }
LayerRef Cropping2D(Borders cropping, DataFormatOptions options) { return border(true, 2, cropping, std::move(options)); }
LayerRef Cropping3D(Borders cropping, DataFormatOptions options) { return border(true, 3, cropping, std::move(options)); }

static LayerRef up_sampling(int spatial, Ints size, UpSampling2DOptions options) {
  auto l = nn::make_with<nn::UpSampling>(std::move(options), spatial);
  l->size = std::move(size);
  return LayerRef(l);
}
LayerRef UpSampling1D(int64_t size, PlainOptions o) {
  return up_sampling(1, {size}, {.name = o.name, .input_shape = o.input_shape, .trainable = o.trainable, .dtype = o.dtype});
}
LayerRef UpSampling2D(Ints size, UpSampling2DOptions options) { return up_sampling(2, std::move(size), std::move(options)); }
LayerRef UpSampling3D(Ints size, DataFormatOptions o) {
  return up_sampling(3, std::move(size), {.data_format = o.data_format, .name = o.name, .input_shape = o.input_shape,
                                          .trainable = o.trainable, .dtype = o.dtype});
}

}  // namespace glia::layers
