#include "nn/layers/augmentation.h"

#include <algorithm>
#include <cmath>

#include "nn/layers/random.h"
#include "nn/layers/shape_util.h"

namespace glia::nn {
namespace {

void factor_field(Fields& f, const char* name, Floats& v) {
  std::optional<Floats> value;
  if (!v.empty()) value = v;
  f(name, value);
  v = value.value_or(Floats{});
}

}  // namespace

Values Augmentation::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  Value x = ops::cast(inputs[0], compute_dtype());
  if (!always() && !training(options)) return {x};
  GLIA_CHECK(x.rank() == 3 || x.rank() == 4, "{}: expected images (batch, height, width, channels) or one image. Received shape {}.",
             title(), to_string(x.shape()));
  check_data_format(title(), data_format);
  const bool single = x.rank() == 3, first = is_channels_first(data_format);
  if (single) x = ops::expand_dims(x, 0);
  if (first) x = channels_to_last(x);
  x = augment(x);
  if (first) x = channels_to_first(x);
  return {single ? ops::squeeze(x, {0}) : x};
}

Value Augmentation::uniform(const Shape& shape, const Floats& range) const {
  if (range[0] == range[1]) return ops::full(shape, range[0]);
  return random_uniform(shape, DType::f32, seed, range[0], range[1]);
}
Floats Augmentation::range_of(const char* what, const Floats& factor, double low, double high) const {
  GLIA_CHECK(factor.size() == 1 || factor.size() == 2, "{}: {} takes one number or two. Received {}.", title(), what, factor.size());
  for (double v : factor)
    GLIA_CHECK(v >= low && v <= high, "{}: {} must lie between {} and {}. Received {}.", title(), what, low, high, v);
  if (factor.size() == 2) return {std::min(factor[0], factor[1]), std::max(factor[0], factor[1])};
  return {std::max(-std::abs(factor[0]), low), std::abs(factor[0])};
}

// ---- flip and crop ----------------------------------------------------------------------------------------------------------

void RandomFlip::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("seed", seed);
  f("mode", mode);
}
Value RandomFlip::augment(const Value& x) {
  check_one_of(title(), "mode", mode, {"horizontal", "vertical", "horizontal_and_vertical"});
  Value flips = uniform({x.dim(0), 1, 1, 1}, {0, 1}) <= 0.5, y = x;  // one draw per image for both directions, as Keras
  if (mode != "vertical") y = ops::where(flips, flip_axis(y, 2), y);
  if (mode != "horizontal") y = ops::where(flips, flip_axis(y, 1), y);
  return y;
}

void RandomCrop::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("height", height);
  f("width", width);
  f("seed", seed);
}
Value RandomCrop::augment(const Value& x) {
  const int64_t h = x.dim(1), w = x.dim(2);
  if (h <= height || w <= width) return ops::image::resize(x, {height, width}, {.crop_to_aspect_ratio = true});
  auto window = [&](int64_t have, int64_t want) {
    Value start = ops::cast(uniform({1}, {0, static_cast<double>(have - want + 1)}), DType::i32);
    start = ops::minimum(start, Value(Tensor::scalar(static_cast<double>(have - want), DType::i32)));
    return start + ops::arange(0, static_cast<double>(want));
  };
  return ops::take(ops::take(x, window(h, height), 1), window(w, width), 2);
}

// ---- affine maps ------------------------------------------------------------------------------------------------------------

void RandomAffine::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  if (kind_ == "RandomRotation") {
    factor_field(f, "factor", first);
  } else if (kind_ == "RandomShear") {
    factor_field(f, "x_factor", first);
    factor_field(f, "y_factor", second);
  } else {
    factor_field(f, "height_factor", first);
    factor_field(f, "width_factor", second);
  }
  f("fill_mode", fill_mode);
  f("interpolation", interpolation);
  f("seed", seed);
  f("fill_value", fill_value);
}

Value RandomAffine::transforms(const Value& x) const {
  const Shape s{x.dim(0), 1};
  const double h = static_cast<double>(x.dim(1)), w = static_cast<double>(x.dim(2));
  Value zero = ops::zeros(s), one = ops::ones(s);
  if (kind_ == "RandomRotation") {
    Floats r = range_of("factor", first, -1, 1);
    const double turn = 2 * M_PI, cx = 0.5 * (w - 1), cy = 0.5 * (h - 1);
    Value angle = uniform(s, {r[0] * turn, r[1] * turn}), c = ops::cos(angle), t = ops::sin(angle);
    return ops::concatenate({c, -t, cx - cx * c + cy * t, t, c, cy - cx * t - cy * c}, 1);
  }
  if (kind_ == "RandomShear") {
    Value sign = ops::where(uniform(s, {0, 1}) > 0.5, one, -one);
    Value y = uniform(s, range_of("y_factor", second, -1, 1)) * sign, v = uniform(s, range_of("x_factor", first, -1, 1)) * sign;
    return ops::concatenate({one, v, zero, y, one, zero}, 1);
  }
  if (kind_ == "RandomTranslation") {
    Value down = uniform(s, range_of("height_factor", first, -1, 1)) * h, right = uniform(s, range_of("width_factor", second, -1, 1)) * w;
    return ops::concatenate({one, zero, -right, zero, one, -down}, 1);
  }
  Floats a = range_of("height_factor", first, -1, 1);
  Value zy = uniform(s, {1 + a[0], 1 + a[1]}), zx = zy;
  if (!second.empty()) {
    Floats b = range_of("width_factor", second, -1, 1);
    zx = uniform(s, {1 + b[0], 1 + b[1]});
  }
  return ops::concatenate({zx, zero, (1.0 - zx) * ((w - 1) / 2), zero, zy, (1.0 - zy) * ((h - 1) / 2)}, 1);
}
Value RandomAffine::augment(const Value& x) {
  return ops::image::affine_transform(x, transforms(x), {interpolation, fill_mode, fill_value});
}

// ---- colours ----------------------------------------------------------------------------------------------------------------

void RandomColor::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  if (kind_ == "AutoContrast") return f("value_range", value_range);
  if (kind_ == "RandomGrayscale") {  // a plain probability
    if (f.reading()) f("factor", factor), f("seed", seed);
    else f("factor", factor[0]);
    return;
  }
  if (kind_ == "Solarization") {
    f("value_range", value_range);
    factor_field(f, "addition_factor", factor);
    factor_field(f, "threshold_factor", second);
  } else {
    factor_field(f, "factor", factor);
    f("value_range", value_range);
  }
  f("seed", seed);
}

Value RandomColor::to_bytes(const Value& x) const {
  return (x - value_range[0]) * (255.0 / (value_range[1] - value_range[0]));
}
Value RandomColor::from_bytes(const Value& x) const {
  return x * ((value_range[1] - value_range[0]) / 255.0) + value_range[0];
}
Value RandomColor::clipped(const Value& x) const { return ops::clip(x, value_range[0], value_range[1]); }

Value RandomColor::augment(const Value& x) {
  GLIA_CHECK(value_range.size() == 2 && value_range[0] < value_range[1], "{}: value_range must be (low, high).", title());
  const Shape s{x.dim(0), 1, 1, 1};
  auto drawn = [&](const Floats& range) { return ops::cast(uniform(s, range), x.dtype()); };
  if (kind_ == "AutoContrast") {
    Value v = to_bytes(x), low = ops::min(v, {1, 2}, true), high = ops::max(v, {1, 2}, true);
    Value scale = 255.0 / (high - low);
    Value y = from_bytes(ops::clip(v * scale - low * scale, 0, 255));  // rounds at the borders as Keras does, which decides about gradients
    return ops::where(high > low, y, x);
  }
  if (kind_ == "RandomGrayscale") return ops::where(uniform(s, {0, 1}) < factor[0], ops::image::rgb_to_grayscale(x), x);
  if (kind_ == "RandomBrightness") return clipped(x + drawn(range_of("factor", factor, -1, 1)) * (value_range[1] - value_range[0]));
  if (kind_ == "RandomContrast") {
    Floats r = range_of("factor", factor, 0, 1);
    if (factor.size() == 1) r[0] = factor[0];
    Value mean = ops::mean(x, {1, 2}, true);
    return clipped((x - mean) * drawn({1 - r[0], 1 + r[1]}) + mean);
  }
  if (kind_ == "RandomColorDegeneration")
    return clipped(x + drawn(range_of("factor", factor, -1, 1)) * (ops::image::rgb_to_grayscale(x) - x));
  if (kind_ == "RandomSharpness") {
    Value amount = drawn(range_of("factor", factor, 0, 1)) * 2.0;
    Tensor k = Tensor::full({3, 3, x.dim(3), 1}, 1.0 / 13, x.dtype());
    for (int64_t c = 0; c < x.dim(3); ++c) k.set_item(4 * x.dim(3) + c, 5.0 / 13);
    return clipped(x + (1.0 - amount) * (ops::depthwise_conv(x, k, {.padding = "same"}) - x));
  }
  if (kind_ == "RandomInvert") {
    Value likely = uniform(s, range_of("factor", factor, 0, 1));
    return ops::where(uniform(s, {0, 1}) < likely, value_range[1] - x, x);
  }
  if (kind_ == "Solarization") {
    Floats a = range_of("addition_factor", factor, 0, 1), t = range_of("threshold_factor", second, 0, 1);
    Value v = ops::clip(to_bytes(x) + drawn({a[0], a[1] * 255}), 0, 255);
    return from_bytes(ops::where(v < drawn({t[0], t[1] * 255}), v, 255.0 - v));
  }
  Floats r = range_of("factor", factor, 0, 8);  // RandomPosterization: the low bits go
  Value step = ops::exp2(8.0 - ops::floor(drawn(r)));
  return from_bytes(ops::floor(ops::floor(to_bytes(x)) / step) * step);
}

}  // namespace glia::nn

namespace glia::layers {
namespace {

LayerRef affine(const char* kind, Floats first, Floats second, const GeometricOptions& o) {
  auto l = nn::augmentation<nn::RandomAffine>(o, kind);
  l->first = std::move(first), l->second = std::move(second);
  l->fill_mode = o.fill_mode, l->interpolation = o.interpolation, l->fill_value = o.fill_value;
  return LayerRef(l);
}
LayerRef color(const char* kind, Floats factor, const ColorOptions& o, Floats second = {0.0}) {
  auto l = nn::augmentation<nn::RandomColor>(o, kind);
  l->factor = std::move(factor), l->second = std::move(second), l->value_range = o.value_range;
  return LayerRef(l);
}

}  // namespace

LayerRef RandomFlip(std::string mode, AugmentationOptions o) {
  auto l = nn::augmentation<nn::RandomFlip>(o);
  l->mode = std::move(mode);
  return LayerRef(l);
}
LayerRef RandomCrop(int64_t height, int64_t width, AugmentationOptions o) {
  auto l = nn::augmentation<nn::RandomCrop>(o);
  l->height = height, l->width = width;
  return LayerRef(l);
}
LayerRef RandomRotation(Factor factor, GeometricOptions o) { return affine("RandomRotation", factor, {}, o); }
LayerRef RandomZoom(Factor h, Floats w, GeometricOptions o) { return affine("RandomZoom", h, std::move(w), o); }
LayerRef RandomTranslation(Factor h, Factor w, GeometricOptions o) { return affine("RandomTranslation", h, w, o); }
LayerRef RandomShear(Factor x, Factor y, GeometricOptions o) { return affine("RandomShear", x, y, o); }
LayerRef RandomBrightness(Factor factor, ColorOptions o) { return color("RandomBrightness", factor, o); }
LayerRef RandomContrast(Factor factor, ColorOptions o) { return color("RandomContrast", factor, o); }
LayerRef RandomGrayscale(double factor, AugmentationOptions o) {
  return color("RandomGrayscale", {factor}, {.seed = o.seed, .data_format = o.data_format, .name = o.name, .input_shape = o.input_shape,
                                             .trainable = o.trainable, .dtype = o.dtype});
}
LayerRef RandomColorDegeneration(Factor factor, ColorOptions o) { return color("RandomColorDegeneration", factor, o); }
LayerRef RandomSharpness(Factor factor, ColorOptions o) { return color("RandomSharpness", factor, o); }
LayerRef RandomInvert(Factor factor, ColorOptions o) { return color("RandomInvert", factor, o); }
LayerRef RandomPosterization(Factor factor, ColorOptions o) { return color("RandomPosterization", factor, o); }
LayerRef Solarization(Factor addition, Factor threshold, ColorOptions o) { return color("Solarization", addition, o, threshold); }
LayerRef AutoContrast(ColorOptions o) { return color("AutoContrast", {}, o); }

}  // namespace glia::layers
