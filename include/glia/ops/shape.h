// Operations that change shape or move elements, with the names and defaults of keras.ops. Axes count from the end
// when negative.
#pragma once
#include <utility>

#include <glia/value.h>

namespace glia::ops {

Value reshape(const Value& x, Shape shape);  // one extent may be -1
Value broadcast_to(const Value& x, Shape shape);
Value expand_dims(const Value& x, int64_t axis);
Value squeeze(const Value& x, std::vector<int64_t> axes = {});
// Sums x over the axes along which `shape` was broadcast to x's shape.
Value sum_to(const Value& x, const Shape& shape);

Value transpose(const Value& x,
                std::vector<int64_t> axes = {});  // axis i of the result is axis axes[i] of x; empty: reversed
Value moveaxis(const Value& x, int64_t source, int64_t destination);
Value swapaxes(const Value& x, int64_t axis1, int64_t axis2);
Value concatenate(const Values& xs, int64_t axis = -1);
Value stack(const Values& xs, int64_t axis = 0);
Values unstack(const Value& x, int64_t axis = 0);
Values split(const Value& x, int64_t sections, int64_t axis = 0);          // equal parts
Values split(const Value& x, std::vector<int64_t> indices, int64_t axis);  // cut before each index
Value slice(const Value& x, std::vector<int64_t> starts, Shape sizes);
// x[start:stop:step] along one axis, with Python's rules; kEnd as stop: to the end (for negative steps: to the
// start).
inline constexpr int64_t kEnd = INT64_MAX;
Value slice_axis(const Value& x, int64_t axis, int64_t start, int64_t stop = kEnd, int64_t step = 1);
// Widths (before, after) per axis. mode: "constant", "reflect", "symmetric" or "edge".
Value pad(const Value& x, std::vector<std::pair<int64_t, int64_t>> pad_width, std::string mode = "constant",
          double constant_value = 0);
Value flip(const Value& x, std::vector<int64_t> axes = {});  // all axes when none are named
Value roll(const Value& x, int64_t shift, int64_t axis);
Value tile(const Value& x, std::vector<int64_t> repeats);
Value repeat(const Value& x, int64_t repeats, int64_t axis);  // each element `repeats` times in a row

// Gathering and scattering. Indices are int32 or int64, negative ones count from the end; an index out of range is an
// Error at run time.
Value take(const Value& x, const Value& indices,
           int64_t axis = 0);  // result: x's axis replaced by the axes of indices
Value take_along_axis(const Value& x, const Value& indices, int64_t axis = -1);
// out[indices[j]] = sum of the rows data[j] with that index; out has `num_segments` rows. The gradient of take.
Value segment_sum(const Value& data, const Value& indices, int64_t num_segments);
Value scatter(const Value& indices, const Value& values,
              Shape shape);  // indices (..., k) into the first k axes; sums
Value scatter_add(const Value& x, const Value& indices, const Value& updates);  // x with rows of axis 0 added to
Value one_hot(const Value& indices, int64_t num_classes, int64_t axis = -1, DType dtype = DType::f32);

// Order. NaN sorts last; equal elements keep their order.
Value argmax(const Value& x, int64_t axis = -1, bool keepdims = false);  // int32, the first of equals
Value argmin(const Value& x, int64_t axis = -1, bool keepdims = false);
Value sort(const Value& x, int64_t axis = -1);
Value argsort(const Value& x, int64_t axis = -1);  // int32
Values top_k(const Value& x,
             int64_t k);  // {values, int32 indices} of the k largest along the last axis, largest first
Value cumsum(const Value& x, int64_t axis = 0, bool exclusive = false, bool reverse = false);
Value cumprod(const Value& x, int64_t axis = 0, bool exclusive = false, bool reverse = false);

// Constants.
Value zeros(Shape shape, DType dtype = DType::f32);
Value ones(Shape shape, DType dtype = DType::f32);
Value full(Shape shape, double value, DType dtype = DType::f32);
Value arange(double start, double stop, double step = 1, DType dtype = DType::i32);
Value linspace(double start, double stop, int64_t num, bool endpoint = true, DType dtype = DType::f32);
Value eye(int64_t rows, int64_t columns = -1, int64_t k = 0, DType dtype = DType::f32);
Value tri(int64_t rows, int64_t columns = -1, int64_t k = 0,
          DType dtype = DType::f32);  // ones on and below diagonal k
Value tril(const Value& x, int64_t k = 0);
Value triu(const Value& x, int64_t k = 0);

}  // namespace glia::ops
