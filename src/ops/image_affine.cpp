// Affine maps of images as gathers of pixels.
#include <glia/ops.h>
#include <glia/ops/image.h>

#include "base/error.h"

namespace glia::ops::image {
namespace {

// Coordinates outside of 0 .. n-1 are folded back as TensorFlow's ImageProjectiveTransform does.
Value fold(const Value& c, int64_t n, const std::string& mode) {
  const double len = static_cast<double>(n), last = len - 1;
  if (mode == "constant") return c;
  if (mode == "nearest" || n <= 1) return clip(c, 0, last);
  if (mode == "reflect") {  // d c b a | a b c d | d c b a
    const double period = 2 * len;
    Value low = c + trunc(-c / period) * period;  // where c < -period
    low = where(c < -period, low, c);
    low = where(low < -len, low + period, -low - 1.0);
    Value high = c - trunc(c / period) * period;
    high = where(high >= len, period - high - 1.0, high);
    return clip(where(c < 0.0, low, where(c > last, high, c)), 0, last);
  }
  GLIA_CHECK(mode == "wrap", "image.affine_transform: unknown fill_mode \"{}\". Expected constant, reflect, wrap or nearest.", mode);
  Value low = c + (trunc(-c / last) + 1.0) * len, high = c - trunc(c / last) * len;
  return clip(where(c < 0.0, low, where(c > last, high, c)), 0, last);
}

struct Reader {
  Value rows, base;  // pixels (batch * height * width, channels); index of each image's first pixel
  int64_t height, width;
  double fill_value;

  Value at(const Value& y, const Value& x) const {
    Value inside = logical_and(logical_and(y >= 0.0, y <= static_cast<double>(height - 1)), logical_and(x >= 0.0, x <= static_cast<double>(width - 1)));
    Value index = cast(clip(y, 0, static_cast<double>(height - 1)), DType::i32) * Value(Tensor::scalar(static_cast<double>(width), DType::i32)) +
                  cast(clip(x, 0, static_cast<double>(width - 1)), DType::i32) + base;
    Value v = take(rows, index, 0);
    return where(expand_dims(inside, -1), v, scalar_like(v, fill_value));
  }
};

Value ramp(int64_t n, DType t, Shape shape) { return reshape(arange(0, static_cast<double>(n), 1, t), std::move(shape)); }

}  // namespace

Value affine_transform(const Value& images, const Value& transforms, const AffineOptions& o) {
  GLIA_CHECK(images.rank() == 4 && transforms.rank() == 2 && transforms.dim(1) == 6 && (transforms.dim(0) == 1 || transforms.dim(0) == images.dim(0)),
             "image.affine_transform: expected images (batch, height, width, channels) and transforms (batch, 6). Received {} and {}.",
             to_string(images.shape()), to_string(transforms.shape()));
  const int64_t b = images.dim(0), h = images.dim(1), w = images.dim(2), c = images.dim(3);
  const DType t = DType::f32;
  Value m = cast(transforms, t), gx = ramp(w, t, {1, 1, w}), gy = ramp(h, t, {1, h, 1});
  auto entry = [&](int64_t i) { return reshape(slice_axis(m, 1, i, i + 1), {m.dim(0), 1, 1}); };
  Value x = fold(entry(0) * gx + entry(1) * gy + entry(2), w, o.fill_mode), y = fold(entry(3) * gx + entry(4) * gy + entry(5), h, o.fill_mode);
  x = broadcast_to(x, {b, h, w});
  y = broadcast_to(y, {b, h, w});
  Value base = ramp(b, DType::i32, {b, 1, 1}) * Value(Tensor::scalar(static_cast<double>(h * w), DType::i32));
  Reader read{reshape(images, {b * h * w, c}), base, h, w, o.fill_value};
  auto half_away = [](const Value& v) { return sign(v) * floor(abs(v) + 0.5); };  // std::round
  if (o.interpolation == "nearest") return read.at(half_away(y), half_away(x));
  GLIA_CHECK(o.interpolation == "bilinear", "image.affine_transform: unknown interpolation \"{}\". Expected bilinear or nearest.", o.interpolation);
  Value x0 = floor(x), y0 = floor(y), fx = expand_dims(x - x0, -1), fy = expand_dims(y - y0, -1);
  fx = cast(fx, images.dtype());
  fy = cast(fy, images.dtype());
  Value top = read.at(y0, x0) * (1.0 - fx) + read.at(y0, x0 + 1.0) * fx;
  Value bottom = read.at(y0 + 1.0, x0) * (1.0 - fx) + read.at(y0 + 1.0, x0 + 1.0) * fx;
  return top * (1.0 - fy) + bottom * fy;
}

Value rgb_to_grayscale(const Value& images) {
  GLIA_CHECK(images.rank() >= 1 && images.dim(-1) == 3, "image.rgb_to_grayscale: the last axis must be 3. Received {}.", to_string(images.shape()));
  Value w = Tensor::from({3}, {0.2989, 0.5870, 0.1140}, is_float(images.dtype()) ? images.dtype() : DType::f32);
  return sum(images * w, {-1}, true);
}

}  // namespace glia::ops::image
