// Random numbers from Philox4x32-10 counters. Element e of a draw depends only on (seed, step, stream, e): the same on
// every instruction set, for any number of threads.
//
//   RandomKey key{.seed = 1337, .step = 7, .stream = 3};
//   random_uniform(Elem::f32, key, y, n, 0.0, 1.0);
#pragma once
#include <cstdint>

#include "kernels/cpu/elem.h"
#include "kernels/cpu/isa.h"

namespace glia::cpu {

struct RandomKey {
  uint64_t seed = 0, step = 0, stream = 0;
};

// f32: low + (high - low) u with u a multiple of 2^-24 in [0, 1); f64: of 2^-53. i32 and i64: whole numbers in [low, high),
// high - low at most 2^32.
void random_uniform(Elem, const RandomKey&, void* y, int64_t n, double low, double high);
// mean + stddev z, z by Box and Muller (1958). f32 f64 (f64 has the precision of f32 draws).
void random_normal(Elem, const RandomKey&, void* y, int64_t n, double mean, double stddev);
// As above with |z| < 2: values beyond are drawn again.
void random_truncated_normal(Elem, const RandomKey&, void* y, int64_t n, double mean, double stddev);

// y = x / (1 - rate) where word e of the stream is at least rate 2^32, else 0. f32 f64; y may be x.
struct DropoutArgs {
  const void* x;
  void* y;
  int64_t n;
  RandomKey key;
  uint32_t threshold;  // rate 2^32
  double scale;        // 1 / (1 - rate)
};
GLIA_ISA_DECLARE(void, dropout, (Elem, const DropoutArgs&))

}  // namespace glia::cpu
