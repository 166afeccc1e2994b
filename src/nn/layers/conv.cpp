#include "nn/layers/conv.h"

#include <algorithm>

namespace glia::nn {
namespace {

size_t count(int spatial) { return static_cast<size_t>(spatial); }

// One number per spatial axis, as Keras's configurations have them.
template <class O>
void expand(const std::string& title, Ints& kernel_size, O& o, int spatial) {
  kernel_size = per_axis(title, "kernel_size", kernel_size, count(spatial));
  o.strides = per_axis(title, "strides", o.strides, count(spatial));
  o.dilation_rate = per_axis(title, "dilation_rate", o.dilation_rate, count(spatial));
}

// What all convolutions check when built; returns the number of channels.
template <class O>
int64_t check_conv(const std::string& title, const Shape& in, Ints& kernel_size, O& o, int spatial, bool causal) {
  check_rank(title, in, count(spatial) + 2,
             is_channels_first(o.data_format) ? "(batch, channels, spatial axes)" : "(batch, spatial axes, channels)");
  check_data_format(title, o.data_format);
  if (causal) check_one_of(title, "padding", o.padding, {"valid", "same", "causal"});
  else check_one_of(title, "padding", o.padding, {"valid", "same"});
  expand(title, kernel_size, o, spatial);
  auto positive = [&](const char* what, const Ints& v) {
    for (int64_t n : v) GLIA_CHECK(n > 0, "{}: {} must be positive. Received {}.", title, what, to_string(v));
  };
  positive("kernel_size", kernel_size);
  positive("strides", o.strides);
  positive("dilation_rate", o.dilation_rate);
  bool strided = false, dilated = false;
  for (size_t i = 0; i < count(spatial); ++i) strided |= o.strides[i] > 1, dilated |= o.dilation_rate[i] > 1;
  GLIA_CHECK(!strided || !dilated, "{}: strides {} and dilation_rate {} cannot both be above 1. Set one of them to 1.", title,
             to_string(o.strides), to_string(o.dilation_rate));
  return known_channels(title, in, is_channels_first(o.data_format));
}

template <class O>
void check_fits(const std::string& title, const Shape& in, const Ints& kernel_size, const O& o, int spatial) {
  if (o.padding != "valid") return;
  for (int i = 0; i < spatial; ++i) {
    int64_t n = in[static_cast<size_t>(i + (is_channels_first(o.data_format) ? 2 : 1))];
    int64_t k = (kernel_size[static_cast<size_t>(i)] - 1) * o.dilation_rate[static_cast<size_t>(i)] + 1;
    GLIA_CHECK(n < 0 || n >= k, "{}: the kernel spans {} cells of spatial axis {} but the input has {}. Received shape {}. Use padding \"same\" or a smaller kernel.",
               title, k, i, n, to_string(in));
  }
}

void check_channels(const std::string& title, const Value& x, const std::string& data_format, int64_t channels) {
  int64_t have = x.dim(is_channels_first(data_format) ? 1 : -1);
  GLIA_CHECK(have == channels, "{}: the input has {} channels but the layer was built for {}. Received shape {}.", title, have,
             channels, to_string(x.shape()));
}

Value finish(const Value& y, const Variable& bias, const std::string& data_format, const glia::Activation& activation) {
  Value r = y;
  if (bias.defined()) {
    Value b = ops::cast(bias.value(), y.dtype());
    if (is_channels_first(data_format)) {
      Shape s(static_cast<size_t>(y.rank() - 1), 1);
      s[0] = bias.shape()[0];
      b = ops::reshape(b, s);
    }
    r = r + b;
  }
  return activation(r);
}

Value cast_weight(const Variable& w, const Value& x) { return ops::cast(w.value(), x.dtype()); }

}  // namespace

// ---- Conv1D, Conv2D, Conv3D -----------------------------------------------------------------------------------------------

void Conv::fields(Fields& f) {
  Layer::fields(f);
  if (!f.reading()) expand(title(), kernel_size, o, spatial_);
  f("filters", filters);
  f("kernel_size", kernel_size);
  f("strides", o.strides);
  f("padding", o.padding);
  f("data_format", o.data_format);
  f("dilation_rate", o.dilation_rate);
  f("groups", o.groups);
  f("activation", o.activation);
  f("use_bias", o.use_bias);
  o.kernel_initializer.field(f, "kernel_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.kernel_regularizer.field(f, "kernel_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.kernel_constraint.field(f, "kernel_constraint");
  o.bias_constraint.field(f, "bias_constraint");
}

void Conv::build(const std::vector<Shape>& in) {
  int64_t channels = check_conv(title(), in[0], kernel_size, o, spatial_, spatial_ == 1);
  GLIA_CHECK(filters > 0 && o.groups > 0 && filters % o.groups == 0 && channels % o.groups == 0,
             "{}: filters ({}) and input channels ({}) must be positive multiples of groups ({}). Received shape {}.", title(),
             filters, channels, o.groups, to_string(in[0]));
  check_fits(title(), in[0], kernel_size, o, spatial_);
  Shape shape = kernel_size;
  shape.insert(shape.end(), {channels / o.groups, filters});
  kernel = add_weight("kernel", shape, o.kernel_initializer, weight_options(o.kernel_regularizer, o.kernel_constraint));
  if (o.use_bias) bias = add_weight("bias", {filters}, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
}

Value Conv::call(const Value& given) {
  const Value x = as_float(*this, given);
  check_rank(title(), x.shape(), count(spatial_) + 2, "(batch, spatial axes, channels)");
  check_channels(title(), x, o.data_format, kernel.shape()[count(spatial_)] * o.groups);
  check_fits(title(), x.shape(), kernel_size, o, spatial_);
  ops::ConvOptions c{.strides = o.strides, .data_format = o.data_format, .dilation_rate = o.dilation_rate};
  if (o.padding == "causal") c.pads = {{(kernel_size[0] - 1) * o.dilation_rate[0], 0}};
  else c.padding = o.padding;
  return finish(ops::conv(x, cast_weight(kernel, x), c), bias, o.data_format, o.activation);
}

// ---- transposed -----------------------------------------------------------------------------------------------------------

void ConvTranspose::fields(Fields& f) {
  Layer::fields(f);
  if (!f.reading()) expand(title(), kernel_size, o, spatial_);
  f("filters", filters);
  f("kernel_size", kernel_size);
  f("strides", o.strides);
  f("padding", o.padding);
  std::optional<Ints> output_padding;
  if (!o.output_padding.empty()) output_padding = per_axis(title(), "output_padding", o.output_padding, count(spatial_));
  f("output_padding", output_padding);
  o.output_padding = output_padding.value_or(Ints{});
  f("data_format", o.data_format);
  f("dilation_rate", o.dilation_rate);
  f("activation", o.activation);
  f("use_bias", o.use_bias);
  o.kernel_initializer.field(f, "kernel_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.kernel_regularizer.field(f, "kernel_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.kernel_constraint.field(f, "kernel_constraint");
  o.bias_constraint.field(f, "bias_constraint");
}

void ConvTranspose::build(const std::vector<Shape>& in) {
  int64_t channels = check_conv(title(), in[0], kernel_size, o, spatial_, false);
  GLIA_CHECK(filters > 0, "{}: filters must be positive. Received {}.", title(), filters);
  if (!o.output_padding.empty()) o.output_padding = per_axis(title(), "output_padding", o.output_padding, count(spatial_));
  for (size_t i = 0; i < o.output_padding.size(); ++i)
    GLIA_CHECK(o.output_padding[i] >= 0 && o.output_padding[i] < o.strides[i],
               "{}: output_padding must be less than the stride of its axis. Received output_padding {} with strides {}.", title(),
               to_string(o.output_padding), to_string(o.strides));
  Shape shape = kernel_size;
  shape.insert(shape.end(), {filters, channels});
  kernel = add_weight("kernel", shape, o.kernel_initializer, weight_options(o.kernel_regularizer, o.kernel_constraint));
  if (o.use_bias) bias = add_weight("bias", {filters}, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
}

Value ConvTranspose::call(const Value& given) {
  const Value x = as_float(*this, given);
  check_rank(title(), x.shape(), count(spatial_) + 2, "(batch, spatial axes, channels)");
  check_channels(title(), x, o.data_format, kernel.shape().back());
  ops::ConvTransposeOptions c{.strides = o.strides, .padding = o.padding, .output_padding = o.output_padding,
                              .data_format = o.data_format, .dilation_rate = o.dilation_rate};
  return finish(ops::conv_transpose(x, cast_weight(kernel, x), c), bias, o.data_format, o.activation);
}

// ---- depthwise and separable ----------------------------------------------------------------------------------------------

void DepthwiseConv::fields(Fields& f) {
  Layer::fields(f);
  if (!f.reading()) expand(title(), kernel_size, o, spatial_);
  f("depth_multiplier", o.depth_multiplier);
  f("kernel_size", kernel_size);
  f("strides", o.strides);
  f("padding", o.padding);
  f("data_format", o.data_format);
  f("dilation_rate", o.dilation_rate);
  f("activation", o.activation);
  f("use_bias", o.use_bias);
  o.depthwise_initializer.field(f, "depthwise_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.depthwise_regularizer.field(f, "depthwise_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.depthwise_constraint.field(f, "depthwise_constraint");
  o.bias_constraint.field(f, "bias_constraint");
}

void DepthwiseConv::build(const std::vector<Shape>& in) {
  int64_t channels = check_conv(title(), in[0], kernel_size, o, spatial_, false);
  GLIA_CHECK(o.depth_multiplier > 0, "{}: depth_multiplier must be positive. Received {}.", title(), o.depth_multiplier);
  check_fits(title(), in[0], kernel_size, o, spatial_);
  Shape shape = kernel_size;
  shape.insert(shape.end(), {channels, o.depth_multiplier});
  kernel = add_weight("kernel", shape, o.depthwise_initializer, weight_options(o.depthwise_regularizer, o.depthwise_constraint));
  if (o.use_bias)
    bias = add_weight("bias", {channels * o.depth_multiplier}, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
}

Value DepthwiseConv::call(const Value& given) {
  const Value x = as_float(*this, given);
  check_rank(title(), x.shape(), count(spatial_) + 2, "(batch, spatial axes, channels)");
  check_channels(title(), x, o.data_format, kernel.shape()[count(spatial_)]);
  ops::ConvOptions c{.strides = o.strides, .padding = o.padding, .data_format = o.data_format, .dilation_rate = o.dilation_rate};
  return finish(ops::depthwise_conv(x, cast_weight(kernel, x), c), bias, o.data_format, o.activation);
}

void SeparableConv::fields(Fields& f) {
  Layer::fields(f);
  if (!f.reading()) expand(title(), kernel_size, o, spatial_);
  f("depth_multiplier", o.depth_multiplier);
  f("filters", filters);
  f("kernel_size", kernel_size);
  f("strides", o.strides);
  f("padding", o.padding);
  f("data_format", o.data_format);
  f("dilation_rate", o.dilation_rate);
  f("activation", o.activation);
  f("use_bias", o.use_bias);
  o.depthwise_initializer.field(f, "depthwise_initializer");
  o.pointwise_initializer.field(f, "pointwise_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.depthwise_regularizer.field(f, "depthwise_regularizer");
  o.pointwise_regularizer.field(f, "pointwise_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.depthwise_constraint.field(f, "depthwise_constraint");
  o.pointwise_constraint.field(f, "pointwise_constraint");
  o.bias_constraint.field(f, "bias_constraint");
}

void SeparableConv::build(const std::vector<Shape>& in) {
  int64_t channels = check_conv(title(), in[0], kernel_size, o, spatial_, false);
  GLIA_CHECK(filters > 0 && o.depth_multiplier > 0, "{}: filters and depth_multiplier must be positive. Received {} and {}.", title(),
             filters, o.depth_multiplier);
  check_fits(title(), in[0], kernel_size, o, spatial_);
  Shape depthwise = kernel_size, pointwise(count(spatial_), 1);
  depthwise.insert(depthwise.end(), {channels, o.depth_multiplier});
  pointwise.insert(pointwise.end(), {channels * o.depth_multiplier, filters});
  depthwise_kernel = add_weight("depthwise_kernel", depthwise, o.depthwise_initializer,
                                weight_options(o.depthwise_regularizer, o.depthwise_constraint));
  pointwise_kernel = add_weight("pointwise_kernel", pointwise, o.pointwise_initializer,
                                weight_options(o.pointwise_regularizer, o.pointwise_constraint));
  if (o.use_bias) bias = add_weight("bias", {filters}, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
}

Value SeparableConv::call(const Value& given) {
  const Value x = as_float(*this, given);
  check_rank(title(), x.shape(), count(spatial_) + 2, "(batch, spatial axes, channels)");
  check_channels(title(), x, o.data_format, depthwise_kernel.shape()[count(spatial_)]);
  ops::ConvOptions c{.strides = o.strides, .padding = o.padding, .data_format = o.data_format, .dilation_rate = o.dilation_rate};
  Value y = ops::separable_conv(x, cast_weight(depthwise_kernel, x), cast_weight(pointwise_kernel, x), c);
  return finish(y, bias, o.data_format, o.activation);
}

}  // namespace glia::nn

namespace glia::layers {
namespace {

template <class L, class O>
LayerRef with_filters(int spatial, int64_t filters, Ints kernel_size, O options) {
  auto l = nn::make_with<L>(std::move(options), spatial);
  l->filters = filters;
  l->kernel_size = std::move(kernel_size);
  return LayerRef(l);
}
LayerRef depthwise(int spatial, Ints kernel_size, DepthwiseConvOptions options) {
  auto l = nn::make_with<nn::DepthwiseConv>(std::move(options), spatial);
  l->kernel_size = std::move(kernel_size);
  return LayerRef(l);
}

}  // namespace

LayerRef Conv1D(int64_t n, Ints k, ConvOptions o) { return with_filters<nn::Conv>(1, n, std::move(k), std::move(o)); }
LayerRef Conv2D(int64_t n, Ints k, ConvOptions o) { return with_filters<nn::Conv>(2, n, std::move(k), std::move(o)); }
LayerRef Conv3D(int64_t n, Ints k, ConvOptions o) { return with_filters<nn::Conv>(3, n, std::move(k), std::move(o)); }
LayerRef Conv1DTranspose(int64_t n, Ints k, ConvTransposeOptions o) {
  return with_filters<nn::ConvTranspose>(1, n, std::move(k), std::move(o));
}
LayerRef Conv2DTranspose(int64_t n, Ints k, ConvTransposeOptions o) {
  return with_filters<nn::ConvTranspose>(2, n, std::move(k), std::move(o));
}
LayerRef Conv3DTranspose(int64_t n, Ints k, ConvTransposeOptions o) {
  return with_filters<nn::ConvTranspose>(3, n, std::move(k), std::move(o));
}
LayerRef DepthwiseConv1D(Ints k, DepthwiseConvOptions o) { return depthwise(1, std::move(k), std::move(o)); }
LayerRef DepthwiseConv2D(Ints k, DepthwiseConvOptions o) { return depthwise(2, std::move(k), std::move(o)); }
LayerRef SeparableConv1D(int64_t n, Ints k, SeparableConvOptions o) {
  return with_filters<nn::SeparableConv>(1, n, std::move(k), std::move(o));
}
LayerRef SeparableConv2D(int64_t n, Ints k, SeparableConvOptions o) {
  return with_filters<nn::SeparableConv>(2, n, std::move(k), std::move(o));
}

}  // namespace glia::layers
