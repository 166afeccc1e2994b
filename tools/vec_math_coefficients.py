#!/usr/bin/env python3
"""Prints the polynomial coefficients of src/kernels/cpu/vec_math.h (needs numpy and mpmath).

Near-minimax fit by Lawson's iteratively reweighted least squares in f64 on Chebyshev nodes; the coefficients are
rounded to f32 one by one, from the lowest power up, and the rest is fitted again after each rounding.
"""
import numpy as np
import mpmath as mp

mp.mp.prec = 120


def lawson(t, f, w, powers, iters=60):
    lw = np.ones_like(t)
    for _ in range(iters):
        s = np.sqrt(lw) * w
        a = np.stack([t**p for p in powers], 1)
        scale = np.abs(a).max(0)
        c, *_ = np.linalg.lstsq(a / scale * s[:, None], f * s, rcond=None)
        c = c / scale
        e = np.abs((a @ c - f) * w)
        lw *= e + 1e-30
        lw /= lw.sum()
    return c, e.max()


def fit(name, fn, lo, hi, degree, weight, n=600):
    """fn(t) ~ sum c[k] t^k, the error times weight(t) made small."""
    t = 0.5 * (lo + hi) + 0.5 * (hi - lo) * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    f = np.array([float(fn(mp.mpf(float(x)))) for x in t])
    w = np.array([float(weight(mp.mpf(float(x)))) for x in t])
    powers, done, rest = list(range(degree + 1)), [], f.copy()
    while powers:
        c, err = lawson(t, rest, w, powers, 60 if len(powers) > 3 else 30)
        c0 = np.float32(c[0])
        done.append(float(c0))
        rest = rest - float(c0) * t ** powers[0]
        powers = powers[1:]
    err = np.abs((sum(c * t**k for k, c in enumerate(done)) - f) * w).max()
    print(f"{name}: error {err:.2e} = 2^{np.log2(err):.1f}")
    print("  " + ", ".join(f"{np.float32(c)!r}".replace("np.float32(", "").replace(")", "") + "f" for c in done))


def series(fn, start, x, at0):
    return at0 if abs(x) < mp.mpf(10) ** -12 else fn(x)


h = float(mp.log(2)) / 2 * 1.0005
# exp(r) = 1 + r + r^2 * Q(r), relative error
fit("exp  Q(r)", lambda r: series(lambda r: (mp.exp(r) - 1 - r) / r**2, 0, r, mp.mpf(0.5)), -h, h, 4, lambda r: r**2 / mp.exp(r))
# expm1(r) = r + r^2 * Q(r), relative to r
fit("expm1 Q(r)", lambda r: series(lambda r: (mp.exp(r) - 1 - r) / r**2, 0, r, mp.mpf(0.5)), -h, h, 5, lambda r: r)
# log(1+f) = f - f^2/2 + f^3 * P(f), relative to log(1+f)
fit("log  P(f)", lambda f: series(lambda f: (mp.log1p(f) - f + f * f / 2) / f**3, 0, f, mp.mpf(1) / 3),
    float(mp.sqrt(0.5)) - 1.0005, float(mp.sqrt(2)) - 0.9995, 8, lambda f: f**2)
# tanh(x) = x + x^3 * P(x^2), |x| <= 0.55
fit("tanh P(t)", lambda t: (mp.tanh(mp.sqrt(t)) / mp.sqrt(t) - 1) / t, 1e-9, 0.55**2, 4, lambda t: t)
# erf(x) = x * (P(x^2) + 1), |x| <= 0.93
fit("erf  P(t)", lambda t: mp.erf(mp.sqrt(t)) / mp.sqrt(t) - 1, 1e-9, 0.9375**2, 6, lambda t: 1)
# log(erfc(x)) = -x * P(x) (as x * P), 0.93 <= x <= 4; absolute error counts with erfc(x)/erf(x)
fit("erfc P(x)", lambda x: mp.log(mp.erfc(x)) / x, 0.92, 4.0, 8, lambda x: x * mp.erfc(x) / mp.erf(x))
# log P(N > t) of the normal distribution, absolute error of P; density(t) / P(N > t), absolute error of t density(t)
tail = lambda t: mp.erfc(t / mp.sqrt(2)) / 2
fit("gelu log tail", lambda t: mp.log(tail(t)), 0, 6.0, 8, lambda t: 2 * tail(t))
fit("gelu mills", lambda t: mp.npdf(t) / tail(t), 0, 6.0, 7, lambda t: t * tail(t))
q = float(mp.pi) / 4 * 1.001
fit("sin  P(t)", lambda t: (mp.sin(mp.sqrt(t)) / mp.sqrt(t) - 1) / t, 1e-9, q * q, 3, lambda t: t)
fit("cos  P(t)", lambda t: (mp.cos(mp.sqrt(t)) - 1 + t / 2) / t**2, 1e-6, q * q, 3, lambda t: t**2)
c1 = np.float32(float(mp.pi / 2)); c2 = np.float32(float(mp.pi / 2 - mp.mpf(float(c1))))
c3 = np.float32(float(mp.pi / 2 - mp.mpf(float(c1)) - mp.mpf(float(c2))))
print("pi/2 parts", repr(c1), repr(c2), repr(c3), "2/pi", repr(np.float32(float(2 / mp.pi))))
l1 = mp.mpf(0.693359375)
print("ln2 parts", 0.693359375, repr(np.float32(float(mp.log(2) - l1))), "log2e", repr(np.float32(float(1 / mp.log(2)))))
