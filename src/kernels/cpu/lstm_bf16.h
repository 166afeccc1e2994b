// Workspace layout of the bfloat16 LSTM kernels and what their two files share. Offsets and sizes in floats.
#pragma once
#include "kernels/cpu/rnn_plan.h"

namespace glia::cpu {

// Forward: [x | h] of a row lie side by side, so one product serves both kernels. The packed weights hold, per vector of
// units, the pairs of rows of [kernel; recurrent] with the four gates.
struct LstmBf16Plan {
  int64_t rows = 0, blocks = 0, panels = 0;
  int64_t depth = 0, ld = 0;  // x and h of a row, in bfloat16
  int64_t ld_units = 0;
  int64_t packed = 0, bias = 0, block = 0, block_size = 0, total = 0;
};

struct LstmBackwardBf16Plan {
  RnnBackwardPlan base;                     // rows, blocks, local, the order of dgates
  int64_t columns = 0, ld_sums = 0;         // of dgates; of a row of the sums
  int64_t units_wide = 0, input_wide = 0;   // whole vectors
  int64_t packed_recurrent = 0, packed_kernel = 0, dgates = 0;
  int64_t sums = 0, sums_size = 0, sum_recurrent = 0, sum_columns = 0, sum_blocks = 0;
  int64_t tasks = 0;                        // that sum weight gradients at once
  int64_t gather = 0, gather_size = 0, block = 0, block_size = 0, total = 0;
};

LstmBf16Plan lstm_bf16_plan(const RnnShape&);
LstmBackwardBf16Plan lstm_backward_bf16_plan(const RnnShape&);

}  // namespace glia::cpu
