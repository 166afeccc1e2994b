// Philox4x32-10: counter-based random bits (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// The same (key, counter) gives the same bits on every machine, in any order and for any number of threads.
//
//   auto [a, b, c, d] = philox4x32({i, step, 0, 0}, seed);
//   PhiloxStream rng(seed, epoch);  uint64_t k = rng.below(10);
#pragma once
#include <array>
#include <cstdint>

namespace glia {

inline std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, uint64_t key) {
  auto k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t p = uint64_t{0xD2511F53} * c[0], q = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(q >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(q),
         static_cast<uint32_t>(p >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

// Successive values of one stream; for host code that draws one number after the other.
class PhiloxStream {
 public:
  PhiloxStream(uint64_t seed, uint64_t stream) : key_(seed), stream_(stream) {}
  uint32_t next() {
    if (at_ == 4) {
      block_ = philox4x32({static_cast<uint32_t>(count_), static_cast<uint32_t>(count_ >> 32),
                           static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32)},
                          key_);
      ++count_;
      at_ = 0;
    }
    return block_[at_++];
  }
  uint64_t next64() {
    uint64_t high = next();
    return high << 32 | next();
  }
  // Uniform in 0 .. n-1 without bias; n > 0.
  uint64_t below(uint64_t n) {
    uint64_t rest = -n % n;  // 2^64 mod n: values under it would favour small results
    for (;;) {
      uint64_t v = next64();
      if (v >= rest) return v % n;
    }
  }
  double uniform() { return static_cast<double>(next64() >> 11) * 0x1p-53; }  // [0, 1)

 private:
  uint64_t key_, stream_, count_ = 0;
  std::array<uint32_t, 4> block_{};
  unsigned at_ = 4;
};

}  // namespace glia
