// Convolutions over 1, 2 or 3 spatial axes of (batch, spatial..., channels), or (batch, channels, spatial...) with
// data_format "channels_first".
//
//   layers::Conv2D(32, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}})
//   layers::Conv1D(16, {5}, {.padding = "causal", .dilation_rate = {2}})
//
// kernel_size, strides, dilation_rate take one number for each spatial axis, or one for all. padding "valid" has
// floor((n - k) / s) + 1 outputs, "same" ceil(n / s). Strides and dilations above 1 exclude each other. Errors: a wrong rank,
// an unknown channel axis, channels that do not divide into groups, an input smaller than the kernel.
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

struct ConvOptions {
  Ints strides = {1};
  std::string padding = "valid";  // "valid", "same"; Conv1D also "causal": output t sees no input after t
  std::string data_format = "channels_last";
  Ints dilation_rate = {1};
  int64_t groups = 1;
  glia::Activation activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  GLIA_LAYER_OPTIONS
};
// Weights: kernel (kernel_size..., channels / groups, filters), bias (filters).
LayerRef Conv1D(int64_t filters, Ints kernel_size, ConvOptions options = {});  // Conv1D(8, {3}): (1, 10, 4) -> (1, 8, 8)
LayerRef Conv2D(int64_t filters, Ints kernel_size, ConvOptions options = {});  // Conv2D(8, {3, 3}, {.padding = "same"}): (1, 6, 6, 3) -> (1, 6, 6, 8)
LayerRef Conv3D(int64_t filters, Ints kernel_size, ConvOptions options = {});  // Conv3D(4, {2, 2, 2}): (1, 4, 4, 4, 2) -> (1, 3, 3, 3, 4)

struct ConvTransposeOptions {
  Ints strides = {1};
  std::string padding = "valid";
  Ints output_padding = {};  // empty: Keras's default; else less than the stride
  std::string data_format = "channels_last";
  Ints dilation_rate = {1};
  glia::Activation activation = {};
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer kernel_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint kernel_constraint = {};
  Constraint bias_constraint = {};
  GLIA_LAYER_OPTIONS
};
// The transpose of a convolution. Weights: kernel (kernel_size..., filters, channels), bias (filters).
LayerRef Conv1DTranspose(int64_t filters, Ints kernel_size, ConvTransposeOptions options = {});  // Conv1DTranspose(4, {2}, {.strides = {2}}): (1, 5, 3) -> (1, 10, 4)
LayerRef Conv2DTranspose(int64_t filters, Ints kernel_size, ConvTransposeOptions options = {});  // Conv2DTranspose(4, {2, 2}, {.strides = {2, 2}}): (1, 4, 4, 3) -> (1, 8, 8, 4)
LayerRef Conv3DTranspose(int64_t filters, Ints kernel_size, ConvTransposeOptions options = {});  // Conv3DTranspose(2, {2, 2, 2}): (1, 3, 3, 3, 2) -> (1, 4, 4, 4, 2)

struct DepthwiseConvOptions {
  Ints strides = {1};
  std::string padding = "valid";
  int64_t depth_multiplier = 1;  // filters per input channel
  std::string data_format = "channels_last";
  Ints dilation_rate = {1};
  glia::Activation activation = {};
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer depthwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint bias_constraint = {};
  GLIA_LAYER_OPTIONS
};
// Each channel is convolved by itself. Weights: kernel (kernel_size..., channels, depth_multiplier), bias.
LayerRef DepthwiseConv1D(Ints kernel_size, DepthwiseConvOptions options = {});  // DepthwiseConv1D({3}, {.depth_multiplier = 2}): (1, 6, 3) -> (1, 4, 6)
LayerRef DepthwiseConv2D(Ints kernel_size, DepthwiseConvOptions options = {});  // DepthwiseConv2D({3, 3}, {.padding = "same"}): (1, 6, 6, 3) -> (1, 6, 6, 3)

struct SeparableConvOptions {
  Ints strides = {1};
  std::string padding = "valid";
  std::string data_format = "channels_last";
  Ints dilation_rate = {1};
  int64_t depth_multiplier = 1;
  glia::Activation activation = {};
  bool use_bias = true;
  Initializer depthwise_initializer = "glorot_uniform";
  Initializer pointwise_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  Regularizer depthwise_regularizer = {};
  Regularizer pointwise_regularizer = {};
  Regularizer bias_regularizer = {};
  Regularizer activity_regularizer = {};
  Constraint depthwise_constraint = {};
  Constraint pointwise_constraint = {};
  Constraint bias_constraint = {};
  GLIA_LAYER_OPTIONS
};
// A depthwise convolution, then one of kernel size 1. Weights: depthwise_kernel (kernel_size..., channels, depth_multiplier),
// pointwise_kernel (1..., channels * depth_multiplier, filters), bias (filters).
LayerRef SeparableConv1D(int64_t filters, Ints kernel_size, SeparableConvOptions options = {});  // SeparableConv1D(4, {3}): (1, 6, 3) -> (1, 4, 4)
LayerRef SeparableConv2D(int64_t filters, Ints kernel_size, SeparableConvOptions options = {});  // SeparableConv2D(8, {3, 3}, {.padding = "same"}): (1, 6, 6, 3) -> (1, 6, 6, 8)

}  // namespace glia::layers
