// More of keras.ops on arrays: diagonals, updates of parts, segments, Python's indexing, einops patterns, sequences and windows.
//
//   Value y = ops::rearrange(x, "b (h w) c -> b h w c", {{"h", 2}});
//   Value z = ops::slice_update(x, {1, 2}, patch);
//   Value r = ops::get_item(x, {ops::Index::all(), ops::Index::at(-1)});
#pragma once
#include <map>
#include <optional>
#include <string>

#include <glia/value.h>

namespace glia::ops {

// ---- joining and cutting ----
Values hsplit(const Value& x, int64_t sections);  // along axis 1, or 0 of a vector
Values hsplit(const Value& x, std::vector<int64_t> indices);
Values vsplit(const Value& x, int64_t sections);  // along axis 0
Values vsplit(const Value& x, std::vector<int64_t> indices);
Values dsplit(const Value& x, int64_t sections);  // along axis 2
Values dsplit(const Value& x, std::vector<int64_t> indices);
Value moveaxis(const Value& x, const std::vector<int64_t>& source, const std::vector<int64_t>& destination);
Value expand_dims(const Value& x, const std::vector<int64_t>& axes);  // axes of the result
Value repeat(const Value& x, const std::vector<int64_t>& repeats, int64_t axis);  // a number of copies for each entry

// ---- parts ----
// x[key...] with Python's rules: an index drops its axis, a slice keeps it, all() keeps it whole, new_axis() inserts one,
// ellipsis() stands for as many axes as are missing.
struct Index {
  enum class Kind { at, slice, new_axis, ellipsis } kind = Kind::slice;
  std::optional<int64_t> start, stop;
  int64_t step = 1;
  static Index at(int64_t i) { return {Kind::at, i, {}, 1}; }
  static Index range(std::optional<int64_t> start, std::optional<int64_t> stop, int64_t step = 1) {
    return {Kind::slice, start, stop, step};
  }
  static Index all() { return {}; }
  static Index new_axis() { return {Kind::new_axis, {}, {}, 1}; }
  static Index ellipsis() { return {Kind::ellipsis, {}, {}, 1}; }
};
Value get_item(const Value& x, const std::vector<Index>& key);
Value slice_update(const Value& x, std::vector<int64_t> starts, const Value& updates);  // x with a block written at starts
// x with x[indices[i]] = updates[i]; indices (..., k) into the first k axes of x. reduction: "" (the last one counts where
// indices repeat), "add", "max", "min" or "mul".
Value scatter_update(const Value& x, const Value& indices, const Value& updates, const std::string& reduction = "");
Value select(const Values& conditions, const Values& choices, const Value& otherwise);  // the first condition that holds

// ---- segments ---- data (n, ...), segment_ids (n): reduces the rows of each id; ids outside of [0, num_segments) are left
// out. A segment without rows gives the lowest / highest number, and 1 for products; 0 with `sorted`, as TensorFlow does.
Value segment_max(const Value& data, const Value& segment_ids, int64_t num_segments, bool sorted = false);
Value segment_min(const Value& data, const Value& segment_ids, int64_t num_segments, bool sorted = false);
Value segment_prod(const Value& data, const Value& segment_ids, int64_t num_segments);

// ---- diagonals ----
Value diag(const Value& x, int64_t k = 0);  // a vector becomes a matrix, a matrix gives its k-th diagonal
Value diagflat(const Value& x, int64_t k = 0);
Value diagonal(const Value& x, int64_t offset = 0, int64_t axis1 = 0, int64_t axis2 = 1);
Value trace(const Value& x, int64_t offset = 0, int64_t axis1 = 0, int64_t axis2 = 1);

// ---- products ----
Value kron(const Value& a, const Value& b);
// Vector product over axes of 2 or 3 elements; axis, if given, stands for all three.
Value cross(const Value& a, const Value& b, int64_t axisa = -1, int64_t axisb = -1, int64_t axisc = -1, std::optional<int64_t> axis = {});
Value vander(const Value& x, std::optional<int64_t> columns = {}, bool increasing = false);  // powers of a vector
Value gcd(const Value& a, const Value& b);  // integers
Value lcm(const Value& a, const Value& b);
Value i0(const Value& x);                   // modified Bessel function of order 0; Abramowitz and Stegun 9.8
Value nextafter(const Value& a, const Value& b);  // as Keras on TensorFlow: the neighbour in float64, rounded to a's type
Value round(const Value& x, int64_t decimals);    // half to even, to so many decimals

// ---- patterns ----
// einops.rearrange: axes by name, groups in brackets are split or merged; sizes of the parts where they do not follow.
Value rearrange(const Value& x, const std::string& pattern, const std::map<std::string, int64_t>& sizes = {});
// Frames of `length` elements every `stride` elements along the last axis: (..., frames, length).
Value extract_sequences(const Value& x, int64_t length, int64_t stride);
Values unravel_index(const Value& indices, const Shape& shape);  // one array of indices per axis
Value saturate_cast(const Value& x, DType dtype);                 // clipped to the range of the dtype first
Value view(const Value& x, DType dtype);                          // the same bytes as another dtype

// ---- constants ----
// Between two arrays; the new axis stands at `axis`.
Value linspace(const Value& start, const Value& stop, int64_t num, bool endpoint = true, int64_t axis = 0);
Value logspace(const Value& start, const Value& stop, int64_t num = 50, bool endpoint = true, double base = 10, int64_t axis = 0);
Value geomspace(const Value& start, const Value& stop, int64_t num = 50, bool endpoint = true, int64_t axis = 0);
Value empty(Shape shape, DType dtype = DType::f32);  // zeros
Value empty_like(const Value& x);
// Windows of n samples, symmetric, float32.
Value bartlett(int64_t n);
Value blackman(int64_t n);
Value hamming(int64_t n);
Value hanning(int64_t n);
Value kaiser(int64_t n, double beta);

}  // namespace glia::ops
