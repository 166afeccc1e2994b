// The explicit list of ops: one function per file, one line per file in op_list.cpp.
#pragma once
#include <vector>

#include "ir/op_def.h"

namespace glia::ops {
using OpList = std::vector<const ir::OpDef*>;
OpList pointwise_ops();
OpList activation_ops();
OpList reshape_ops();
OpList broadcast_ops();
OpList reduce_ops();
OpList matmul_ops();
OpList attention_ops();
OpList conv_ops();
OpList conv_max_pool_ops();
OpList conv_backprop_input_ops();
OpList conv_backprop_filter_ops();
OpList max_pool_ops();
OpList max_pool_ties_ops();
OpList avg_pool_ops();
OpList transpose_ops();
OpList slice_ops();
OpList concat_ops();
OpList take_ops();
OpList cumulative_ops();
OpList sort_ops();
OpList softmax_ops();
OpList cross_entropy_ops();
OpList layer_norm_ops();
OpList batch_norm_ops();
OpList random_ops();
OpList lstm_ops();
OpList gru_ops();
OpList simple_rnn_ops();
OpList image_ops();
OpList segment_ops();
OpList search_ops();
OpList bessel_ops();
OpList fft_ops();
OpList linalg_ops();
}  // namespace glia::ops
