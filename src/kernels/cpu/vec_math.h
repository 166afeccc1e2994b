// Elementary functions on vectors of floats; include only from *.isa.cpp files. All take every float (NaN in, NaN
// out; signed zeros, subnormals and infinities as in libm) and need no table. Coefficients:
// tools/vec_math_coefficients.py.
//
//   for (int64_t i = 0; i < n; i += vf::W) store(y + i, vtanh(load(x + i)));
//
// Largest error found over the whole range (every 23rd bit pattern, all instruction sets, against libm in double), in
// ulp:
//   vexp 0.79  vexpm1 1.43  vlog 0.79  vlog1p 1.37  vtanh 1.50  vsigmoid 1.44  verf 1.10  vsin, vcos 1.57  vpow:
//   libm's
#pragma once
#include "kernels/cpu/simd.h"

namespace glia::cpu::GLIA_ISA_NS {

GLIA_INLINE vf horner(vf, float c) { return vf::set1(c); }
template <class... C>
GLIA_INLINE vf horner(vf x, float c, C... rest) {  // c + x * (rest[0] + x * (rest[1] + ...))
  return fma(horner(x, rest...), x, vf::set1(c));
}
GLIA_INLINE vf sign_bit(vf x) { return and_bits(x, vf::set1(-0.f)); }
GLIA_INLINE vf copy_sign_of(vf x, vf positive) { return xor_bits(positive, sign_bit(x)); }

// x = n ln2 + r with |r| <= ln2 / 2; |x| < 2000 or so.
GLIA_INLINE vf exp_reduce(vf x, vf* n) {
  *n = vround(x * vf::set1(1.442695f));
  return fnma(*n, vf::set1(-0.00021219444f), fnma(*n, vf::set1(0.693359375f), x));
}

// exp(x) for x in [-105, 89] or NaN: no clamps.
GLIA_INLINE vf exp_in_range(vf x) {
  vf n, r = exp_reduce(x, &n);
  vf q = horner(r, 0.49999994f, 0.16666521f, 0.04166827f, 0.008368677f, 0.0013820411f);
  vf one = vf::set1(1.f), hi = one + r, lo = r - (hi - one);  // 1 + r exactly: saves half an ulp
  return scale2(hi + fma(r * r, q, lo), n);
}

GLIA_INLINE vf vexp(vf x) { return exp_in_range(vmin(vf::set1(89.f), vmax(vf::set1(-105.f), x))); }

GLIA_INLINE vf vexpm1(vf x) {
  vf n, r = exp_reduce(vmin(vf::set1(89.f), vmax(vf::set1(-18.f), x)), &n);
  vf q = horner(r, 0.5f, 0.16666667f, 0.04166649f, 0.008333208f, 0.0013932674f, 0.00019944267f);
  vf e = fma(r * r, q, r), half = scale2(vf::set1(0.5f), n);  // half of 2^n, which may overflow
  vf y = fma(e, half, half - vf::set1(0.5f));
  return select(vabs(x) < vf::set1(2.98e-8f), x, y + y);
}

// log(2^k (1 + f)), with 1 + f in [sqrt(1/2), sqrt(2)]
GLIA_INLINE vf log_poly(vf f, vf k) {
  vf p = horner(f, 0.3333331f, -0.24999987f, 0.20002231f, -0.16669264f, 0.14218481f, -0.1238383f, 0.118742354f,
                -0.1179441f, 0.06917986f);
  vf f2 = f * f;
  vf y = fma(k, vf::set1(-0.00021219444f), f * f2 * p);
  y = fnma(vf::set1(0.5f), f2, y);
  return fma(k, vf::set1(0.693359375f), f + y);
}
GLIA_INLINE vf log_special(vf x, vf y) {  // y = log(x) for finite x > 0
  y = select(x > vf::zero(), y, vf::set1(__builtin_nanf("")));
  y = select(x == vf::zero(), vf::set1(-__builtin_inff()), y);
  return select(x == vf::set1(__builtin_inff()), x, y);
}

GLIA_INLINE vf vlog(vf x) {
  vmask tiny = x < vf::set1(1.17549435e-38f);
  vf k, m = vsplit(select(tiny, x * vf::set1(8388608.f), x), &k);
  k = k - select(tiny, vf::set1(23.f), vf::zero());
  vmask big = m > vf::set1(1.4142135f);
  m = select(big, m * vf::set1(0.5f), m);
  k = select(big, k + vf::set1(1.f), k);
  return log_special(x, log_poly(m - vf::set1(1.f), k));
}

GLIA_INLINE vf vlog1p(vf x) {
  vf one = vf::set1(1.f), u = one + x;
  vf lost = select(vabs(x) < one, x - (u - one), one - (u - x));  // (1 + x) - u
  vf k, m = vsplit(u, &k);
  vmask big = m > vf::set1(1.4142135f);
  m = select(big, m * vf::set1(0.5f), m);
  k = select(big, k + one, k);
  vf y = log_special(u, log_poly((m - one) + scale2(lost, -k), k));
  return select(vabs(x) < vf::set1(2.98e-8f), x, y);
}

GLIA_INLINE vf vsigmoid(vf x) {
  vf one = vf::set1(1.f), e = exp_in_range(vmax(vf::set1(-105.f), -vabs(x)));
  vf top = select(x < vf::zero(), e, one), d = one + e, lost = e - (d - one);
  if constexpr (vf::W == 1)
    return vf::set1(static_cast<float>(hsum(top) / (1.0 + hsum(e))));  // without fma: in double
  vf inv = one / d, q = top * inv;
  vf rest = fnma(q, lost, fnma(q, d, top));  // top - q * (1 + e), with the bits that 1 + e rounded away
  return fma(rest, inv, q);
}

// *scale = 2^n and the returned e with exp(x) = 2^n (1 + e), |e| < 0.42; for |x| <= 87. The rounding to a whole n and
// the exponent bits come from one addition of a big number.
GLIA_INLINE vf exp_split(vf x, vf* scale) {
  const vf big = vf::set1(12582912.f + 127.f);
  vf z = fma(x, vf::set1(1.442695f), big), n = z - big;
  vf r = fnma(n, vf::set1(-0.00021219444f), fnma(n, vf::set1(0.693359375f), x));
  vf q = horner(r, 0.5f, 0.16666667f, 0.04166649f, 0.008333208f, 0.0013932674f, 0.00019944267f);
  *scale = pow2_bits(z);
  return fma(r * r, q, r);
}

GLIA_INLINE vf vtanh(vf x) {
  vf a = vabs(x), b = vmin(vf::set1(10.f), a), t = x * x, one = vf::set1(1.f);
  vf p = horner(t, -0.3333332f, 0.13332637f, -0.053856857f, 0.02108837f, -0.006295775f);
  vf s, e = exp_split(b + b, &s);
  vf big = one - div_normal(vf::set1(2.f), fma(e, s, s) + one);
  return copy_sign_of(x, select(a < vf::set1(0.55f), fma(t * p, a, a), big));
}

// As vtanh, cheaper, within 2.5 ulp: expm1(2|x|) / (expm1(2|x|) + 2)
GLIA_INLINE vf vtanh_fast(vf x) {
  vf a = vmin(vf::set1(10.f), vabs(x)), s, e = exp_split(a + a, &s);
  vf m = fma(e, s, s - vf::set1(1.f));
  return copy_sign_of(x, div_normal(m, m + vf::set1(2.f)));
}

// As vsigmoid, cheaper: relative error within 2.5 ulp, but not below sigmoid(-87) = 1.6e-38, which is the least
// result.
GLIA_INLINE vf vsigmoid_fast(vf x) {
  const vf one = vf::set1(1.f);
  vf s, e = exp_split(-vmin(vf::set1(87.f), vmax(vf::set1(-87.f), x)), &s);
  return div_normal(one, fma(e, s, s) + one);
}

GLIA_INLINE vf verf(vf x) {
  vf a = vabs(x), t = x * x;
  vf p =
      horner(t, 0.12837917f, -0.3761263f, 0.11283624f, -0.026855595f, 0.005191993f, -0.0008044692f, 7.9747486e-05f);
  vf b = vmin(vf::set1(4.f), a);
  vf l = horner(b, -1.1284598f, -0.6361249f, -0.10409887f, 0.021157693f, -0.001722141f, -0.00055250095f,
                0.00022884207f, -3.6071146e-05f, 2.2595127e-06f);
  vf big = vf::set1(1.f) - exp_in_range(b * l);
  return select(a < vf::set1(0.93f), fma(x, p, x), copy_sign_of(x, big));
}

// The tail of the normal distribution, P(N > t), for 0 <= t <= 6 or NaN: the exponential of a polynomial, absolute error 4e-8.
GLIA_INLINE vf normal_tail(vf t) {
  return exp_in_range(horner(t, -0.6931472f, -0.7978853f, -0.31829897f, -0.03638751f, 0.0048961476f, -9.521117e-05f,
                             -0.00012886024f, 2.724033e-05f, -1.9592912e-06f));
}

// x P(N < x): absolute error 6e-8 |x|, as of 0.5 x (1 + erf(x / sqrt 2)) in f32, at half its price.
GLIA_INLINE vf vgelu(vf x) {
  const vf most = vf::set1(6.f), a = vabs(x), t = vmin(most, a);
  const vf tail = select(a > most, vf::zero(), normal_tail(t));
  return fnma(t, tail, vmax(vf::zero(), x));  // x - x tail above 0, x tail below
}

// Its derivative P(N < x) + x density(x); the density over the tail (Mills) is nearly a line.
GLIA_INLINE vf vgelu_grad(vf x) {
  const vf most = vf::set1(6.f), a = vabs(x), t = vmin(most, a);
  const vf tail = select(a > most, vf::zero(), normal_tail(t));
  const vf mills = horner(t, 0.79789025f, 0.63653684f, 0.10940485f, -0.020019043f, 0.00087467674f, 0.0005802345f,
                          -0.00014410772f, 1.1280895e-05f);
  const vf below = select(x < vf::zero(), tail, vf::set1(1.f) - tail);
  return fma(copy_sign_of(x, t * mills), tail, below);
}

// Lane by lane through libm: for rare arguments and rare functions.
template <class F>
GLIA_INLINE vf by_lane(vf a, vf b, F f) {
  float x[vf::W], y[vf::W];
  store(x, a);
  store(y, b);
  for (int i = 0; i < vf::W; ++i) x[i] = f(x[i], y[i]);
  return load(x);
}

// sin(x + quarter * pi/2). Three-part reduction, exact enough for |x| < 1e5 because fma is fused; libm beyond.
template <int Quarter>
GLIA_INLINE vf sin_quarter(vf x) {
  const auto libm = [](float v, float) {
    return static_cast<float>(Quarter ? __builtin_cos(static_cast<double>(v))
                                      : __builtin_sin(static_cast<double>(v)));
  };
  if constexpr (vf::W == 1) {
    return by_lane(x, x, libm);
  } else {
    vf n = vround(x * vf::set1(0.63661975f));
    vf r = fnma(n, vf::set1(-1.7151245e-15f), fnma(n, vf::set1(-4.371139e-08f), fnma(n, vf::set1(1.5707964f), x)));
    vf t = r * r;
    vf s = horner(t, -0.16666667f, 0.00833338f, -0.00019853498f, 2.8372476e-06f);
    vf c = horner(t, 0.041666668f, -0.0013888982f, 2.482297e-05f, -2.8974486e-07f);
    s = fma(t * s, r, r);
    c = fma(t * t, c, fnma(vf::set1(0.5f), t, vf::set1(1.f)));
    vf q = Quarter ? n + vf::set1(1.f) : n;
    vf m = q - vf::set1(4.f) * vround(q * vf::set1(0.25f));  // -2, -1, 0, 1, 2
    vf y = select(vabs(m) == vf::set1(1.f), c, s);
    y = select(m == vf::set1(-1.f), -y, y);
    y = select(vabs(m) == vf::set1(2.f), -y, y);
    vmask rare = vabs(x) > vf::set1(1e5f);
    if (Quarter == 0) y = select(vabs(x) < vf::set1(2e-4f), x, y);  // keeps -0
    if (__builtin_expect(any(rare), 0)) y = select(rare, by_lane(x, x, libm), y);
    return y;
  }
}
GLIA_INLINE vf vsin(vf x) { return sin_quarter<0>(x); }
GLIA_INLINE vf vcos(vf x) { return sin_quarter<1>(x); }

GLIA_INLINE vf vpow(vf x, vf y) {
  return by_lane(x, y, [](float a, float b) { return __builtin_powf(a, b); });
}

}  // namespace glia::cpu::GLIA_ISA_NS
