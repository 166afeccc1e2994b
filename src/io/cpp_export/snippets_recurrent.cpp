// Recurrent layers of generated headers. The products of all steps with the kernel are one product; the states stay in
// `work`, which the caller sizes.
#include "io/cpp_export/snippets.h"

namespace glia::io::cpp_export {

std::vector<Snippet> recurrent_snippets() {
  return {
      {"rnn", {"dense", "sigmoid", "tanh"}, R"CPP(
struct Rnn {
  std::int64_t batch, steps, features, units;
  bool sequences, backwards, zero_masked;
};
// Runs step(t, h) over the sequence; it computes the next state in place. Masked steps keep state and output.
template <class Keep, class Step>
inline void run_steps(const Rnn& s, const unsigned char* mask, float* h, float* y, float* last_y, Keep keep, Step step) {
  const std::int64_t n = s.batch * s.units;
  std::fill(last_y, last_y + n, 0.0f);
  for (std::int64_t i = 0; i < s.steps; ++i) {
    const std::int64_t t = s.backwards ? s.steps - 1 - i : i;
    keep();
    step(t);
    for (std::int64_t b = 0; b < s.batch; ++b) {
      const bool used = !mask || mask[b * s.steps + t];
      float* out = last_y + b * s.units;
      if (used) std::copy(h + b * s.units, h + (b + 1) * s.units, out);
      else if (s.zero_masked) std::fill(out, out + s.units, 0.0f);
      if (s.sequences) std::copy(out, out + s.units, y + (b * s.steps + i) * s.units);
    }
  }
  if (!s.sequences) std::copy(last_y, last_y + n, y);
}
// Rows whose step is masked get their old state back.
inline void restore_masked(const Rnn& s, const unsigned char* mask, std::int64_t t, const float* old, float* state) {
  for (std::int64_t b = 0; mask && b < s.batch; ++b)
    if (!mask[b * s.steps + t]) std::copy(old + b * s.units, old + (b + 1) * s.units, state + b * s.units);
}
inline void start_state(const float* initial, std::int64_t n, float* state) {
  for (std::int64_t i = 0; i < n; ++i) state[i] = initial ? initial[i] : 0.0f;
}
)CPP"},
      {"lstm", {"rnn"}, R"CPP(
inline void lstm(const Rnn& s, const float* x, const Packed& kernel, const Packed& recurrent, const float* h0, const float* c0,
                 const unsigned char* mask, float* work, float* y, float* h, float* c) {
  const std::int64_t n = s.batch * s.units, u = s.units;
  float *xw = work, *hw = xw + n * 4 * s.steps, *old_h = hw + 4 * n, *old_c = old_h + n, *last_y = old_c + n;
  dense(x, s.batch * s.steps, kernel, xw);
  start_state(h0, n, h);
  start_state(c0, n, c);
  const auto keep = [&] { if (mask) std::copy(h, h + n, old_h), std::copy(c, c + n, old_c); };
  run_steps(s, mask, h, y, last_y, keep, [&](std::int64_t t) {
    dense(h, s.batch, recurrent, hw);
    for (std::int64_t b = 0; b < s.batch; ++b) {
      const float* __restrict a = xw + (b * s.steps + t) * 4 * u;
      const float* __restrict r = hw + b * 4 * u;
      float *__restrict hb = h + b * u, *__restrict cb = c + b * u;
      for (std::int64_t j = 0; j < u; ++j) {
        const float i = sigmoid(a[j] + r[j]), f = sigmoid(a[u + j] + r[u + j]);
        const float g = tanh(a[2 * u + j] + r[2 * u + j]), o = sigmoid(a[3 * u + j] + r[3 * u + j]);
        cb[j] = f * cb[j] + i * g;
        hb[j] = o * tanh(cb[j]);
      }
    }
    restore_masked(s, mask, t, old_h, h);
    restore_masked(s, mask, t, old_c, c);
  });
}
)CPP"},
      {"gru", {"rnn"}, R"CPP(
// reset_after: `recurrent` has all three gates and its own bias; else z and r, and `candidate` is the part of the third.
inline void gru(const Rnn& s, const float* x, const Packed& kernel, const Packed& recurrent, const Packed* candidate,
                const float* h0, const unsigned char* mask, float* work, float* y, float* h) {
  const std::int64_t n = s.batch * s.units, u = s.units, columns = recurrent.columns;
  float *xw = work, *hw = xw + n * 3 * s.steps, *old_h = hw + 3 * n, *last_y = old_h + n, *reset = last_y + n, *part = reset + n;
  dense(x, s.batch * s.steps, kernel, xw);
  start_state(h0, n, h);
  run_steps(s, mask, h, y, last_y, [&] { std::copy(h, h + n, old_h); }, [&](std::int64_t t) {
    dense(h, s.batch, recurrent, hw);
    if (candidate) {
      for (std::int64_t b = 0; b < s.batch; ++b)
        for (std::int64_t j = 0; j < u; ++j)
          reset[b * u + j] = sigmoid(xw[(b * s.steps + t) * 3 * u + u + j] + hw[b * columns + u + j]) * h[b * u + j];
      dense(reset, s.batch, *candidate, part);
    }
    for (std::int64_t b = 0; b < s.batch; ++b) {
      const float* a = xw + (b * s.steps + t) * 3 * u;
      const float* r = hw + b * columns;
      float* hb = h + b * u;
      for (std::int64_t j = 0; j < u; ++j) {
        const float z = sigmoid(a[j] + r[j]);
        const float inner = candidate ? part[b * u + j] : sigmoid(a[u + j] + r[u + j]) * r[2 * u + j];
        hb[j] = z * hb[j] + (1.0f - z) * tanh(a[2 * u + j] + inner);
      }
    }
    restore_masked(s, mask, t, old_h, h);
  });
}
)CPP"},
      {"simple_rnn", {"rnn"}, R"CPP(
inline void simple_rnn(const Rnn& s, const float* x, const Packed& kernel, const Packed& recurrent, const float* h0,
                       const unsigned char* mask, float* work, float* y, float* h) {
  const std::int64_t n = s.batch * s.units;
  float *xw = work, *hw = xw + n * s.steps, *old_h = hw + n, *last_y = old_h + n;
  dense(x, s.batch * s.steps, kernel, xw);
  start_state(h0, n, h);
  run_steps(s, mask, h, y, last_y, [&] { std::copy(h, h + n, old_h); }, [&](std::int64_t t) {
    dense(h, s.batch, recurrent, hw);
    for (std::int64_t b = 0; b < s.batch; ++b)
      for (std::int64_t j = 0; j < s.units; ++j) h[b * s.units + j] = tanh(xw[(b * s.steps + t) * s.units + j] + hw[b * s.units + j]);
    restore_masked(s, mask, t, old_h, h);
  });
}
)CPP"},
  };
}

}  // namespace glia::io::cpp_export
