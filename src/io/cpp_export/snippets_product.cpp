// Products of generated headers: matrices, convolutions, transposed convolutions. One register tile serves all.
#include "io/cpp_export/snippets.h"

namespace glia::io::cpp_export {

std::vector<Snippet> product_snippets() {
  return {
      {"vector", {}, R"CPP(
// A register of floats.
#if defined(__AVX512F__)
constexpr int kLanes = 16, kRows = 8;
#elif defined(__AVX__)
constexpr int kLanes = 8, kRows = 6;
#elif defined(__aarch64__)
constexpr int kLanes = 4, kRows = 4;
#else
constexpr int kLanes = 4, kRows = 2;
#endif
constexpr int kPanel = 16;                     // columns that weights are packed by
constexpr int kVectors = kPanel / kLanes;
#if defined(__GNUC__)
typedef float Vec __attribute__((vector_size(4 * kLanes)));
typedef float Loose __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
inline Vec load(const float* p) { return *reinterpret_cast<const Loose*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<Loose*>(p) = v; }
inline Vec positive(Vec v) { return v < Vec{} ? Vec{} : v; }
#else
struct Vec { float v[kLanes]; };
inline Vec load(const float* p) { Vec r; for (int i = 0; i < kLanes; ++i) r.v[i] = p[i]; return r; }
inline void store(float* p, Vec a) { for (int i = 0; i < kLanes; ++i) p[i] = a.v[i]; }
inline Vec operator*(float s, Vec a) { for (int i = 0; i < kLanes; ++i) a.v[i] *= s; return a; }
inline Vec operator*(Vec b, Vec a) { for (int i = 0; i < kLanes; ++i) a.v[i] *= b.v[i]; return a; }
inline Vec& operator+=(Vec& a, Vec b) { for (int i = 0; i < kLanes; ++i) a.v[i] += b.v[i]; return a; }
inline Vec positive(Vec a) { for (int i = 0; i < kLanes; ++i) a.v[i] = a.v[i] < 0 ? 0 : a.v[i]; return a; }
#endif
)CPP"},
      {"dot", {"vector"}, R"CPP(
inline float dot(const float* a, const float* b, std::int64_t n) {
  Vec s{}, t{};
  std::int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    s += load(a + i) * load(b + i);
    t += load(a + i + kLanes) * load(b + i + kLanes);
  }
  s += t;
  float lanes[kLanes], sum = 0;
  store(lanes, s);
  for (int k = 0; k < kLanes; ++k) sum += lanes[k];
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}
inline void axpy(float s, const float* a, float* y, std::int64_t n) {  // y += s a
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Vec v = load(y + i);
    v += s * load(a + i);
    store(y + i, v);
  }
  for (; i < n; ++i) y[i] += s * a[i];
}
)CPP"},
      {"tile", {"vector"}, R"CPP(
// The weights of a product: panels of 16 columns, [panel][row][16], and a bias padded to whole panels (or null).
struct Packed {
  const float* w;
  const float* bias;
  std::int64_t rows, columns;
};
// Where the inputs of a row lie: `taps` runs of `run` floats, each at an offset.
struct Taps {
  const std::int64_t* offset;
  std::int64_t count, run;
};

// R rows, a_step apart, times P panels; all of it stays in registers.
template <int R, int P>
inline void tile(const float* a, std::int64_t a_step, Taps taps, const Packed& b, std::int64_t panel, float* out,
                 std::int64_t out_step, bool relu) {
  const std::int64_t panel_size = b.rows * kPanel;
  const float* w = b.w + panel * panel_size;
  Vec acc[R][P * kVectors];
  for (int j = 0; j < P * kVectors; ++j) {
    const Vec start = b.bias ? load(b.bias + panel * kPanel + j * kLanes) : Vec{};
    for (int r = 0; r < R; ++r) acc[r][j] = start;
  }
  for (std::int64_t t = 0; t < taps.count; ++t) {
    const float* at = a + taps.offset[t];
    for (std::int64_t i = 0; i < taps.run; ++i, w += kPanel)
      for (int p = 0; p < P; ++p)
        for (int j = 0; j < kVectors; ++j) {
          const Vec column = load(w + p * panel_size + j * kLanes);
          for (int r = 0; r < R; ++r) acc[r][p * kVectors + j] += at[r * a_step + i] * column;
        }
  }
  for (int r = 0; r < R; ++r)
    for (int p = 0; p < P; ++p) {
      const std::int64_t first = (panel + p) * kPanel, left = b.columns - first;
      float* to = out + r * out_step + first;
      float part[kPanel];
      float* target = left >= kPanel ? to : part;
      for (int j = 0; j < kVectors; ++j) {
        const Vec v = acc[r][p * kVectors + j];
        store(target + j * kLanes, relu ? positive(v) : v);
      }
      if (left < kPanel)
        for (std::int64_t i = 0; i < left; ++i) to[i] = part[i];
    }
}

// Rows of inputs times all panels.
inline void rows_times(const float* a, std::int64_t a_step, std::int64_t n, Taps taps, const Packed& b,
                       std::int64_t panel, float* out, std::int64_t out_step, bool relu) {
  std::int64_t i = 0;
  for (; i + kRows <= n; i += kRows) tile<kRows, 1>(a + i * a_step, a_step, taps, b, panel, out + i * out_step, out_step, relu);
  for (; i < n; ++i) tile<1, 1>(a + i * a_step, a_step, taps, b, panel, out + i * out_step, out_step, relu);
}
)CPP"},
      {"dense", {"tile"}, R"CPP(
// out (m, columns) = a (m, rows) w + bias
inline void dense(const float* a, std::int64_t m, const Packed& b, float* out, bool relu = false) {
  static const std::int64_t zero = 0;
  const Taps taps{&zero, 1, b.rows};
  const std::int64_t panels = (b.columns + kPanel - 1) / kPanel;
  std::int64_t p = 0;
  if (m < kRows)  // few rows: four panels at a time keep the registers busy
    for (; p + 4 <= panels; p += 4)
      for (std::int64_t i = 0; i < m; ++i) tile<1, 4>(a + i * b.rows, 0, taps, b, p, out + i * b.columns, 0, relu);
  for (; p < panels; ++p) rows_times(a, b.rows, m, taps, b, p, out, b.columns, relu);
}
)CPP"},
      {"matmul", {"dot"}, R"CPP(
// out (m, n) = a (m, k) b (k, n), or b (n, k) transposed. A transposed a has steps (1, m).
inline void matmul(const float* a, std::int64_t a_row, std::int64_t a_column, const float* b, bool b_transposed,
                   std::int64_t m, std::int64_t n, std::int64_t k, float* out) {
  for (std::int64_t i = 0; i < m; ++i) {
    float* y = out + i * n;
    if (b_transposed && a_column == 1) {
      for (std::int64_t j = 0; j < n; ++j) y[j] = dot(a + i * a_row, b + j * k, k);
    } else if (b_transposed) {
      for (std::int64_t j = 0; j < n; ++j) {
        float s = 0;
        for (std::int64_t l = 0; l < k; ++l) s += a[i * a_row + l * a_column] * b[j * k + l];
        y[j] = s;
      }
    } else {
      for (std::int64_t j = 0; j < n; ++j) y[j] = 0;
      for (std::int64_t l = 0; l < k; ++l) axpy(a[i * a_row + l * a_column], b + l * n, y, n);
    }
  }
}
)CPP"},
      {"finish", {}, R"CPP(
// Adds a bias along the last axis and a residual; either may be null.
inline void add_bias_and_residual(float* x, std::int64_t rows, std::int64_t n, const float* bias, const float* residual) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < n; ++j) x[i * n + j] += (bias ? bias[j] : 0) + (residual ? residual[i * n + j] : 0);
}
)CPP"},
      {"window", {}, R"CPP(
// Extents of a convolution or pooling; unused leading axes are 1.
struct Window {
  std::int64_t batch, in[3], channels, out[3], filters, size[3], stride[3], pad[3], dilation[3];
};
)CPP"},
      {"pad_window", {"window"}, R"CPP(
// Copies (batch, in..., channels) into a larger array of zeros, so that no window leaves it.
inline void pad_input(const float* x, std::int64_t batch, const std::int64_t (&in)[3], const std::int64_t (&before)[3],
                      const std::int64_t (&full)[3], std::int64_t channels, float* out) {
  std::fill(out, out + batch * full[0] * full[1] * full[2] * channels, 0.0f);
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t d = 0; d < in[0]; ++d)
      for (std::int64_t h = 0; h < in[1]; ++h) {
        const std::int64_t from = ((b * in[0] + d) * in[1] + h) * in[2];
        const std::int64_t to = ((b * full[0] + d + before[0]) * full[1] + h + before[1]) * full[2] + before[2];
        std::memcpy(out + to * channels, x + from * channels, sizeof(float) * in[2] * channels);
      }
}
)CPP"},
      {"conv", {"tile", "window"}, R"CPP(
// Convolution without padding; the channels from `first_channel` on, filters to `first_filter` on (groups).
inline void conv(const Window& s, const float* x, Taps taps, const Packed& b, float* out, bool relu = false,
                 std::int64_t first_channel = 0, std::int64_t first_filter = 0) {
  for (std::int64_t p = 0; p * kPanel < b.columns; ++p)
    for (std::int64_t n = 0; n < s.batch; ++n)
      for (std::int64_t d = 0; d < s.out[0]; ++d)
        for (std::int64_t h = 0; h < s.out[1]; ++h) {
          const std::int64_t from = ((n * s.in[0] + d * s.stride[0]) * s.in[1] + h * s.stride[1]) * s.in[2];
          const std::int64_t to = ((n * s.out[0] + d) * s.out[1] + h) * s.out[2];
          rows_times(x + from * s.channels + first_channel, s.stride[2] * s.channels, s.out[2], taps, b, p,
                     out + to * s.filters + first_filter, s.filters, relu);
        }
}
)CPP"},
      {"depthwise", {"vector", "window"}, R"CPP(
// One filter per channel; w is (taps, channels).
inline void depthwise(const Window& s, const float* x, const std::int64_t* offset, std::int64_t taps, const float* w,
                      const float* bias, float* out, bool relu = false) {
  for (std::int64_t n = 0; n < s.batch; ++n)
    for (std::int64_t d = 0; d < s.out[0]; ++d)
      for (std::int64_t h = 0; h < s.out[1]; ++h)
        for (std::int64_t v = 0; v < s.out[2]; ++v, out += s.channels) {
          const float* at = x + (((n * s.in[0] + d * s.stride[0]) * s.in[1] + h * s.stride[1]) * s.in[2] + v * s.stride[2]) * s.channels;
          std::int64_t c = 0;
          for (; c + kLanes <= s.channels; c += kLanes) {
            Vec acc = bias ? load(bias + c) : Vec{};
            for (std::int64_t t = 0; t < taps; ++t) acc += load(at + offset[t] + c) * load(w + t * s.channels + c);
            store(out + c, relu ? positive(acc) : acc);
          }
          for (; c < s.channels; ++c) {
            float acc = bias ? bias[c] : 0;
            for (std::int64_t t = 0; t < taps; ++t) acc += at[offset[t] + c] * w[t * s.channels + c];
            out[c] = relu && acc < 0 ? 0 : acc;
          }
        }
}
)CPP"},
      {"conv_transpose", {"dense", "window"}, R"CPP(
// Transposed convolution: every pixel of x (batch, s.out..., filters) times b (filters, taps * channels) is added where
// the taps point to in out (batch, s.in..., channels). `work` holds one row of products.
inline void conv_transpose(const Window& s, const float* x, std::int64_t group, std::int64_t groups, const Packed& b,
                           float* work, float* packed_row, float* out) {
  const std::int64_t filters = s.filters / groups, channels = s.channels / groups;
  for (std::int64_t n = 0; n < s.batch; ++n)
    for (std::int64_t d = 0; d < s.out[0]; ++d)
      for (std::int64_t h = 0; h < s.out[1]; ++h) {
        const float* row = x + ((n * s.out[0] + d) * s.out[1] + h) * s.out[2] * s.filters;
        if (groups > 1) {
          for (std::int64_t v = 0; v < s.out[2]; ++v)
            std::memcpy(packed_row + v * filters, row + v * s.filters + group * filters, sizeof(float) * filters);
          row = packed_row;
        }
        dense(row, s.out[2], b, work);
        const float* product = work;
        for (std::int64_t v = 0; v < s.out[2]; ++v)
          for (std::int64_t k = 0; k < s.size[0]; ++k)
            for (std::int64_t i = 0; i < s.size[1]; ++i)
              for (std::int64_t j = 0; j < s.size[2]; ++j, product += channels) {
                const std::int64_t z = d * s.stride[0] + k * s.dilation[0] - s.pad[0];
                const std::int64_t y = h * s.stride[1] + i * s.dilation[1] - s.pad[1];
                const std::int64_t u = v * s.stride[2] + j * s.dilation[2] - s.pad[2];
                if (z < 0 || z >= s.in[0] || y < 0 || y >= s.in[1] || u < 0 || u >= s.in[2]) continue;
                float* to = out + (((n * s.in[0] + z) * s.in[1] + y) * s.in[2] + u) * s.channels + group * channels;
                for (std::int64_t c = 0; c < channels; ++c) to[c] += product[c];
              }
      }
}
)CPP"},
  };
}

}  // namespace glia::io::cpp_export
