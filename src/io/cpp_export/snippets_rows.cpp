// Pooling, softmax, normalisation, lookup and attention of generated headers.
#include "io/cpp_export/snippets.h"

namespace glia::io::cpp_export {

std::vector<Snippet> window_snippets() {
  return {
      {"pool", {"window"}, R"CPP(
// Largest cell or mean of the cells of each window that lie inside.
template <bool kMax>
inline void pool(const Window& s, const float* x, float* out) {
  for (std::int64_t n = 0; n < s.batch; ++n)
    for (std::int64_t d = 0; d < s.out[0]; ++d)
      for (std::int64_t h = 0; h < s.out[1]; ++h)
        for (std::int64_t v = 0; v < s.out[2]; ++v, out += s.channels) {
          const std::int64_t at[3] = {d, h, v};
          std::int64_t first[3], last[3], cells = 1;
          for (int i = 0; i < 3; ++i) {
            const std::int64_t begin = at[i] * s.stride[i] - s.pad[i], end = begin + s.size[i];
            first[i] = begin < 0 ? 0 : begin;
            last[i] = end > s.in[i] ? s.in[i] : end;
            cells *= last[i] - first[i];
          }
          for (std::int64_t c = 0; c < s.channels; ++c) out[c] = kMax ? -std::numeric_limits<float>::infinity() : 0.0f;
          for (std::int64_t z = first[0]; z < last[0]; ++z)
            for (std::int64_t y = first[1]; y < last[1]; ++y)
              for (std::int64_t u = first[2]; u < last[2]; ++u) {
                const float* __restrict from = x + (((n * s.in[0] + z) * s.in[1] + y) * s.in[2] + u) * s.channels;
                float* __restrict to = out;
                for (std::int64_t c = 0; c < s.channels; ++c) to[c] = kMax ? (to[c] > from[c] ? to[c] : from[c]) : to[c] + from[c];
              }
          if (!kMax)
            for (std::int64_t c = 0; c < s.channels; ++c) out[c] /= static_cast<float>(cells);
        }
}
)CPP"},
  };
}

std::vector<Snippet> row_snippets() {
  return {
      {"softmax", {"exp"}, R"CPP(
// Over the middle axis of (outer, n, inner).
template <bool kLog>
inline void softmax(const float* x, std::int64_t outer, std::int64_t n, std::int64_t inner, float* out) {
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t k = 0; k < inner; ++k) {
      const float* a = x + o * n * inner + k;
      float* y = out + o * n * inner + k;
      float largest = a[0], sum = 0;
      for (std::int64_t i = 1; i < n; ++i) largest = a[i * inner] > largest ? a[i * inner] : largest;
      for (std::int64_t i = 0; i < n; ++i) y[i * inner] = exp(a[i * inner] - largest);
      for (std::int64_t i = 0; i < n; ++i) sum += y[i * inner];
      if (kLog) {
        const float shift = largest + std::log(sum);
        for (std::int64_t i = 0; i < n; ++i) y[i * inner] = a[i * inner] - shift;
      } else {
        const float factor = 1.0f / sum;
        for (std::int64_t i = 0; i < n; ++i) y[i * inner] *= factor;
      }
    }
}
)CPP"},
      {"layer_norm", {}, R"CPP(
// (x - mean) / sqrt(variance + epsilon) gamma + beta over rows of n; kRms: without the mean. gamma, beta may be null.
template <bool kRms>
inline void layer_norm(const float* x, std::int64_t rows, std::int64_t n, float epsilon, const float* gamma, const float* beta,
                       float* out) {
  for (std::int64_t r = 0; r < rows; ++r, x += n, out += n) {
    double mean = 0, square = 0;
    for (std::int64_t i = 0; i < n && !kRms; ++i) mean += x[i];
    mean /= static_cast<double>(n);
    for (std::int64_t i = 0; i < n; ++i) square += (x[i] - mean) * (x[i] - mean);
    const float scale = static_cast<float>(1 / std::sqrt(square / static_cast<double>(n) + epsilon)), shift = static_cast<float>(mean);
    for (std::int64_t i = 0; i < n; ++i) out[i] = (x[i] - shift) * scale * (gamma ? gamma[i] : 1.0f) + (beta ? beta[i] : 0.0f);
  }
}
)CPP"},
      {"take", {}, R"CPP(
// out (outer, count, inner) = x (outer, n, inner) picked along the middle axis by ids; negative ids count from the end.
template <class T, class I>
inline void take(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, const I* ids, std::int64_t count, T* out) {
  for (std::int64_t i = 0; i < count; ++i)
    if (ids[i] < -n || ids[i] >= n) throw std::out_of_range("an id is outside of the table");
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < count; ++i) {
      const T* from = x + (o * n + ids[i] + (ids[i] < 0 ? n : 0)) * inner;
      std::copy(from, from + inner, out + (o * count + i) * inner);
    }
}
)CPP"},
      {"argmax", {}, R"CPP(
// Index of the first largest (or smallest) element along the middle axis of (outer, n, inner).
template <bool kMax, class T>
inline void arg_extreme(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, std::int32_t* out) {
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t k = 0; k < inner; ++k) {
      const T* a = x + o * n * inner + k;
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < n; ++i)
        if (kMax ? a[i * inner] > a[best * inner] : a[i * inner] < a[best * inner]) best = i;
      out[o * inner + k] = static_cast<std::int32_t>(best);
    }
}
)CPP"},
      {"cumulative", {}, R"CPP(
// Running sum or product along the middle axis of (outer, n, inner).
template <bool product, class T>
inline void cumulative(const T* x, std::int64_t outer, std::int64_t n, std::int64_t inner, bool exclusive, bool reverse, T* out) {
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t k = 0; k < inner; ++k) {
      T so_far = product;
      for (std::int64_t j = 0; j < n; ++j) {
        const std::int64_t i = (o * n + (reverse ? n - 1 - j : j)) * inner + k;
        const T next = static_cast<T>(product ? so_far * x[i] : so_far + x[i]);
        out[i] = exclusive ? so_far : next;
        so_far = next;
      }
    }
}
)CPP"},
      {"attention", {"dot", "exp"}, R"CPP(
// softmax(scale query key^T + mask) value for query (batch, t, heads, size), key and value (batch, s, kv_heads, ...).
struct Attention {
  std::int64_t batch, t, s, heads, kv_heads, size, value_size, causal_offset, mask_step[4];
  float scale;
  bool causal;
};
inline float masked(float x, unsigned char keep) { return keep ? x : -1e9f; }
inline float masked(float x, float add) { return x + add; }
template <class M>
inline void attention(const Attention& a, const float* query, const float* key, const float* value, const M* mask, float* row,
                      float* out) {
  for (std::int64_t b = 0; b < a.batch; ++b)
    for (std::int64_t n = 0; n < a.heads; ++n) {
      const std::int64_t kv = n / (a.heads / a.kv_heads);
      for (std::int64_t t = 0; t < a.t; ++t) {
        const float* q = query + ((b * a.t + t) * a.heads + n) * a.size;
        float* y = out + ((b * a.t + t) * a.heads + n) * a.value_size;
        const std::int64_t seen = !a.causal ? a.s : std::max<std::int64_t>(0, std::min(a.s, t + a.causal_offset + 1));
        float largest = -std::numeric_limits<float>::infinity(), sum = 0;
        for (std::int64_t s = 0; s < seen; ++s) {
          row[s] = dot(q, key + ((b * a.s + s) * a.kv_heads + kv) * a.size, a.size) * a.scale;
          if (mask) row[s] = masked(row[s], mask[b * a.mask_step[0] + n * a.mask_step[1] + t * a.mask_step[2] + s * a.mask_step[3]]);
          largest = row[s] > largest ? row[s] : largest;
        }
        std::fill(y, y + a.value_size, 0.0f);
        if (!(largest > -std::numeric_limits<float>::infinity())) continue;
        for (std::int64_t s = 0; s < seen; ++s) row[s] = exp(row[s] - largest);
        for (std::int64_t s = 0; s < seen; ++s) sum += row[s];
        const float factor = 1.0f / sum;
        for (std::int64_t s = 0; s < seen; ++s) axpy(row[s] * factor, value + ((b * a.s + s) * a.kv_heads + kv) * a.value_size, y, a.value_size);
      }
    }
}
)CPP"},
  };
}

}  // namespace glia::io::cpp_export
