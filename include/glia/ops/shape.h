// Operations that change shape or move elements.
#pragma once
#include <glia/value.h>

namespace glia::ops {

Value reshape(const Value& x, Shape shape);              // one extent may be -1
Value broadcast_to(const Value& x, Shape shape);
Value expand_dims(const Value& x, int64_t axis);
Value squeeze(const Value& x, std::vector<int64_t> axes = {});
// Sums x over the axes along which `shape` was broadcast to x's shape.
Value sum_to(const Value& x, const Shape& shape);

}  // namespace glia::ops
