// Compiled once and without contraction (-ffp-contract=off, cmake/GliaLibrary.cmake): sums and products round the
// same way on every machine, so a seed gives the same numbers everywhere. log, sin and cos are therefore our own.
#include "kernels/cpu/random.h"

#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/philox.h"
#include "base/thread_pool.h"
#include "kernels/cpu/philox_block.h"

namespace glia::cpu {
namespace {

constexpr int64_t kWords = 4 * kPhiloxBlock, kTask = 16 * kWords;

// f(first element, words, count) for every block of 256 words; f64 elements take two words each.
template <class F>
void for_blocks(const RandomKey& key, int64_t n, int words_each, F&& f) {
  const int64_t all = n * words_each;
  parallel_for((all + kTask - 1) / kTask, [&](int64_t task) {
    uint32_t words[kWords];
    const int64_t end = std::min((task + 1) * kTask, all);
    for (int64_t at = task * kTask; at < end; at += kWords) {
      philox_words(key, static_cast<uint64_t>(at) / 4, words);
      f(at / words_each, words, std::min(end - at, kWords) / words_each);
    }
  });
}

// log of (0, 1], after Cephes logf: m in [sqrt(1/2), sqrt(2)), polynomial in m - 1.
inline float log_of(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  int32_t e = static_cast<int32_t>(u >> 23) - 126;
  u = (u & 0x007fffff) | 0x3f000000;
  float m;
  std::memcpy(&m, &u, 4);  // [0.5, 1)
  const bool low = m < 0.70710678f;
  e = low ? e - 1 : e;
  const float f = low ? m + m - 1.f : m - 1.f, z = f * f, k = static_cast<float>(e);
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float y = f * z * p - 2.12194440e-4f * k - 0.5f * z;
  return f + y + 0.693359375f * k;
}

// cos and sin of 2 pi t, t in [0, 1): quarter turns are exact, polynomials on [-pi/4, pi/4] after Cephes sinf, cosf.
inline void circle(float t, float* cosine, float* sine) {
  const float turns = t * 4.f;
  const auto q = static_cast<int32_t>(turns + 0.5f);
  const float r = (turns - static_cast<float>(q)) * 1.57079633f, z = r * r;
  const float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  const float c =
      ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z + 1.f;
  const float a = (q & 1) ? s : c, b = (q & 1) ? c : s;
  *cosine = ((q + 1) & 2) ? -a : a;
  *sine = (q & 2) ? -b : b;
}

inline void normal_pair(uint32_t u, uint32_t v, float* a, float* b) {
  const float x = (static_cast<float>(u >> 8) + 1.f) * 0x1p-24f;  // (0, 1]
  const float radius = std::sqrt(-2.f * log_of(x));
  float c, s;
  circle(static_cast<float>(v >> 8) * 0x1p-24f, &c, &s);
  *a = radius * c;
  *b = radius * s;
}

template <class T>
void uniform_floats(const RandomKey& key, T* y, int64_t n, double low, double high) {
  const T l = static_cast<T>(low), width = static_cast<T>(high - low);
  if constexpr (sizeof(T) == 4) {
    for_blocks(key, n, 1, [&](int64_t at, const uint32_t* w, int64_t m) {
      for (int64_t i = 0; i < m; ++i) y[at + i] = l + width * (static_cast<float>(w[i] >> 8) * 0x1p-24f);
    });
  } else {
    for_blocks(key, n, 2, [&](int64_t at, const uint32_t* w, int64_t m) {
      for (int64_t i = 0; i < m; ++i) {
        const uint64_t u = static_cast<uint64_t>(w[2 * i]) << 32 | w[2 * i + 1];
        y[at + i] = l + width * (static_cast<double>(u >> 11) * 0x1p-53);
      }
    });
  }
}

template <class T>
void uniform_integers(const RandomKey& key, T* y, int64_t n, int64_t low, int64_t high) {
  const auto range = static_cast<uint64_t>(high - low);
  for_blocks(key, n, 1, [&](int64_t at, const uint32_t* w, int64_t m) {
    for (int64_t i = 0; i < m; ++i) y[at + i] = static_cast<T>(low + static_cast<int64_t>(range * w[i] >> 32));
  });
}

template <class T>
void normals(const RandomKey& key, T* y, int64_t n, T mean, T stddev) {
  for_blocks(key, n, 1, [&](int64_t at, const uint32_t* w, int64_t m) {
    float z[kWords];
    for (int64_t i = 0; i < m; i += 2) normal_pair(w[i], w[i | 1], z + i, z + (i | 1));
    for (int64_t i = 0; i < m; ++i) y[at + i] = mean + stddev * static_cast<T>(z[i]);
  });
}

template <class T>
void truncated_normals(const RandomKey& key, T* y, int64_t n, T mean, T stddev) {
  constexpr int64_t kPart = 1024;
  parallel_for((n + kPart - 1) / kPart, [&](int64_t task) {
    for (int64_t e = task * kPart, end = std::min(n, e + kPart); e < end; ++e) {
      float z[4];
      int64_t chosen = -1;
      for (uint32_t attempt = 0; chosen < 0;
           ++attempt) {  // four candidates at a time; one in a million needs a second draw
        const auto at = static_cast<uint64_t>(e);
        const auto w = philox4x32({static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32) | attempt << 16,
                                   static_cast<uint32_t>(key.step), static_cast<uint32_t>(key.stream)},
                                  key.seed);
        normal_pair(w[0], w[1], z, z + 1);
        normal_pair(w[2], w[3], z + 2, z + 3);
        for (int64_t i = 4; i-- > 0;)
          if (z[i] > -2.f && z[i] < 2.f) chosen = i;
      }
      y[e] = mean + stddev * static_cast<T>(z[chosen]);
    }
  });
}

}  // namespace

void random_uniform(Elem t, const RandomKey& key, void* y, int64_t n, double low, double high) {
  switch (t) {
    case Elem::f32:
      return uniform_floats(key, static_cast<float*>(y), n, low, high);
    case Elem::f64:
      return uniform_floats(key, static_cast<double*>(y), n, low, high);
    case Elem::i32:
      return uniform_integers(key, static_cast<int32_t*>(y), n, static_cast<int64_t>(low),
                              static_cast<int64_t>(high));
    case Elem::i64:
      return uniform_integers(key, static_cast<int64_t*>(y), n, static_cast<int64_t>(low),
                              static_cast<int64_t>(high));
    default:
      GLIA_ASSERT(false, "random_uniform: type");
  }
}
void random_normal(Elem t, const RandomKey& key, void* y, int64_t n, double mean, double stddev) {
  GLIA_ASSERT(t == Elem::f32 || t == Elem::f64, "random_normal: type");
  if (t == Elem::f32)
    normals(key, static_cast<float*>(y), n, static_cast<float>(mean), static_cast<float>(stddev));
  else
    normals(key, static_cast<double*>(y), n, mean, stddev);
}
void random_truncated_normal(Elem t, const RandomKey& key, void* y, int64_t n, double mean, double stddev) {
  GLIA_ASSERT(t == Elem::f32 || t == Elem::f64, "random_truncated_normal: type");
  if (t == Elem::f32)
    truncated_normals(key, static_cast<float*>(y), n, static_cast<float>(mean), static_cast<float>(stddev));
  else
    truncated_normals(key, static_cast<double*>(y), n, mean, stddev);
}

}  // namespace glia::cpu
