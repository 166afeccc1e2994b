// The recurrent kernels in f64: plain loops over batch rows, for gradient checks and as the reference of the f32
// kernels. The gradients are explained in lstm_back.isa.cpp and gru_back.isa.cpp.
#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "kernels/cpu/rnn.h"

namespace glia::cpu {
namespace {

double sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

template <class T>
T* at(const RnnSequence<T>& s, int64_t b, int64_t t) {
  return s.data + b * s.batch_stride + t * s.step_stride;
}

// What differs between the cells is hidden behind these few helpers; `time` maps a processing step to its input step.
template <class Args>
int64_t time_of(const Args& a, int64_t s) {
  return a.go_backwards ? a.shape.steps - 1 - s : s;
}
template <class Args>
bool masked(const Args& a, int64_t b, int64_t s) {
  return a.mask.at.data && !*at(a.mask.at, b, time_of(a, s));
}

// out[j] += sum over i of v[i] * m[i, j0 + j], rows ld apart
void add_product(const double* v, int64_t k, const double* m, int64_t ld, int64_t n, double* out) {
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = 0; j < n; ++j) out[j] += v[i] * m[i * ld + j];
  }
}
// out[i] += sum over j of v[j] * m[i, j]
void add_product_transposed(const double* v, int64_t n, const double* m, int64_t ld, int64_t k, double* out) {
  for (int64_t i = 0; i < k; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) sum += v[j] * m[i * ld + j];
    out[i] += sum;
  }
}

template <class Args>
void write_output(const Args& a, int64_t b, int64_t s, bool is_masked, const double* h) {
  if (!a.y.data) return;
  double* y = at(a.y, b, s);
  const int64_t n = a.shape.units;
  if (!is_masked)
    std::copy(h, h + n, y);
  else if (s == 0 || a.mask.zero_output)
    std::fill(y, y + n, 0.0);
  else if (a.y.step_stride != 0)
    std::copy(at(a.y, b, s - 1), at(a.y, b, s - 1) + n, y);
}

void start_state(const double* from, int64_t b, int64_t n, double* to) {
  if (from)
    std::copy(from + b * n, from + (b + 1) * n, to);
  else
    std::fill(to, to + n, 0.0);
}
void save_row(const double* from, int64_t n, double* to) {
  if (to) std::copy(from, from + n, to);
}

// Loss gradient of the output of step s joins dh; dout carries what masked steps repeat.
template <class Args>
void add_output_gradient(const Args& a, int64_t b, int64_t s, double* to) {
  if (!a.dy.data || (a.dy_last_only && s != a.shape.steps - 1)) return;
  const double* dy = a.dy_last_only ? a.dy.data + b * a.dy.batch_stride : at(a.dy, b, s);
  for (int64_t u = 0; u < a.shape.units; ++u) to[u] += dy[u];
}

// grad[i, j] = sum over (s, b) of left(s, b)[i] * d(s, b)[j]
template <class Left, class D>
void sum_outer(const RnnShape& sh, int64_t k, int64_t n, int64_t ld, double* grad, Left left, D d) {
  parallel_for(k, [&](int64_t i) {
    std::fill(grad + i * ld, grad + i * ld + n, 0.0);
    for (int64_t s = 0; s < sh.steps; ++s) {
      for (int64_t b = 0; b < sh.batch; ++b) {
        const double v = left(s, b)[i];
        const double* g = d(s, b);
        for (int64_t j = 0; j < n; ++j) grad[i * ld + j] += v * g[j];
      }
    }
  });
}
template <class D>
void sum_rows(const RnnShape& sh, int64_t n, double* grad, D d) {
  std::fill(grad, grad + n, 0.0);
  for (int64_t s = 0; s < sh.steps; ++s) {
    for (int64_t b = 0; b < sh.batch; ++b) {
      for (int64_t j = 0; j < n; ++j) grad[j] += d(s, b)[j];
    }
  }
}

}  // namespace

void lstm_forward_f64(const LstmForward<double>& a) {
  const int64_t n = a.shape.units, batch = a.shape.batch, in = a.shape.input;
  parallel_for(batch, [&](int64_t b) {
    double* h = static_cast<double*>(a.workspace) + b * 8 * n;
    double *c = h + n, *z = h + 2 * n;
    start_state(a.h0, b, n, h);
    start_state(a.c0, b, n, c);
    if (a.gates) save_row(h, n, a.states + b * n), save_row(c, n, a.cells + b * n);
    for (int64_t s = 0; s < a.shape.steps; ++s) {
      const bool skip = masked(a, b, s);
      if (!skip) {
        for (int64_t j = 0; j < 4 * n; ++j) z[j] = a.bias ? a.bias[j] : 0;
        add_product(at(a.x, b, time_of(a, s)), in, a.kernel, 4 * n, 4 * n, z);
        add_product(h, n, a.recurrent, 4 * n, 4 * n, z);
        for (int64_t u = 0; u < n; ++u) {
          double &i = z[u], &f = z[n + u], &g = z[2 * n + u], &o = z[3 * n + u];
          i = sigmoid(i), f = sigmoid(f), g = std::tanh(g), o = sigmoid(o);
          c[u] = f * c[u] + i * g;
          h[u] = o * std::tanh(c[u]);
        }
      }
      write_output(a, b, s, skip, h);
      if (!a.gates) continue;
      if (skip) std::fill(z, z + 4 * n, 0.0);  // a masked step has no gates
      save_row(z, 4 * n, a.gates + (s * batch + b) * 4 * n);
      save_row(h, n, a.states + ((s + 1) * batch + b) * n);
      save_row(c, n, a.cells + ((s + 1) * batch + b) * n);
    }
    save_row(h, n, a.h_last ? a.h_last + b * n : nullptr);
    save_row(c, n, a.c_last ? a.c_last + b * n : nullptr);
  });
}

void lstm_backward_f64(const LstmBackward<double>& a) {
  const int64_t n = a.shape.units, batch = a.shape.batch, in = a.shape.input;
  double* ws = static_cast<double*>(a.workspace);
  double* da_all = ws + batch * 8 * n;
  const auto da_at = [&](int64_t s, int64_t b) { return da_all + (s * batch + b) * 4 * n; };
  parallel_for(batch, [&](int64_t b) {
    double* dh = ws + b * 8 * n;
    double *dc = dh + n, *dout = dh + 2 * n;
    start_state(a.dh_last, b, n, dh);
    start_state(a.dc_last, b, n, dc);
    std::fill(dout, dout + n, 0.0);
    for (int64_t s = a.shape.steps - 1; s >= 0; --s) {
      double* da = da_at(s, b);
      const bool skip = masked(a, b, s);
      if (!skip || !a.mask.zero_output) add_output_gradient(a, b, s, dout);
      if (skip) {
        std::fill(da, da + 4 * n, 0.0);
      } else {
        const double *g4 = a.gates + (s * batch + b) * 4 * n, *c = a.cells + ((s + 1) * batch + b) * n,
                     *c_prev = c - batch * n;
        for (int64_t u = 0; u < n; ++u) {
          const double i = g4[u], f = g4[n + u], g = g4[2 * n + u], o = g4[3 * n + u], tc = std::tanh(c[u]);
          const double h = dh[u] + dout[u], cell = dc[u] + h * o * (1 - tc * tc);
          dout[u] = dh[u] = 0;
          da[u] = cell * g * i * (1 - i);
          da[n + u] = cell * c_prev[u] * f * (1 - f);
          da[2 * n + u] = cell * i * (1 - g * g);
          da[3 * n + u] = h * tc * o * (1 - o);
          dc[u] = cell * f;
        }
        add_product_transposed(da, 4 * n, a.recurrent, 4 * n, n, dh);
      }
      if (!a.dx.data) continue;
      double* dx = at(a.dx, b, time_of(a, s));
      std::fill(dx, dx + in, 0.0);
      add_product_transposed(da, 4 * n, a.kernel, 4 * n, in, dx);
    }
    save_row(dh, n, a.dh0 ? a.dh0 + b * n : nullptr);
    save_row(dc, n, a.dc0 ? a.dc0 + b * n : nullptr);
  });
  const auto x_at = [&](int64_t s, int64_t b) { return at(a.x, b, time_of(a, s)); };
  const auto h_at = [&](int64_t s, int64_t b) { return a.states + (s * batch + b) * n; };
  if (a.dkernel) sum_outer(a.shape, in, 4 * n, 4 * n, a.dkernel, x_at, da_at);
  if (a.drecurrent) sum_outer(a.shape, n, 4 * n, 4 * n, a.drecurrent, h_at, da_at);
  if (a.dbias) sum_rows(a.shape, 4 * n, a.dbias, da_at);
}

void gru_forward_f64(const GruForward<double>& a) {
  const int64_t n = a.shape.units, batch = a.shape.batch, in = a.shape.input;
  parallel_for(batch, [&](int64_t b) {
    double* h = static_cast<double*>(a.workspace) + b * 8 * n;
    double *z = h + n, *rec = h + 4 * n;  // input sums z, r, h; recurrent sums z, r, h (then r * h)
    start_state(a.h0, b, n, h);
    if (a.gates) save_row(h, n, a.states + b * n);
    for (int64_t s = 0; s < a.shape.steps; ++s) {
      const bool skip = masked(a, b, s);
      if (!skip) {
        for (int64_t j = 0; j < 3 * n; ++j) z[j] = a.bias ? a.bias[j] : 0;
        for (int64_t j = 0; j < 3 * n; ++j) rec[j] = a.bias && a.reset_after ? a.bias[3 * n + j] : 0;
        add_product(at(a.x, b, time_of(a, s)), in, a.kernel, 3 * n, 3 * n, z);
        add_product(h, n, a.recurrent, 3 * n, a.reset_after ? 3 * n : 2 * n, rec);
        for (int64_t j = 0; j < 2 * n; ++j) z[j] = sigmoid(z[j] + rec[j]);
        double *r = z + n, *hh = z + 2 * n, *rh = rec + 2 * n;
        if (a.reset_after) {
          for (int64_t u = 0; u < n; ++u) hh[u] += r[u] * rh[u];
        } else {
          for (int64_t u = 0; u < n; ++u) rh[u] = r[u] * h[u];
          add_product(rh, n, a.recurrent + 2 * n, 3 * n, n, hh);
        }
        for (int64_t u = 0; u < n; ++u) {
          hh[u] = std::tanh(hh[u]);
          h[u] = z[u] * h[u] + (1 - z[u]) * hh[u];
        }
      }
      write_output(a, b, s, skip, h);
      if (!a.gates) continue;
      double* to = a.gates + (s * batch + b) * 4 * n;
      if (skip) std::fill(z, rec + 3 * n, 0.0);  // a masked step has no gates
      save_row(z, 3 * n, to);
      save_row(rec + 2 * n, n, to + 3 * n);
      save_row(h, n, a.states + ((s + 1) * batch + b) * n);
    }
    save_row(h, n, a.h_last ? a.h_last + b * n : nullptr);
  });
}

namespace {

// da: z, r, candidate, and what reaches h @ U_h (reset_after). dh becomes the gradient of the previous state.
void gru_step_gradient(const GruBackward<double>& a, const double* g4, const double* h_prev, double* dout, double* dh,
                       double* drh, double* da) {
  const int64_t n = a.shape.units;
  for (int64_t u = 0; u < n; ++u) {
    const double z = g4[u], hh = g4[2 * n + u], h = dh[u] + dout[u];
    dout[u] = 0;
    da[u] = h * (h_prev[u] - hh) * z * (1 - z);
    da[2 * n + u] = h * (1 - z) * (1 - hh * hh);
    dh[u] = h * z;
  }
  if (!a.reset_after) {
    std::fill(drh, drh + n, 0.0);
    add_product_transposed(da + 2 * n, n, a.recurrent + 2 * n, 3 * n, n, drh);
  }
  for (int64_t u = 0; u < n; ++u) {
    const double r = g4[n + u], dr = a.reset_after ? da[2 * n + u] * g4[3 * n + u] : drh[u] * h_prev[u];
    da[n + u] = dr * r * (1 - r);
    da[3 * n + u] = a.reset_after ? da[2 * n + u] * r : 0;
    if (!a.reset_after) dh[u] += drh[u] * r;
  }
  add_product_transposed(da, 2 * n, a.recurrent, 3 * n, n, dh);
  if (a.reset_after) add_product_transposed(da + 3 * n, n, a.recurrent + 2 * n, 3 * n, n, dh);
}

}  // namespace

void gru_backward_f64(const GruBackward<double>& a) {
  const int64_t n = a.shape.units, batch = a.shape.batch, in = a.shape.input;
  double* ws = static_cast<double*>(a.workspace);
  double* da_all = ws + batch * 8 * n;
  const auto da_at = [&](int64_t s, int64_t b) { return da_all + (s * batch + b) * 4 * n; };
  parallel_for(batch, [&](int64_t b) {
    double* dh = ws + b * 8 * n;
    double *dout = dh + n, *drh = dh + 2 * n;
    start_state(a.dh_last, b, n, dh);
    std::fill(dout, dout + n, 0.0);
    for (int64_t s = a.shape.steps - 1; s >= 0; --s) {
      double* da = da_at(s, b);
      const bool skip = masked(a, b, s);
      if (!skip || !a.mask.zero_output) add_output_gradient(a, b, s, dout);
      if (skip)
        std::fill(da, da + 4 * n, 0.0);
      else
        gru_step_gradient(a, a.gates + (s * batch + b) * 4 * n, a.states + (s * batch + b) * n, dout, dh, drh, da);
      if (!a.dx.data) continue;
      double* dx = at(a.dx, b, time_of(a, s));
      std::fill(dx, dx + in, 0.0);
      add_product_transposed(da, 3 * n, a.kernel, 3 * n, in, dx);
    }
    save_row(dh, n, a.dh0 ? a.dh0 + b * n : nullptr);
  });
  const auto x_at = [&](int64_t s, int64_t b) { return at(a.x, b, time_of(a, s)); };
  const auto h_at = [&](int64_t s, int64_t b) { return a.states + (s * batch + b) * n; };
  const auto rh_at = [&](int64_t s, int64_t b) { return a.gates + (s * batch + b) * 4 * n + 3 * n; };
  const auto cand_at = [&](int64_t s, int64_t b) { return da_at(s, b) + 2 * n; };
  const auto rec_at = [&](int64_t s, int64_t b) { return da_at(s, b) + 3 * n; };
  if (a.dkernel) sum_outer(a.shape, in, 3 * n, 3 * n, a.dkernel, x_at, da_at);
  if (a.drecurrent) {
    sum_outer(a.shape, n, 2 * n, 3 * n, a.drecurrent, h_at, da_at);
    if (a.reset_after)
      sum_outer(a.shape, n, n, 3 * n, a.drecurrent + 2 * n, h_at, rec_at);
    else
      sum_outer(a.shape, n, n, 3 * n, a.drecurrent + 2 * n, rh_at, cand_at);
  }
  if (!a.dbias) return;
  sum_rows(a.shape, 3 * n, a.dbias, da_at);
  if (!a.reset_after) return;
  sum_rows(a.shape, 2 * n, a.dbias + 3 * n, da_at);
  sum_rows(a.shape, n, a.dbias + 5 * n, rec_at);
}

void simple_rnn_forward_f64(const SimpleRnnForward<double>& a) {
  const int64_t n = a.shape.units, batch = a.shape.batch, in = a.shape.input;
  parallel_for(batch, [&](int64_t b) {
    double* h = static_cast<double*>(a.workspace) + b * 8 * n;
    double* z = h + n;
    start_state(a.h0, b, n, h);
    if (a.states) save_row(h, n, a.states + b * n);
    for (int64_t s = 0; s < a.shape.steps; ++s) {
      const bool skip = masked(a, b, s);
      if (!skip) {
        for (int64_t j = 0; j < n; ++j) z[j] = a.bias ? a.bias[j] : 0;
        add_product(at(a.x, b, time_of(a, s)), in, a.kernel, n, n, z);
        add_product(h, n, a.recurrent, n, n, z);
        for (int64_t u = 0; u < n; ++u) h[u] = std::tanh(z[u]);
      }
      write_output(a, b, s, skip, h);
      if (a.states) save_row(h, n, a.states + ((s + 1) * batch + b) * n);
    }
    save_row(h, n, a.h_last ? a.h_last + b * n : nullptr);
  });
}

void simple_rnn_backward_f64(const SimpleRnnBackward<double>& a) {
  const int64_t n = a.shape.units, batch = a.shape.batch, in = a.shape.input;
  double* ws = static_cast<double*>(a.workspace);
  double* da_all = ws + batch * 8 * n;
  const auto da_at = [&](int64_t s, int64_t b) { return da_all + (s * batch + b) * n; };
  parallel_for(batch, [&](int64_t b) {
    double* dh = ws + b * 8 * n;
    double* dout = dh + n;
    start_state(a.dh_last, b, n, dh);
    std::fill(dout, dout + n, 0.0);
    for (int64_t s = a.shape.steps - 1; s >= 0; --s) {
      double* da = da_at(s, b);
      const bool skip = masked(a, b, s);
      if (!skip || !a.mask.zero_output) add_output_gradient(a, b, s, dout);
      if (skip) {
        std::fill(da, da + n, 0.0);
      } else {
        const double* h = a.states + ((s + 1) * batch + b) * n;
        for (int64_t u = 0; u < n; ++u) {
          da[u] = (dh[u] + dout[u]) * (1 - h[u] * h[u]);
          dh[u] = dout[u] = 0;
        }
        add_product_transposed(da, n, a.recurrent, n, n, dh);
      }
      if (!a.dx.data) continue;
      double* dx = at(a.dx, b, time_of(a, s));
      std::fill(dx, dx + in, 0.0);
      add_product_transposed(da, n, a.kernel, n, in, dx);
    }
    save_row(dh, n, a.dh0 ? a.dh0 + b * n : nullptr);
  });
  const auto x_at = [&](int64_t s, int64_t b) { return at(a.x, b, time_of(a, s)); };
  const auto h_at = [&](int64_t s, int64_t b) { return a.states + (s * batch + b) * n; };
  if (a.dkernel) sum_outer(a.shape, in, n, n, a.dkernel, x_at, da_at);
  if (a.drecurrent) sum_outer(a.shape, n, n, n, a.drecurrent, h_at, da_at);
  if (a.dbias) sum_rows(a.shape, n, a.dbias, da_at);
}

}  // namespace glia::cpu
