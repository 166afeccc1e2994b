// Bindings of convolution and pooling.
#include <glia/ops.h>

#include "cli/parity/op_tables.h"

namespace glia::parity {
namespace {

std::vector<int64_t> integers_or(const OpCall& c, std::string_view name, std::vector<int64_t> fallback) {
  std::vector<int64_t> list = c.integers(name);
  return list.empty() ? fallback : list;
}

ops::ConvOptions conv_options(const OpCall& c) {
  return {.strides = integers_or(c, "strides", {1}),
          .padding = c.text("padding", "valid"),
          .data_format = c.text("data_format", "channels_last"),
          .dilation_rate = integers_or(c, "dilation_rate", {1})};
}
ops::PoolOptions pool_options(const OpCall& c) {
  return {.strides = c.integers("strides"),
          .padding = c.text("padding", "valid"),
          .data_format = c.text("data_format", "channels_last")};
}

Values conv_transpose(OpCall& c) {
  return {ops::conv_transpose(c.value("inputs"), c.value("kernel"),
                              {.strides = integers_or(c, "strides", {1}),
                               .padding = c.text("padding", "valid"),
                               .output_padding = c.integers("output_padding"),
                               .data_format = c.text("data_format", "channels_last"),
                               .dilation_rate = integers_or(c, "dilation_rate", {1})})};
}

}  // namespace

void add_nn_ops(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"conv", "inputs kernel strides padding data_format dilation_rate",
       [](OpCall& c) { return Values{ops::conv(c.value("inputs"), c.value("kernel"), conv_options(c))}; }},
      {"depthwise_conv", "inputs kernel strides padding data_format dilation_rate",
       [](OpCall& c) { return Values{ops::depthwise_conv(c.value("inputs"), c.value("kernel"), conv_options(c))}; }},
      {"separable_conv", "inputs depthwise_kernel pointwise_kernel strides padding data_format dilation_rate",
       [](OpCall& c) {
         return Values{ops::separable_conv(c.value("inputs"), c.value("depthwise_kernel"), c.value("pointwise_kernel"), conv_options(c))};
       }},
      {"conv_transpose", "inputs kernel strides padding output_padding data_format dilation_rate", conv_transpose},
      {"max_pool", "inputs pool_size strides padding data_format",
       [](OpCall& c) { return Values{ops::max_pool(c.value("inputs"), c.integers("pool_size"), pool_options(c))}; }},
      {"average_pool", "inputs pool_size strides padding data_format",
       [](OpCall& c) { return Values{ops::average_pool(c.value("inputs"), c.integers("pool_size"), pool_options(c))}; }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace glia::parity
