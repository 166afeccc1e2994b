// dst[i * dst_stride + j] = src[i + j * src_stride], i < m, j < n, elements of 4 bytes: square tiles are turned over in
// registers, so every cache line is read and written once, whatever the strides.
#pragma once
#include <cstdint>

#include "kernels/cpu/isa.h"

namespace glia::cpu {

GLIA_ISA_DECLARE(void, transpose_words, (const uint32_t* src, int64_t src_stride, uint32_t* dst, int64_t dst_stride, int64_t m, int64_t n))

}  // namespace glia::cpu
