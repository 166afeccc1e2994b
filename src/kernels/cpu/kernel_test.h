// Tools for kernel tests: arrays whose end touches an unreadable page, every instruction set of the machine, and a check
// that results do not depend on the number of threads.
//
//   GuardedArray<float> x(37);            // reading or writing x.data()[37] crashes
//   for_each_isa([&] { ... });            // scalar, avx2, avx512 as far as the machine has them
#pragma once
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/cpu.h"
#include "base/thread_pool.h"

namespace glia::cpu {

template <class T>
class GuardedArray {
 public:
  explicit GuardedArray(int64_t n) : size_(n) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = static_cast<size_t>(n) * sizeof(T);
    length_ = (bytes + page - 1) / page * page + page;
    base_ = static_cast<char*>(mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + length_ - page, page, PROT_NONE);
    data_ = reinterpret_cast<T*>(base_ + length_ - page - bytes);
  }
  GuardedArray(GuardedArray&& o) noexcept : size_(o.size_), length_(o.length_), base_(o.base_), data_(o.data_) {
    o.base_ = nullptr;
  }
  GuardedArray& operator=(GuardedArray&&) = delete;
  ~GuardedArray() {
    if (base_) munmap(base_, length_);
  }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  int64_t size() const { return size_; }
  std::vector<T> copy() const { return std::vector<T>(data_, data_ + size_); }

 private:
  int64_t size_;
  size_t length_;
  char* base_;
  T* data_;
};

struct Lcg {  // the same numbers everywhere
  uint64_t state = 1;
  uint32_t next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state >> 33);
  }
  int64_t range(int64_t low, int64_t high) { return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1)); }
  float uniform() { return static_cast<float>(next() >> 7) * (2.f / 16777216.f) - 1.f; }  // [-1, 1)
};

template <class F>
void for_each_isa(F&& f) {
  const Isa before = current_isa();
  std::vector<Isa> all;
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    const bool x86 = isa == Isa::avx2 || isa == Isa::avx512;
    if (isa == Isa::scalar || isa == best_isa() || (x86 && best_isa() == Isa::avx512)) all.push_back(isa);
  }
  for (Isa isa : all) {
    SCOPED_TRACE(std::string(isa_name(isa)));
    set_isa(isa);
    f();
  }
  set_isa(before);
}

// run(out) must give the same bits with 1, 2 and 4 threads.
template <class T, class F>
void expect_same_for_any_threads(int64_t size, F&& run) {
  const int before = num_threads();
  std::vector<T> first;
  for (int threads : {1, 2, 4}) {
    set_num_threads(threads);
    std::vector<T> out(static_cast<size_t>(size));
    run(out.data());
    if (threads == 1) first = out;
    EXPECT_EQ(std::memcmp(first.data(), out.data(), out.size() * sizeof(T)), 0) << threads << " threads";
  }
  set_num_threads(before);
}

}  // namespace glia::cpu
