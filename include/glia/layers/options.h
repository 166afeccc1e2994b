// What the option structs of all layers are made of. Each ends with the fields of LayerOptions:
//
//   layers::Dense(64, {.activation = "relu", .name = "head", .input_shape = {16}})
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <glia/layer.h>

// name: unique in a model; empty: "dense", "dense_1", ... input_shape: without the batch axis, for a first layer.
// trainable: false freezes the weights. dtype: a policy such as "mixed_bfloat16"; empty: the global one.
#define GLIA_LAYER_OPTIONS          \
  ::std::string name = {};          \
  ::glia::Shape input_shape = {};   \
  bool trainable = true;            \
  ::std::string dtype = {};

namespace glia::layers {
struct PlainOptions {  // for layers without options of their own
  GLIA_LAYER_OPTIONS
};
}  // namespace glia::layers
