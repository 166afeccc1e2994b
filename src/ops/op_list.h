// The explicit list of ops: one function per file, one line per file in op_list.cpp.
#pragma once
#include <vector>

#include "ir/op_def.h"

namespace glia::ops {
using OpList = std::vector<const ir::OpDef*>;
OpList pointwise_ops();
OpList reshape_ops();
OpList broadcast_ops();
OpList reduce_ops();
OpList matmul_ops();
OpList conv_ops();
OpList conv_backprop_input_ops();
OpList conv_backprop_filter_ops();
OpList max_pool_ops();
OpList avg_pool_ops();
}  // namespace glia::ops
