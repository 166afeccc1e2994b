#include "nn/layers/preprocessing.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/layers/shape_util.h"
#include "nn/trace.h"

namespace glia::nn {
namespace {

void scale_field(Fields& f, const char* name, Floats& v) {  // a single number is written as one
  if (f.reading() || v.size() != 1) return f(name, v);
  f(name, v[0]);
}
Value constant_of(const Floats& v, DType t) {
  if (v.size() == 1) return Tensor::scalar(v[0], t);
  return Tensor::from_vector<double>({static_cast<int64_t>(v.size())}, v).astype(t);
}

}  // namespace

Value encode_categories(const std::string& title, const Value& ids, const std::string& output_mode, int64_t depth, DType dtype, const Value& weights) {
  check_one_of(title, "output_mode", output_mode, {"int", "one_hot", "multi_hot", "count"});
  if (output_mode == "int") return ops::cast(ids, dtype);
  Value x = ids.rank() == 0 ? ops::reshape(ids, {1}) : ids;
  if (is_float(x.dtype())) x = ops::cast(x, DType::i64);
  const int rank = x.rank();
  if (output_mode == "one_hot") {
    if (rank > 1 && x.dim(-1) == 1) x = ops::squeeze(x, {-1});
    return ops::one_hot(x, depth, -1, dtype);
  }
  Value hot = ops::one_hot(x, depth, -1, dtype);
  if (weights.defined()) hot = hot * ops::expand_dims(ops::cast(weights, dtype), -1);
  const int axis = rank > 1 ? 1 : 0;
  // Of no ids at all the largest is 0.
  return output_mode == "count" || x.dim(axis) == 0 ? ops::sum(hot, {axis}) : ops::max(hot, {axis});
}

// ---- Rescaling, Normalization ---------------------------------------------------------------------------------------------

void Rescaling::fields(Fields& f) {
  Layer::fields(f);
  scale_field(f, "scale", scale);
  scale_field(f, "offset", offset);
}
Value Rescaling::call(const Value& x) {
  for (const Floats* v : {&scale, &offset})
    GLIA_CHECK(v->size() == 1 || (x.rank() > 0 && (static_cast<int64_t>(v->size()) == x.dim(-1) || x.dim(-1) == 1)),
               "{}: scale and offset take one number, or one for each of the {} channels. Received {}. Input shape {}.", title(), x.dim(-1),
               v->size(), to_string(x.shape()));
  DType t = compute_dtype();
  return ops::cast(x, t) * constant_of(scale, t) + constant_of(offset, t);
}

void Normalization::fields(Fields& f) {
  Layer::fields(f);
  f("axis", o.axis);
  f("invert", o.invert);
  f("mean", o.mean);
  f("variance", o.variance);
}
void Normalization::build(const std::vector<Shape>& in) {
  const Shape& shape = in[0];
  const int rank = static_cast<int>(shape.size());
  Shape kept;
  broadcast_.assign(shape.size(), 1);
  Ints axes = o.axis;
  for (int64_t& a : axes) {
    GLIA_CHECK(a >= -rank && a < rank && positive_axis(a, rank) > 0, "{}: axis {} must name an axis after the batch axis. Received shape {}.",
               title(), a, to_string(shape));
    a = positive_axis(a, rank);
  }
  std::sort(axes.begin(), axes.end());
  for (int64_t a : axes) {
    GLIA_CHECK(shape[static_cast<size_t>(a)] >= 0, "{}: axis {} must be known. Received shape {}.", title(), a, to_string(shape));
    kept.push_back(shape[static_cast<size_t>(a)]);
    broadcast_[static_cast<size_t>(a)] = shape[static_cast<size_t>(a)];
  }
  GLIA_CHECK(o.mean.defined() == o.variance.defined(), "{}: mean and variance must be given together.", title());
  if (o.mean.defined()) {
    for (const Tensor* t : {&o.mean, &o.variance})
      GLIA_CHECK(t->size() == 1 || t->shape() == kept, "{}: mean and variance must be numbers or have shape {}. Received {}.", title(),
                 to_string(kept), to_string(t->shape()));
    return;
  }
  mean_ = add_weight("mean", kept, "zeros", {.trainable = false});
  variance_ = add_weight("variance", kept, "ones", {.trainable = false});
  count_ = add_weight("count", {}, "zeros", {.trainable = false, .dtype = DType::i64});
}
Value Normalization::call(const Value& input) {
  DType t = compute_dtype();
  Value x = ops::cast(input, t);
  auto spread = [&](const Tensor& given, const Variable& learned) {
    if (given.defined() && given.size() == 1) return Value(Tensor::scalar(given.item(), t));
    return ops::reshape(given.defined() ? Value(given.astype(t)) : ops::cast(learned.value(), t), broadcast_);
  };
  Value mean = spread(o.mean, mean_), deviation = ops::maximum(ops::sqrt(spread(o.variance, variance_)), Value(Tensor::scalar(1e-7, t)));
  return o.invert ? x * deviation + mean : (x - mean) / deviation;
}
void Normalization::adapt(const Tensor& data) {
  GLIA_CHECK(!o.mean.defined(), "{}: adapt is not possible because mean and variance were given.", title());
  GLIA_CHECK(data.rank() >= 1 && data.size() > 0, "{}: adapt needs data. Received shape {}.", title(), to_string(data.shape()));
  build_once({data.shape()});
  Ints rest;
  for (size_t i = 0; i < broadcast_.size(); ++i)
    if (i == 0 || std::find(o.axis.begin(), o.axis.end(), static_cast<int64_t>(i)) == o.axis.end())
      if (std::find(o.axis.begin(), o.axis.end(), static_cast<int64_t>(i) - static_cast<int64_t>(broadcast_.size())) == o.axis.end() || i == 0)
        rest.push_back(static_cast<int64_t>(i));
  Values m = ops::moments(Value(data.astype(DType::f64)), rest);
  mean_.tensor().copy_from(m[0].tensor().astype(mean_.dtype()));
  variance_.tensor().copy_from(m[1].tensor().astype(variance_.dtype()));
}

// ---- Discretization, CategoryEncoding -------------------------------------------------------------------------------------

void Discretization::fields(Fields& f) {
  std::optional<Floats> boundaries;
  if (!o.bin_boundaries.empty()) boundaries = o.bin_boundaries;
  f("bin_boundaries", boundaries);
  o.bin_boundaries = boundaries.value_or(Floats{});
  f("num_bins", o.num_bins);
  f("epsilon", o.epsilon);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
  f("name", name_);
  std::optional<std::string> plain = dtype_policy_;  // Keras writes the name alone
  if (f.reading()) f("dtype", dtype_policy_);
  else f("dtype", plain);
  if (f.reading()) f("trainable", trainable_);
}
Value Discretization::call(const Value& x) {
  GLIA_CHECK(!o.bin_boundaries.empty(), "{}: there are no boundaries. Give bin_boundaries, or num_bins and call adapt() first.", title());
  Trace* t = Trace::current();
  if (o.output_mode == "int" && !x.is_concrete() && t && t->host && t->host->knows(x)) return t->host->call(*this, {x})[0];
  return bins_of(x);
}
Tensor Discretization::run_host(const std::vector<HostInput>& inputs) {
  GLIA_CHECK(inputs.size() == 1 && !inputs[0].is_text(), "{}: expected one array of numbers.", title());
  return bins_of(inputs[0].numbers).tensor();
}
Value Discretization::bins_of(const Value& input) const {
  Value x = is_float(input.dtype()) ? input : ops::cast(input, DType::f32);
  Value bounds = Tensor::from_vector<double>({static_cast<int64_t>(o.bin_boundaries.size())}, o.bin_boundaries).astype(x.dtype());
  Value bin = ops::sum(ops::cast(ops::expand_dims(x, -1) >= bounds, DType::i32), {-1});
  return encode_categories(title(), bin, o.output_mode, static_cast<int64_t>(o.bin_boundaries.size()) + 1,
                           o.output_mode == "int" ? DType::i32 : compute_dtype());
}

namespace {

// Keras's quantile sketch: values and weights, compressed to steps of epsilon (DataSummary of preprocessing/discretization.py).
struct Sketch {
  std::vector<float> values, weights;
};
double interpolate(double x, const std::vector<double>& at, const std::vector<double>& y) {
  if (x <= at.front()) return y.front();
  if (x >= at.back()) return y.back();
  size_t i = static_cast<size_t>(std::upper_bound(at.begin(), at.end(), x) - at.begin());
  double part = (x - at[i - 1]) / (at[i] - at[i - 1]);
  return y[i - 1] + part * (y[i] - y[i - 1]);
}
Sketch compress(const Sketch& s, double epsilon) {
  if (static_cast<double>(s.values.size()) * epsilon < 1) return s;
  std::vector<double> sums, share, values(s.values.begin(), s.values.end());
  double total = 0;
  for (float w : s.weights) sums.push_back(total += static_cast<double>(w));
  for (double v : sums) share.push_back(v / total);
  Sketch r;
  double last = 0;
  for (auto n = static_cast<int64_t>(std::ceil(1 / epsilon)), i = int64_t{0}; i < n; ++i) {
    const double p = epsilon + static_cast<double>(i) * epsilon, sum = interpolate(p, share, sums);
    r.values.push_back(static_cast<float>(interpolate(p, share, values)));
    r.weights.push_back(static_cast<float>(sum - last));
    last = sum;
  }
  return r;
}

}  // namespace

void Discretization::adapt(const Tensor& data) {
  GLIA_CHECK(o.num_bins, "{}: adapt is not possible because bin_boundaries were given. Give num_bins instead.", title());
  GLIA_CHECK(*o.num_bins > 0 && data.size() > 0, "{}: adapt needs data and a positive num_bins.", title());
  std::vector<float> v = data.to_vector();
  std::sort(v.begin(), v.end());
  const double step = std::max(static_cast<double>(v.size()) * o.epsilon, 1.0);
  Sketch s;
  for (size_t i = static_cast<size_t>(step - 1); i < v.size(); i += static_cast<size_t>(step)) {
    s.values.push_back(v[i]);
    s.weights.push_back(static_cast<float>(step));
  }
  s = compress(compress(s, o.epsilon), 1.0 / static_cast<double>(*o.num_bins));
  s.values.pop_back();
  o.bin_boundaries.assign(s.values.begin(), s.values.end());
}

void CategoryEncoding::fields(Fields& f) {
  Layer::fields(f);
  f("num_tokens", num_tokens);
  f("output_mode", o.output_mode);
  if (f.reading()) f("sparse", o.sparse);
}
Values CategoryEncoding::call(const Values& inputs, const CallOptions&) {
  GLIA_CHECK(inputs.size() == 1 || inputs.size() == 2, "{}: expected the categories, and perhaps weights to count with. Received {} inputs.", title(), inputs.size());
  const Value& x = inputs[0];
  GLIA_CHECK(num_tokens > 0, "{}: num_tokens must be positive. Received {}.", title(), num_tokens);
  check_one_of(title(), "output_mode", o.output_mode, {"one_hot", "multi_hot", "count"});
  if (inputs.size() == 1) return {encode_categories(title(), x, o.output_mode, num_tokens, compute_dtype())};
  GLIA_CHECK(o.output_mode == "count", "{}: weights need output_mode \"count\". It is \"{}\".", title(), o.output_mode);
  GLIA_CHECK(inputs[1].shape() == x.shape(), "{}: the weights must have the shape of the categories. Received {} and {}.", title(),
             to_string(inputs[1].shape()), to_string(x.shape()));
  return {encode_categories(title(), x, o.output_mode, num_tokens, compute_dtype(), inputs[1])};
}

// ---- images ---------------------------------------------------------------------------------------------------------------

void Resizing::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", o.data_format);
  f("height", height);
  f("width", width);
  f("interpolation", o.interpolation);
  f("crop_to_aspect_ratio", o.crop_to_aspect_ratio);
  f("pad_to_aspect_ratio", o.pad_to_aspect_ratio);
  f("fill_mode", o.fill_mode);
  f("fill_value", o.fill_value);
  f("antialias", o.antialias);
}
Value Resizing::call(const Value& x) {
  check_one_of(title(), "fill_mode", o.fill_mode, {"constant"});
  ops::image::ResizeOptions r{o.interpolation, o.antialias, o.crop_to_aspect_ratio, o.pad_to_aspect_ratio, o.fill_value, o.data_format};
  Value y = ops::image::resize(x, {height, width}, r);
  if (is_float(x.dtype())) return ops::cast(y, x.dtype());
  if (x.dtype() == DType::u8) y = ops::clip(y, 0, 255);
  return ops::cast(ops::round(y), x.dtype());
}

void CenterCrop::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", o.data_format);
  f("height", height);
  f("width", width);
}
Value CenterCrop::call(const Value& input) {
  Value x = ops::cast(input, compute_dtype());
  GLIA_CHECK(x.rank() == 3 || x.rank() == 4, "{}: expected (batch, height, width, channels) or one image. Received shape {}.", title(),
             to_string(x.shape()));
  check_data_format(title(), o.data_format);
  int h = x.rank() - (is_channels_first(o.data_format) ? 2 : 3), w = h + 1;
  int64_t dh = x.dim(h) - height, dw = x.dim(w) - width;
  if (dh >= 0 && dw >= 0) return slice_axis(slice_axis(x, h, dh / 2, height), w, dw / 2, width);
  return ops::image::resize(x, {height, width}, {.crop_to_aspect_ratio = true, .data_format = o.data_format});
}

// ---- Pipeline -------------------------------------------------------------------------------------------------------------

void Pipeline::fields(Fields& f) {
  std::vector<std::shared_ptr<Configurable>> list;
  for (const LayerRef& l : layers) list.push_back(l.ptr());
  f.objects("layers", "layer", list);
  layers.clear();
  for (auto& p : list) layers.emplace_back(std::static_pointer_cast<Layer>(p));
  f("name", name_);
  if (f.reading()) f("trainable", trainable_), f("dtype", dtype_policy_);
}
void Pipeline::build(const std::vector<Shape>&) {
  if (sublayers().empty())
    for (const LayerRef& l : layers) track(l);
}
Values Pipeline::call(const Values& inputs, const CallOptions& options) {
  Values v = inputs;
  const bool first = shapes.empty();
  for (const LayerRef& l : layers) {
    v = l.outputs(v, {.training = options.training});
    if (!first) continue;
    shapes.emplace_back();
    for (const Value& x : v) shapes.back().push_back(x.shape());
  }
  return v;
}

}  // namespace glia::nn

namespace glia {

void adapt(const LayerRef& layer, const Tensor& data) {
  if (auto* h = dynamic_cast<nn::HostLayer*>(&*layer); h && h->takes_integers()) return h->adapt_to(nn::integers_as_text(data));
  auto* a = dynamic_cast<nn::Adaptable*>(&*layer);
  GLIA_CHECK(a, "adapt: {} ({}) learns nothing from data.", layer->name(), layer->class_name());
  a->adapt(data);
}

namespace layers {

LayerRef Rescaling(Scale scale, Scale offset, PlainOptions options) {
  auto l = nn::make_with<nn::Rescaling>(std::move(options));
  l->scale = std::move(scale);
  l->offset = std::move(offset);
  return LayerRef(l);
}
LayerRef Normalization(NormalizationOptions options) { return LayerRef(nn::make_with<nn::Normalization>(std::move(options))); }
LayerRef Discretization(DiscretizationOptions options) { return LayerRef(nn::make_with<nn::Discretization>(std::move(options))); }
LayerRef CategoryEncoding(int64_t num_tokens, CategoryEncodingOptions options) {
  auto l = nn::make_with<nn::CategoryEncoding>(std::move(options));
  l->num_tokens = num_tokens;
  return LayerRef(l);
}
LayerRef Resizing(int64_t height, int64_t width, ResizingOptions options) {
  auto l = nn::make_with<nn::Resizing>(std::move(options));
  l->height = height, l->width = width;
  return LayerRef(l);
}
LayerRef CenterCrop(int64_t height, int64_t width, CenterCropOptions options) {
  auto l = nn::make_with<nn::CenterCrop>(std::move(options));
  l->height = height, l->width = width;
  return LayerRef(l);
}
LayerRef Pipeline(std::vector<LayerRef> list, PlainOptions options) {
  auto l = nn::make_with<nn::Pipeline>(std::move(options));
  l->layers = std::move(list);
  return LayerRef(l);
}

}  // namespace layers
}  // namespace glia
