// Small compositions of shape operations that several layers use.
#pragma once
#include <glia/ops.h>

#include <utility>
#include <vector>

namespace glia::nn {

using Pairs = std::vector<std::pair<int64_t, int64_t>>;

// Moves the channel axis of (batch, channels, spatial...) to the end, or back.
Value channels_to_last(const Value& x);
Value channels_to_first(const Value& x);
// Zeros before and after each axis.
Value pad_zeros(const Value& x, const Pairs& pads);
// Elements [begin, begin + extent) along one axis.
Value slice_axis(const Value& x, int64_t axis, int64_t begin, int64_t extent);
// x[:, ..., index, ...] without the axis.
Value index_axis(const Value& x, int64_t axis, int64_t index);
// Each element `times` times along an axis, as numpy.repeat.
Value repeat_axis(const Value& x, int64_t axis, int64_t times);
// The axis in reverse order.
Value flip_axis(const Value& x, int64_t axis);

}  // namespace glia::nn
