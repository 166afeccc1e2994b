#include "nn/layers/shape_util.h"

namespace glia::nn {

Value channels_to_last(const Value& x) { return ops::moveaxis(x, 1, -1); }
Value channels_to_first(const Value& x) { return ops::moveaxis(x, -1, 1); }
Value pad_zeros(const Value& x, const Pairs& pads) { return ops::pad(x, pads); }
Value slice_axis(const Value& x, int64_t axis, int64_t begin, int64_t extent) {
  return ops::slice_axis(x, axis, begin, begin + extent);
}
Value index_axis(const Value& x, int64_t axis, int64_t index) {
  if (index < 0) index += x.dim(static_cast<int>(axis));
  return ops::squeeze(ops::slice_axis(x, axis, index, index + 1), {axis});
}
Value repeat_axis(const Value& x, int64_t axis, int64_t times) {
  if (times == 1) return x;
  Shape s = x.shape(), wide = s, out = s;
  wide.insert(wide.begin() + axis + 1, times);
  out[static_cast<size_t>(axis)] *= times;
  return ops::reshape(ops::broadcast_to(ops::expand_dims(x, axis + 1), wide), out);
}
Value flip_axis(const Value& x, int64_t axis) { return ops::flip(x, {axis}); }

}  // namespace glia::nn
