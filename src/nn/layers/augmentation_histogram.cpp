// Layers that equalise histograms, and the number of bounding boxes.
#include <algorithm>
#include <cmath>

#include "nn/layers/augmentation_mix.h"

namespace glia::nn {
void Equalization::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("bins", bins);
  f("value_range", value_range);
}
Value Equalization::augment(const Value& x) {
  check_range(title(), value_range);
  GLIA_CHECK(bins > 1, "{}: expected at least two bins. Received {}.", title(), bins);
  const double scale = 255.0 / span(value_range), top = static_cast<double>(bins - 1);
  Values channels;
  for (int64_t c = 0; c < x.dim(3); ++c) {  // of all images together, as Keras does
    Value v = (ops::cast(ops::slice_axis(x, 3, c, c + 1), DType::f32) - value_range[0]) * scale;
    Value place = ops::cast(ops::clip(ops::trunc(v * top / 255.0), 0, top), DType::i32);
    Value histogram = ops::bincount(ops::reshape(place, {-1}), bins), sums = ops::cumsum(histogram);
    Value first = ops::min(ops::where(sums > 0.0, sums, ops::slice_axis(sums, 0, bins - 1)));
    Value count = ops::maximum(ops::reshape(ops::slice_axis(sums, 0, bins - 1), Shape{}) - first, Value(Tensor::scalar(1, DType::i32)));
    Value table = ops::cast((sums - first) * 255.0, DType::f64) / ops::cast(count, DType::f64);
    table = ops::cast(ops::clip(ops::round(table), 0, 255), DType::f32);
    Value index = ops::cast(ops::clip(v / 255.0 * top, 0, top), DType::i32);
    Value flat = ops::count_nonzero(histogram) <= 1.0;
    channels.push_back(ops::where(flat, v, ops::take(table, index, 0)) / scale + value_range[0]);
  }
  return ops::cast(ops::concatenate(channels, 3), x.dtype());
}

void Clahe::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("value_range", value_range);
  f("clip_limit", clip_limit);
  f("tile_grid_size", tile_grid_size);
}

namespace {
struct Neighbours {
  Value low, high, weight;  // tiles before and after each pixel along one side, and the weight of the latter
};
Neighbours neighbours(int64_t tiles, int64_t size, Shape shape) {
  const int64_t n = tiles * size;
  Tensor low({n}, DType::i32), high({n}, DType::i32), weight({n});
  for (int64_t i = 0; i < n; ++i) {
    const double at = (static_cast<double>(i) - static_cast<double>(size) / 2) / static_cast<double>(size) + 1, base = std::floor(at);
    auto tile = [&](double t) { return std::clamp<double>(t, 0, static_cast<double>(tiles + 1)); };
    low.set_item(i, tile(base)), high.set_item(i, tile(base + 1)), weight.set_item(i, at - base);
  }
  return {ops::reshape(Value(low), shape), ops::reshape(Value(high), shape), ops::reshape(Value(weight), shape)};
}
}  // namespace

Value Clahe::augment(const Value& given) {
  check_range(title(), value_range);
  GLIA_CHECK(tile_grid_size.size() == 2 && tile_grid_size[0] > 0 && tile_grid_size[1] > 0, "{}: tile_grid_size must be two positive numbers.", title());
  const int64_t n = given.dim(0), h = given.dim(1), w = given.dim(2), c = given.dim(3), gh = tile_grid_size[0], gw = tile_grid_size[1];
  const int64_t th = (h + gh - 1) / gh, tw = (w + gw - 1) / gw, cells = th * tw;
  Value x = (ops::cast(given, DType::f32) - value_range[0]) * (255.0 / span(value_range));
  x = ops::pad(x, {{0, 0}, {0, th * gh - h}, {0, tw * gw - w}, {0, 0}}, "symmetric");
  Value grey = ops::cast(ops::clip(x, 0, 255), DType::i32);
  Value tiles = ops::transpose(ops::reshape(grey, {n, gh, th, gw, tw, c}), {0, 1, 3, 5, 2, 4});
  Value histogram = ops::cast(ops::bincount(ops::reshape(tiles, {n * gh * gw * c, cells}), 256), DType::f32);
  if (clip_limit > 0) {
    Value clipped = ops::clip(histogram, 0, clip_limit * static_cast<double>(cells) / 256.0);
    histogram = clipped + ops::sum(histogram - clipped, {-1}, true) / 256.0;
  }
  Value sums = ops::cumsum(histogram, -1), least = ops::min(sums, {-1}, true);
  Value count = static_cast<double>(cells) - least;
  Value curve = (sums - least) * 255.0 / ops::where(ops::equal(count, ops::scalar_like(count, 0)), ops::scalar_like(count, 1), count);
  curve = ops::reshape(ops::clip(curve, 0, 255), {n, gh, gw, c, 256});
  curve = ops::pad(curve, {{0, 0}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, "edge");
  // Each pixel reads the curves of the four tiles round it.
  const Neighbours y = neighbours(gh, th, {1, th * gh, 1, 1}), u = neighbours(gw, tw, {1, 1, tw * gw, 1});
  auto ramp = [](int64_t count, Shape shape) { return ops::reshape(ops::arange(0, static_cast<double>(count)), std::move(shape)); };
  Value base = ramp(n, {n, 1, 1, 1}) * static_cast<double>(256 * c * (gw + 2) * (gh + 2)) + ramp(c, {1, 1, 1, c}) * 256.0 + grey;
  Value flat = ops::reshape(curve, {-1});
  auto at = [&](const Value& row, const Value& column) {
    return ops::take(flat, base + row * static_cast<double>(256 * c * (gw + 2)) + column * static_cast<double>(256 * c), 0);
  };
  Value top = at(y.low, u.low) * (1.0 - u.weight) + at(y.low, u.high) * u.weight;
  Value bottom = at(y.high, u.low) * (1.0 - u.weight) + at(y.high, u.high) * u.weight;
  Value result = top * (1.0 - y.weight) + bottom * y.weight;
  result = ops::slice(result, {0, 0, 0, 0}, {n, h, w, c}) * (span(value_range) / 255.0) + value_range[0];
  return ops::cast(result, given.dtype());
}

// ---- boxes ----

void MaxNumBoundingBoxes::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("max_number", max_number);
  f("fill_value", fill_value);
}
Values MaxNumBoundingBoxes::call(const Values& inputs, const CallOptions&) {
  GLIA_CHECK(max_number > 0, "{}: max_number must be positive. Received {}.", title(), max_number);
  if (inputs.size() == 1) return inputs;  // images
  GLIA_CHECK(inputs.size() == 2 && inputs[0].rank() == 3 && inputs[0].dim(2) == 4 && inputs[1].rank() == 2,
             "{}: expected boxes (batch, n, 4) and labels (batch, n). Received {} inputs.", title(), inputs.size());
  Values out;
  for (const Value& x : inputs) {
    Value kept = ops::slice_axis(x, 1, 0, std::min(max_number, x.dim(1)));
    std::vector<std::pair<int64_t, int64_t>> widths(static_cast<std::size_t>(x.rank()), {0, 0});
    widths[1].second = max_number - kept.dim(1);
    out.push_back(ops::pad(kept, widths, "constant", static_cast<double>(fill_value)));
  }
  return out;
}

}  // namespace glia::nn

namespace glia::layers {
namespace {
template <class L, class O>
std::shared_ptr<L> image_layer(const O& o) {
  auto l = std::make_shared<L>();
  l->configure({o.name, o.input_shape, o.trainable, o.dtype});
  l->data_format = o.data_format;
  return l;
}
}  // namespace

LayerRef Equalization(Floats value_range, EqualizationOptions o) {
  auto l = image_layer<nn::Equalization>(o);
  l->value_range = std::move(value_range), l->bins = o.bins;
  return LayerRef(l);
}
LayerRef ContrastLimitedAdaptiveHistogramEqualization(Floats value_range, ClaheOptions o) {
  auto l = image_layer<nn::Clahe>(o);
  l->value_range = std::move(value_range), l->clip_limit = o.clip_limit, l->tile_grid_size = o.tile_grid_size;
  return LayerRef(l);
}
LayerRef MaxNumBoundingBoxes(int64_t max_number, int64_t fill_value, LayerOptions o) {
  auto l = std::make_shared<nn::MaxNumBoundingBoxes>();
  l->configure(o);
  l->max_number = max_number, l->fill_value = fill_value;
  return LayerRef(l);
}

}  // namespace glia::layers
