// Scalar functions of generated headers: written without branches, so that compilers vectorise the loops they are in.
#include "io/cpp_export/snippets.h"

namespace glia::io::cpp_export {

std::vector<Snippet> math_snippets() {
  return {
      {"exp", {}, R"CPP(
// e^x to about 1 ulp: 2^n e^r with n = round(x log2 e), and e^r by its series (|r| <= 0.35).
inline float exp(float x) {
  x = x > 89.5f ? 89.5f : x;
  x = x < -86.9f ? -86.9f : x;
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  std::uint32_t bits;
  std::memcpy(&bits, &shifted, 4);
  bits = (bits << 23) + 0x3f000000u;  // 2^(n-1)
  float scale;
  std::memcpy(&scale, &bits, 4);
  return p * scale * 2.0f;
}
)CPP"},
      {"expd", {}, R"CPP(
inline double exp(double x) { return std::exp(x); }
)CPP"},
      {"sigmoid", {"exp", "expd"}, R"CPP(
template <class T>
inline T sigmoid(T x) { return T(1) / (T(1) + exp(-x)); }
)CPP"},
      {"tanh", {"exp"}, R"CPP(
inline float tanh(float x) {
  const float a = x < 0 ? -x : x, s = x * x;
  float p = -5.70498872745e-3f;
  p = p * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  const float near_zero = x + x * s * p;
  const float big = 1.0f - 2.0f / (exp(2.0f * a) + 1.0f);
  return a < 0.625f ? near_zero : x < 0 ? -big : x == x ? big : x;
}
inline double tanh(double x) { return std::tanh(x); }
)CPP"},
      {"relu", {}, R"CPP(
template <class T>
inline T relu(T x) { return x < T(0) ? T(0) : x; }
)CPP"},
      {"silu", {"sigmoid"}, R"CPP(
template <class T>
inline T silu(T x) { return x * sigmoid(x); }
)CPP"},
      {"gelu", {}, R"CPP(
template <class T>
inline T gelu(T x) { return T(0.5) * x * (T(1) + std::erf(x * T(0.70710678118654752))); }
)CPP"},
      {"gelu_tanh", {"tanh"}, R"CPP(
template <class T>
inline T gelu_tanh(T x) { return T(0.5) * x * (T(1) + tanh(T(0.79788456080286536) * (x + T(0.044715) * x * x * x))); }
)CPP"},
      {"softplus", {}, R"CPP(
template <class T>
inline T softplus(T x) { return (x > T(0) ? x : T(0)) + std::log1p(std::exp(x > T(0) ? -x : x)); }
)CPP"},
      {"activate", {"relu", "sigmoid", "tanh", "silu", "gelu", "gelu_tanh"}, R"CPP(
template <class F>
inline void each(float* x, std::int64_t n, F f) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = f(x[i]);
}
)CPP"},
      {"integers", {}, R"CPP(
// Integer division as arrays have it: x / 0 is 0; floor_div and mod follow the sign of the divisor.
template <class T>
inline T divide(T a, T b) { return b == 0 ? T(0) : b == T(-1) ? T(0 - std::uint64_t(a)) : T(a / b); }
template <class T>
inline T floor_div(T a, T b) {
  if (b == 0) return 0;
  if (b == T(-1)) return T(0 - std::uint64_t(a));
  return T(a / b - ((a % b != 0) && ((a < 0) != (b < 0))));
}
template <class T>
inline T remainder(T a, T b) { return b == 0 || b == T(-1) ? T(0) : T(a % b); }
template <class T>
inline T modulo(T a, T b) {
  const T r = remainder(a, b);
  return r != 0 && ((r < 0) != (b < 0)) ? T(r + b) : r;
}
)CPP"},
      {"floats", {}, R"CPP(
// The remainder with the sign of the divisor.
template <class T>
inline T float_mod(T a, T b) {
  const T r = std::fmod(a, b);
  return r != 0 && ((r < 0) != (b < 0)) ? r + b : r;
}
template <class T>
inline T logaddexp(T a, T b) {
  const T m = a > b ? a : b, d = a > b ? b - a : a - b;
  return d == d ? m + std::log1p(std::exp(d)) : a == b ? a : a + b;
}
)CPP"},
      {"convert", {}, R"CPP(
// A float as an integer: toward zero, kept within the range.
template <class To, class From>
inline To to_integer(From x) {
  constexpr double low = double(std::numeric_limits<To>::min()), high = double(std::numeric_limits<To>::max());
  return x != x ? To(0) : double(x) <= low ? std::numeric_limits<To>::min() : double(x) >= high ? std::numeric_limits<To>::max() : To(x);
}
)CPP"},
  };
}

}  // namespace glia::io::cpp_export
