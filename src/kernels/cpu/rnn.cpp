#include "kernels/cpu/rnn.h"

#include <algorithm>

#include "kernels/cpu/lstm_bf16.h"
#include "kernels/cpu/rnn_plan.h"

namespace glia::cpu {
namespace {

constexpr int64_t kMostLocal = 2 << 20;  // floats that the weight gradients of all blocks may take
constexpr int64_t kLanes = 16;           // the widest vector; narrower sets need no more room
int64_t round_up(int64_t n, int64_t m) { return (n + m - 1) / m * m; }
// The place of n floats in a workspace of which `at` are given away.
int64_t take(int64_t& at, int64_t n) {
  const int64_t was = at;
  at += round_up(n, kLanes);
  return was;
}

// Rows of a chunk: enough for the register tile, few enough that 2 to 4 threads have work at usual batch sizes. Big
// weights do not stay in L2, so they are read once per step for more rows.
int64_t block_rows(const RnnShape& s, int64_t columns) {
  const int64_t weights = (s.input + s.units) * columns * 4;
  const int64_t most = weights > (1 << 20) ? 32 : 16;
  const int64_t b = s.batch;
  if (b >= 2 * most) return most;
  if (b > 3) return std::max<int64_t>(round_up((b + 1) / 2, 2), 2);
  return std::max<int64_t>(b, 1);
}

size_t bytes_f64(const RnnShape& s, int columns) {  // rnn_f64.cpp: dgates and a few rows
  return 8 * static_cast<size_t>(s.steps * s.batch * s.units * columns + 16 * s.batch * s.units);
}

size_t forward_bytes(const RnnShape& s, int gates) {
  return std::max<size_t>(4 * static_cast<size_t>(rnn_plan(s, gates).total),
                          8 * 16 * static_cast<size_t>(s.batch * s.units + 1));
}
size_t backward_bytes(const RnnShape& s, int columns) {
  return std::max<size_t>(4 * static_cast<size_t>(rnn_backward_plan(s, columns).total), bytes_f64(s, columns));
}

}  // namespace

RnnPlan rnn_plan(const RnnShape& s, int gates) {
  RnnPlan p;
  p.rows = block_rows(s, gates * s.units);
  p.blocks = (s.batch + p.rows - 1) / p.rows;
  p.project_first = p.rows < 4;
  const int64_t units = round_up(s.units, kLanes), slots = 4;
  p.ld_units = units + kLanes;  // not a power of two, so rows do not fall into one cache set
  p.ld_input = round_up(s.input, kLanes) + kLanes;
  int64_t at = 0;
  p.packed_kernel = take(at, s.input * units * gates);
  p.packed_recurrent = take(at, s.units * units * gates);
  p.packed_bias = take(at, units * slots);
  p.projected = take(at, p.project_first ? s.steps * s.batch * units * slots : 0);
  p.block_size = round_up(p.rows * (p.ld_input + 5 * p.ld_units), kLanes);
  p.block = take(at, p.blocks * p.block_size);
  p.total = at;
  return p;
}

RnnBackwardPlan rnn_backward_plan(const RnnShape& s, int columns_per_unit) {
  RnnBackwardPlan p;
  p.columns = columns_per_unit * s.units;
  p.rows = block_rows(s, p.columns);
  p.blocks = (s.batch + p.rows - 1) / p.rows;
  const int64_t units = round_up(s.units, kLanes), input = round_up(s.input, kLanes), k = s.steps * s.batch;
  p.ld_units = units + kLanes;
  p.batch = s.batch;
  p.steps = s.steps;
  p.sum_recurrent = round_up(s.input * p.columns, kLanes);
  p.sum_columns = p.sum_recurrent + round_up(s.units * p.columns, kLanes);
  p.sums_size = p.sum_columns + round_up(p.columns, kLanes);
  p.gather_size = kReduceRows * (std::max(input, units) + 64);
  p.local = p.blocks >= 2 && p.blocks * p.sums_size <= kMostLocal;
  int64_t at = 0;
  p.packed = take(at, p.columns * (units + input));
  p.dgates = take(at, k * p.columns);
  p.x_rows = take(at, p.local ? 0 : k * s.input);
  p.reduce = take(at, p.local ? 0 : 4 * std::min(kReduceRows, k) * round_up(p.columns, 64));
  p.sums = take(at, p.local ? p.blocks * p.sums_size : 0);
  p.gather = take(at, p.local ? p.blocks * p.gather_size : 0);
  p.block_size = round_up(p.rows * 5 * p.ld_units, kLanes);
  p.block = take(at, p.blocks * p.block_size);
  p.total = at;
  return p;
}

size_t lstm_workspace(const RnnShape& s) { return forward_bytes(s, 4); }
size_t lstm_backward_workspace(const RnnShape& s) { return backward_bytes(s, 4); }
size_t gru_workspace(const RnnShape& s) { return forward_bytes(s, 3); }
size_t gru_backward_workspace(const RnnShape& s) { return backward_bytes(s, 4); }
size_t simple_rnn_workspace(const RnnShape& s) { return forward_bytes(s, 1); }
size_t simple_rnn_backward_workspace(const RnnShape& s) { return backward_bytes(s, 1); }

bool lstm_bf16_supported(const RnnShape& s) {
  return current_isa() == Isa::avx512 && cpu_has_avx512_bf16() && s.input % 2 == 0 && s.units % 2 == 0 && s.input > 0;
}

LstmBf16Plan lstm_bf16_plan(const RnnShape& s) {
  LstmBf16Plan p;
  p.rows = block_rows(s, 4 * s.units);
  p.blocks = (s.batch + p.rows - 1) / p.rows;
  p.panels = (s.units + kLanes - 1) / kLanes;
  p.depth = s.input + s.units;
  p.ld = round_up(p.depth, 2 * kLanes) + 2 * kLanes;
  p.ld_units = round_up(s.units, kLanes) + kLanes;
  int64_t at = 0;
  p.packed = take(at, p.panels * p.depth / 2 * 4 * kLanes);
  p.bias = take(at, p.panels * 4 * kLanes);
  p.block_size = round_up(p.rows * (p.ld + 2 * p.ld_units), kLanes);
  p.block = take(at, p.blocks * p.block_size);
  p.total = at;
  return p;
}

LstmBackwardBf16Plan lstm_backward_bf16_plan(const RnnShape& s) {
  LstmBackwardBf16Plan p;
  p.base = rnn_backward_plan(s, 4);
  p.columns = 4 * s.units;
  p.ld_sums = round_up(p.columns, kLanes);
  p.units_wide = round_up(s.units, kLanes);
  p.input_wide = round_up(s.input, kLanes);
  const int64_t panels = (p.columns + 63) / 64, rows = s.steps * s.batch;
  p.sum_blocks = p.base.local ? p.base.blocks : 1;
  p.tasks = p.base.local ? p.base.blocks : std::min<int64_t>(panels, 8);
  p.sum_recurrent = s.input * p.ld_sums;
  p.sum_columns = p.sum_recurrent + s.units * p.ld_sums;
  p.sums_size = p.sum_columns + p.ld_sums;
  p.gather_size = kReduceRows / 2 * (std::max(p.input_wide, p.units_wide) + 64);
  int64_t at = 0;
  p.packed_recurrent = take(at, p.columns / 2 * p.units_wide);
  p.packed_kernel = take(at, p.columns / 2 * p.input_wide);
  p.dgates = take(at, rows * p.columns / 2 + kLanes);
  p.sums = take(at, p.sum_blocks * p.sums_size);
  p.gather = take(at, p.tasks * p.gather_size);
  p.block_size = p.base.rows * (3 * p.base.ld_units + p.input_wide);
  p.block = take(at, p.base.blocks * p.block_size);
  p.total = at;
  return p;
}

size_t lstm_bf16_workspace(const RnnShape& s) { return 4 * static_cast<size_t>(lstm_bf16_plan(s).total); }
size_t lstm_backward_bf16_workspace(const RnnShape& s) { return 4 * static_cast<size_t>(lstm_backward_bf16_plan(s).total); }

}  // namespace glia::cpu
