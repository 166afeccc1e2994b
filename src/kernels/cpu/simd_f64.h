// One double with the interface of `vf`, so that row kernels are written once for f32 (vectors) and f64 (for gradient
// checks and users of float64, where the compiler vectorises what it can). Include only from *.isa.cpp files.
#pragma once
#include "kernels/cpu/simd.h"

namespace glia::cpu::GLIA_ISA_NS {

struct vd {
  static constexpr int W = 1;
  double v;
  static inline __attribute__((always_inline)) vd zero() { return {0.}; }
  static inline __attribute__((always_inline)) vd set1(double x) { return {x}; }
};
GLIA_INLINE vd load(const double* p) { return {*p}; }
GLIA_INLINE vd load(const double* p, int64_t n) { return {n > 0 ? *p : 0.}; }
GLIA_INLINE void store(double* p, vd a) { *p = a.v; }
GLIA_INLINE void store(double* p, vd a, int64_t n) { if (n > 0) *p = a.v; }
GLIA_INLINE vd operator+(vd a, vd b) { return {a.v + b.v}; }
GLIA_INLINE vd operator-(vd a, vd b) { return {a.v - b.v}; }
GLIA_INLINE vd operator*(vd a, vd b) { return {a.v * b.v}; }
GLIA_INLINE vd operator/(vd a, vd b) { return {a.v / b.v}; }
GLIA_INLINE vd fma(vd a, vd b, vd c) { return {a.v * b.v + c.v}; }
GLIA_INLINE vd fnma(vd a, vd b, vd c) { return {c.v - a.v * b.v}; }
GLIA_INLINE vd vmax(vd a, vd b) { return {a.v > b.v ? a.v : b.v}; }
GLIA_INLINE vd vexp(vd a) { return {__builtin_exp(a.v)}; }
GLIA_INLINE double hsum(vd a) { return a.v; }
GLIA_INLINE double hmax(vd a) { return a.v; }

template <class T> struct VectorOf;
template <> struct VectorOf<float> { using type = vf; };
template <> struct VectorOf<double> { using type = vd; };
template <class T> using Vector = typename VectorOf<T>::type;

// for_vectors<T>(n, [&](int64_t i, auto rest) {...}): whole vectors, then one partial; load_at / store_at take `rest`.
struct WholeVector {};
GLIA_INLINE vf load_at(const float* p, WholeVector) { return load(p); }
GLIA_INLINE vf load_at(const float* p, int64_t n) { return load(p, n); }
GLIA_INLINE vd load_at(const double* p, WholeVector) { return load(p); }
GLIA_INLINE vd load_at(const double* p, int64_t n) { return load(p, n); }
GLIA_INLINE void store_at(float* p, vf a, WholeVector) { store(p, a); }
GLIA_INLINE void store_at(float* p, vf a, int64_t n) { store(p, a, n); }
GLIA_INLINE void store_at(double* p, vd a, WholeVector) { store(p, a); }
GLIA_INLINE void store_at(double* p, vd a, int64_t n) { store(p, a, n); }

template <class T, class F>
GLIA_INLINE void for_vectors(int64_t n, F&& f) {
  constexpr int64_t W = Vector<T>::W;
  int64_t i = 0;
  for (; i + W <= n; i += W) f(i, WholeVector{});
  if (i < n) f(i, n - i);
}

}  // namespace glia::cpu::GLIA_ISA_NS
