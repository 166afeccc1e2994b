#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/cpu/pointwise_scalar.h"
#include "kernels/cpu/reduce_fn.h"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors never cross a call that is not inlined

namespace glia::cpu::GLIA_ISA_NS {
namespace {

template <class T>
struct VecOf {
  typedef T type __attribute__((vector_size(64)));
};
template <class T>
using Vec = typename VecOf<T>::type;  // the compiler splits it where registers are narrower
template <class T>
constexpr int64_t kLanes = 64 / static_cast<int64_t>(sizeof(T));

template <class T>
constexpr T lowest() {
  if constexpr (std::is_integral_v<T>)
    return std::numeric_limits<T>::min();
  else
    return -static_cast<T>(__builtin_inf());
}
template <class T>
constexpr T highest() {
  if constexpr (std::is_integral_v<T>)
    return std::numeric_limits<T>::max();
  else
    return static_cast<T>(__builtin_inf());
}

// Each op: start value, and combine for scalars and for vectors (same expression).
struct Sum {
  static constexpr bool scaled = true;
  template <class T>
  static constexpr T start() {
    return T(0);
  }
  template <class T>
  static inline __attribute__((always_inline)) T one(T a, T b) {
    return pw::add(a, b);
  }
  template <class V>
  static inline __attribute__((always_inline)) void vec(V& a, const V& b) {
    a = a + b;
  }
};
struct Prod {
  static constexpr bool scaled = false;
  template <class T>
  static constexpr T start() {
    return T(1);
  }
  template <class T>
  static inline __attribute__((always_inline)) T one(T a, T b) {
    return pw::mul(a, b);
  }
  template <class V>
  static inline __attribute__((always_inline)) void vec(V& a, const V& b) {
    a = a * b;
  }
};
struct Max {
  static constexpr bool scaled = false;
  template <class T>
  static constexpr T start() {
    return lowest<T>();
  }
  template <class T>
  static inline __attribute__((always_inline)) T one(T a, T b) {
    return pw::maximum(a, b);
  }
  template <class V>
  static inline __attribute__((always_inline)) void vec(V& a, const V& b) {
    a = (a > b) | (a != a) ? a : b;
  }
};
struct Min {
  static constexpr bool scaled = false;
  template <class T>
  static constexpr T start() {
    return highest<T>();
  }
  template <class T>
  static inline __attribute__((always_inline)) T one(T a, T b) {
    return pw::minimum(a, b);
  }
  template <class V>
  static inline __attribute__((always_inline)) void vec(V& a, const V& b) {
    a = (a < b) | (a != a) ? a : b;
  }
};

// Signed integers are reduced as unsigned where only the bits matter, so that wrapping is defined.
template <class T, class Op>
using Work =
    std::conditional_t<std::is_integral_v<T> && (std::is_same_v<Op, Sum> || std::is_same_v<Op, Prod>),
                       std::make_unsigned<std::conditional_t<std::is_integral_v<T>, T, int>>, std::type_identity<T>>;

template <class T, class Op>
T reduce_block(const T* x, int64_t n) {
  using V = Vec<T>;
  constexpr int64_t L = kLanes<T>;
  if (n < 2 * L) {
    T a = Op::template start<T>();
    for (int64_t i = 0; i < n; ++i) a = Op::one(a, x[i]);
    return a;
  }
  V a0, a1, a2, a3, b;
  std::memcpy(&a0, x, 64);
  int64_t i = L;
  a1 = a2 = a3 = V{} + Op::template start<T>();
  for (; i + 4 * L <= n; i += 4 * L) {
    std::memcpy(&b, x + i, 64);
    Op::vec(a0, b);
    std::memcpy(&b, x + i + L, 64);
    Op::vec(a1, b);
    std::memcpy(&b, x + i + 2 * L, 64);
    Op::vec(a2, b);
    std::memcpy(&b, x + i + 3 * L, 64);
    Op::vec(a3, b);
  }
  for (; i + L <= n; i += L) {
    std::memcpy(&b, x + i, 64);
    Op::vec(a1, b);
  }
  Op::vec(a0, a1);
  Op::vec(a2, a3);
  Op::vec(a0, a2);
  T lane[L];
  std::memcpy(lane, &a0, 64);
  for (int64_t w = L / 2; w > 0; w /= 2)
    for (int64_t j = 0; j < w; ++j) lane[j] = Op::one(lane[j], lane[j + w]);
  for (; i < n; ++i) lane[0] = Op::one(lane[0], x[i]);
  return lane[0];
}

constexpr int64_t kBlock = 2048;  // partial sums of blocks are added in double

template <class T0, class Op>
void rows(const void* px, int64_t stride, void* py, int64_t count, int64_t n, double scale) {
  using T = typename Work<T0, Op>::type;
  const T* x = static_cast<const T*>(px);
  T* y = static_cast<T*>(py);
  for (int64_t r = 0; r < count; ++r, x += stride) {
    T a;
    if constexpr (std::is_same_v<T, float> && Op::scaled) {
      double total = 0;
      for (int64_t i = 0; i < n; i += kBlock) total += reduce_block<T, Op>(x + i, n - i < kBlock ? n - i : kBlock);
      a = static_cast<float>(total * scale);
    } else {
      a = reduce_block<T, Op>(x, n);
      if constexpr (std::is_same_v<T, double> && Op::scaled) a *= scale;
    }
    y[r] = a;
  }
}

template <class T, class Op>
void columns_into(const T* x, int64_t stride, T* y, int64_t n, int64_t m) {  // n >= 1
  GLIA_IVDEP
  for (int64_t c = 0; c < m; ++c) y[c] = x[c];
  int64_t r = 1;
  for (; r + 4 <= n; r += 4) {
    const T *x0 = x + r * stride, *x1 = x0 + stride, *x2 = x1 + stride, *x3 = x2 + stride;
    GLIA_IVDEP
    for (int64_t c = 0; c < m; ++c) y[c] = Op::one(y[c], Op::one(Op::one(x0[c], x1[c]), Op::one(x2[c], x3[c])));
  }
  for (; r < n; ++r) {
    const T* x0 = x + r * stride;
    GLIA_IVDEP
    for (int64_t c = 0; c < m; ++c) y[c] = Op::one(y[c], x0[c]);
  }
}

constexpr int64_t kColumnTile = 512, kRowBlock = 64;

template <class T, class Op>
void columns_all(const T* x, int64_t stride, T* y, int64_t n, int64_t cols) {
  T part[kColumnTile];
  for (int64_t c0 = 0; c0 < cols; c0 += kColumnTile) {
    const int64_t m = cols - c0 < kColumnTile ? cols - c0 : kColumnTile;
    if (n == 0)
      for (int64_t c = 0; c < m; ++c) y[c0 + c] = Op::template start<T>();
    for (int64_t r = 0; r < n; r += kRowBlock) {
      const int64_t b = n - r < kRowBlock ? n - r : kRowBlock;
      columns_into<T, Op>(x + r * stride + c0, stride, r == 0 ? y + c0 : part, b, m);
      if (r == 0) continue;
      T* out = y + c0;
      GLIA_IVDEP
      for (int64_t c = 0; c < m; ++c) out[c] = Op::one(out[c], part[c]);
    }
  }
}

template <class T0, class Op>
void columns(const void* px, int64_t stride, void* py, int64_t n, int64_t cols, double scale) {
  using T = typename Work<T0, Op>::type;
  const T* x = static_cast<const T*>(px);
  T* y = static_cast<T*>(py);
  const int64_t k =
      cols < 64 && stride == cols ? 128 / cols : 1;  // few columns: k rows side by side are one long row
  if (k > 1 && n >= 2 * k) {
    T wide[192];
    columns_all<T, Op>(x, k * cols, wide, n / k, k * cols);
    for (int64_t c = 0; c < cols; ++c) {
      T a = wide[c];
      for (int64_t j = 1; j < k; ++j) a = Op::one(a, wide[j * cols + c]);
      for (int64_t r = n / k * k; r < n; ++r) a = Op::one(a, x[r * stride + c]);
      y[c] = a;
    }
  } else {
    columns_all<T, Op>(x, stride, y, n, cols);
  }
  if constexpr (Op::scaled && !std::is_integral_v<T>)
    if (scale != 1)
      for (int64_t c = 0; c < cols; ++c) y[c] *= static_cast<T>(scale);
}

template <bool kMax, class T>
GLIA_INLINE bool beats(T x, T best) {
  return (kMax ? x > best : x < best) || (x != x && best == best);
}

template <class T, bool kMax>
void arg_rows(const void* px, int64_t stride, void* py, int64_t count, int64_t n, double) {
  const T* x = static_cast<const T*>(px);
  int32_t* y = static_cast<int32_t*>(py);
  for (int64_t r = 0; r < count; ++r, x += stride) {
    const T best = kMax ? reduce_block<T, Max>(x, n) : reduce_block<T, Min>(x, n);
    int64_t i = 0;
    while (i < n && !(x[i] == best || (x[i] != x[i] && best != best))) ++i;
    y[r] = i < n ? static_cast<int32_t>(i) : -1;
  }
}

template <class T, bool kMax>
void arg_columns(const void* px, int64_t stride, void* py, int64_t n, int64_t cols, double) {
  const T* x = static_cast<const T*>(px);
  int32_t* y = static_cast<int32_t*>(py);
  T best[256];
  for (int64_t c0 = 0; c0 < cols; c0 += 256) {
    const int64_t m = cols - c0 < 256 ? cols - c0 : 256;
    for (int64_t c = 0; c < m; ++c) y[c0 + c] = n > 0 ? 0 : -1;
    for (int64_t c = 0; n > 0 && c < m; ++c) best[c] = x[c0 + c];
    for (int64_t r = 1; r < n; ++r) {
      const T* row = x + r * stride + c0;
      GLIA_IVDEP
      for (int64_t c = 0; c < m; ++c) {
        const bool better = beats<kMax>(row[c], best[c]);
        best[c] = better ? row[c] : best[c];
        y[c0 + c] = better ? static_cast<int32_t>(r) : y[c0 + c];
      }
    }
  }
}

template <class T>
ReduceRowsFn pick_rows(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::mean:
      return &rows<T, Sum>;
    case ReduceOp::prod:
      return &rows<T, Prod>;
    case ReduceOp::max:
    case ReduceOp::any:
      return &rows<T, Max>;
    case ReduceOp::min:
    case ReduceOp::all:
      return &rows<T, Min>;
    case ReduceOp::argmax:
      return &arg_rows<T, true>;
    case ReduceOp::argmin:
      return &arg_rows<T, false>;
  }
  return nullptr;
}
template <class T>
ReduceColumnsFn pick_columns(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::mean:
      return &columns<T, Sum>;
    case ReduceOp::prod:
      return &columns<T, Prod>;
    case ReduceOp::max:
    case ReduceOp::any:
      return &columns<T, Max>;
    case ReduceOp::min:
    case ReduceOp::all:
      return &columns<T, Min>;
    case ReduceOp::argmax:
      return &arg_columns<T, true>;
    case ReduceOp::argmin:
      return &arg_columns<T, false>;
  }
  return nullptr;
}

}  // namespace

ReduceRowsFn reduce_rows_function(ReduceOp op, Elem t) {
  switch (t) {
    case Elem::f32:
      return pick_rows<float>(op);
    case Elem::f64:
      return pick_rows<double>(op);
    case Elem::i32:
      return pick_rows<int32_t>(op);
    case Elem::i64:
      return pick_rows<int64_t>(op);
    case Elem::i8:
      return pick_rows<int8_t>(op);
    case Elem::u8:
    case Elem::bool_:
      return pick_rows<uint8_t>(op);
    default:
      return nullptr;
  }
}
ReduceColumnsFn reduce_columns_function(ReduceOp op, Elem t) {
  switch (t) {
    case Elem::f32:
      return pick_columns<float>(op);
    case Elem::f64:
      return pick_columns<double>(op);
    case Elem::i32:
      return pick_columns<int32_t>(op);
    case Elem::i64:
      return pick_columns<int64_t>(op);
    case Elem::i8:
      return pick_columns<int8_t>(op);
    case Elem::u8:
    case Elem::bool_:
      return pick_columns<uint8_t>(op);
    default:
      return nullptr;
  }
}

}  // namespace glia::cpu::GLIA_ISA_NS
