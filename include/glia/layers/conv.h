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
LayerRef Conv1D(int64_t filters, Ints kernel_size, ConvOptions options = {});
LayerRef Conv2D(int64_t filters, Ints kernel_size, ConvOptions options = {});
LayerRef Conv3D(int64_t filters, Ints kernel_size, ConvOptions options = {});

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
LayerRef Conv1DTranspose(int64_t filters, Ints kernel_size, ConvTransposeOptions options = {});
LayerRef Conv2DTranspose(int64_t filters, Ints kernel_size, ConvTransposeOptions options = {});
LayerRef Conv3DTranspose(int64_t filters, Ints kernel_size, ConvTransposeOptions options = {});

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
LayerRef DepthwiseConv1D(Ints kernel_size, DepthwiseConvOptions options = {});
LayerRef DepthwiseConv2D(Ints kernel_size, DepthwiseConvOptions options = {});

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
LayerRef SeparableConv1D(int64_t filters, Ints kernel_size, SeparableConvOptions options = {});
LayerRef SeparableConv2D(int64_t filters, Ints kernel_size, SeparableConvOptions options = {});

}  // namespace glia::layers
