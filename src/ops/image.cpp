// Resizing as two matrix products: along each side every output pixel is a fixed linear combination of input pixels.
#include <glia/ops.h>
#include <glia/ops/image.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace glia::ops::image {
namespace {

double lanczos(double x, double radius) {
  if (x > radius) return 0;
  if (x <= 1e-3) return 1;
  const double pi = M_PI;
  return radius * std::sin(pi * x) * std::sin(pi * x / radius) / (pi * pi * x * x);
}
double keys_cubic(double x) {  // a = -0.5
  if (x >= 2) return 0;
  if (x >= 1) return ((-0.5 * x + 2.5) * x - 4) * x + 2;
  return (1.5 * x - 2.5) * x * x + 1;
}
double triangle(double x) { return std::max(0.0, 1 - x); }

void normalise(double* row, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += row[i];
  if (std::abs(sum) < 1e-35) return;
  for (int64_t i = 0; i < n; ++i) row[i] /= sum;
}

// A kernel centred at each output pixel, over the input pixels that exist.
void fill_kernel(std::vector<double>& w, int64_t in, int64_t out, double radius, bool antialias, double (*kernel)(double)) {
  const double inverse = static_cast<double>(in) / static_cast<double>(out), widen = antialias ? std::max(1.0, inverse) : 1.0;
  for (int64_t o = 0; o < out; ++o) {
    const double centre = (static_cast<double>(o) + 0.5) * inverse;
    auto first = static_cast<int64_t>(std::ceil(centre - radius * widen - 0.5)), last = static_cast<int64_t>(std::floor(centre + radius * widen - 0.5));
    for (int64_t i = std::max<int64_t>(0, first); i <= std::min(last, in - 1); ++i)
      w[o * in + i] = kernel(std::abs(static_cast<double>(i) + 0.5 - centre) / widen);
    normalise(&w[o * in], in);
  }
}

// TensorFlow reads the cubic from a table of 1024 steps; pixels outside of the image get no weight.
void fill_bicubic(std::vector<double>& w, int64_t in, int64_t out) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (int64_t o = 0; o < out; ++o) {
    const float at = (static_cast<float>(o) + 0.5f) * scale - 0.5f, base = std::floor(at);
    const double delta = static_cast<double>(std::lrintf((at - base) * 1024.0f)) / 1024.0;
    for (int k = -1; k <= 2; ++k) {
      const int64_t i = static_cast<int64_t>(base) + k;
      if (i >= 0 && i < in) w[o * in + i] = keys_cubic(std::abs(delta - k));
    }
    normalise(&w[o * in], in);
  }
}

void fill_bilinear(std::vector<double>& w, int64_t in, int64_t out) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (int64_t o = 0; o < out; ++o) {
    const float at = (static_cast<float>(o) + 0.5f) * scale - 0.5f, base = std::floor(at), part = at - base;
    const auto i = static_cast<int64_t>(base);
    w[o * in + std::clamp<int64_t>(i, 0, in - 1)] += 1 - static_cast<double>(part);
    w[o * in + std::clamp<int64_t>(i + 1, 0, in - 1)] += static_cast<double>(part);
  }
}

void fill_area(std::vector<double>& w, int64_t in, int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  for (int64_t o = 0; o < out; ++o) {
    const double from = static_cast<double>(o) * scale, to = from + scale;
    for (auto i = static_cast<int64_t>(from); i < in && static_cast<double>(i) < to; ++i)
      w[o * in + i] = std::min(to, static_cast<double>(i + 1)) - std::max(from, static_cast<double>(i));
    normalise(&w[o * in], in);
  }
}

Tensor weights(const std::string& kind, int64_t in, int64_t out, bool antialias, DType t) {
  std::vector<double> w(static_cast<size_t>(in * out), 0.0);
  if (kind == "bilinear" && antialias) fill_kernel(w, in, out, 1, true, triangle);
  else if (kind == "bilinear") fill_bilinear(w, in, out);
  else if (kind == "bicubic" && antialias) fill_kernel(w, in, out, 2, true, keys_cubic);
  else if (kind == "bicubic") fill_bicubic(w, in, out);
  else if (kind == "lanczos3") fill_kernel(w, in, out, 3, antialias, [](double x) { return lanczos(x, 3); });
  else if (kind == "lanczos5") fill_kernel(w, in, out, 5, antialias, [](double x) { return lanczos(x, 5); });
  else fill_area(w, in, out);
  return Tensor::from_vector<double>({out, in}, w).astype(t);
}

Value nearest(const Value& x, int64_t axis, int64_t out) {
  const int64_t in = x.dim(static_cast<int>(axis));
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  Tensor rows({out}, DType::i32);
  for (int64_t o = 0; o < out; ++o)
    rows.data<int32_t>()[o] = static_cast<int32_t>(std::clamp<int64_t>(static_cast<int64_t>(std::floor((static_cast<float>(o) + 0.5f) * scale)), 0, in - 1));
  return take(x, rows, axis);
}

// Crops or pads to the target's aspect ratio, the image in the middle.
Value to_aspect(const Value& x, const std::vector<int64_t>& size, const ResizeOptions& o) {
  const int64_t h = x.dim(1), w = x.dim(2);
  const auto fit_h = static_cast<int64_t>(static_cast<float>(w * size[0]) / static_cast<float>(size[1]));
  const auto fit_w = static_cast<int64_t>(static_cast<float>(h * size[1]) / static_cast<float>(size[0]));
  if (o.crop_to_aspect_ratio) {
    const int64_t ch = std::max<int64_t>(1, std::min(h, fit_h)), cw = std::max<int64_t>(1, std::min(w, fit_w));
    return slice(x, {0, (h - ch) / 2, (w - cw) / 2, 0}, {x.dim(0), ch, cw, x.dim(3)});
  }
  const int64_t ph = (std::max(h, fit_h) - h) / 2, pw = (std::max(w, fit_w) - w) / 2;
  return pad(x, {{0, 0}, {ph, ph}, {pw, pw}, {0, 0}}, "constant", o.fill_value);
}

}  // namespace

Value resize(const Value& images, std::vector<int64_t> size, const ResizeOptions& o) {
  static const std::vector<std::string> known{"nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"};
  if (std::find(known.begin(), known.end(), o.interpolation) == known.end())
    throw_error("image.resize: unknown interpolation \"{}\".{}", o.interpolation, did_you_mean(o.interpolation, known));
  GLIA_CHECK(images.rank() == 3 || images.rank() == 4, "image.resize: expected (batch, height, width, channels) or one image. Received shape {}.",
             to_string(images.shape()));
  GLIA_CHECK(size.size() == 2 && size[0] > 0 && size[1] > 0, "image.resize: size must be {{height, width}}, both positive.");
  GLIA_CHECK(!o.crop_to_aspect_ratio || !o.pad_to_aspect_ratio, "image.resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be set.");
  const bool single = images.rank() == 3, first = o.data_format == "channels_first";
  Value x = single ? expand_dims(images, 0) : images;
  if (first) x = moveaxis(x, 1, 3);
  if (o.crop_to_aspect_ratio || o.pad_to_aspect_ratio) x = to_aspect(x, size, o);
  const int64_t b = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  if (o.interpolation == "nearest") {
    if (h != size[0]) x = nearest(x, 1, size[0]);
    if (w != size[1]) x = nearest(x, 2, size[1]);
  } else {
    if (!is_float(x.dtype())) x = cast(x, DType::f32);
    if (h != size[0])
      x = reshape(matmul(weights(o.interpolation, h, size[0], o.antialias, x.dtype()), reshape(x, {b, h, w * c})), {b, size[0], w, c});
    if (w != size[1])
      x = reshape(matmul(weights(o.interpolation, w, size[1], o.antialias, x.dtype()), reshape(x, {b * size[0], w, c})), {b, size[0], size[1], c});
  }
  if (first) x = moveaxis(x, 3, 1);
  return single ? squeeze(x, {0}) : x;
}

}  // namespace glia::ops::image
