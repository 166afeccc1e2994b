// Blur, edges, colours, patches, borders and similarity of images, composed of convolutions and pointwise ops.
#include <glia/ops/image.h>

#include <algorithm>
#include <cmath>

#include "ops/compose.h"

namespace glia::ops::image {
namespace {

bool first_of(const std::string& data_format, const char* op) {
  GLIA_CHECK(data_format == "channels_last" || data_format == "channels_first", "image.{}: unknown data_format \"{}\". Expected channels_last or channels_first.",
             op, data_format);
  return data_format == "channels_first";
}

// Runs f on a batch (batch, height, width, channels) and gives the result the layout of the images.
template <class F>
Value as_batch(const Value& images, const std::string& data_format, const char* op, F f) {
  GLIA_CHECK(images.rank() == 3 || images.rank() == 4, "image.{}: expected one image (rank 3) or a batch (rank 4). Received shape {}.", op,
             to_string(images.shape()));
  const bool first = first_of(data_format, op), single = images.rank() == 3;
  Value x = single ? expand_dims(images, 0) : images;
  if (first) x = moveaxis(x, 1, 3);
  Value y = f(x);
  if (first) y = moveaxis(y, 3, 1);
  return single ? squeeze(y, {0}) : y;
}

std::vector<double> gaussian(int64_t size, double sigma) {
  std::vector<double> w;
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double x = static_cast<double>(i) - static_cast<double>(size - 1) / 2;
    w.push_back(std::exp(-0.5 * (x / sigma) * (x / sigma)));
    sum += w.back();
  }
  for (double& v : w) v /= sum;
  return w;
}

}  // namespace

Value gaussian_blur(const Value& images, std::vector<int64_t> size, const Value& sigma, const std::string& data_format) {
  if (size.size() == 1) size.push_back(size[0]);
  GLIA_CHECK(size.size() == 2 && size[0] > 0 && size[1] > 0 && sigma.rank() == 1 && sigma.dim(0) == 2,
             "image.gaussian_blur: expected two positive sizes and two sigmas.");
  return as_batch(images, data_format, "gaussian_blur", [&](const Value& given) {
    Value batch = as_float(given), s = cast(sigma, batch.dtype());
    auto line = [&](int64_t n, int64_t which) {
      Value x = arange(0, static_cast<double>(n), 1, batch.dtype()) - static_cast<double>(n - 1) / 2;
      Value w = exp(square(x / slice_axis(s, 0, which, which + 1)) * -0.5);
      return w / sum(w);
    };
    // Keras 3.15 writes the (y, x) products into a (size[0], size[1]) kernel in their order.
    Value kernel = reshape(outer(line(size[1], 1), line(size[0], 0)), {size[0], size[1], 1, 1});
    return depthwise_conv(batch, broadcast_to(kernel, {size[0], size[1], batch.dim(3), 1}), {.padding = "same"});
  });
}
Value gaussian_blur(const Value& images, std::vector<int64_t> size, std::vector<double> sigma, const std::string& data_format) {
  if (sigma.size() == 1) sigma.push_back(sigma[0]);
  GLIA_CHECK(sigma.size() == 2, "image.gaussian_blur: expected two sigmas. Received {}.", sigma.size());
  const DType t = images.dtype() == DType::f64 ? DType::f64 : DType::f32;
  return gaussian_blur(images, std::move(size), Value(Tensor::from_vector<double>({2}, sigma).astype(t)), data_format);
}

Value sobel_edges(const Value& images, const std::string& data_format) {
  const bool single = images.rank() == 3, first = first_of(data_format, "sobel_edges");
  GLIA_CHECK(single || images.rank() == 4, "image.sobel_edges: expected rank 3 or 4. Received shape {}.", to_string(images.shape()));
  Value x = as_float(single ? expand_dims(images, 0) : images);
  if (first) x = moveaxis(x, 1, 3);
  const int64_t channels = x.dim(3);
  const double weights[3][3] = {{-1, -2, -1}, {0, 0, 0}, {1, 2, 1}};
  Tensor kernel({3, 3, channels, 2}, x.dtype());
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 3; ++j)
      for (int64_t c = 0; c < channels; ++c) {
        kernel.set_item(((i * 3 + j) * channels + c) * 2, weights[i][j]);
        kernel.set_item(((i * 3 + j) * channels + c) * 2 + 1, weights[j][i]);
      }
  Value y = depthwise_conv(pad(x, {{0, 0}, {1, 1}, {1, 1}, {0, 0}}, "reflect"), Value(kernel));
  y = reshape(y, {x.dim(0), x.dim(1), x.dim(2), channels, 2});
  if (first) y = moveaxis(y, 3, 1);
  return single ? squeeze(y, {0}) : y;
}

Value rgb_to_grayscale(const Value& images, const std::string& data_format) {
  const int64_t axis = first_of(data_format, "rgb_to_grayscale") ? -3 : -1;
  GLIA_CHECK(images.rank() >= -axis && (images.dim(static_cast<int>(axis)) == 3 || images.dim(static_cast<int>(axis)) == 1),
             "image.rgb_to_grayscale: expected 3 channels, or 1. Received shape {}.", to_string(images.shape()));
  if (images.dim(static_cast<int>(axis)) == 1) return images;
  Value x = as_float(images), w = Tensor::from({3}, {0.2989, 0.5870, 0.1140}, x.dtype());
  if (axis == -3) w = reshape(w, {3, 1, 1});
  return cast(sum(x * w, {axis}, true), images.dtype());
}

namespace {
struct Colours {
  Value a, b, c;
};
Colours channels_of(const Value& images, int64_t axis, const char* op) {
  GLIA_CHECK((images.rank() == 3 || images.rank() == 4) && is_float(images.dtype()) && images.dim(static_cast<int>(axis)) == 3,
             "image.{}: expected floating point images of rank 3 or 4 with 3 channels. Received {}.", op, to_string(images.type()));
  return {slice_axis(images, axis, 0, 1), slice_axis(images, axis, 1, 2), slice_axis(images, axis, 2, 3)};
}
}  // namespace

Value rgb_to_hsv(const Value& images, const std::string& data_format) {
  const int64_t axis = first_of(data_format, "rgb_to_hsv") ? -3 : -1;
  auto [r, g, b] = channels_of(images, axis, "rgb_to_hsv");
  // Of equal channels red is the largest and blue the smallest, as in TensorFlow's gradient.
  Value value = maximum(maximum(r, g), b), spread = value - minimum(minimum(b, g), r);
  Value lit = value > 0.0, coloured = spread > 0.0, one = scalar_like(value, 1), zero = zero_of(value);
  // A channel of 0 has no gradient from the saturation, as TensorFlow's.
  auto above_zero = [](const Value& c) { return where(c > 0.0, c, stop_gradient(c)); };
  Value red = above_zero(r), green = above_zero(g), blue = above_zero(b), largest = maximum(maximum(red, green), blue);
  Value saturation = where(lit, (largest - minimum(minimum(blue, green), red)) / where(lit, largest, one), zero);
  Value norm = 1.0 / (where(coloured, spread, one) * 6.0);
  Value hue = where(equal(r, value), norm * (g - b), where(equal(g, value), norm * (b - r) + 2.0 / 6.0, norm * (r - g) + 4.0 / 6.0));
  hue = where(coloured, hue, zero);
  return concatenate({where(hue < 0.0, hue + 1.0, hue), saturation, value}, axis);
}

Value hsv_to_rgb(const Value& images, const std::string& data_format) {
  const int64_t axis = first_of(data_format, "hsv_to_rgb") ? -3 : -1;
  const Colours hsv = channels_of(images, axis, "hsv_to_rgb");
  const Value angle = hsv.a * 6.0, &s = hsv.b, &v = hsv.c;
  auto mixed = [&](const Value& pure) { return ((1.0 - s) + s * clip(pure, 0, 1)) * v; };
  return concatenate({mixed(abs(angle - 3.0) - 1.0), mixed(2.0 - abs(angle - 2.0)), mixed(2.0 - abs(angle - 4.0))}, axis);
}

namespace {
Value patches(const Value& images, std::vector<int64_t> size, const PatchOptions& o, std::size_t spatial, const char* op) {
  if (size.size() == 1) size.assign(spatial, size[0]);
  GLIA_CHECK(size.size() == spatial, "image.{}: expected {} sizes. Received {}.", op, spatial, size.size());
  const bool single = images.rank() == static_cast<int>(spatial) + 1;
  GLIA_CHECK(single || images.rank() == static_cast<int>(spatial) + 2, "image.{}: expected rank {} or {}. Received shape {}.", op, spatial + 1, spatial + 2,
             to_string(images.shape()));
  Value x = as_float(single ? expand_dims(images, 0) : images);
  const int64_t channels = x.dim(first_of(o.data_format, op) ? 1 : -1);
  int64_t all = channels;
  for (int64_t s : size) all *= s;
  Shape kernel(size.begin(), size.end());
  kernel.insert(kernel.end(), {channels, all});
  Value y = conv(x, reshape(eye(all, all, 0, x.dtype()), kernel),
                 {.strides = o.strides.empty() ? size : o.strides, .padding = o.padding, .data_format = o.data_format, .dilation_rate = o.dilation_rate});
  y = cast(y, images.dtype());
  return single ? squeeze(y, {0}) : y;
}
}  // namespace

Value extract_patches(const Value& images, std::vector<int64_t> size, const PatchOptions& o) {
  return size.size() == 3 ? extract_patches_3d(images, std::move(size), o) : patches(images, std::move(size), o, 2, "extract_patches");
}
Value extract_patches_3d(const Value& volumes, std::vector<int64_t> size, const PatchOptions& o) {
  return patches(volumes, std::move(size), o, 3, "extract_patches_3d");
}

namespace {
struct Sides {
  int64_t before, after, target;
};
// Two of the three determine the third; `inward`: the sides are cut off rather than added.
Sides sides(std::optional<int64_t> before, std::optional<int64_t> after, std::optional<int64_t> target, int64_t n, bool inward, const char* op) {
  const int given = int(before.has_value()) + int(after.has_value()) + int(target.has_value());
  GLIA_CHECK(given == 2, "image.{}: exactly two of (before, after, target) must be given per axis. Received {}.", op, given);
  const int64_t sign = inward ? -1 : 1;
  Sides s{};
  if (!target) s = {*before, *after, n + sign * (*before + *after)};
  else if (!before) s = {sign * (*target - n) - *after, *after, *target};
  else s = {*before, sign * (*target - n) - *before, *target};
  GLIA_CHECK(s.before >= 0 && s.after >= 0 && s.target >= 0, "image.{}: the sides {} and {} of an axis of {} must not be negative.", op, s.before, s.after, n);
  return s;
}
int64_t height_axis(const Value& images, const std::string& data_format, const char* op) {
  GLIA_CHECK(images.rank() == 3 || images.rank() == 4, "image.{}: expected rank 3 or 4. Received shape {}.", op, to_string(images.shape()));
  return images.rank() - (first_of(data_format, op) ? 2 : 3);
}
}  // namespace

Value pad_images(const Value& images, const Borders& p) {
  const int64_t h = height_axis(images, p.data_format, "pad_images");
  const Sides v = sides(p.top, p.bottom, p.target_height, images.dim(static_cast<int>(h)), false, "pad_images");
  const Sides u = sides(p.left, p.right, p.target_width, images.dim(static_cast<int>(h) + 1), false, "pad_images");
  std::vector<std::pair<int64_t, int64_t>> widths(static_cast<std::size_t>(images.rank()), {0, 0});
  widths[static_cast<std::size_t>(h)] = {v.before, v.after};
  widths[static_cast<std::size_t>(h) + 1] = {u.before, u.after};
  return pad(images, widths);
}
Value crop_images(const Value& images, const Borders& c) {
  const int64_t h = height_axis(images, c.data_format, "crop_images");
  const Sides v = sides(c.top, c.bottom, c.target_height, images.dim(static_cast<int>(h)), true, "crop_images");
  const Sides u = sides(c.left, c.right, c.target_width, images.dim(static_cast<int>(h) + 1), true, "crop_images");
  return slice_axis(slice_axis(images, h, v.before, v.before + v.target), h + 1, u.before, u.before + u.target);
}

Value ssim(const Value& given1, const Value& given2, const SsimOptions& o) {
  GLIA_CHECK(given1.shape() == given2.shape(), "image.ssim: the images must have one shape. Received {} and {}.", to_string(given1.shape()),
             to_string(given2.shape()));
  auto planes = [&](const Value& images) {  // (batch * channels, height, width, 1)
    GLIA_CHECK(images.rank() == 3 || images.rank() == 4, "image.ssim: expected rank 3 or 4. Received shape {}.", to_string(images.shape()));
    Value x = as_float(images.rank() == 3 ? expand_dims(images, 0) : images);
    if (!first_of(o.data_format, "ssim")) x = moveaxis(x, 3, 1);
    return reshape(x, {-1, x.dim(2), x.dim(3), 1});
  };
  Value a = planes(given1), b = planes(given2);
  const std::vector<double> w = gaussian(o.filter_size, o.filter_sigma);
  Tensor kernel({o.filter_size, o.filter_size, 1, 1}, a.dtype());
  for (int64_t i = 0; i < kernel.size(); ++i) kernel.set_item(i, w[static_cast<std::size_t>(i / o.filter_size)] * w[static_cast<std::size_t>(i % o.filter_size)]);
  auto mean_of = [&](const Value& x) { return conv(x, Value(kernel)); };
  const double c1 = std::pow(o.k1 * o.max_val, 2), c2 = std::pow(o.k2 * o.max_val, 2);
  Value ma = mean_of(a), mb = mean_of(b), va = mean_of(a * a) - ma * ma, vb = mean_of(b * b) - mb * mb, cov = mean_of(a * b) - ma * mb;
  Value map = (ma * mb * 2.0 + c1) * (cov * 2.0 + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
  const int64_t batch = given1.rank() == 4 ? given1.dim(0) : 1;
  Value y = mean(reshape(mean(map, {1, 2, 3}), {batch, -1}), {-1});
  y = cast(y, given1.dtype());
  return given1.rank() == 3 ? squeeze(y, {0}) : y;
}

}  // namespace glia::ops::image
