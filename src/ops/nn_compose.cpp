// Normalisation over any axes, blocks of images and small helpers of keras.ops.nn, composed of simpler functions.
#include <glia/ops.h>

#include <algorithm>
#include <cmath>

#include "ops/compose.h"

namespace glia::ops {
namespace {

bool half(DType t) { return t == DType::bf16 || t == DType::f16; }
Value wide(const Value& x) { return half(x.dtype()) || !is_float(x.dtype()) ? cast(x, DType::f32) : x; }
Value narrow(const Value& y, const Value& like) { return cast(y, is_float(like.dtype()) ? like.dtype() : y.dtype()); }

Axes sorted_axes(Axes axes, int64_t rank, const char* op) {
  for (int64_t& a : axes) a = front_axis(a, rank, op);
  std::sort(axes.begin(), axes.end());
  return axes;
}
// A weight of the shape of the axes, as broadcast over the others.
Value along(const Value& w, const Value& x, const Axes& axes) {
  if (w.rank() == x.rank()) return cast(w, x.dtype());
  Shape shape(static_cast<std::size_t>(x.rank()), 1);
  for (int64_t a : axes) shape[static_cast<std::size_t>(a)] = x.dim(static_cast<int>(a));
  return reshape(cast(w, x.dtype()), shape);
}
bool trailing(const Axes& axes, int64_t rank) {
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != rank - static_cast<int64_t>(axes.size() - i)) return false;
  return true;
}

}  // namespace

Value layer_normalization(const Value& given, const Value& gamma, const Value& beta, Axes axes, double epsilon) {
  Value x = wide(given);
  axes = sorted_axes(std::move(axes), x.rank(), "layer_normalization");
  auto fits = [&](const Value& w) { return !w.defined() || w.rank() == static_cast<int>(axes.size()); };
  if (trailing(axes, x.rank()) && fits(gamma) && fits(beta)) {
    auto of_type = [&](const Value& w) { return w.defined() ? cast(w, x.dtype()) : w; };
    return narrow(layer_norm(x, of_type(gamma), of_type(beta), epsilon, static_cast<int64_t>(axes.size())), given);
  }
  const Values m = moments(x, axes, true);
  Value y = (x - m[0]) * rsqrt(m[1] + epsilon);
  if (gamma.defined()) y = y * along(gamma, x, axes);
  if (beta.defined()) y = y + along(beta, x, axes);
  return narrow(y, given);
}

Value rms_normalization(const Value& given, const Value& scale, Axes axes, double epsilon) {
  Value x = wide(given);
  axes = sorted_axes(std::move(axes), x.rank(), "rms_normalization");
  Value y = x * rsqrt(mean(square(x), axes, true) + epsilon);
  return narrow(scale.defined() ? y * cast(scale, x.dtype()) : y, given);
}

Value normalize(const Value& given, Axes axes, int64_t order, double epsilon) {
  GLIA_CHECK(order >= 1, "normalize: the order must be at least 1. Received {}.", order);
  Value x = as_float(given);
  if (x.rank() == 0) x = reshape(x, {1});
  axes = sorted_axes(std::move(axes), x.rank(), "normalize");
  if (order == 2) return x * minimum(rsqrt(sum(square(x), axes, true)), scalar_like(x, 1.0 / epsilon));
  Value size = norm(x, std::to_string(order), axes, true);
  return x / maximum(size, scalar_like(x, epsilon));
}

Value psnr(const Value& a, const Value& b, double max_val) {
  GLIA_CHECK(a.shape() == b.shape(), "psnr: the signals must have one shape. Received {} and {}.", to_string(a.shape()), to_string(b.shape()));
  return 20.0 * std::log10(max_val) - 10.0 * log10(mean(square(as_float(a) - as_float(b))));
}

Value multi_hot(const Value& indices, int64_t num_classes, DType dtype) {
  GLIA_CHECK(indices.rank() >= 1, "multi_hot: expected at least one axis. Received a scalar.");
  Value hot = one_hot(indices, num_classes, -1, dtype == DType::bool_ ? DType::i32 : dtype);
  return cast(max(hot, {indices.rank() > 1 ? 1 : 0}), dtype);
}

Values polar(const Value& magnitude, const Value& angle) { return {magnitude * cos(angle), magnitude * sin(angle)}; }

// ---- blocks ----

namespace {
Value last_channels(const Value& x, const std::string& data_format, const char* op, int64_t block) {
  GLIA_CHECK(x.rank() == 4 && block >= 1, "{}: expected images of rank 4 and a positive block size. Received shape {}.", op, to_string(x.shape()));
  GLIA_CHECK(data_format == "channels_last" || data_format == "channels_first", "{}: unknown data_format \"{}\".", op, data_format);
  return data_format == "channels_first" ? moveaxis(x, 1, 3) : x;
}
Value as_given(const Value& x, const std::string& data_format) { return data_format == "channels_first" ? moveaxis(x, 3, 1) : x; }
}  // namespace

Value depth_to_space(const Value& given, int64_t b, const std::string& data_format) {
  Value x = last_channels(given, data_format, "depth_to_space", b);
  const int64_t n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  GLIA_CHECK(c % (b * b) == 0, "depth_to_space: {} channels are no multiple of {}.", c, b * b);
  x = transpose(reshape(x, {n, h, w, b, b, c / (b * b)}), {0, 1, 3, 2, 4, 5});
  return as_given(reshape(x, {n, h * b, w * b, c / (b * b)}), data_format);
}
Value space_to_depth(const Value& given, int64_t b, const std::string& data_format) {
  Value x = last_channels(given, data_format, "space_to_depth", b);
  const int64_t n = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  GLIA_CHECK(h % b == 0 && w % b == 0, "space_to_depth: height and width must be multiples of {}. Received shape {}.", b, to_string(given.shape()));
  x = transpose(reshape(x, {n, h / b, b, w / b, b, c}), {0, 1, 3, 2, 4, 5});
  return as_given(reshape(x, {n, h / b, w / b, b * b * c}), data_format);
}

namespace {
struct Windows {
  std::vector<int32_t> cells;  // (kh, kw, nh, nw): position in the padded image
  int64_t kh, kw, nh, nw, ph, pw, height, width;
};
Windows windows(int64_t h, int64_t w, std::vector<int64_t> k, UnfoldOptions o, const char* op) {
  for (std::vector<int64_t>* v : {&k, &o.dilation, &o.padding, &o.stride}) {
    if (v->size() == 1) v->push_back((*v)[0]);
    GLIA_CHECK(v->size() == 2, "{}: expected one number, or one for height and width. Received {}.", op, v->size());
  }
  GLIA_CHECK(k[0] > 0 && k[1] > 0 && o.dilation[0] > 0 && o.dilation[1] > 0 && o.stride[0] > 0 && o.stride[1] > 0 && o.padding[0] >= 0 && o.padding[1] >= 0,
             "{}: kernel size, dilation and stride must be positive, padding must not be negative.", op);
  Windows r{{}, k[0], k[1], 0, 0, o.padding[0], o.padding[1], h + 2 * o.padding[0], w + 2 * o.padding[1]};
  r.nh = (r.height - o.dilation[0] * (k[0] - 1) - 1) / o.stride[0] + 1;
  r.nw = (r.width - o.dilation[1] * (k[1] - 1) - 1) / o.stride[1] + 1;
  GLIA_CHECK(r.nh > 0 && r.nw > 0, "{}: the kernel is larger than the padded image ({}, {}).", op, r.height, r.width);
  for (int64_t i = 0; i < k[0]; ++i)
    for (int64_t j = 0; j < k[1]; ++j)
      for (int64_t y = 0; y < r.nh; ++y)
        for (int64_t x = 0; x < r.nw; ++x)
          r.cells.push_back(static_cast<int32_t>((y * o.stride[0] + i * o.dilation[0]) * r.width + x * o.stride[1] + j * o.dilation[1]));
  return r;
}
}  // namespace

Value unfold(const Value& x, std::vector<int64_t> kernel_size, const UnfoldOptions& o) {
  GLIA_CHECK(x.rank() == 4, "unfold: expected images (batch, channels, height, width). Received shape {}.", to_string(x.shape()));
  const Windows w = windows(x.dim(2), x.dim(3), std::move(kernel_size), o, "unfold");
  Value flat = reshape(pad(x, {{0, 0}, {0, 0}, {w.ph, w.ph}, {w.pw, w.pw}}), {x.dim(0), x.dim(1), -1});
  return reshape(take(flat, index_vector(w.cells), 2), {x.dim(0), x.dim(1) * w.kh * w.kw, w.nh * w.nw});
}

Value fold(const Value& x, std::vector<int64_t> output_size, std::vector<int64_t> kernel_size, const UnfoldOptions& o) {
  if (output_size.size() == 1) output_size.push_back(output_size[0]);
  GLIA_CHECK(x.rank() == 3 && output_size.size() == 2, "fold: expected columns (batch, channels * kh * kw, windows) and a height and width. Received shape {}.",
             to_string(x.shape()));
  const Windows w = windows(output_size[0], output_size[1], std::move(kernel_size), o, "fold");
  const int64_t n = x.dim(0), cells = w.kh * w.kw;
  GLIA_CHECK(x.dim(1) % cells == 0 && x.dim(2) == w.nh * w.nw, "fold: columns of shape {} do not fit a kernel of {} cells and {} windows.", to_string(x.shape()),
             cells, w.nh * w.nw);
  const int64_t c = x.dim(1) / cells;
  Value columns = transpose(reshape(x, {n * c, cells * w.nh * w.nw}));
  Value image = segment_sum(columns, index_vector(w.cells), w.height * w.width);
  image = reshape(transpose(image), {n, c, w.height, w.width});
  return slice(image, {0, 0, w.ph, w.pw}, {n, c, output_size[0], output_size[1]});
}

}  // namespace glia::ops
