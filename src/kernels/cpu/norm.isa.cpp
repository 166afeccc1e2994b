#include "kernels/cpu/norm.h"

#include "base/thread_pool.h"
#include "kernels/cpu/pointwise_scalar.h"
#include "kernels/cpu/simd_f64.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

template <class T>
GLIA_INLINE const T* in(const void* p) {
  return static_cast<const T*>(p);
}
template <class T>
GLIA_INLINE T* out(void* p) {
  return static_cast<T*>(p);
}
GLIA_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// Sum of f(i, rest) over a row; f must give 0 in lanes beyond the end.
template <class T, class F>
GLIA_INLINE T row_sum(int64_t n, F&& f) {
  using V = Vector<T>;
  V a = V::zero(), b = V::zero();
  int64_t i = 0;
  for (; i + 2 * V::W <= n; i += 2 * V::W) {
    a = a + f(i, WholeVector{});
    b = b + f(i + V::W, WholeVector{});
  }
  for (; i + V::W <= n; i += V::W) a = a + f(i, WholeVector{});
  if (i < n) b = b + f(i, n - i);
  return hsum(a + b);
}

template <class T>
void layer_norm_row(const LayerNormArgs& a, int64_t r) {
  using V = Vector<T>;
  const T *x = in<T>(a.x) + r * a.n, *gamma = in<T>(a.gamma), *beta = in<T>(a.beta);
  T* y = out<T>(a.y) + r * a.n;
  const T count = static_cast<T>(a.n);
  T mean = 0, var;
  if (a.rms) {
    var = row_sum<T>(a.n,
                     [&](int64_t i, auto rest) {
                       V v = load_at(x + i, rest);
                       return v * v;
                     }) /
          count;
  } else {
    mean = row_sum<T>(a.n, [&](int64_t i, auto rest) { return load_at(x + i, rest); }) / count;
    const V m = V::set1(mean);
    var = row_sum<T>(a.n / V::W * V::W, [&](int64_t i, auto rest) {
      V v = load_at(x + i, rest) - m;
      return v * v;
    });
    for (int64_t i = a.n / V::W * V::W; i < a.n; ++i) var += (x[i] - mean) * (x[i] - mean);
    var /= count;
  }
  const T rstd = T(1) / pw::sqrt(var + static_cast<T>(a.eps));
  if (a.mean) out<T>(a.mean)[r] = mean;
  if (a.rstd) out<T>(a.rstd)[r] = rstd;
  const V scale = V::set1(rstd), m = V::set1(mean);
  for_vectors<T>(a.n, [&](int64_t i, auto rest) {
    V v = (load_at(x + i, rest) - m) * scale;
    if (gamma) v = v * load_at(gamma + i, rest);
    if (beta) v = v + load_at(beta + i, rest);
    store_at(y + i, v, rest);
  });
}

// One row: dx, and the row's share of dgamma and dbeta added to sg and sb.
template <class T>
void layer_norm_grad_row(const LayerNormGradArgs& a, int64_t r, T* sg, T* sb) {
  using V = Vector<T>;
  const T *x = in<T>(a.x) + r * a.n, *dy = in<T>(a.dy) + r * a.n, *gamma = in<T>(a.gamma);
  T* dx = out<T>(a.dx) + r * a.n;
  const T rs = in<T>(a.rstd)[r], mean = a.rms ? T(0) : in<T>(a.mean)[r], count = static_cast<T>(a.n);
  const V m = V::set1(mean), rstd = V::set1(rs);
  auto scaled = [&](int64_t i, auto rest) {  // dy gamma
    V d = load_at(dy + i, rest);
    return gamma ? d * load_at(gamma + i, rest) : d;
  };
  auto xhat = [&](int64_t i, auto rest) { return (load_at(x + i, rest) - m) * rstd; };
  const T b = row_sum<T>(a.n, [&](int64_t i, auto rest) { return scaled(i, rest) * xhat(i, rest); }) / count;
  const T c = a.rms ? T(0) : row_sum<T>(a.n, [&](int64_t i, auto rest) { return scaled(i, rest); }) / count;
  const V vb = V::set1(b), vc = V::set1(c);
  for_vectors<T>(a.n, [&](int64_t i, auto rest) {
    const V h = xhat(i, rest), d = load_at(dy + i, rest), g = scaled(i, rest);
    if (sg) store_at(sg + i, fma(d, h, load_at(sg + i, rest)), rest);
    if (sb) store_at(sb + i, d + load_at(sb + i, rest), rest);
    store_at(dx + i, rstd * fnma(h, vb, g - vc), rest);
  });
}

// Adds the tasks' partial rows [tasks][2][n] in order, in double, and finishes with f(column, first, second).
template <class T, class F>
void combine(const T* partial, int64_t tasks, int64_t n, F&& f) {
  for (int64_t c = 0; c < n; ++c) {
    double s0 = 0, s1 = 0;
    for (int64_t t = 0; t < tasks; ++t) {
      s0 += partial[t * 2 * n + c];
      s1 += partial[(t * 2 + 1) * n + c];
    }
    f(c, s0, s1);
  }
}

template <class T>
void run_layer_norm(const LayerNormArgs& a) {
  const NormSplit split = norm_split(a.rows, a.n);
  parallel_for(split.tasks, [&](int64_t t) {
    for (int64_t r = t * split.rows_per_task, end = least(a.rows, r + split.rows_per_task); r < end; ++r)
      layer_norm_row<T>(a, r);
  });
}

template <class T>
void run_layer_norm_grad(const LayerNormGradArgs& a) {
  const NormSplit split = norm_split(a.rows, a.n);
  T* partial = out<T>(a.workspace);
  parallel_for(split.tasks, [&](int64_t t) {
    T *sg = partial + t * 2 * a.n, *sb = sg + a.n;
    for (int64_t c = 0; c < 2 * a.n; ++c) sg[c] = 0;
    for (int64_t r = t * split.rows_per_task, end = least(a.rows, r + split.rows_per_task); r < end; ++r)
      layer_norm_grad_row<T>(a, r, a.dgamma ? sg : nullptr, a.dbeta ? sb : nullptr);
  });
  if (!a.dgamma && !a.dbeta) return;
  combine(partial, split.tasks, a.n, [&](int64_t c, double s0, double s1) {
    if (a.dgamma) out<T>(a.dgamma)[c] = static_cast<T>(s0);
    if (a.dbeta) out<T>(a.dbeta)[c] = static_cast<T>(s1);
  });
}

// ---- columns ----

constexpr int64_t kTile = 256, kRowBlock = 64;

// first[c] += sum over rows of f(r, c).first, likewise second; blocks of rows first, so that f32 sums stay accurate.
// Few columns are walked as k rows side by side: f is given element offsets, per-column data is repeated k times.
template <class T, class F>
void column_pairs(int64_t rows, int64_t n, T* first, T* second, F&& f) {
  T a[kTile], b[kTile];
  for (int64_t c0 = 0; c0 < n; c0 += kTile) {
    const int64_t m = least(kTile, n - c0);
    for (int64_t r0 = 0; r0 < rows; r0 += kRowBlock) {
      for (int64_t c = 0; c < m; ++c) a[c] = b[c] = 0;
      for (int64_t r = r0, end = least(rows, r0 + kRowBlock); r < end; ++r) {
        GLIA_IVDEP
        for (int64_t c = 0; c < m; ++c) f(r * n + c0 + c, c0 + c, a[c], b[c]);
      }
      T *pa = first + c0, *pb = second + c0;
      for (int64_t c = 0; c < m; ++c) pa[c] += a[c], pb[c] += b[c];
    }
  }
}

// Runs body(first element, rows, columns, repeat, partial a, partial b) per task and leaves [tasks][2][n] partials.
template <class T, class Body>
void column_tasks(int64_t rows, int64_t n, T* partial, Body&& body) {
  const NormSplit split = norm_split(rows, n);
  parallel_for(split.tasks, [&](int64_t t) {
    const int64_t r0 = t * split.rows_per_task, count = least(split.rows_per_task, rows - r0);
    T *a = partial + t * 2 * n, *b = a + n;
    for (int64_t c = 0; c < 2 * n; ++c) a[c] = 0;
    const int64_t k = n < 64 ? 128 / n : 1;
    if (k == 1 || count < 2 * k) return body(r0 * n, count, n, int64_t{1}, a, b);
    T wa[128], wb[128];
    for (int64_t c = 0; c < k * n; ++c) wa[c] = wb[c] = 0;
    body(r0 * n, count / k, k * n, k, wa, wb);
    for (int64_t c = 0; c < k * n; ++c) a[c % n] += wa[c], b[c % n] += wb[c];
    if (const int64_t rest = count % k; rest > 0) body((r0 + count - rest) * n, rest, n, int64_t{1}, a, b);
  });
}
template <class T>
const T* repeated(const T* p, int64_t n, int64_t k, T* buffer) {
  if (k == 1) return p;
  for (int64_t c = 0; c < n * k; ++c) buffer[c] = p[c % n];
  return buffer;
}

template <class T>
void run_channel_moments(const ChannelMomentsArgs& a) {
  const T* x = in<T>(a.x);
  T* partial = out<T>(a.workspace);
  column_tasks<T>(a.rows, a.n, partial, [&](int64_t at, int64_t rows, int64_t cols, int64_t k, T* pa, T* pb) {
    T buffer[128];
    const T *shift = repeated(x, a.n, k, buffer), *base = x + at;
    column_pairs<T>(rows, cols, pa, pb, [=](int64_t i, int64_t c, T& s, T& q) {
      const T d = base[i] - shift[c];
      s += d;
      q += d * d;
    });
  });
  const double count = static_cast<double>(a.rows);
  combine(partial, norm_split(a.rows, a.n).tasks, a.n, [&](int64_t c, double s, double q) {
    const double d = s / count, v = q / count - d * d;
    out<T>(a.mean)[c] = static_cast<T>(x[c] + d);
    out<T>(a.variance)[c] = static_cast<T>(v < 0 ? 0 : v);
  });
}

template <class T>
void run_channel_grad(const ChannelGradArgs& a) {
  const T *x = in<T>(a.x), *dy = in<T>(a.dy), *mean = in<T>(a.mean), *rstd = in<T>(a.rstd);
  T* partial = out<T>(a.workspace);
  column_tasks<T>(a.rows, a.n, partial, [&](int64_t at, int64_t rows, int64_t cols, int64_t k, T* pa, T* pb) {
    T buffer[128];
    const T *m = repeated(mean, a.n, k, buffer), *bx = x + at, *bd = dy + at;
    column_pairs<T>(rows, cols, pa, pb, [=](int64_t i, int64_t c, T& s, T& q) {
      s += bd[i];
      q += bd[i] * (bx[i] - m[c]);
    });
  });
  combine(partial, norm_split(a.rows, a.n).tasks, a.n, [&](int64_t c, double s, double q) {
    out<T>(a.sum_dy)[c] = static_cast<T>(s);
    out<T>(a.sum_dy_xhat)[c] = static_cast<T>(q * rstd[c]);
  });
}

}  // namespace

void layer_norm(Elem t, const LayerNormArgs& a) {
  t == Elem::f32 ? run_layer_norm<float>(a) : run_layer_norm<double>(a);
}
void layer_norm_grad(Elem t, const LayerNormGradArgs& a) {
  t == Elem::f32 ? run_layer_norm_grad<float>(a) : run_layer_norm_grad<double>(a);
}
void channel_moments(Elem t, const ChannelMomentsArgs& a) {
  t == Elem::f32 ? run_channel_moments<float>(a) : run_channel_moments<double>(a);
}
void channel_grad_sums(Elem t, const ChannelGradArgs& a) {
  t == Elem::f32 ? run_channel_grad<float>(a) : run_channel_grad<double>(a);
}

}  // namespace glia::cpu::GLIA_ISA_NS
