// Reductions of int16, uint16, uint32 and uint64: plain loops, compiled once for every machine.
#include <limits>
#include <type_traits>

#include "kernels/cpu/reduce_fn.h"

namespace glia::cpu {
namespace {

struct Sum {
  template <class T> static constexpr T start = T(0);
  template <class T> static T join(T a, T b) { return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
};
struct Prod {
  template <class T> static constexpr T start = T(1);
  template <class T> static T join(T a, T b) { return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); }
};
struct Max {
  template <class T> static constexpr T start = std::numeric_limits<T>::min();
  template <class T> static T join(T a, T b) { return b > a ? b : a; }
};
struct Min {
  template <class T> static constexpr T start = std::numeric_limits<T>::max();
  template <class T> static T join(T a, T b) { return b < a ? b : a; }
};

template <class T, class Op>
void rows(const void* px, int64_t stride, void* py, int64_t count, int64_t n, double) {
  const T* x = static_cast<const T*>(px);
  for (int64_t r = 0; r < count; ++r, x += stride) {
    T a = Op::template start<T>;
    for (int64_t i = 0; i < n; ++i) a = Op::join(a, x[i]);
    static_cast<T*>(py)[r] = a;
  }
}
template <class T, class Op>
void columns(const void* px, int64_t stride, void* py, int64_t n, int64_t cols, double) {
  T* y = static_cast<T*>(py);
  for (int64_t c = 0; c < cols; ++c) y[c] = Op::template start<T>;
  const T* x = static_cast<const T*>(px);
  for (int64_t r = 0; r < n; ++r, x += stride)
    for (int64_t c = 0; c < cols; ++c) y[c] = Op::join(y[c], x[c]);
}
template <class T, bool kMax>
int32_t extreme_at(const T* x, int64_t step, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; ++i)
    if (kMax ? x[i * step] > x[best * step] : x[i * step] < x[best * step]) best = i;
  return n > 0 ? static_cast<int32_t>(best) : -1;
}
template <class T, bool kMax>
void arg_rows(const void* px, int64_t stride, void* py, int64_t count, int64_t n, double) {
  for (int64_t r = 0; r < count; ++r)
    static_cast<int32_t*>(py)[r] = extreme_at<T, kMax>(static_cast<const T*>(px) + r * stride, 1, n);
}
template <class T, bool kMax>
void arg_columns(const void* px, int64_t stride, void* py, int64_t n, int64_t cols, double) {
  for (int64_t c = 0; c < cols; ++c)
    static_cast<int32_t*>(py)[c] = extreme_at<T, kMax>(static_cast<const T*>(px) + c, stride, n);
}

template <class T>
RareReduction pick(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum: return {&rows<T, Sum>, &columns<T, Sum>};
    case ReduceOp::prod: return {&rows<T, Prod>, &columns<T, Prod>};
    case ReduceOp::max: return {&rows<T, Max>, &columns<T, Max>};
    case ReduceOp::min: return {&rows<T, Min>, &columns<T, Min>};
    case ReduceOp::argmax: return {&arg_rows<T, true>, &arg_columns<T, true>};
    case ReduceOp::argmin: return {&arg_rows<T, false>, &arg_columns<T, false>};
    default: return {};
  }
}

}  // namespace

RareReduction rare_reduction(ReduceOp op, Elem t) {
  switch (t) {
    case Elem::i16: return pick<int16_t>(op);
    case Elem::u16: return pick<uint16_t>(op);
    case Elem::u32: return pick<uint32_t>(op);
    case Elem::u64: return pick<uint64_t>(op);
    default: return {};
  }
}

}  // namespace glia::cpu
