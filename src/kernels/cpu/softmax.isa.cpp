#include "kernels/cpu/softmax.h"

#include "base/thread_pool.h"
#include "kernels/cpu/simd_f64.h"
#include "kernels/cpu/vec_math.h"

namespace glia::cpu::GLIA_ISA_NS {
namespace {

constexpr int64_t kTask = 8192;    // elements of one task
constexpr int64_t kColumns = 128;  // columns handled together when the axis is not the last

GLIA_INLINE double log1(double x) { return __builtin_log(x); }
GLIA_INLINE float log1(float x) { return __builtin_logf(x); }

template <class T>
GLIA_INLINE T row_max(const T* x, int64_t n) {
  using V = Vector<T>;
  if (n < V::W) {
    T m = x[0];
    for (int64_t i = 1; i < n; ++i) m = x[i] > m || x[i] != x[i] ? x[i] : m;
    return m;
  }
  V m = load(x);
  for (int64_t i = V::W; i + V::W <= n; i += V::W) m = vmax(m, load(x + i));
  return hmax(vmax(m, load(x + n - V::W)));  // the last vector overlaps: a maximum does not mind
}

// y = exp(x - m); returns the sum.
template <class T>
GLIA_INLINE T exp_row(const T* x, T* y, int64_t n, T m) {
  using V = Vector<T>;
  const V vm = V::set1(m);
  V sum = V::zero();
  int64_t i = 0;
  for (; i + V::W <= n; i += V::W) {
    V e = vexp(load(x + i) - vm);
    store(y + i, e);
    sum = sum + e;
  }
  if (i < n) {
    store(y + i, vexp(load(x + i, n - i) - vm), n - i);
    sum = sum + load(y + i, n - i);  // lanes beyond the end read as 0
  }
  return hsum(sum);
}

template <class T>
void softmax_row(const T* x, T* y, int64_t n, bool log) {
  using V = Vector<T>;
  const T m = row_max(x, n);
  if (!log) {
    const V scale = V::set1(T(1) / exp_row(x, y, n, m));
    for_vectors<T>(n, [&](int64_t i, auto rest) { store_at(y + i, load_at(y + i, rest) * scale, rest); });
    return;
  }
  V sum = V::zero();
  const V vm = V::set1(m);
  int64_t i = 0;
  for (; i + V::W <= n; i += V::W) sum = sum + vexp(load(x + i) - vm);
  T total = hsum(sum);
  if (i < n) {
    T tail[V::W];
    store(tail, vexp(load(x + i, n - i) - vm));
    for (int64_t j = 0; j < n - i; ++j) total += tail[j];
  }
  const V log_sum = V::set1(log1(total));
  for_vectors<T>(n, [&](int64_t k, auto rest) { store_at(y + k, (load_at(x + k, rest) - vm) - log_sum, rest); });
}

template <class T>
void softmax_columns(const T* x, T* y, int64_t n, int64_t stride, int64_t cols, bool log) {
  using V = Vector<T>;
  T m[kColumns], s[kColumns];
  for_vectors<T>(cols, [&](int64_t c, auto rest) {
    V vm = load_at(x + c, rest), sum = V::zero();
    for (int64_t r = 1; r < n; ++r) vm = vmax(vm, load_at(x + r * stride + c, rest));
    for (int64_t r = 0; r < n; ++r) {
      V e = vexp(load_at(x + r * stride + c, rest) - vm);
      if (!log) store_at(y + r * stride + c, e, rest);
      sum = sum + e;
    }
    store_at(m + c, vm, rest);
    store_at(s + c, sum, rest);
  });
  for (int64_t c = 0; c < cols; ++c) s[c] = log ? log1(s[c]) : T(1) / s[c];
  for (int64_t r = 0; r < n; ++r) {
    const T* xr = x + r * stride;
    T* yr = y + r * stride;
    for_vectors<T>(cols, [&](int64_t c, auto rest) {
      V f = load_at(s + c, rest);
      store_at(yr + c, log ? (load_at(xr + c, rest) - load_at(m + c, rest)) - f : load_at(yr + c, rest) * f, rest);
    });
  }
}

template <class T>
void grad_row(const T* y, const T* dy, T* dx, int64_t n, bool log) {
  using V = Vector<T>;
  V sum = V::zero();
  for_vectors<T>(n, [&](int64_t i, auto rest) {
    V d = load_at(dy + i, rest);
    sum = log ? sum + d : fma(d, load_at(y + i, rest), sum);
  });
  const V s = V::set1(hsum(sum));
  for_vectors<T>(n, [&](int64_t i, auto rest) {
    V d = load_at(dy + i, rest), v = load_at(y + i, rest);
    store_at(dx + i, log ? fnma(vexp(v), s, d) : v * (d - s), rest);
  });
}

template <class T>
void grad_columns(const T* y, const T* dy, T* dx, int64_t n, int64_t stride, int64_t cols, bool log) {
  using V = Vector<T>;
  for_vectors<T>(cols, [&](int64_t c, auto rest) {
    V s = V::zero();
    for (int64_t r = 0; r < n; ++r) {
      V d = load_at(dy + r * stride + c, rest);
      s = log ? s + d : fma(d, load_at(y + r * stride + c, rest), s);
    }
    for (int64_t r = 0; r < n; ++r) {
      V d = load_at(dy + r * stride + c, rest), v = load_at(y + r * stride + c, rest);
      store_at(dx + r * stride + c, log ? fnma(vexp(v), s, d) : v * (d - s), rest);
    }
  });
}

// Tasks over [outer, n, inner]: rows(first, count) for inner == 1, columns(offset, count) else.
template <class R, class C>
void for_slices(int64_t outer, int64_t n, int64_t inner, R&& rows, C&& columns) {
  if (outer * n * inner == 0) return;
  if (inner == 1) {
    const int64_t per = n >= kTask ? 1 : kTask / n;
    parallel_for((outer + per - 1) / per, [&](int64_t t) {
      for (int64_t r = t * per, end = r + per < outer ? r + per : outer; r < end; ++r) rows(r * n);
    });
    return;
  }
  const int64_t tiles = (inner + kColumns - 1) / kColumns;
  const int64_t all = outer * tiles, cost = n * (inner < kColumns ? inner : kColumns),
                per = cost >= kTask ? 1 : kTask / cost;
  parallel_for((all + per - 1) / per, [&](int64_t t) {
    for (int64_t i = t * per, end = i + per < all ? i + per : all; i < end; ++i) {
      const int64_t c = i % tiles * kColumns;
      columns(i / tiles * n * inner + c, inner - c < kColumns ? inner - c : kColumns);
    }
  });
}

template <class T>
void run_softmax(const SoftmaxArgs& a) {
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  for_slices(
      a.outer, a.n, a.inner, [&](int64_t at) { softmax_row(x + at, y + at, a.n, a.log); },
      [&](int64_t at, int64_t cols) { softmax_columns(x + at, y + at, a.n, a.inner, cols, a.log); });
}
template <class T>
void run_softmax_grad(const SoftmaxGradArgs& a) {
  const T *y = static_cast<const T*>(a.y), *dy = static_cast<const T*>(a.dy);
  T* dx = static_cast<T*>(a.dx);
  for_slices(
      a.outer, a.n, a.inner, [&](int64_t at) { grad_row(y + at, dy + at, dx + at, a.n, a.log); },
      [&](int64_t at, int64_t cols) { grad_columns(y + at, dy + at, dx + at, a.n, a.inner, cols, a.log); });
}

GLIA_INLINE int64_t label_at(const void* labels, Elem type, int64_t r) {
  return type == Elem::i32 ? static_cast<const int32_t*>(labels)[r] : static_cast<const int64_t*>(labels)[r];
}

template <class T>
void run_cross_entropy(const CrossEntropyArgs& a) {
  const T* x = static_cast<const T*>(a.logits);
  T *loss = static_cast<T*>(a.loss), *lse = static_cast<T*>(a.lse);
  for_slices(
      a.rows, a.n, 1,
      [&](int64_t at) {
        using V = Vector<T>;
        const int64_t r = at / a.n, label = label_at(a.labels, a.label_type, r);
        const T* row = x + at;
        const T m = row_max(row, a.n);
        const V vm = V::set1(m);
        V sum = V::zero();
        int64_t i = 0;
        for (; i + V::W <= a.n; i += V::W) sum = sum + vexp(load(row + i) - vm);
        T total = hsum(sum);
        if (i < a.n) {
          T tail[V::W];
          store(tail, vexp(load(row + i, a.n - i) - vm));
          for (int64_t j = 0; j < a.n - i; ++j) total += tail[j];
        }
        const T rest = log1(total);
        lse[r] = m + rest;
        loss[r] = a.has_ignore && label == a.ignore ? T(0) : rest + (m - row[label]);
      },
      [](int64_t, int64_t) {});
}
template <class T>
void run_cross_entropy_grad(const CrossEntropyGradArgs& a) {
  const T *x = static_cast<const T*>(a.logits), *lse = static_cast<const T*>(a.lse),
          *dloss = static_cast<const T*>(a.dloss);
  T* dx = static_cast<T*>(a.dlogits);
  for_slices(
      a.rows, a.n, 1,
      [&](int64_t at) {
        using V = Vector<T>;
        const int64_t r = at / a.n, label = label_at(a.labels, a.label_type, r);
        const bool ignored = a.has_ignore && label == a.ignore;
        const T scale = ignored ? T(0) : dloss[r];
        const V s = V::set1(scale), l = V::set1(lse[r]);
        for_vectors<T>(a.n, [&](int64_t i, auto rest) {
          store_at(dx + at + i, ignored ? V::zero() : vexp(load_at(x + at + i, rest) - l) * s, rest);
        });
        if (!ignored) dx[at + label] -= scale;
      },
      [](int64_t, int64_t) {});
}

}  // namespace

void softmax(Elem t, const SoftmaxArgs& a) { t == Elem::f32 ? run_softmax<float>(a) : run_softmax<double>(a); }
void softmax_grad(Elem t, const SoftmaxGradArgs& a) {
  t == Elem::f32 ? run_softmax_grad<float>(a) : run_softmax_grad<double>(a);
}
void cross_entropy(Elem t, const CrossEntropyArgs& a) {
  t == Elem::f32 ? run_cross_entropy<float>(a) : run_cross_entropy<double>(a);
}
void cross_entropy_grad(Elem t, const CrossEntropyGradArgs& a) {
  t == Elem::f32 ? run_cross_entropy_grad<float>(a) : run_cross_entropy_grad<double>(a);
}

}  // namespace glia::cpu::GLIA_ISA_NS
