// Bindings of convolution, pooling, normalisation and cross-entropies.
#include <glia/ops.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
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

std::optional<int64_t> ignored(const OpCall& c) { return c.maybe_integer("ignore_class"); }

Values sparse_crossentropy(OpCall& c) {
  const auto ignore = ignored(c);
  return {ops::sparse_categorical_crossentropy(c.value("target"), c.value("output"), c.flag("from_logits", false), c.integer("axis", -1),
                                               ignore ? &*ignore : nullptr)};
}

void add_normalisation(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"softmax", "x axis",
       [](OpCall& c) {
         if (c.has("axis")) return Values{ops::softmax(c.value("x"), c.integer("axis"))};
         return Values{ops::softmax(c.value("x"), -1)};
       }},
      {"log_softmax", "x axis", [](OpCall& c) { return Values{ops::log_softmax(c.value("x"), c.integer("axis", -1))}; }},
      {"logsumexp", "x axis keepdims",
       [](OpCall& c) { return Values{ops::logsumexp(c.value("x"), c.integers("axis"), c.flag("keepdims", false))}; }},
      {"categorical_crossentropy", "target output from_logits axis",
       [](OpCall& c) {
         return Values{ops::categorical_crossentropy(c.value("target"), c.value("output"), c.flag("from_logits", false), c.integer("axis", -1))};
       }},
      {"sparse_categorical_crossentropy", "target output from_logits axis ignore_class", sparse_crossentropy},
      {"binary_crossentropy", "target output from_logits",
       [](OpCall& c) { return Values{ops::binary_crossentropy(c.value("target"), c.value("output"), c.flag("from_logits", false))}; }},
      {"batch_normalization", "x mean variance axis offset scale epsilon",
       [](OpCall& c) {
         return Values{ops::batch_normalization(c.value("x"), c.value("mean"), c.value("variance"), c.integer("axis"),
                                                c.maybe_value("offset"), c.maybe_value("scale"), c.number("epsilon", 1e-3))};
       }},
      {"moments", "x axes keepdims synchronized",
       [](OpCall& c) { return ops::moments(c.value("x"), c.integers("axes"), c.flag("keepdims", false)); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
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
      {"adaptive_max_pool", "inputs output_size data_format",
       [](OpCall& c) {
         return Values{ops::adaptive_max_pool(c.value("inputs"), c.integers("output_size"), c.text("data_format", "channels_last"))};
       }},
      {"adaptive_average_pool", "inputs output_size data_format",
       [](OpCall& c) {
         return Values{ops::adaptive_average_pool(c.value("inputs"), c.integers("output_size"), c.text("data_format", "channels_last"))};
       }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
  add_normalisation(list);
}

}  // namespace glia::keras_ops
