// Small things that several operator families need.
#pragma once
#include <glia/ops.h>

#include <algorithm>

#include "io/onnx/node.h"

namespace glia::onnx {

template <Value (*F)(const Value&)>
Operands unary(Node& n) {
  return {pointwise({n.operand(0)}, [](const Values& v) { return F(v[0]); })};
}
// f of input 0, elementwise.
template <class F>
Operands elementwise(Node& n, F f) {
  return {pointwise({n.operand(0)}, [&](const Values& v) { return f(v[0]); })};
}

// Axes from input `slot` (newer opsets) or from the attribute `name`.
inline Ints axes_of(const Node& n, size_t slot, const char* name = "axes") {
  return n.has(slot) ? n.known_ints(slot, name) : n.ints(name);
}
inline Value scalar(double v, DType t) { return Value(Tensor::scalar(v, t)); }
inline Value int64_tensor(const Ints& v) {
  return Value(Tensor::from_vector<int64_t>({static_cast<int64_t>(v.size())}, v));
}
// The extents of axes [from, to) of x.
inline Shape extents_of(const Value& x, int64_t from, int64_t to) {
  const Shape s = x.shape();
  return Shape(s.begin() + from, s.begin() + to);
}
// Half types are computed in float32, as ONNX's reference does for sums.
inline Value widened(const Value& x) {
  return x.dtype() == DType::f16 || x.dtype() == DType::bf16 ? ops::cast(x, DType::f32) : x;
}

// A number of a file, of either sign, far from overflow (its absolute value would not do: the least has none).
inline bool within(int64_t v, int64_t limit) { return v > -limit && v < limit; }
// To an 8-bit float, numbers beyond its range become its largest; NaN stays.
Value cast_within(const Value& x, DType t);

// Refuses results that no machine holds, and known arrays of more than 2^28 elements: memory is taken for those at
// once.
void check_extents(const Node& n, const Shape& s, bool known);

// A small array that becomes one of `extents`: while a step is traced, a large result is left to the step, so that reading a file
// takes no memory for it.
Value to_be_grown(const Node& n, const Value& x, const Shape& extents);

// Pads of one spatial axis per pair, from pads or auto_pad.
ops::Pads conv_pads(const Node& n, const Shape& spatial, const Ints& window, const Ints& strides,
                    const Ints& dilations);

}  // namespace glia::onnx
