// What the ready-made layers share. Each keeps the options struct that its factory takes as member `o`: one list of
// fields serves the factory, the configuration and the computation.
#pragma once
#include <glia/layers/options.h>
#include <glia/ops.h>
#include <glia/ops/einsum.h>
#include <glia/ops/image.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace glia::nn {

// A layer of class L with the given options; further arguments go to L's constructor.
template <class L, class O, class... Args>
std::shared_ptr<L> make_with(O options, Args&&... args) {
  auto layer = std::make_shared<L>(std::forward<Args>(args)...);
  layer->configure({options.name, options.input_shape, options.trainable, options.dtype});
  if constexpr (requires { options.activity_regularizer; }) layer->activity_regularizer = options.activity_regularizer;
  layer->o = std::move(options);
  return layer;
}

inline VariableOptions weight_options(const Regularizer& regularizer, const Constraint& constraint) {
  VariableOptions v;
  v.regularizer = regularizer;
  v.constraint = constraint;
  return v;
}

// Errors of build and call, worded alike. `title` is Layer::title().
void check_rank(const std::string& title, const Shape& shape, size_t rank, const char* axes);
void check_min_rank(const std::string& title, const Shape& shape, size_t rank);
// Integers as the layer's compute dtype, where they meet float weights; floats as they are.
Value as_float(const Layer& layer, const Value& x);
void check_last_axis(const std::string& title, const Shape& shape, int64_t expected);
void check_input_count(const std::string& title, size_t got, size_t expected);
void check_data_format(const std::string& title, const std::string& data_format);
void check_one_of(const std::string& title, const char* what, const std::string& given, std::vector<std::string> known);
// Extent of the channel axis, which must be known.
int64_t known_channels(const std::string& title, const Shape& shape, bool channels_first);

inline bool is_channels_first(const std::string& data_format) { return data_format == "channels_first"; }
// One entry per axis: {k} stands for all.
Ints per_axis(const std::string& title, const char* what, const Ints& given, size_t axes);

// Reads a number or a list, writes a number when there is one entry and `scalar`.
void axis_field(Fields& f, const char* name, Ints& axes);

inline int64_t positive_axis(int64_t axis, int rank) { return axis < 0 ? axis + rank : axis; }

}  // namespace glia::nn
