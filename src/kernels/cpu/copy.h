// Moving elements: one strided copy serves transpose, slice, flip, concat, pad and tile.
//
//   CopyKernel t({cols, rows}, {1, cols}, {rows, 1}, 4);   // transpose x [rows, cols]: dims of y, strides of x and
//   of y t.run(x, y);
//
// Strides are in elements and may be 0 or negative for the source (pointers are to the element of index 0).
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/cpu/elem.h"
#include "kernels/cpu/transpose.h"

namespace glia::cpu {

class CopyKernel {
 public:
  static constexpr int kMaxRank = 12;
  CopyKernel() = default;
  CopyKernel(const std::vector<int64_t>& dims, const std::vector<int64_t>& src_strides,
             const std::vector<int64_t>& dst_strides, int elem_size);
  void run(const void* src, void* dst) const;

 private:
  struct Dim {
    int64_t n, src, dst;
  };
  void run_task(int64_t task, const char* src, char* dst) const;
  // outer_ dims are walked; what one step copies is a row (rows_) or a plane whose sides have unit stride in the
  // source and in the destination.
  std::vector<Dim> outer_;
  Dim inner_{1, 1, 1}, side_{1, 0, 0};
  bool plane_ = false;
  int64_t steps_ = 0, per_task_ = 1, tasks_ = 0;
  int size_ = 4;
  decltype(&scalar::transpose_words) transpose_ = nullptr;
};

void fill_elements(void* dst, int64_t count, uint64_t pattern,
                   int elem_size);  // pattern: the low bytes are the element
// The pattern of a number in some type (halves included).
uint64_t elem_pattern(Elem, double value);

// y[o, j, :] = x[o, index[j], :] with x [outer, n, inner bytes]; indices from -n to n - 1 (negative: from the end).
struct TakeArgs {
  const void* x;
  const void* index;
  Elem index_type;  // i32 or i64
  void* y;
  int64_t outer, n, count, inner_bytes;
};
void take(const TakeArgs&);
// y[index[j], :] += x[j, :], y [n, inner] of zeros (cleared here) or of what `base` holds (may be y). Deterministic.
struct ScatterAddArgs {
  const void* base;  // null: start from zeros
  const void* index;
  Elem index_type;
  const void* x;
  void* y;
  int64_t n, count, inner;
};
void scatter_add(Elem, const ScatterAddArgs&);  // f32 f64 i32 i64 u32 u64
// First position whose index is outside [-n, n), or -1.
int64_t find_bad_index(Elem index_type, const void* index, int64_t count, int64_t n);

}  // namespace glia::cpu
