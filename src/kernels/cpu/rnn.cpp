#include "kernels/cpu/rnn.h"

#include <algorithm>

#include "kernels/cpu/rnn_plan.h"

namespace glia::cpu {
namespace {

constexpr int64_t kMostLocal = 2 << 20;  // floats that the weight gradients of all blocks may take
constexpr int64_t kLanes = 16;           // the widest vector; narrower sets need no more room
int64_t round_up(int64_t n, int64_t m) { return (n + m - 1) / m * m; }

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
  const auto take = [&](int64_t n) {
    int64_t was = at;
    at += round_up(n, kLanes);
    return was;
  };
  p.packed_kernel = take(s.input * units * gates);
  p.packed_recurrent = take(s.units * units * gates);
  p.packed_bias = take(units * slots);
  p.projected = take(p.project_first ? s.steps * s.batch * units * slots : 0);
  p.block_size = round_up(p.rows * (p.ld_input + 5 * p.ld_units), kLanes);
  p.block = take(p.blocks * p.block_size);
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
  const auto take = [&](int64_t n) {
    int64_t was = at;
    at += round_up(n, kLanes);
    return was;
  };
  p.packed = take(p.columns * (units + input));
  p.dgates = take(k * p.columns);
  p.x_rows = take(p.local ? 0 : k * s.input);
  p.reduce = take(p.local ? 0 : 4 * std::min(kReduceRows, k) * round_up(p.columns, 64));
  p.sums = take(p.local ? p.blocks * p.sums_size : 0);
  p.gather = take(p.local ? p.blocks * p.gather_size : 0);
  p.block_size = round_up(p.rows * 5 * p.ld_units, kLanes);
  p.block = take(p.blocks * p.block_size);
  p.total = at;
  return p;
}

size_t lstm_workspace(const RnnShape& s) { return forward_bytes(s, 4); }
size_t lstm_backward_workspace(const RnnShape& s) { return backward_bytes(s, 4); }
size_t gru_workspace(const RnnShape& s) { return forward_bytes(s, 3); }
size_t gru_backward_workspace(const RnnShape& s) { return backward_bytes(s, 4); }
size_t simple_rnn_workspace(const RnnShape& s) { return forward_bytes(s, 1); }
size_t simple_rnn_backward_workspace(const RnnShape& s) { return backward_bytes(s, 1); }

}  // namespace glia::cpu
