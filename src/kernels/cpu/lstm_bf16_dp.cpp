// LSTM over whole sequences in bfloat16 (rnn.h): forward. The backward pass is lstm_back_bf16_dp.cpp.
#include "kernels/cpu/lstm_bf16.h"

#if defined(__AVX512BF16__)
#include <cstring>

#include "kernels/cpu/bf16_lanes.h"
#include "kernels/cpu/gemm_bf16_dp.h"
#include "kernels/cpu/lstm_cell.h"

namespace glia::cpu {
namespace GLIA_ISA_NS {
namespace {

constexpr int64_t kSlot = 4 * vf::W;  // the gates of one vector of units

struct Forward {
  const LstmForwardBf16& a;
  LstmBf16Plan plan;
  RnnSequence<const uint16_t> x;
  RnnSequence<const uint8_t> mask;
  float* ws;
  const float* bias(int64_t panel) const { return ws + plan.bias + panel * kSlot; }
  float* weights(int64_t panel) const { return ws + plan.packed + panel * plan.depth / 2 * kSlot; }
};

// One step of a block of rows: [x | h] before it, where h after it goes, and the cells.
struct Step {
  int64_t s, row0, rows;
  const uint16_t* now;
  uint16_t* next;
  const float* c_prev;
  float* c;
  int64_t ldc;
  float *gates, *states;  // of row0, or null
};

GLIA_INLINE void update_cell(const Forward& f, const Step& st, int64_t r, int64_t u, int64_t n, const float* z) {
  const int64_t units = f.a.shape.units;
  const LstmCell x = lstm_cell(z, load_some(st.c_prev + r * st.ldc + u, n));
  store_some(st.c + r * st.ldc + u, x.c, n);
  narrow(st.next + r * f.plan.ld + f.a.shape.input + u, x.h, n);
  if (f.a.y.data) narrow(at(f.a.y, st.row0 + r, st.s) + u, x.h, n);
  if (!st.gates) return;
  store_some(st.states + r * units + u, x.h, n);
  lstm_store_gates(st.gates + r * 4 * units + u, units, x, n);
}

// A masked step of one row: state and output stay.
void keep_row(const Forward& f, const Step& st, int64_t r) {
  const int64_t units = f.a.shape.units, at_h = r * f.plan.ld + f.a.shape.input;
  const size_t bytes = static_cast<size_t>(units) * sizeof(uint16_t);
  std::memcpy(st.next + at_h, st.now + at_h, bytes);
  copy_row(st.c + r * st.ldc, st.c_prev + r * st.ldc, units);
  if (f.a.y.data) {
    uint16_t* y = at(f.a.y, st.row0 + r, st.s);
    if (f.a.mask.zero_output || st.s == 0) std::memset(y, 0, bytes);
    else if (f.a.y.step_stride != 0) std::memcpy(y, at(f.a.y, st.row0 + r, st.s - 1), bytes);
  }
  if (!st.gates) return;
  zero_row(st.gates + r * 4 * units, 4 * units);
  copy_row(st.states + r * units, st.states + (r - f.a.shape.batch) * units, units);
}

void run_step(const Forward& f, const Step& st) {
  constexpr int64_t kRows = 6;
  const int64_t tiles = ceil_div(st.rows, kRows);
  for (int64_t i = 0; i < f.plan.panels; ++i) {
    const int64_t p = panel_of(i, f.plan.panels, st.s);
    const int64_t u = p * vf::W, n = min64(vf::W, f.a.shape.units - u);
    for (int64_t t = 0, r0 = 0; t < tiles; ++t) {
      const int64_t rows = ceil_div(st.rows - r0, tiles - t);
      alignas(64) float z[kRows * kSlot];
      for (int64_t r = 0; r < rows; ++r) copy_row(z + r * kSlot, f.bias(p), kSlot);
      bf16_tile(static_cast<int>(rows), 4, st.now + r0 * f.plan.ld, f.plan.ld, 2,
                reinterpret_cast<const uint16_t*>(f.weights(p)), 2 * kSlot, z, kSlot, f.plan.depth / 2, true);
      for (int64_t r = 0; r < rows; ++r) {
        if (f.mask.data && !*at(f.mask, st.row0 + r0 + r, st.s)) {
          if (p == 0) keep_row(f, st, r0 + r);
        } else {
          update_cell(f, st, r0 + r, u, n, z + r * kSlot);
        }
      }
      r0 += rows;
    }
  }
}

// The first state of a row: given in bfloat16, or zero; also widened where it is kept as f32.
void init_state(const uint16_t* from, int64_t units, uint16_t* half, float* wide) {
  for (int64_t u = 0; u < units; u += vf::W) {
    const int64_t n = min64(vf::W, units - u);
    const vf v = from ? widen(from + u, n) : vf::zero();
    if (half) narrow(half + u, v, n);
    if (wide) store_some(wide + u, v, n);
  }
}

void forward_block(const Forward& f, int64_t block) {
  const RnnShape& sh = f.a.shape;
  const int64_t row0 = block * f.plan.rows, rows = min64(f.plan.rows, sh.batch - row0), bh = sh.batch * sh.units;
  float* ws = f.ws + f.plan.block + block * f.plan.block_size;
  const int64_t half = f.plan.rows * f.plan.ld / 2;  // floats of one [x | h] buffer
  uint16_t* xh[2] = {reinterpret_cast<uint16_t*>(ws), reinterpret_cast<uint16_t*>(ws + half)};
  float* cells[2] = {ws + 2 * half, ws + 2 * half + f.plan.rows * f.plan.ld_units};
  const bool training = f.a.gates != nullptr;
  const int64_t ldc = training ? sh.units : f.plan.ld_units;
  const auto c_at = [&](int64_t s) { return training ? f.a.cells + s * bh + row0 * sh.units : cells[s & 1]; };
  const auto given = [&](const uint16_t* from, int64_t r) { return from ? from + (row0 + r) * sh.units : nullptr; };
  for (int64_t r = 0; r < rows; ++r) {
    init_state(given(f.a.h0, r), sh.units, xh[0] + r * f.plan.ld + sh.input,
               training ? f.a.states + (row0 + r) * sh.units : nullptr);
    init_state(given(f.a.c0, r), sh.units, nullptr, c_at(0) + r * ldc);
  }
  for (int64_t s = 0; s < sh.steps; ++s) {
    uint16_t* now = xh[s & 1];
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(now + r * f.plan.ld, at(f.x, row0 + r, s), static_cast<size_t>(sh.input) * sizeof(uint16_t));
    run_step(f, {s, row0, rows, now, xh[(s + 1) & 1], c_at(s), c_at(s + 1), ldc,
                 training ? f.a.gates + (s * sh.batch + row0) * 4 * sh.units : nullptr,
                 training ? f.a.states + (s + 1) * bh + row0 * sh.units : nullptr});
  }
  for (int64_t r = 0; r < rows; ++r) {
    if (f.a.h_last)
      std::memcpy(f.a.h_last + (row0 + r) * sh.units, xh[sh.steps & 1] + r * f.plan.ld + sh.input,
                  static_cast<size_t>(sh.units) * sizeof(uint16_t));
    for (int64_t u = 0; f.a.c_last && u < sh.units; u += vf::W) {
      const int64_t n = min64(vf::W, sh.units - u);
      narrow(f.a.c_last + (row0 + r) * sh.units + u, load_some(c_at(sh.steps) + r * ldc + u, n), n);
    }
  }
}

// Panel p: for each pair of rows of [kernel; recurrent], the four gates of its units, row by row interleaved.
void pack_panel(const Forward& f, int64_t p) {
  const int64_t units = f.a.shape.units, u = p * vf::W, n = min64(vf::W, units - u);
  float* to = f.weights(p);
  const auto rows = [&](const uint16_t* w, int64_t count) {
    for (int64_t k = 0; k < count; k += 2) {
      for (int64_t g = 0; g < 4; ++g, to += vf::W) {
        const uint16_t* from = w + (k * 4 + g) * units + u;
        store_pairs(to, load_halves(from, n), load_halves(from + 4 * units, n));
      }
    }
  };
  rows(f.a.kernel, f.a.shape.input);
  rows(f.a.recurrent, units);
  float* bias = f.ws + f.plan.bias + p * kSlot;
  for (int64_t g = 0; g < 4; ++g)
    store(bias + g * vf::W, f.a.bias ? widen(f.a.bias + g * units + u, n) : vf::zero());
}

}  // namespace
}  // namespace GLIA_ISA_NS

void lstm_forward_bf16(const LstmForwardBf16& a) {
  using namespace GLIA_ISA_NS;
  const RnnShape& sh = a.shape;
  if (sh.batch == 0 || sh.units == 0) return;
  const Forward f{a, lstm_bf16_plan(sh), in_processing_order(a.x, sh.steps, a.go_backwards),
                  in_processing_order(a.mask.at, sh.steps, a.go_backwards), static_cast<float*>(a.workspace)};
  if (!a.ready) parallel_for(f.plan.panels, [&](int64_t p) { pack_panel(f, p); });
  parallel_for(f.plan.blocks, [&](int64_t block) { forward_block(f, block); });
}

}  // namespace glia::cpu

#else
namespace glia::cpu {
void lstm_forward_bf16(const LstmForwardBf16&) {}
}  // namespace glia::cpu
#endif
