#include "kernels/cpu/transpose.h"

#include <cstring>
#include <utility>

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors never cross a call that is not inlined

namespace glia::cpu::GLIA_ISA_NS {
namespace {

#if defined(__AVX512F__)
constexpr int W = 16;
#elif defined(__AVX2__)
constexpr int W = 8;
#else
constexpr int W = 4;
#endif
typedef uint32_t Row __attribute__((vector_size(W * 4)));

// One butterfly of the transpose: exchanges the off-diagonal quarters of size S of two rows.
template <int S, int... K>
static inline __attribute__((always_inline)) void exchange(Row& a, Row& b, std::integer_sequence<int, K...>) {
  const Row low = __builtin_shufflevector(a, b, ((K & S) ? K - S + W : K)...);
  b = __builtin_shufflevector(a, b, ((K & S) ? K + W : K + S)...);
  a = low;
}
template <int S>
static inline __attribute__((always_inline)) void stage(Row* r) {
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i)
    if (!(i & S)) exchange<S>(r[i], r[i + S], std::make_integer_sequence<int, W>{});
  if constexpr (S > 1) stage<S / 2>(r);
}

static inline __attribute__((always_inline)) void tile(const uint32_t* src, int64_t ss, uint32_t* dst, int64_t ds) {
  Row r[W];
#pragma GCC unroll 16
  for (int j = 0; j < W; ++j) std::memcpy(&r[j], src + j * ss, sizeof(Row));
  stage<W / 2>(r);
#pragma GCC unroll 16
  for (int i = 0; i < W; ++i) std::memcpy(dst + i * ds, &r[i], sizeof(Row));
}

}  // namespace

void transpose_words(const uint32_t* src, int64_t ss, uint32_t* dst, int64_t ds, int64_t m, int64_t n) {
  constexpr int64_t kBlock = 64;  // columns of dst at a time: whole rows of src are read in order
  for (int64_t j0 = 0; j0 < n; j0 += kBlock) {
    const int64_t end = j0 + kBlock < n ? j0 + kBlock : n;
    int64_t i = 0;
    for (; i + W <= m; i += W) {
      int64_t j = j0;
      for (; j + W <= end; j += W) tile(src + i + j * ss, ss, dst + i * ds + j, ds);
      for (; j < end; ++j)
        for (int64_t k = i; k < i + W; ++k) dst[k * ds + j] = src[k + j * ss];
    }
    for (; i < m; ++i)
      for (int64_t j = j0; j < end; ++j) dst[i * ds + j] = src[i + j * ss];
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
