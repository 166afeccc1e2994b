#include "kernels/cpu/vec_math.h"

#include "kernels/cpu/vec_math_arrays.h"

namespace glia::cpu::GLIA_ISA_NS {

template <class F>
GLIA_INLINE void map(const float* x, float* y, int64_t n, F f) {
  int64_t i = 0;
  for (; i + vf::W <= n; i += vf::W) store(y + i, f(load(x + i)));
  if (i < n) store(y + i, f(load(x + i, n - i)), n - i);
}

#define GLIA_ARRAY(name)                                   \
  void name##_array(const float* x, float* y, int64_t n) { \
    map(x, y, n, [](vf v) { return v##name(v); });         \
  }
GLIA_ARRAY(exp)
GLIA_ARRAY(expm1)
GLIA_ARRAY(log)
GLIA_ARRAY(log1p)
GLIA_ARRAY(tanh)
GLIA_ARRAY(tanh_fast)
GLIA_ARRAY(sigmoid)
GLIA_ARRAY(sigmoid_fast)
GLIA_ARRAY(erf)
GLIA_ARRAY(gelu)
GLIA_ARRAY(gelu_grad)
GLIA_ARRAY(sin)
GLIA_ARRAY(cos)
#undef GLIA_ARRAY

void pow_array(const float* x, const float* exponent, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = __builtin_powf(x[i], exponent[i]);
}

}  // namespace glia::cpu::GLIA_ISA_NS
