// Pointwise ops in the IR: one OpDef per row of kernels/cpu/pointwise_ops.h, plus `cast` and the `fused` op whose
// program is an attribute. The fusion pass composes programs with node_program().
#pragma once
#include "ir/graph.h"
#include "kernels/cpu/pointwise.h"

namespace glia::ops {

const ir::OpDef& pointwise_op(std::string_view table_name);
const ir::OpDef& fused_op();

// The program of one pointwise node (any op with traits.pointwise) over its inputs, in order.
cpu::PwProgram node_program(const ir::OpDef&, const ir::Attrs&, std::span<const TensorType> in);

std::string encode_program(const cpu::PwProgram&);        // "input:float32:0;exp:float32:0|1"
cpu::PwProgram decode_program(std::string_view text);     // throws Error
inline cpu::Elem elem(DType t) { return static_cast<cpu::Elem>(t); }

}  // namespace glia::ops
