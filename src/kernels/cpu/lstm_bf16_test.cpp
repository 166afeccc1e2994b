// The bfloat16 LSTM against the double one on the same (rounded) numbers: within what the rounding of the state, the gate
// gradients and the results gives. Guarded buffers, masks, directions, odd batches, sums by blocks and over all rows.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "kernels/cpu/kernel_test.h"
#include "kernels/cpu/rnn.h"

namespace glia::cpu {
namespace {

uint16_t half(float f) { return static_cast<uint16_t>((std::bit_cast<uint32_t>(f) + 0x8000) >> 16); }
double wide(uint16_t b) { return std::bit_cast<float>(static_cast<uint32_t>(b) << 16); }

struct Case {
  int64_t batch, steps, input, units;
  bool mask = false, zero_output = false, backwards = false, states = true, last_only = false;
  RnnShape shape() const { return {batch, steps, input, units}; }
};

// The same numbers as doubles and as bfloat16.
struct Pair {
  GuardedArray<double> d;
  GuardedArray<uint16_t> h;
  explicit Pair(int64_t n) : d(n), h(n) {}
  Pair(int64_t n, Lcg& rng, float scale) : Pair(n) {
    for (int64_t i = 0; i < n; ++i) {
      h[i] = half(rng.uniform() * scale);
      d[i] = wide(h[i]);
    }
  }
  void expect_close(const char* what, double share) {
    double scale = 0.05;
    for (int64_t i = 0; i < d.size(); ++i) scale = std::max(scale, std::fabs(d[i]));
    for (int64_t i = 0; i < d.size(); ++i) ASSERT_NEAR(wide(h[i]), d[i], share * scale) << what << " [" << i << "]";
  }
};

struct Data {
  Case c;
  Lcg rng{11};
  int64_t bh = c.batch * c.units, g = 4 * c.units;
  Pair x{c.batch * c.steps * c.input, rng, 1}, w{c.input * g, rng, 0.6f}, u{c.units * g, rng, 0.4f}, b{g, rng, 0.5f};
  Pair h0{bh, rng, 0.8f}, c0{bh, rng, 0.8f}, dh{bh, rng, 1}, dc{bh, rng, 1};
  Pair dy{c.last_only ? bh : bh * c.steps, rng, 1};
  Pair y{dy.d.size()}, h{bh}, cell{bh}, dx{x.d.size()}, dw{w.d.size()}, du{u.d.size()}, db{g}, dh0{bh}, dc0{bh};
  GuardedArray<uint8_t> mask{c.batch * c.steps};
  GuardedArray<double> gates_d{bh * 4 * c.steps}, states_d{bh * (c.steps + 1)}, cells_d{bh * (c.steps + 1)};
  GuardedArray<float> gates{bh * 4 * c.steps}, states{bh * (c.steps + 1)}, cells{bh * (c.steps + 1)};

  explicit Data(const Case& of) : c(of) {
    for (int64_t i = 0; i < mask.size(); ++i) mask[i] = i < c.steps ? 0 : i % 3 != 1;
  }
  template <class T>
  auto& of(Pair& p) {
    if constexpr (std::is_same_v<T, double>) return p.d;
    else return p.h;
  }
  template <class T, class Args>
  void common(Args& a) {
    a.shape = c.shape();
    a.x = {of<T>(x).data(), c.steps * c.input, c.input};
    a.kernel = of<T>(w).data(), a.recurrent = of<T>(u).data();
    if (c.mask) a.mask = {{mask.data(), c.steps, 1}, c.zero_output};
    a.go_backwards = c.backwards;
  }
  template <class T, class S>
  void forward(GuardedArray<S>& gs, GuardedArray<S>& ss, GuardedArray<S>& cs, bool training, void* ws) {
    LstmForward<T, S> a;
    common<T>(a);
    a.bias = of<T>(b).data();
    if (c.states) a.h0 = of<T>(h0).data(), a.c0 = of<T>(c0).data();
    a.y = {of<T>(y).data(), c.last_only ? c.units : c.steps * c.units, c.last_only ? 0 : c.units};
    a.h_last = of<T>(h).data(), a.c_last = of<T>(cell).data();
    if (training) a.gates = gs.data(), a.states = ss.data(), a.cells = cs.data();
    a.workspace = ws;
    if constexpr (std::is_same_v<T, double>) lstm_forward_f64(a);
    else lstm_forward_bf16(a);
  }
  template <class T, class S>
  void backward(GuardedArray<S>& gs, GuardedArray<S>& ss, GuardedArray<S>& cs, void* ws) {
    LstmBackward<T, S> a;
    common<T>(a);
    a.gates = gs.data(), a.states = ss.data(), a.cells = cs.data();
    a.dy = {of<T>(dy).data(), c.last_only ? c.units : c.steps * c.units, c.units};
    a.dy_last_only = c.last_only;
    if (c.states) a.dh_last = of<T>(dh).data(), a.dc_last = of<T>(dc).data();
    a.dx = {of<T>(dx).data(), c.steps * c.input, c.input};
    a.dkernel = of<T>(dw).data(), a.drecurrent = of<T>(du).data(), a.dbias = of<T>(db).data();
    a.dh0 = of<T>(dh0).data(), a.dc0 = of<T>(dc0).data();
    a.workspace = ws;
    if constexpr (std::is_same_v<T, double>) lstm_backward_f64(a);
    else lstm_backward_bf16(a);
  }
};

struct Space {  // guarded, on a cache line
  GuardedArray<double> memory;
  void* at;
  explicit Space(size_t bytes) : memory(static_cast<int64_t>((bytes + 127) / 64 * 8)) {
    const auto end = reinterpret_cast<uintptr_t>(memory.data() + memory.size());
    at = reinterpret_cast<void*>((end - bytes) & ~uintptr_t{63});
  }
};

void run_half(Data& d) {
  const RnnShape s = d.c.shape();
  Space forward(lstm_bf16_workspace(s)), backward(lstm_backward_bf16_workspace(s));
  d.forward<uint16_t>(d.gates, d.states, d.cells, true, forward.at);
  d.backward<uint16_t>(d.gates, d.states, d.cells, backward.at);
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (auto [b, t, i, h] : {std::array<int64_t, 4>{1, 4, 4, 6}, {2, 3, 2, 16}, {3, 5, 6, 8}, {33, 3, 6, 34}, {7, 2, 20, 70}}) {
    Case c{b, t, i, h};
    all.push_back(c);
    c.mask = true;
    all.push_back(c);
    c.zero_output = c.backwards = true;
    all.push_back(c);
    c.mask = c.states = false;
    c.last_only = true;
    all.push_back(c);
    c.mask = true;
    c.zero_output = false;
    all.push_back(c);
  }
  all.push_back({33, 60, 6, 10, true, false, true});
  all.push_back({6, 2, 4, 620});
  return all;
}

TEST(LstmBf16, MatchesDouble) {
  if (!lstm_bf16_supported({2, 2, 2, 2})) GTEST_SKIP() << "no AVX512-BF16 here";
  for (const Case& c : cases()) {
    SCOPED_TRACE(fmt::format("B{} T{} I{} H{}{}{}{}{}", c.batch, c.steps, c.input, c.units, c.mask ? " mask" : "",
                             c.zero_output ? " zero" : "", c.backwards ? " back" : "", c.last_only ? " last" : ""));
    ASSERT_TRUE(lstm_bf16_supported(c.shape()));
    Data d(c);
    Space f64(std::max(lstm_workspace(c.shape()), lstm_backward_workspace(c.shape())));
    d.forward<double>(d.gates_d, d.states_d, d.cells_d, true, f64.at);
    d.backward<double>(d.gates_d, d.states_d, d.cells_d, f64.at);
    Space space(lstm_bf16_workspace(c.shape()));
    d.forward<uint16_t>(d.gates, d.states, d.cells, false, space.at);
    d.y.expect_close("y (inference)", 0.01);
    run_half(d);
    d.y.expect_close("y", 0.01);
    d.h.expect_close("h", 0.01);
    d.cell.expect_close("c", 0.01);
    d.dx.expect_close("dx", 0.02);
    d.dw.expect_close("dkernel", 0.02);
    d.du.expect_close("drecurrent", 0.02);
    d.db.expect_close("dbias", 0.02);
    d.dh0.expect_close("dh0", 0.02);
    d.dc0.expect_close("dc0", 0.02);
    if (HasFatalFailure()) return;
  }
}

TEST(LstmBf16, SameBitsForAnyNumberOfThreads) {
  if (!lstm_bf16_supported({2, 2, 2, 2})) GTEST_SKIP() << "no AVX512-BF16 here";
  for (const Case& c : {Case{1, 30, 4, 6}, Case{37, 6, 20, 40, true}, Case{6, 2, 4, 620}}) {
    Data d(c);
    const int64_t size = d.y.h.size() + d.dx.h.size() + d.dw.h.size() + d.du.h.size() + d.db.h.size();
    expect_same_for_any_threads<uint16_t>(size, [&](uint16_t* out) {
      run_half(d);
      for (Pair* p : {&d.y, &d.dx, &d.dw, &d.du, &d.db}) out = std::copy(p->h.data(), p->h.data() + p->h.size(), out);
    });
  }
}

}  // namespace
}  // namespace glia::cpu
