// The functions of keras.ops that Glia has, as bindings by name; one file per family.
#pragma once
#include <vector>

#include "io/keras_ops/op_call.h"

namespace glia::keras_ops {

void add_pointwise_ops(std::vector<OpBinding>&);
void add_reduce_ops(std::vector<OpBinding>&);
void add_shape_ops(std::vector<OpBinding>&);
void add_linalg_ops(std::vector<OpBinding>&);
void add_nn_ops(std::vector<OpBinding>&);
void add_numpy_ops(std::vector<OpBinding>&);
void add_activation_ops(std::vector<OpBinding>&);
void add_statistics_ops(std::vector<OpBinding>&);
void add_array_ops(std::vector<OpBinding>&);
void add_image_ops(std::vector<OpBinding>&);
const OpBinding* find_op(std::string_view name);  // nullptr when Glia does not have it

}  // namespace glia::keras_ops
