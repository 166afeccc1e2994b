// Reductions over any set of axes of a dense array.
//
//   ReduceKernel k(ReduceOp::sum, Elem::f32, {128, 64}, {true, false});   // bias gradient: sum over the rows
//   std::vector<char> ws(k.workspace());
//   k.run(x, y, ws.data());
//
// Sums keep many partial sums (lanes, then blocks), so the error grows with the logarithm of the count, and blocks are
// fixed by the shape: results do not depend on the thread count. max and min give NaN where any element is NaN; argmax
// and argmin give the first such index (NaN counts as the extreme) as int32. Over no elements: sum 0, prod 1, any false,
// all true, max and min the lowest and highest value, argmax -1.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/cpu/reduce_fn.h"

namespace glia::cpu {

class ReduceKernel {
 public:
  ReduceKernel() = default;
  // sum prod max min: any type but halves. mean: f32 f64. any all: bool. argmax argmin: one run of adjacent axes.
  ReduceKernel(ReduceOp op, Elem type, const std::vector<int64_t>& dims, const std::vector<bool>& reduced);
  static bool supports(ReduceOp op, Elem type);
  int64_t workspace() const { return workspace_; }  // bytes
  void run(const void* x, void* y, void* workspace) const;

 private:
  struct Stage {
    int64_t outer, n, inner;
    int64_t block, blocks;        // the reduced extent is cut into blocks whose partial results are reduced again
    int64_t tile, tiles;          // columns (inner > 1) or rows (inner == 1) of one task
    int64_t partial_at, out_at;   // places in the workspace; out_at -1: the result
  };
  void run_stage(const Stage&, bool last, const char* x, char* y, char* workspace) const;
  ReduceOp op_ = ReduceOp::sum;
  Elem type_ = Elem::f32;
  std::vector<Stage> stages_;
  double scale_ = 1;
  int64_t workspace_ = 0;
  ReduceRowsFn rows_ = nullptr;
  ReduceColumnsFn columns_ = nullptr;
};

}  // namespace glia::cpu
