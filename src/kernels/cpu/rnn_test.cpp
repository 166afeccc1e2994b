// Recurrent kernels: f64 against a naive step function and finite differences, f32 of every instruction set against
// f64, guarded buffers, threads.
#include "kernels/cpu/rnn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <type_traits>

#include "kernels/cpu/kernel_test.h"

namespace glia::cpu {
namespace {

enum class Cell { lstm, gru, gru_reset_before, simple };

struct Case {
  Cell cell = Cell::lstm;
  int64_t batch = 2, steps = 3, input = 4, units = 5;
  bool mask = false, zero_output = false, backwards = false, states = true, bias = true, last_only = false;
  bool time_major = false, dy = true;
  RnnShape shape() const { return {batch, steps, input, units}; }
  int64_t gates() const { return cell == Cell::lstm ? 4 : cell == Cell::simple ? 1 : 3; }
  int64_t bias_size() const { return cell == Cell::gru ? 6 * units : gates() * units; }
  int64_t saved() const { return cell == Cell::simple ? 1 : 4; }
  std::string name() const {
    static const char* cells[] = {"lstm", "gru", "gru_reset_before", "simple"};
    return std::string(cells[static_cast<int>(cell)]) + " B" + std::to_string(batch) + " T" + std::to_string(steps) +
           " I" + std::to_string(input) + " H" + std::to_string(units) + (mask ? " mask" : "") +
           (zero_output ? " zero" : "") + (backwards ? " back" : "") + (last_only ? " last" : "") +
           (time_major ? " tm" : "");
  }
};

template <class T>
using Array = GuardedArray<T>;

// Everything one call reads and writes. Same numbers for float and double.
template <class T>
struct Data {
  explicit Data(const Case& c)
      : x(c.batch * c.steps * c.input),
        w(c.input * c.gates() * c.units),
        u(c.units * c.gates() * c.units),
        b(c.bias_size()),
        h0(c.batch * c.units),
        c0(c.batch * c.units),
        dy(c.batch * (c.last_only ? 1 : c.steps) * c.units),
        dh(c.batch * c.units),
        dc(c.batch * c.units),
        mask(c.batch * c.steps),
        y(dy.size()),
        h(h0.size()),
        cell(h0.size()),
        gates(c.batch * c.steps * c.saved() * c.units),
        states(c.batch * (c.steps + 1) * c.units),
        cells(states.size()),
        dx(x.size()),
        dw(w.size()),
        du(u.size()),
        db(b.size()),
        dh0(h0.size()),
        dc0(h0.size()) {
    Lcg rng{7};
    const auto fill = [&](Array<T>& a, float scale) {
      for (int64_t i = 0; i < a.size(); ++i) a[i] = rng.uniform() * scale;
    };
    fill(x, 1), fill(w, 0.7f), fill(u, 0.7f), fill(b, 0.5f), fill(h0, 0.8f), fill(c0, 0.8f), fill(dy, 1), fill(dh, 1),
        fill(dc, 1);
    for (int64_t i = 0; i < mask.size(); ++i) mask[i] = rng.next() % 3 != 0;
    if (c.batch > 1)
      for (int64_t t = 0; t < c.steps; ++t) mask[c.steps + t] = 0;  // one row masked throughout
  }
  Array<T> x, w, u, b, h0, c0, dy, dh, dc;
  Array<uint8_t> mask;
  Array<T> y, h, cell, gates, states, cells, dx, dw, du, db, dh0, dc0;
};

template <class T, class P>
RnnSequence<P> sequence(const Case& c, P* p, int64_t features) {
  if (c.time_major) return {p, features, c.batch * features};
  return {p, c.steps * features, features};
}

template <class T, class Args>
void common(const Case& c, Data<T>& d, Args& a) {
  a.shape = c.shape();
  a.x = sequence<T, const T>(c, d.x.data(), c.input);
  a.kernel = d.w.data();
  a.recurrent = d.u.data();
  if (c.mask) a.mask = {{d.mask.data(), c.steps, 1}, c.zero_output};
  a.go_backwards = c.backwards;
}

template <class T, class Args>
void forward_args(const Case& c, Data<T>& d, Args& a, void* ws) {
  common(c, d, a);
  if (c.bias) a.bias = d.b.data();
  if (c.states) a.h0 = d.h0.data();
  a.y = c.last_only ? RnnSequence<T>{d.y.data(), c.units, 0} : sequence<T, T>(c, d.y.data(), c.units);
  a.h_last = d.h.data();
  a.workspace = ws;
}

template <class T>
void forward(const Case& c, Data<T>& d, bool training) {
  const auto size = [&] {
    return c.cell == Cell::lstm     ? lstm_workspace(c.shape())
           : c.cell == Cell::simple ? simple_rnn_workspace(c.shape())
                                    : gru_workspace(c.shape());
  }();
  Array<double> space(static_cast<int64_t>((size + 127) / 64 * 8));
  void* ws =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(space.data() + space.size()) - size) & ~uintptr_t{63});
  constexpr bool is_float = std::is_same_v<T, float>;
  if (c.cell == Cell::lstm) {
    LstmForward<T> a;
    forward_args(c, d, a, ws);
    if (c.states) a.c0 = d.c0.data();
    a.c_last = d.cell.data();
    if (training) a.gates = d.gates.data(), a.states = d.states.data(), a.cells = d.cells.data();
    if constexpr (is_float)
      GLIA_ISA_SELECT(lstm_forward_f32)(a);
    else
      lstm_forward_f64(a);
  } else if (c.cell == Cell::simple) {
    SimpleRnnForward<T> a;
    forward_args(c, d, a, ws);
    if (training) a.states = d.states.data();
    if constexpr (is_float)
      GLIA_ISA_SELECT(simple_rnn_forward_f32)(a);
    else
      simple_rnn_forward_f64(a);
  } else {
    GruForward<T> a;
    forward_args(c, d, a, ws);
    a.reset_after = c.cell == Cell::gru;
    if (training) a.gates = d.gates.data(), a.states = d.states.data();
    if constexpr (is_float)
      GLIA_ISA_SELECT(gru_forward_f32)(a);
    else
      gru_forward_f64(a);
  }
}

template <class T, class Args>
void backward_args(const Case& c, Data<T>& d, Args& a, void* ws) {
  common(c, d, a);
  a.states = d.states.data();
  if (c.dy)
    a.dy =
        c.last_only ? RnnSequence<const T>{d.dy.data(), c.units, 0} : sequence<T, const T>(c, d.dy.data(), c.units);
  a.dy_last_only = c.last_only;
  if (c.states) a.dh_last = d.dh.data();
  a.dx = sequence<T, T>(c, d.dx.data(), c.input);
  a.dkernel = d.dw.data();
  a.drecurrent = d.du.data();
  a.dbias = d.db.data();
  a.dh0 = d.dh0.data();
  a.workspace = ws;
}

template <class T>
void backward(const Case& c, Data<T>& d) {
  const auto size = [&] {
    return c.cell == Cell::lstm     ? lstm_backward_workspace(c.shape())
           : c.cell == Cell::simple ? simple_rnn_backward_workspace(c.shape())
                                    : gru_backward_workspace(c.shape());
  }();
  Array<double> space(static_cast<int64_t>((size + 127) / 64 * 8));
  void* ws =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(space.data() + space.size()) - size) & ~uintptr_t{63});
  constexpr bool is_float = std::is_same_v<T, float>;
  if (c.cell == Cell::lstm) {
    LstmBackward<T> a;
    backward_args(c, d, a, ws);
    a.gates = d.gates.data(), a.cells = d.cells.data();
    if (c.states) a.dc_last = d.dc.data();
    a.dc0 = d.dc0.data();
    if constexpr (is_float)
      GLIA_ISA_SELECT(lstm_backward_f32)(a);
    else
      lstm_backward_f64(a);
  } else if (c.cell == Cell::simple) {
    SimpleRnnBackward<T> a;
    backward_args(c, d, a, ws);
    if constexpr (is_float)
      GLIA_ISA_SELECT(simple_rnn_backward_f32)(a);
    else
      simple_rnn_backward_f64(a);
  } else {
    GruBackward<T> a;
    backward_args(c, d, a, ws);
    a.gates = d.gates.data();
    a.reset_after = c.cell == Cell::gru;
    if constexpr (is_float)
      GLIA_ISA_SELECT(gru_backward_f32)(a);
    else
      gru_backward_f64(a);
  }
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// One step of one row, written down from the Keras documentation; h and c are updated.
void naive_step(const Case& c, Data<double>& d, const double* x, std::vector<double>& h, std::vector<double>& cell) {
  const int64_t n = c.units, g = c.gates() * n;
  const auto dot = [&](const std::vector<double>& v, int64_t col, bool with_x, bool with_h, bool with_b) {
    double s = with_b && c.bias ? d.b[col] : 0;
    for (int64_t i = 0; with_x && i < c.input; ++i) s += x[i] * d.w[i * g + col];
    for (int64_t i = 0; with_h && i < n; ++i) s += v[i] * d.u[i * g + col];
    return s;
  };
  std::vector<double> out(n), rh(n);
  const double second = c.cell == Cell::gru && c.bias ? 1 : 0;
  const auto bias2 = [&](int64_t col) { return second != 0 ? d.b[g + col] : 0.0; };
  for (int64_t u = 0; u < n; ++u)
    rh[u] = logistic(dot(h, (c.gates() > 1 ? n : 0) + u, true, true, true) + bias2(n + u)) * h[u];
  for (int64_t u = 0; u < n; ++u) {
    if (c.cell == Cell::simple) out[u] = std::tanh(dot(h, u, true, true, true));
    if (c.cell == Cell::lstm) {
      const double i = logistic(dot(h, u, true, true, true)), f = logistic(dot(h, n + u, true, true, true));
      cell[u] = f * cell[u] + i * std::tanh(dot(h, 2 * n + u, true, true, true));
      out[u] = logistic(dot(h, 3 * n + u, true, true, true)) * std::tanh(cell[u]);
    }
    if (c.cell == Cell::gru || c.cell == Cell::gru_reset_before) {
      const double z = logistic(dot(h, u, true, true, true) + bias2(u));
      const double r = logistic(dot(h, n + u, true, true, true) + bias2(n + u));
      const double xh = dot(h, 2 * n + u, true, false, true);
      const double hh = c.cell == Cell::gru
                            ? std::tanh(xh + r * (dot(h, 2 * n + u, false, true, false) + bias2(2 * n + u)))
                            : std::tanh(xh + dot(rh, 2 * n + u, false, true, false));
      out[u] = z * h[u] + (1 - z) * hh;
    }
  }
  h = out;
}

void expect_naive(const Case& c, Data<double>& d) {
  for (int64_t b = 0; b < c.batch; ++b) {
    std::vector<double> h(c.units), cell(c.units), last(c.units);
    for (int64_t u = 0; c.states && u < c.units; ++u) h[u] = d.h0[b * c.units + u], cell[u] = d.c0[b * c.units + u];
    for (int64_t s = 0; s < c.steps; ++s) {
      const int64_t t = c.backwards ? c.steps - 1 - s : s;
      if (!c.mask || d.mask[b * c.steps + t]) {
        naive_step(c, d, d.x.data() + (c.time_major ? t * c.batch + b : b * c.steps + t) * c.input, h, cell);
        last = h;
      } else if (c.zero_output) {
        last.assign(c.units, 0);
      }
      if (c.last_only && s < c.steps - 1) continue;
      const int64_t row = c.last_only ? b : c.time_major ? s * c.batch + b : b * c.steps + s;
      for (int64_t u = 0; u < c.units; ++u)
        ASSERT_NEAR(d.y[row * c.units + u], last[u], 1e-12) << "b " << b << " s " << s;
    }
    for (int64_t u = 0; u < c.units; ++u) {
      ASSERT_NEAR(d.h[b * c.units + u], h[u], 1e-12);
      if (c.cell == Cell::lstm) {
        ASSERT_NEAR(d.cell[b * c.units + u], cell[u], 1e-12);
      }
    }
  }
}

double loss(const Case& c, Data<double>& d) {
  double sum = 0;
  forward(c, d, false);
  for (int64_t i = 0; c.dy && i < d.y.size(); ++i) sum += d.y[i] * d.dy[i];
  for (int64_t i = 0; c.states && i < d.h.size(); ++i)
    sum += d.h[i] * d.dh[i] + (c.cell == Cell::lstm ? d.cell[i] * d.dc[i] : 0);
  return sum;
}

// The derivative along a random direction of each argument.
void expect_gradients(const Case& c, Data<double>& d) {
  struct Pair {
    const char* name;
    Array<double>*value, *grad;
  };
  std::vector<Pair> pairs{{"x", &d.x, &d.dx}, {"kernel", &d.w, &d.dw}, {"recurrent", &d.u, &d.du}};
  if (c.bias) pairs.push_back({"bias", &d.b, &d.db});
  if (c.states) pairs.push_back({"h0", &d.h0, &d.dh0});
  if (c.states && c.cell == Cell::lstm) pairs.push_back({"c0", &d.c0, &d.dc0});
  for (auto& p : pairs) {
    Lcg rng{99};
    std::vector<double> dir(p.value->size());
    double want = 0;
    for (size_t i = 0; i < dir.size(); ++i) dir[i] = rng.uniform(), want += dir[i] * (*p.grad)[i];
    const std::vector<double> keep = p.value->copy();
    const auto at = [&](double e) {
      for (size_t i = 0; i < dir.size(); ++i) (*p.value)[i] = keep[i] + e * dir[i];
      return loss(c, d);
    };
    const double e = 1e-5, got = (at(e) - at(-e)) / (2 * e);
    at(0);
    EXPECT_NEAR(got, want, 1e-6 * (1 + std::fabs(want))) << p.name;
  }
}

std::vector<Case> variants(Cell cell) {
  std::vector<Case> all;
  for (auto [b, t, i, h] : {std::array<int64_t, 4>{1, 4, 3, 5},
                            {2, 3, 1, 16},
                            {3, 5, 7, 8},
                            {5, 4, 6, 17},
                            {4, 1, 2, 1},
                            {33, 3, 5, 33},
                            {7, 2, 20, 70}}) {
    Case c{.cell = cell, .batch = b, .steps = t, .input = i, .units = h};
    all.push_back(c);
    c.mask = true;
    all.push_back(c);
    c.zero_output = c.backwards = true;
    all.push_back(c);
    c.mask = false;
    c.states = c.bias = false;
    all.push_back(c);
    c.mask = c.time_major = true;
    c.zero_output = false;
    all.push_back(c);
    c = {.cell = cell, .batch = b, .steps = t, .input = i, .units = h, .mask = true, .last_only = true};
    all.push_back(c);
    c.zero_output = c.backwards = true;
    all.push_back(c);
  }
  all.push_back({.cell = cell, .dy = false});
  return all;
}

// Within the rounding of sums over `terms` values.
void expect_close(const char* what, const Array<float>& got, const Array<double>& want, int64_t terms) {
  double scale = 1;
  for (int64_t i = 0; i < want.size(); ++i) scale = std::max(scale, std::fabs(want[i]));
  const double tolerance = 4e-6 * scale * std::max(1., terms / 50.);
  for (int64_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], tolerance) << what << " [" << i << "]";
}

class Rnn : public ::testing::TestWithParam<Cell> {};

TEST_P(Rnn, F64MatchesNaiveStepsAndFiniteDifferences) {
  for (const Case& c : variants(GetParam())) {
    SCOPED_TRACE(c.name());
    Data<double> d(c);
    forward(c, d, false);
    expect_naive(c, d);
    forward(c, d, true);
    expect_naive(c, d);
    backward(c, d);
    if (c.batch * c.units < 400) expect_gradients(c, d);
  }
}

// Sums of weight gradients in several parts, and weights too large for sums by blocks of rows.
std::vector<Case> variants_with_large_sums(Cell cell) {
  std::vector<Case> all = variants(cell);
  all.push_back({.cell = cell, .batch = 33, .steps = 60, .input = 5, .units = 9, .mask = true, .backwards = true});
  all.push_back({.cell = cell, .batch = 6, .steps = 2, .input = 3, .units = cell == Cell::simple ? 1500 : 620});
  return all;
}

TEST_P(Rnn, F32MatchesF64OnEveryIsa) {
  for (const Case& c : variants_with_large_sums(GetParam())) {
    SCOPED_TRACE(c.name());
    Data<double> want(c);
    forward(c, want, true);
    backward(c, want);
    for_each_isa([&] {
      Data<float> got(c);
      forward(c, got, false);
      expect_close("y (inference)", got.y, want.y, c.units);
      forward(c, got, true);
      backward(c, got);
      expect_close("y", got.y, want.y, c.units);
      expect_close("h", got.h, want.h, c.units);
      expect_close("dx", got.dx, want.dx, c.units);
      expect_close("dkernel", got.dw, want.dw, c.units);
      expect_close("drecurrent", got.du, want.du, c.units);
      expect_close("dbias", got.db, want.db, c.units);
      expect_close("dh0", got.dh0, want.dh0, c.units);
      if (c.cell != Cell::lstm) return;
      expect_close("c", got.cell, want.cell, c.units);
      expect_close("dc0", got.dc0, want.dc0, c.units);
    });
  }
}

TEST_P(Rnn, SameBitsForAnyNumberOfThreads) {
  for (Case c :
       {Case{.batch = 1, .steps = 30}, Case{.batch = 37, .steps = 6, .input = 20, .units = 40, .mask = true}}) {
    c.cell = GetParam();
    SCOPED_TRACE(c.name());
    Data<float> d(c);
    const int64_t size = d.y.size() + d.dx.size() + d.dw.size() + d.du.size() + d.db.size();
    expect_same_for_any_threads<float>(size, [&](float* out) {
      forward(c, d, true);
      backward(c, d);
      for (Array<float>* a : {&d.y, &d.dx, &d.dw, &d.du, &d.db})
        out = std::copy(a->data(), a->data() + a->size(), out);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, Rnn, ::testing::Values(Cell::lstm, Cell::gru, Cell::gru_reset_before, Cell::simple));

}  // namespace
}  // namespace glia::cpu
