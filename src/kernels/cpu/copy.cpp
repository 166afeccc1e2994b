#include "kernels/cpu/copy.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/narrow.h"
#include "base/thread_pool.h"

namespace glia::cpu {
namespace {

constexpr int64_t kTaskBytes = 64 << 10;

template <class F>
void by_size(int size, F&& f) {
  switch (size) {
    case 1:
      return f(uint8_t{});
    case 2:
      return f(uint16_t{});
    case 4:
      return f(uint32_t{});
    default:
      return f(uint64_t{});
  }
}

// dst[i * ds + j] = src[i + j * ss], i < m, j < n, in blocks that stay in L1.
template <class T>
void transpose_plane(const T* src, int64_t ss, T* dst, int64_t ds, int64_t m, int64_t n) {
  constexpr int64_t B = 32;
  for (int64_t i0 = 0; i0 < m; i0 += B) {
    for (int64_t j0 = 0; j0 < n; j0 += B) {
      const int64_t im = std::min(m, i0 + B), jm = std::min(n, j0 + B);
      for (int64_t i = i0; i < im; ++i)
        for (int64_t j = j0; j < jm; ++j) dst[i * ds + j] = src[i + j * ss];
    }
  }
}

template <class T>
void copy_row(const T* src, int64_t ss, T* dst, int64_t ds, int64_t n) {
  if (ss == 1 && ds == 1)
    std::memcpy(dst, src, static_cast<size_t>(n) * sizeof(T));
  else if (ss == 0 && ds == 1)
    std::fill(dst, dst + n, *src);
  else
    for (int64_t i = 0; i < n; ++i) dst[i * ds] = src[i * ss];
}

}  // namespace

CopyKernel::CopyKernel(const std::vector<int64_t>& dims, const std::vector<int64_t>& src,
                       const std::vector<int64_t>& dst, int elem_size)
    : size_(elem_size), transpose_(GLIA_ISA_SELECT(transpose_words)) {
  GLIA_ASSERT(dims.size() == src.size() && dims.size() == dst.size(), "CopyKernel: one stride per dim");
  std::vector<Dim> d;
  int64_t total = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    total *= dims[i];
    if (dims[i] == 1) continue;
    if (!d.empty() && d.back().src == src[i] * dims[i] && d.back().dst == dst[i] * dims[i])
      d.back() = {d.back().n * dims[i], src[i], dst[i]};
    else
      d.push_back({dims[i], src[i], dst[i]});
  }
  if (total == 0) return;
  GLIA_CHECK(d.size() <= kMaxRank, "more than {} dimensions remain in a copy after merging.", kMaxRank);
  if (d.empty()) d.push_back({1, 1, 1});
  inner_ = d.back();
  d.pop_back();
  // A source that is dense along another dim: copy planes, blocked, instead of strided rows.
  if (inner_.src != 1 && inner_.dst == 1 && inner_.n >= 4) {
    for (size_t i = d.size(); i-- > 0;) {
      if (d[i].src != 1 || d[i].n < 4) continue;
      side_ = d[i];
      plane_ = true;
      d.erase(d.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  // One huge plane is cut along the side, so that tasks can share it.
  const int64_t row = std::max<int64_t>(1, inner_.n * size_);
  if (plane_ && side_.n > 64 && side_.n * row > kTaskBytes) {
    int64_t cut = 64;
    while (side_.n % cut != 0) cut /= 2;
    if (cut >= 16) {
      d.push_back({side_.n / cut, cut * side_.src, cut * side_.dst});
      side_.n = cut;
    }
  }
  outer_ = d;
  steps_ = 1;
  for (const Dim& x : outer_) steps_ *= x.n;
  per_task_ = std::max<int64_t>(1, kTaskBytes / (row * side_.n));
  tasks_ = (steps_ + per_task_ - 1) / per_task_;
}

void CopyKernel::run_task(int64_t task, const char* src, char* dst) const {
  int64_t count[kMaxRank] = {}, first = task * per_task_, rest = first, so = 0, d_o = 0;
  for (size_t i = outer_.size(); i-- > 0;) {
    count[i] = rest % outer_[i].n;
    rest /= outer_[i].n;
    so += count[i] * outer_[i].src;
    d_o += count[i] * outer_[i].dst;
  }
  for (int64_t s = first, end = std::min(steps_, first + per_task_); s < end; ++s) {
    by_size(size_, [&](auto tag) {
      using T = decltype(tag);
      const T* from = reinterpret_cast<const T*>(src) + so;
      T* to = reinterpret_cast<T*>(dst) + d_o;
      if (plane_ && sizeof(T) == 4)
        transpose_(reinterpret_cast<const uint32_t*>(from), inner_.src, reinterpret_cast<uint32_t*>(to), side_.dst,
                   side_.n, inner_.n);
      else if (plane_)
        transpose_plane(from, inner_.src, to, side_.dst, side_.n, inner_.n);
      else
        copy_row(from, inner_.src, to, inner_.dst, inner_.n);
    });
    for (size_t i = outer_.size(); i-- > 0;) {
      so += outer_[i].src;
      d_o += outer_[i].dst;
      if (++count[i] < outer_[i].n) break;
      so -= outer_[i].src * count[i];
      d_o -= outer_[i].dst * count[i];
      count[i] = 0;
    }
  }
}

void CopyKernel::run(const void* src, void* dst) const {
  if (tasks_ == 1 && outer_.empty() && !plane_ && inner_.src == 1 && inner_.dst == 1) {
    const int64_t bytes = inner_.n * size_, tasks = (bytes + 4 * kTaskBytes - 1) / (4 * kTaskBytes);
    return parallel_for(tasks, [&](int64_t t) {
      const int64_t at = t * 4 * kTaskBytes;
      std::memcpy(static_cast<char*>(dst) + at, static_cast<const char*>(src) + at,
                  static_cast<size_t>(std::min(4 * kTaskBytes, bytes - at)));
    });
  }
  parallel_for(tasks_, [&](int64_t t) { run_task(t, static_cast<const char*>(src), static_cast<char*>(dst)); });
}

void fill_elements(void* dst, int64_t count, uint64_t pattern, int elem_size) {
  by_size(elem_size, [&](auto tag) {
    using T = decltype(tag);
    T* d = static_cast<T*>(dst);
    std::fill(d, d + count, static_cast<T>(pattern));
  });
}

uint64_t elem_pattern(Elem t, double v) {
  uint64_t u = 0;
  auto put = [&](auto x) { std::memcpy(&u, &x, sizeof x); };
  switch (t) {
    case Elem::f32:
      put(static_cast<float>(v));
      break;
    case Elem::f64:
      put(v);
      break;
    case Elem::bool_:
      u = v != 0;
      break;
    case Elem::bf16: {
      uint32_t b;
      const float f = static_cast<float>(v);
      std::memcpy(&b, &f, 4);
      u = v != v ? 0x7fc0 : (b + 0x7fff + ((b >> 16) & 1)) >> 16;
      break;
    }
    case Elem::f16: {
      const float f = static_cast<float>(v), a = f < 0 ? -f : f;
      uint32_t b, r;
      std::memcpy(&b, &a, 4);
      if (v != v)
        r = 0x7e00;
      else if (a >= 65520.f)
        r = 0x7c00;
      else if (a < 0x1p-14f) {
        const float lined = a + 0.5f;
        std::memcpy(&r, &lined, 4);
        r -= 0x3f000000;
      } else {
        r = (b - 0x38000000 + 0xfff + ((b >> 13) & 1)) >> 13;
      }
      u = r | (f < 0 || (f == 0 && __builtin_signbit(f)) ? 0x8000 : 0);
      break;
    }
    default:
      if (elem_is_narrow(t)) return narrow_encode(static_cast<NarrowFormat>(static_cast<int>(t) - static_cast<int>(Elem::f8e4m3fn)), static_cast<float>(v));
      if (t == Elem::u64 && v >= 0x1p63) put(static_cast<uint64_t>(v));
      else put(static_cast<int64_t>(v));
  }
  return u;
}

// ---- gather and scatter ----

namespace {
template <class F>
void with_index(Elem type, const void* index, F&& f) {
  if (type == Elem::i32)
    f(static_cast<const int32_t*>(index));
  else
    f(static_cast<const int64_t*>(index));
}

template <class T, class I>
void scatter_rows(const ScatterAddArgs& a, const I* index) {
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  // Each task owns a band of columns or, where rows are short, a band of rows: additions keep the order of j.
  constexpr int64_t kBand = 128;
  const bool by_columns = a.inner >= 2 * kBand;
  const int64_t work = a.count * a.inner;
  const int64_t bands =
      by_columns ? (a.inner + kBand - 1) / kBand : std::clamp<int64_t>(std::min(work / 65536, a.n / 64), 1, 8);
  parallel_for(bands, [&](int64_t b) {
    if (by_columns) {
      const int64_t c = b * kBand, m = std::min(kBand, a.inner - c);
      for (int64_t j = 0; j < a.count; ++j) {
        const int64_t r = index[j] < 0 ? index[j] + a.n : index[j];
        T* to = y + r * a.inner + c;
        const T* from = x + j * a.inner + c;
        for (int64_t i = 0; i < m; ++i) to[i] += from[i];
      }
      return;
    }
    const int64_t low = b * a.n / bands, high = (b + 1) * a.n / bands;
    for (int64_t j = 0; j < a.count; ++j) {
      const int64_t r = index[j] < 0 ? index[j] + a.n : index[j];
      if (r < low || r >= high) continue;
      T* to = y + r * a.inner;
      const T* from = x + j * a.inner;
      for (int64_t i = 0; i < a.inner; ++i) to[i] += from[i];
    }
  });
}
template <class T>
void scatter_type(const ScatterAddArgs& a) {
  const int64_t bytes = a.n * a.inner * static_cast<int64_t>(sizeof(T)), part = 256 << 10;
  if (a.base != a.y) {
    parallel_for((bytes + part - 1) / part, [&](int64_t t) {
      const size_t m = static_cast<size_t>(std::min(part, bytes - t * part));
      char* to = static_cast<char*>(a.y) + t * part;
      if (a.base)
        std::memcpy(to, static_cast<const char*>(a.base) + t * part, m);
      else
        std::memset(to, 0, m);
    });
  }
  if (a.count * a.inner > 0) with_index(a.index_type, a.index, [&](const auto* index) { scatter_rows<T>(a, index); });
}
}  // namespace

void take(const TakeArgs& a) {
  const int64_t per_task = std::max<int64_t>(1, kTaskBytes / std::max<int64_t>(1, a.inner_bytes));
  const int64_t all = a.outer * a.count, size = a.inner_bytes;
  if (all * size == 0) return;
  with_index(a.index_type, a.index, [&](const auto* index) {
    parallel_for((all + per_task - 1) / per_task, [&](int64_t t) {
      for (int64_t i = t * per_task, end = std::min(all, i + per_task); i < end; ++i) {
        const int64_t o = i / a.count, v = index[i - o * a.count], r = v < 0 ? v + a.n : v;
        const char* from = static_cast<const char*>(a.x) + (o * a.n + r) * size;
        char* to = static_cast<char*>(a.y) + i * size;
        if (size == 4)
          std::memcpy(to, from, 4);
        else
          std::memcpy(to, from, static_cast<size_t>(size));
      }
    });
  });
}

void scatter_add(Elem t, const ScatterAddArgs& a) {
  switch (t) {
    case Elem::f32:
      return scatter_type<float>(a);
    case Elem::f64:
      return scatter_type<double>(a);
    case Elem::i32:
    case Elem::u32:
      return scatter_type<uint32_t>(a);  // wraps
    case Elem::i64:
    case Elem::u64:
      return scatter_type<uint64_t>(a);
    default:
      GLIA_ASSERT(false, "scatter_add: type");
  }
}

int64_t find_bad_index(Elem type, const void* index, int64_t count, int64_t n) {
  int64_t bad = -1;
  with_index(type, index, [&](const auto* p) {
    for (int64_t j = 0; j < count && bad < 0; ++j)
      if (p[j] < -n || p[j] >= n) bad = j;
  });
  return bad;
}

}  // namespace glia::cpu
