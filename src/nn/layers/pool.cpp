#include "nn/layers/pool.h"

#include <algorithm>

namespace glia::nn {
namespace {

constexpr const char* kAxes = "(batch, spatial axes, channels)";

void check_positive(const std::string& title, const char* what, const Ints& values, int spatial) {
  per_axis(title, what, values, static_cast<size_t>(spatial));
  for (int64_t v : values) GLIA_CHECK(v > 0, "{}: {} must be positive. Received {}.", title, what, to_string(values));
}

}  // namespace

void Pooling::fields(Fields& f) {
  Layer::fields(f);
  if (!f.reading()) {  // Keras writes tuples, strides included
    pool_size = per_axis(title(), "pool_size", pool_size, static_cast<size_t>(spatial_));
    o.strides = o.strides.empty() ? pool_size : per_axis(title(), "strides", o.strides, static_cast<size_t>(spatial_));
  }
  f("pool_size", pool_size);
  f("padding", o.padding);
  std::optional<Ints> strides = o.strides;
  f("strides", strides);
  o.strides = strides.value_or(Ints{});
  f("data_format", o.data_format);
}
void Pooling::build(const std::vector<Shape>& in) {
  check_rank(title(), in[0], static_cast<size_t>(spatial_) + 2, kAxes);
  check_data_format(title(), o.data_format);
  check_one_of(title(), "padding", o.padding, {"valid", "same"});
  check_positive(title(), "pool_size", pool_size, spatial_);
  if (!o.strides.empty()) check_positive(title(), "strides", o.strides, spatial_);
}
Value Pooling::call(const Value& x) {
  ops::PoolOptions options{.strides = o.strides.empty() ? pool_size : o.strides, .padding = o.padding, .data_format = o.data_format};
  return max_ ? ops::max_pool(x, pool_size, options) : ops::average_pool(x, pool_size, options);
}

void GlobalPooling::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", o.data_format);
  f("keepdims", o.keepdims);
}
void GlobalPooling::build(const std::vector<Shape>& in) {
  check_rank(title(), in[0], static_cast<size_t>(spatial_) + 2, kAxes);
  check_data_format(title(), o.data_format);
}
Values GlobalPooling::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  Value x = inputs[0];
  bool first = is_channels_first(o.data_format);
  Ints axes;
  for (int64_t i = 0; i < spatial_; ++i) axes.push_back((first ? 2 : 1) + i);
  if (max_) return {ops::max(x, axes, o.keepdims)};
  if (spatial_ > 1 || !options.mask.defined()) return {ops::mean(x, axes, o.keepdims)};
  Value mask = ops::cast(ops::expand_dims(options.mask, first ? 1 : 2), DType::bool_);
  Value sum = ops::sum(ops::where(mask, x, ops::scalar_like(x, 0)), axes, o.keepdims);
  return {sum / ops::sum(ops::cast(mask, x.dtype()), axes, o.keepdims)};
}

void AdaptivePooling::fields(Fields& f) {
  Layer::fields(f);
  if (!f.reading()) output_size = per_axis(title(), "output_size", output_size, static_cast<size_t>(spatial_));
  f("output_size", output_size);
  f("data_format", o.data_format);
}
void AdaptivePooling::build(const std::vector<Shape>& in) {
  check_rank(title(), in[0], static_cast<size_t>(spatial_) + 2, kAxes);
  check_data_format(title(), o.data_format);
  check_positive(title(), "output_size", output_size, spatial_);
}
// Axis by axis, which is the same because the windows are boxes.
Value AdaptivePooling::call(const Value& x) {
  Ints sizes = per_axis(title(), "output_size", output_size, static_cast<size_t>(spatial_));
  Value y = x;
  for (int64_t i = 0; i < spatial_; ++i) {
    const int64_t axis = (is_channels_first(o.data_format) ? 2 : 1) + i, n = y.dim(static_cast<int>(axis)), m = sizes[static_cast<size_t>(i)];
    Values cells;
    for (int64_t c = 0; c < m; ++c) {
      const int64_t begin = c * n / m, end = ((c + 1) * n + m - 1) / m;
      Value window = ops::slice_axis(y, axis, begin, end);
      Ints box(static_cast<size_t>(spatial_), 1);
      box[static_cast<size_t>(i)] = end - begin;
      cells.push_back(max_ ? ops::max_pool(window, box, {.data_format = o.data_format}) : ops::mean(window, {axis}, true));
    }
    y = ops::concatenate(cells, axis);
  }
  return y;
}

}  // namespace glia::nn

namespace glia::layers {
namespace {
LayerRef pooling(bool max, int spatial, Ints size, PoolingOptions options) {
  auto l = nn::make_with<nn::Pooling>(std::move(options), max, spatial);
  l->pool_size = std::move(size);
  return LayerRef(l);
}
LayerRef global_pooling(bool max, int spatial, GlobalPoolingOptions options) {
  return LayerRef(nn::make_with<nn::GlobalPooling>(std::move(options), max, spatial));
}
LayerRef adaptive(bool max, int spatial, Ints size, AdaptivePoolingOptions options) {
  auto l = nn::make_with<nn::AdaptivePooling>(std::move(options), max, spatial);
  l->output_size = std::move(size);
  return LayerRef(l);
}
}  // namespace

#define GLIA_POOLING(n)                                                                                                    \
  LayerRef MaxPooling##n##D(Ints size, PoolingOptions o) { return pooling(true, n, std::move(size), std::move(o)); }        \
  LayerRef AveragePooling##n##D(Ints size, PoolingOptions o) { return pooling(false, n, std::move(size), std::move(o)); }   \
  LayerRef GlobalMaxPooling##n##D(GlobalPoolingOptions o) { return global_pooling(true, n, std::move(o)); }                 \
  LayerRef GlobalAveragePooling##n##D(GlobalPoolingOptions o) { return global_pooling(false, n, std::move(o)); }            \
  LayerRef AdaptiveMaxPooling##n##D(Ints size, AdaptivePoolingOptions o) { return adaptive(true, n, std::move(size), std::move(o)); } \
  LayerRef AdaptiveAveragePooling##n##D(Ints size, AdaptivePoolingOptions o) { return adaptive(false, n, std::move(size), std::move(o)); }
GLIA_POOLING(1)
GLIA_POOLING(2)
GLIA_POOLING(3)
#undef GLIA_POOLING

}  // namespace glia::layers
