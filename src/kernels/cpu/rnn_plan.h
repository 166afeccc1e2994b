// How the recurrent kernels cut their work and their workspace, from the shape alone. Shared by all instruction sets
// (an ordinary function, so that *.isa.cpp files may call it).
//
//   const RnnPlan p = rnn_plan(shape, 4);  // LSTM: four gates
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/rnn.h"

namespace glia::cpu {

struct RnnPlan {
  int64_t rows = 0, blocks = 0;        // a chunk works on `rows` batch rows for all steps
  bool project_first = false;          // few rows: x @ kernel for all steps before the time loop, else inside it
  int64_t ld_units = 0, ld_input = 0;  // row lengths of the block buffers
  // Offsets and sizes in floats.
  int64_t packed_kernel = 0, packed_recurrent = 0, packed_bias = 0, projected = 0;
  int64_t block = 0, block_size = 0, total = 0;
};
RnnPlan rnn_plan(const RnnShape& shape, int gates);

struct RnnBackwardPlan {
  int64_t rows = 0, blocks = 0;
  int64_t columns = 0;  // of dgates: values per row and step
  // Where the weights are small, every block sums the weight gradients of its own rows, which it has in its caches,
  // and the sums of the blocks are added; else threads share the columns of the weights out and read the rows of all.
  bool local = false;
  int64_t batch = 0, steps = 0;
  // Row of dgates: time-major, with local sums within each block.
  int64_t dgates_row(int64_t s, int64_t b) const {
    if (!local) return s * batch + b;
    const int64_t row0 = b / rows * rows, count = rows < batch - row0 ? rows : batch - row0;
    return row0 * steps + s * count + (b - row0);
  }
  int64_t ld_units = 0;
  int64_t packed = 0;                          // transposed weights, in panels
  int64_t dgates = 0;                          // [T * B, columns]
  int64_t x_rows = 0;                          // x as [T * B, input]
  int64_t reduce = 0;                          // blocks of dgates columns for the weight gradients
  int64_t sums = 0, sums_size = 0;             // of a block: d kernel, d recurrent, sums of the columns
  int64_t sum_recurrent = 0, sum_columns = 0;  // where the latter two begin
  int64_t gather = 0, gather_size = 0;         // of a block: kReduceRows rows of x or h, and a panel of dgates
  int64_t block = 0, block_size = 0, total = 0;
};
// Rows of dgates that a weight gradient works through at a time: a block of 64 columns stays in L2.
constexpr int64_t kReduceRows = 400;
RnnBackwardPlan rnn_backward_plan(const RnnShape& shape, int columns_per_unit);

}  // namespace glia::cpu
