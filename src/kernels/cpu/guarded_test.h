// A float buffer for kernel tests: NaN on both sides, so that reading outside poisons the result and writing outside
// is seen by intact().
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace glia::cpu {

class Guarded {
 public:
  explicit Guarded(int64_t n, int64_t misalign = 0)
      : n_(n), at_(kGuard + misalign), v_(n + 2 * kGuard + misalign, nan()) {}
  float* data() { return v_.data() + at_; }
  int64_t size() const { return n_; }
  float& operator[](int64_t i) { return data()[i]; }
  void fill_random(uint64_t seed) {
    for (int64_t i = 0; i < n_; ++i) {
      seed = seed * 6364136223846793005ull + 1442695040888963407ull;
      data()[i] = static_cast<float>(static_cast<int64_t>(seed >> 40) - (1 << 23)) / (1 << 23);
    }
  }
  bool intact() const {
    for (int64_t i = 0; i < static_cast<int64_t>(v_.size()); ++i)
      if ((i < at_ || i >= at_ + n_) && !std::isnan(v_[i])) return false;
    return true;
  }
  bool same_bits(const Guarded& other) const {
    return n_ == other.n_ && std::memcmp(&v_[at_], &other.v_[other.at_], n_ * sizeof(float)) == 0;
  }
  std::vector<double> doubles() { return {data(), data() + n_}; }

 private:
  static constexpr int64_t kGuard = 64;
  static float nan() { return std::numeric_limits<float>::quiet_NaN(); }
  int64_t n_, at_;
  std::vector<float> v_;
};

}  // namespace glia::cpu
