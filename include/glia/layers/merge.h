// Layers that merge several inputs into one.
//
//   Value y = layers::Add()({a, b});
//   Value z = layers::Concatenate({.axis = -1})({a, b, c});
//
// Elementwise ones take inputs of equal or broadcastable shapes; lower ranks get axes of extent 1 after the batch axis. Masks:
// all inputs masked gives the union of the masks.
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

LayerRef Add(PlainOptions options = {});  // Add(): (2, 3), (2, 3) -> (2, 3)
LayerRef Subtract(PlainOptions options = {});  // exactly two inputs. Subtract(): (2, 3), (2, 3) -> (2, 3)
LayerRef Multiply(PlainOptions options = {});  // Multiply(): (2, 3), (2, 1) -> (2, 3)
LayerRef Average(PlainOptions options = {});  // Average(): (2, 3), (2, 3) -> (2, 3)
LayerRef Maximum(PlainOptions options = {});  // Maximum(): (2, 3), (2, 3) -> (2, 3)
LayerRef Minimum(PlainOptions options = {});  // Minimum(): (2, 3), (2, 3) -> (2, 3)

struct ConcatenateOptions {
  int64_t axis = -1;
  GLIA_LAYER_OPTIONS
};
LayerRef Concatenate(ConcatenateOptions options = {});  // Concatenate(): (2, 3), (2, 4) -> (2, 7)

struct DotOptions {
  bool normalize = false;  // both inputs to unit length along their axis first: cosine similarity
  GLIA_LAYER_OPTIONS
};
// Sum of products over one axis of each of two inputs, for each element of the batch. axes: one number for both, or two.
LayerRef Dot(Ints axes, DotOptions options = {});  // Dot({1}): (2, 3), (2, 3) -> (2, 1)

// The same as functions.
Value add(const Values& inputs);
Value subtract(const Values& inputs);
Value multiply(const Values& inputs);
Value average(const Values& inputs);
Value maximum(const Values& inputs);
Value minimum(const Values& inputs);
Value concatenate(const Values& inputs, int64_t axis = -1);
Value dot(const Values& inputs, Ints axes, bool normalize = false);

}  // namespace glia::layers
