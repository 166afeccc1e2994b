#include "base/thread_pool.h"
#include "kernels/cpu/philox_block.h"
#include "kernels/cpu/pointwise_scalar.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

constexpr int64_t kWords = 4 * kPhiloxBlock, kTask = 16 * kWords;

template <class T>
void run_dropout(const DropoutArgs& a) {
  const T scale = static_cast<T>(a.scale);
  const uint32_t threshold = a.threshold;
  parallel_for((a.n + kTask - 1) / kTask, [&](int64_t task) {
    uint32_t words[kWords];
    const int64_t end = (task + 1) * kTask < a.n ? (task + 1) * kTask : a.n;
    for (int64_t at = task * kTask; at < end; at += kWords) {
      philox_words(a.key, static_cast<uint64_t>(at) / 4, words);
      const int64_t m = end - at < kWords ? end - at : kWords;
      const T* x = static_cast<const T*>(a.x) + at;
      T* y = static_cast<T*>(a.y) + at;
      GLIA_IVDEP
      for (int64_t i = 0; i < m; ++i) {  // a blend, not a branch: every other one would be mispredicted
        const T v = x[i] * scale;
        y[i] = words[i] >= threshold ? v : T(0);
      }
    }
  });
}

}  // namespace

void dropout(Elem t, const DropoutArgs& a) { t == Elem::f32 ? run_dropout<float>(a) : run_dropout<double>(a); }

}  // namespace glia::cpu::GLIA_ISA_NS
