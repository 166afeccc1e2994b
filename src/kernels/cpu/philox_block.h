// Philox4x32-10 for many counters at once, in loops that compilers turn into vectors. Words come out in the order of
// base/philox.h: element e is word e % 4 of counter e / 4. Included by random.cpp and *.isa.cpp, so everything is static.
#pragma once
#include <cstdint>

#include "kernels/cpu/random.h"

namespace glia::cpu {
namespace {

constexpr int64_t kPhiloxBlock = 64;  // counters of one call: 256 words

// counter = {index low, index high, step, stream}
inline void philox_words(const RandomKey& key, uint64_t first, uint32_t* words) {
  uint32_t a[kPhiloxBlock], b[kPhiloxBlock], c[kPhiloxBlock], d[kPhiloxBlock];
  for (int64_t i = 0; i < kPhiloxBlock; ++i) {
    const uint64_t at = first + static_cast<uint64_t>(i);
    a[i] = static_cast<uint32_t>(at);
    b[i] = static_cast<uint32_t>(at >> 32);
    c[i] = static_cast<uint32_t>(key.step);
    d[i] = static_cast<uint32_t>(key.stream);
  }
  uint32_t k0 = static_cast<uint32_t>(key.seed), k1 = static_cast<uint32_t>(key.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int64_t i = 0; i < kPhiloxBlock; ++i) {
      const uint64_t p = uint64_t{0xD2511F53} * a[i], q = uint64_t{0xCD9E8D57} * c[i];
      const uint32_t na = static_cast<uint32_t>(q >> 32) ^ b[i] ^ k0, nc = static_cast<uint32_t>(p >> 32) ^ d[i] ^ k1;
      b[i] = static_cast<uint32_t>(q);
      d[i] = static_cast<uint32_t>(p);
      a[i] = na;
      c[i] = nc;
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  for (int64_t i = 0; i < kPhiloxBlock; ++i) {
    words[4 * i] = a[i];
    words[4 * i + 1] = b[i];
    words[4 * i + 2] = c[i];
    words[4 * i + 3] = d[i];
  }
}

}  // namespace
}  // namespace glia::cpu
