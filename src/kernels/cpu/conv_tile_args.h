// What a register tile of the convolutions is told; the same for every instruction set (conv_tile.h).
#pragma once
#include <cstdint>

#include "kernels/cpu/act.h"

namespace glia::cpu {

struct ConvTile {
  const float* a;         // first pixel, first tap
  int64_t a_step;         // from pixel to pixel
  const float* b;         // weights: rows of NV * W values
  int64_t nz, ny, nx, k;  // taps in use, channels (or channels and x taps in one)
  int64_t az, ay, ax;     // from tap to tap in a
  int64_t bz, by, bx;     // and in b
  float* out;
  int64_t out_step;
  int64_t cols;       // columns that exist, at most NV * W
  const float* bias;  // or null
  int64_t residual;   // residual - out in floats; used if has_residual
  bool has_residual;
  Act act;  // none or relu; others are applied by the caller
  // Results in bfloat16 (residual too): `out` and `origin`, where the whole result begins, are no addresses of data
  // then, only their difference counts.
  const float* origin;
  uint16_t* half;
};

using ConvTileFn = void (*)(const ConvTile&);

}  // namespace glia::cpu
