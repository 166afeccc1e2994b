// Emitters of the conv and pool families that have no public builder: their gradients call each other through these.
#pragma once
#include "ir/graph.h"

namespace glia::ops {

// attrs: strides, pads, dilation (conv), window, strides, pads (pool); further ones are ignored.
Value emit_conv(const ir::Attrs& attrs, const Value& x, const Value& kernel);
Value emit_conv_backprop_input(const ir::Attrs& attrs, const Value& dy, const Value& kernel,
                               const Shape& input_shape);
Values emit_conv_backprop_filter(const ir::Attrs& attrs, const Value& x, const Value& dy, const Shape& kernel_shape);

// Whether conv with these attributes and the 2x2 max pooling behind it can be one step (ops/conv_max_pool.cpp).
bool conv_max_pool_fits(const ir::Attrs& attrs, const TensorType& x, const Shape& kernel);
bool is_square_max_pool(const ir::Node& n);  // 2x2, strides of 2, no padding
// Of a convolution in bfloat16: whether the one step in f32 is the faster.
bool conv_max_pool_prefers_f32(const ir::Attrs& attrs, const TensorType& x, const Shape& kernel);

Value emit_max_pool(const ir::Attrs& attrs, const Value& x);
Value emit_max_pool_backprop(const ir::Attrs& attrs, const Value& dy, const Value& argmax, const Shape& input_shape);
Value emit_max_pool_take(const ir::Attrs& attrs, const Value& t, const Value& argmax);
Value emit_max_pool_spread(const ir::Attrs& attrs, const Value& x, const Value& y, const Value& dy);  // all of equal cells
Value emit_avg_pool(const ir::Attrs& attrs, const Value& x);
Value emit_avg_pool_backprop(const ir::Attrs& attrs, const Value& dy, const Shape& input_shape);

}  // namespace glia::ops
