// Helpers of kernel tests: every instruction set of the machine, 1/2/4 threads, buffers with guard bytes.
//
//   for_each_isa([&](Isa isa) { ... });                  // set_isa is done and undone
//   Guarded<float> y(100);  kernel(y.data());  y.expect_intact();
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "base/cpu.h"
#include "base/thread_pool.h"

namespace glia::cpu {

template <class F>
void for_each_isa(F&& f) {
  const Isa old = current_isa();
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    const bool x86 = best_isa() != Isa::neon;
    if (isa > best_isa() || (x86 && isa == Isa::neon)) continue;
    set_isa(isa);
    SCOPED_TRACE(std::string(isa_name(isa)));
    f(isa);
  }
  set_isa(old);
}

// n elements placed at the end of a block with a pattern before and behind them; misaligned by `shift` elements.
template <class T>
class Guarded {
 public:
  static constexpr size_t kPad = 256;
  explicit Guarded(size_t n, size_t shift = 0)
      : n_(n), shift_(shift * sizeof(T)), bytes_(n * sizeof(T) + 2 * kPad + shift_, 0xA5) {}
  template <class U>
  explicit Guarded(const std::vector<U>& v, size_t shift = 0) : Guarded(v.size(), shift) {
    for (size_t i = 0; i < n_; ++i) data()[i] = static_cast<T>(v[i]);
  }
  T* data() { return reinterpret_cast<T*>(bytes_.data() + kPad + shift_); }
  const T* data() const { return reinterpret_cast<const T*>(bytes_.data() + kPad + shift_); }
  T& operator[](size_t i) { return data()[i]; }
  size_t size() const { return n_; }
  std::vector<T> values() const { return std::vector<T>(data(), data() + n_); }
  bool intact() const {
    const size_t end = kPad + shift_ + n_ * sizeof(T);
    for (size_t i = 0; i < bytes_.size(); ++i)
      if ((i < kPad + shift_ || i >= end) && bytes_[i] != 0xA5) return false;
    return true;
  }
  void expect_intact() const { EXPECT_TRUE(intact()) << "bytes outside the buffer were written"; }

 private:
  size_t n_, shift_;
  std::vector<unsigned char> bytes_;
};

// Runs make_result() with 1, 2 and 4 threads and expects the same bytes.
template <class F>
auto expect_same_for_threads(F&& make_result) {
  set_num_threads(1);
  auto one = make_result();
  for (int t : {2, 4}) {
    set_num_threads(t);
    auto many = make_result();
    EXPECT_EQ(one.size(), many.size());
    if (one.empty()) continue;
    EXPECT_EQ(0, std::memcmp(one.data(), many.data(), one.size() * sizeof(one[0]))) << t << " threads differ";
  }
  set_num_threads(2);
  return one;
}

inline std::vector<float> random_floats(size_t n, float low, float high, unsigned seed = 1) {
  std::mt19937 g(seed);
  std::uniform_real_distribution<float> u(low, high);
  std::vector<float> v(n);
  for (auto& x : v) x = u(g);
  return v;
}

}  // namespace glia::cpu
