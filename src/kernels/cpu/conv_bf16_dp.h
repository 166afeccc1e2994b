// Tiles of convolutions with bfloat16 results for machines with AVX512-BF16. Their translation unit is compiled for
// that extension on its own (cmake/GliaLibrary.cmake); use them only where cpu_has_avx512_bf16().
//
//   const ConvTileFn* tiles = conv_tiles_bf16(2);
//   tiles[14 - 1](t);   // as conv_tile.h: 14 pixels, 2 vectors
#pragma once
#include "kernels/cpu/conv_tile_args.h"

namespace glia::cpu {

// a and b hold pairs of bfloat16 along k, each pair where a float would be; t.k counts pairs. Sums in f32.
const ConvTileFn* conv_tiles_bf16(int nv);
// a and b hold floats.
const ConvTileFn* conv_tiles_f32_to_bf16(int nv);

}  // namespace glia::cpu
