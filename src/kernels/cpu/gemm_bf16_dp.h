// The VDPBF16PS register tile. Its translation unit is compiled for AVX512-BF16 on its own (cmake/GliaLibrary.cmake); call
// it only where cpu_has_avx512_bf16().
#pragma once
#include <cstdint>

namespace glia::cpu {

// c[rows][nv*16] (+)= A[rows x 2*pairs] B, sums in f32. A: pairs of bfloat16 along k, rows lda elements apart, the pairs of
// a row a_step apart (2: one after another; 2 * rows of A and lda 2: pairs of two rows of A's transpose interleaved). B: for each
// pair of k, nv*16 columns of (b[k][j], b[k+1][j]), rows ldb elements apart. rows <= 6 and nv <= 4 with rows*nv <= 24.
void bf16_tile(int rows, int nv, const uint16_t* a, int64_t lda, int64_t a_step, const uint16_t* b, int64_t ldb, float* c, int64_t ldc,
               int64_t pairs, bool accumulate);

}  // namespace glia::cpu
