// Images and arrays read between their elements.
#include <glia/ops/image.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/compose.h"

namespace glia::ops::image {
namespace {

struct Place {
  Value index, valid;  // valid only with fill_mode constant
};

// Whole coordinates (int32) folded into 0 .. n - 1, as Keras does on TensorFlow.
Place folded(const Value& c, int64_t n, const std::string& mode) {
  const auto size = static_cast<double>(n);
  if (mode == "constant") return {clip(c, 0, size - 1), logical_and(c >= 0.0, c < size)};
  if (mode == "nearest") return {clip(c, 0, size - 1), {}};
  if (mode == "wrap") return {mod(c, scalar_like(c, size)), {}};
  GLIA_CHECK(mode == "mirror" || mode == "reflect", "image.map_coordinates: unknown fill_mode \"{}\". Expected constant, nearest, wrap, mirror or reflect.", mode);
  Value m = mod(abs(c), scalar_like(c, 2 * size)), over = m >= size;
  Value back = mode == "reflect" ? 2 * size - m - 1.0 : 2 * size - m;
  return {clip(where(over, back, m), 0, size - 1), {}};
}

// rows: (n, channels); coordinates[i] over an axis of extents[i], all of one shape, row-major; base: index added to all.
Value interpolate(const Value& rows, const Values& coordinates, const std::vector<int64_t>& extents, const Value& base, int64_t order,
                  const std::string& mode, double fill_value) {
  GLIA_CHECK(order == 0 || order == 1, "image.map_coordinates: the order must be 0 or 1. Received {}.", order);
  struct Choice {
    Value index, valid, weight;
  };
  std::vector<Choice> partial{{base, {}, {}}};
  for (std::size_t i = 0; i < coordinates.size(); ++i) {
    Value c = coordinates[i];
    std::vector<std::pair<Value, Value>> nodes;  // whole coordinate, weight
    if (order == 0 || !is_float(c.dtype())) {
      nodes = {{cast(is_float(c.dtype()) ? round(c) : c, DType::i32), {}}};
    } else {
      Value low = stop_gradient(floor(c)), upper = c - low, index = cast(low, DType::i32);
      nodes = {{index, 1.0 - upper}, {index + 1.0, upper}};
    }
    std::vector<Choice> next;
    for (const Choice& p : partial)
      for (const auto& [node, weight] : nodes) {
        const Place at = folded(node, extents[i], mode);
        Choice q = p;
        q.index = p.index.defined() ? p.index * static_cast<double>(extents[i]) + at.index : at.index;
        if (at.valid.defined()) q.valid = p.valid.defined() ? logical_and(p.valid, at.valid) : at.valid;
        if (weight.defined()) q.weight = p.weight.defined() ? p.weight * weight : weight;
        next.push_back(q);
      }
    partial = std::move(next);
  }
  Value total;
  for (const Choice& p : partial) {
    Value v = take(rows, p.index, 0);
    if (p.valid.defined()) v = where(expand_dims(p.valid, -1), v, scalar_like(v, fill_value));
    if (p.weight.defined()) v = v * cast(expand_dims(p.weight, -1), v.dtype());
    total = total.defined() ? total + v : v;
  }
  return total;
}

}  // namespace

Value map_coordinates(const Value& inputs, const Value& coordinates, int64_t order, const std::string& fill_mode, double fill_value) {
  GLIA_CHECK(coordinates.rank() >= 2 && coordinates.dim(0) == inputs.rank() && inputs.rank() >= 1,
             "image.map_coordinates: expected coordinates (rank of inputs, ...). Received shapes {} and {}.", to_string(inputs.shape()),
             to_string(coordinates.shape()));
  Value x = as_float(inputs);
  Value y = interpolate(reshape(x, {-1, 1}), unstack(coordinates, 0), inputs.shape(), {}, order, fill_mode, fill_value);
  y = squeeze(y, {-1});
  return is_float(inputs.dtype()) ? y : cast(round(y), inputs.dtype());
}

namespace {
Value arranged(const Value& images, bool first, bool single) {
  Value x = single ? expand_dims(images, 0) : images;
  return first ? moveaxis(x, 1, 3) : x;
}
Value restored(const Value& y, bool first, bool single) {
  Value x = first ? moveaxis(y, 3, 1) : y;
  return single ? squeeze(x, {0}) : x;
}
}  // namespace

Value elastic_transform(const Value& images, const Value& seed, int64_t stream, const Value& alpha, const Value& given_sigma, double largest_sigma,
                        const ElasticOptions& o) {
  GLIA_CHECK(images.rank() == 3 || images.rank() == 4, "image.elastic_transform: expected rank 3 or 4. Received shape {}.", to_string(images.shape()));
  GLIA_CHECK(o.interpolation == "bilinear" || o.interpolation == "nearest", "image.elastic_transform: unknown interpolation \"{}\". Expected bilinear or nearest.",
             o.interpolation);
  const bool single = images.rank() == 3, first = o.data_format == "channels_first";
  Value x = as_float(arranged(images, first, single)), sigma = cast(given_sigma, x.dtype());
  const int64_t b = x.dim(0), h = x.dim(1), w = x.dim(2), c = x.dim(3);
  // The kernel has 6 floor(sigma) + 1 cells; those of a larger one beyond that get no weight.
  const int64_t size = 6 * static_cast<int64_t>(largest_sigma) + 1;
  Value at = arange(0, static_cast<double>(size), 1, x.dtype()) - static_cast<double>(size / 2);
  Value line = where(abs(at) <= floor(sigma) * 3.0, exp(square(at / sigma) * -0.5), zero_of(at));
  line = line / sum(line);
  Value kernel = reshape(outer(line, line), {size, size, 1, 1});
  auto displacement = [&](int64_t s) {
    Value noise = random_normal(seed, s, {b, h, w, 1}, 0, 1, x.dtype()) * sigma;
    return squeeze(conv(noise, kernel, {.padding = "same"}), {3}) * cast(alpha, x.dtype());
  };
  Value dx = displacement(stream), dy = displacement(stream + 1);
  Value at_y = dy + ramp_along(h, 1, 3, x.dtype()), at_x = dx + ramp_along(w, 2, 3, x.dtype());
  Value y = interpolate(reshape(x, {b * h * w, c}), {at_y, at_x}, {h, w}, ramp_along(b, 0, 3), o.interpolation == "nearest" ? 0 : 1, o.fill_mode, o.fill_value);
  return restored(cast(y, images.dtype()), first, single);
}
Value elastic_transform(const Value& images, const Value& seed, int64_t stream, const ElasticOptions& o) {
  return elastic_transform(images, seed, stream, Value(Tensor::scalar(o.alpha)), Value(Tensor::scalar(o.sigma)), o.sigma, o);
}

Value affine_transform(const Value& images, const Value& transforms, const AffineOptions& o, const std::string& data_format) {
  GLIA_CHECK((images.rank() == 3 || images.rank() == 4) && (transforms.rank() == 1 || transforms.rank() == 2),
             "image.affine_transform: expected images of rank 3 or 4 and transforms of rank 1 or 2. Received shapes {} and {}.", to_string(images.shape()),
             to_string(transforms.shape()));
  const bool single = images.rank() == 3, first = data_format == "channels_first";
  Value maps = transforms.rank() == 1 ? expand_dims(transforms, 0) : transforms;
  Value y = affine_transform(as_float(arranged(images, first, single)), maps, o);
  return restored(cast(y, images.dtype()), first, single);
}

Value homography(const Value& given_start, const Value& given_end) {
  auto batch = [](const Value& p) { return cast(p.rank() == 2 ? expand_dims(p, 0) : p, DType::f32); };
  Value start = batch(given_start), end = batch(given_end);
  GLIA_CHECK(start.rank() == 3 && start.dim(1) == 4 && start.dim(2) == 2 && start.shape() == end.shape(),
             "image.perspective_transform: expected start and end points (4, 2) or (batch, 4, 2). Received shapes {} and {}.", to_string(given_start.shape()),
             to_string(given_end.shape()));
  auto point = [](const Value& p, int64_t i, int64_t j) { return reshape(slice(p, {0, i, j}, {p.dim(0), 1, 1}), {-1}); };
  Values rows, targets;
  for (int64_t i = 0; i < 4; ++i) {
    Value u = point(start, i, 0), v = point(start, i, 1), x = point(end, i, 0), y = point(end, i, 1), zero = zeros_like(x), one = ones_like(x);
    rows.push_back(stack({x, y, one, zero, zero, zero, -u * x, -u * y}, -1));
    rows.push_back(stack({zero, zero, zero, x, y, one, -v * x, -v * y}, -1));
    targets.push_back(u), targets.push_back(v);
  }
  return squeeze(solve(stack(rows, 1), expand_dims(stack(targets, -1), -1)), {-1});
}

Value perspective_transform(const Value& images, const Value& start_points, const Value& end_points, const AffineOptions& o, const std::string& data_format) {
  return affine_transform(images, homography(start_points, end_points), o, data_format);
}

namespace {

Value kernel_value(const std::string& method, const Value& x) {
  if (method == "linear") return maximum(1.0 - abs(x), zero_of(x));
  if (method == "cubic") {
    Value y = ((x * 1.5 - 2.5) * x) * x + 1.0;
    y = where(x >= 1.0, ((x * -0.5 + 2.5) * x - 4.0) * x + 2.0, y);
    return where(x >= 2.0, zero_of(x), y);
  }
  const double radius = method == "lanczos3" ? 3 : 5, pi = M_PI;
  Value centre = x <= 1e-3, safe = where(centre, scalar_like(x, 1), x);
  Value y = sin(safe * pi) * sin(safe * (pi / radius)) * radius / (square(safe) * (pi * pi));
  return where(x > radius, zero_of(x), where(centre, scalar_like(x, 1), y));
}

// (input, output) weights of one axis.
Value weights_of(int64_t in, int64_t out, const Value& scale, const Value& translation, const std::string& method, bool antialias) {
  Value inverse = 1.0 / scale, widen = antialias ? maximum(inverse, scalar_like(inverse, 1)) : scalar_like(inverse, 1);
  const DType t = scale.dtype();
  Value sample = (arange(0, static_cast<double>(out), 1, t) + 0.5) * inverse - translation * inverse - 0.5;
  Value distance = abs(expand_dims(sample, 0) - ramp_along(in, 0, 2, t)) / widen;
  Value w = kernel_value(method, distance), total = sum(w, {0}, true);
  Value counts = abs(total) > 1000.0 * static_cast<double>(std::numeric_limits<float>::epsilon());
  w = where(counts, w / where(equal(total, zero_of(total)), scalar_like(total, 1), total), zero_of(w));
  Value inside = logical_and(sample >= -0.5, sample <= static_cast<double>(in) - 0.5);
  return where(expand_dims(inside, 0), w, zero_of(w));
}

}  // namespace

Value scale_and_translate(const Value& images, const Shape& output_shape, const Value& given_scale, const Value& given_translation,
                          std::vector<int64_t> spatial_dims, const std::string& given_method, bool antialias) {
  std::string method = given_method;
  if (method == "bilinear" || method == "trilinear" || method == "triangle") method = "linear";
  if (method == "bicubic" || method == "tricubic") method = "cubic";
  static const std::vector<std::string> known{"linear", "cubic", "lanczos3", "lanczos5"};
  if (std::find(known.begin(), known.end(), method) == known.end())
    throw_error("image.scale_and_translate: unknown method \"{}\".{}", given_method, did_you_mean(given_method, known));
  GLIA_CHECK(static_cast<int>(output_shape.size()) == images.rank(), "image.scale_and_translate: output_shape must have the rank of the images. Received {} for {}.",
             to_string(output_shape), to_string(images.shape()));
  Value scale = as_float(given_scale), translation = cast(given_translation, scale.dtype()), x = as_float(images);
  for (std::size_t i = 0; i < spatial_dims.size(); ++i) {
    const int64_t d = front_axis(spatial_dims[i], images.rank(), "image.scale_and_translate"), k = static_cast<int64_t>(i);
    auto entry = [&](const Value& v) { return v.rank() == 0 ? v : reshape(slice_axis(v, 0, k, k + 1), Shape{}); };
    Value w = weights_of(x.dim(static_cast<int>(d)), output_shape[static_cast<std::size_t>(d)], entry(scale), entry(translation), method, antialias);
    x = moveaxis(tensordot(x, cast(w, x.dtype()), {d}, {0}), -1, d);
  }
  if (is_float(images.dtype())) return x;
  return cast(clip(round(x), min(as_float(images)), max(as_float(images))), images.dtype());
}

}  // namespace glia::ops::image
