// Convolution and pooling over 1, 2 or 3 spatial axes, named and computed as in keras.ops.
//
//   Value y = ops::conv(x, kernel, {.strides = {2}, .padding = "same"});   // x (32, 28, 28, 1), kernel (3, 3, 1, 64)
//   Value p = ops::max_pool(y, {2, 2});
//
// x is (batch, spatial..., channels), or (batch, channels, spatial...) with data_format "channels_first". Lists of
// strides, dilation rates and pool sizes have one entry per spatial axis, or one for all. padding is "valid" (none)
// or "same": ceil(n / stride) outputs, with the odd cell of padding after the last element. What the padding adds
// counts as zero for convolutions and not at all for pooling. All throw Error for shapes that do not fit. Sources:
// keras/src/ops/nn.py of Keras 3.15.
#pragma once
#include <glia/value.h>

#include <string>
#include <utility>
#include <vector>

namespace glia::ops {

// Cells before and after each spatial axis; given, it takes the place of `padding`.
using Pads = std::vector<std::pair<int64_t, int64_t>>;

struct ConvOptions {
  std::vector<int64_t> strides = {1};
  std::string padding = "valid";
  std::string data_format = "channels_last";
  std::vector<int64_t> dilation_rate = {1};
  Pads pads = {};
};

// Cross-correlation. kernel is (spatial..., channels / groups, filters); the number of groups follows from the
// shapes.
Value conv(const Value& x, const Value& kernel, const ConvOptions& options = {});

// kernel is (spatial..., channels, multiplier): output channel c * multiplier + m is filter m of input channel c.
Value depthwise_conv(const Value& x, const Value& kernel, const ConvOptions& options = {});

// depthwise_conv, then a convolution by pointwise_kernel (1..., channels * multiplier, filters).
Value separable_conv(const Value& x, const Value& depthwise_kernel, const Value& pointwise_kernel,
                     const ConvOptions& options = {});

struct ConvTransposeOptions {
  std::vector<int64_t> strides = {1};
  std::string padding = "valid";
  std::vector<int64_t> output_padding = {};  // empty: Keras's default
  std::string data_format = "channels_last";
  std::vector<int64_t> dilation_rate = {1};
};
// The transpose of conv: kernel is (spatial..., filters, channels). Without output_padding an axis of n gives
// (n - 1) * stride + max(k, stride) cells for "valid" and n * stride for "same", k being the dilated kernel size;
// with it, (n - 1) * stride + k + p and (n - 1) * stride + k % 2 + p.
Value conv_transpose(const Value& x, const Value& kernel, const ConvTransposeOptions& options = {});

struct PoolOptions {
  std::vector<int64_t> strides = {};  // empty: the pool size
  std::string padding = "valid";
  std::string data_format = "channels_last";
  Pads pads = {};
};
Value max_pool(const Value& x, std::vector<int64_t> pool_size, const PoolOptions& options = {});
// Averages the cells inside x only.
Value average_pool(const Value& x, std::vector<int64_t> pool_size, const PoolOptions& options = {});

// Output cell i of an axis of n covers floor(i * n / size) up to, not including, ceil((i + 1) * n / size).
Value adaptive_max_pool(const Value& x, std::vector<int64_t> output_size,
                        const std::string& data_format = "channels_last");
Value adaptive_average_pool(const Value& x, std::vector<int64_t> output_size,
                            const std::string& data_format = "channels_last");

}  // namespace glia::ops
