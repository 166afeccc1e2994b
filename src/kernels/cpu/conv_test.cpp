#include "kernels/cpu/conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>

#include "base/thread_pool.h"
#include "kernels/cpu/guarded_test.h"
#include "kernels/cpu/winograd.h"

namespace glia::cpu {
namespace {

int64_t valid_out(int64_t in, int64_t k, int64_t s, int64_t d, int64_t pad_both) {
  return std::max<int64_t>(0, (in + pad_both - (k - 1) * d - 1) / s + 1);
}

struct Case {
  const char* name;
  ConvShape s;
};

// out is filled in from pad (before) and `after`.
ConvShape shape(int64_t n, std::vector<int64_t> in, std::vector<int64_t> kernel, int64_t cin, int64_t cout,
                std::vector<int64_t> stride = {}, std::vector<int64_t> pad = {}, std::vector<int64_t> after = {},
                std::vector<int64_t> dilation = {}, int64_t groups = 1) {
  ConvShape s;
  s.batch = n;
  s.cin = cin;
  s.cout = cout;
  s.groups = groups;
  const size_t skip = 3 - in.size();
  for (size_t i = 0; i < in.size(); ++i) {
    s.in[skip + i] = in[i];
    s.kernel[skip + i] = kernel[i];
    if (!stride.empty()) s.stride[skip + i] = stride[i];
    if (!dilation.empty()) s.dilation[skip + i] = dilation[i];
    if (!pad.empty()) s.pad[skip + i] = pad[i];
    const int64_t both = (pad.empty() ? 0 : pad[i]) + (after.empty() ? (pad.empty() ? 0 : pad[i]) : after[i]);
    s.out[skip + i] = valid_out(in[i], kernel[i], s.stride[skip + i], s.dilation[skip + i], both);
  }
  return s;
}

std::vector<Case> cases() {
  return {
      {"mnist c1", shape(2, {28, 28}, {3, 3}, 1, 32)},
      {"mnist c2", shape(3, {13, 13}, {3, 3}, 32, 64)},
      {"same 3x3", shape(2, {9, 10}, {3, 3}, 16, 24, {}, {1, 1})},
      {"odd channels", shape(2, {7, 5}, {3, 2}, 7, 19, {}, {1, 0}, {1, 1})},
      {"one output channel", shape(1, {8, 8}, {3, 3}, 20, 1, {}, {1, 1})},
      {"three in, stride 2, 7x7", shape(2, {21, 23}, {7, 7}, 3, 10, {2, 2}, {3, 3})},
      {"1 channel same 5x5", shape(2, {11, 12}, {5, 5}, 1, 6, {}, {2, 2})},
      {"2 channels stride 2 pad 1", shape(2, {11, 12}, {3, 3}, 2, 40, {2, 2}, {0, 1}, {1, 1})},
      {"1x1", shape(2, {6, 7}, {1, 1}, 33, 70)},
      {"1x1 stride 2", shape(2, {7, 8}, {1, 1}, 16, 48, {2, 2})},
      {"stride 3 kernel 2", shape(2, {10, 11}, {2, 2}, 5, 9, {3, 3})},
      {"stride 2 kernel 4", shape(1, {10, 9}, {4, 4}, 8, 16, {2, 2}, {1, 1})},
      {"dilation 2", shape(2, {12, 11}, {3, 3}, 6, 18, {}, {2, 2}, {}, {2, 2})},
      {"dilation 2 stride 2", shape(2, {12, 13}, {3, 3}, 6, 18, {2, 2}, {2, 1}, {}, {2, 2})},
      {"dilation 3 stride 2", shape(1, {15, 14}, {3, 2}, 4, 5, {2, 2}, {1, 3}, {}, {3, 3})},
      {"dilation 2 few channels", shape(1, {15, 14}, {3, 3}, 2, 33, {1, 1}, {1, 3}, {}, {2, 2})},
      {"kernel wider than input", shape(2, {3, 3}, {5, 5}, 8, 12, {}, {2, 2})},
      {"pad more than kernel", shape(1, {4, 4}, {2, 2}, 3, 4, {}, {3, 3})},
      {"groups", shape(2, {8, 9}, {3, 3}, 12, 20, {}, {1, 1}, {}, {}, 4)},
      {"groups stride", shape(2, {8, 9}, {3, 3}, 64, 128, {2, 1}, {1, 1}, {}, {}, 2)},
      {"depthwise", shape(2, {8, 9}, {3, 3}, 20, 20, {}, {1, 1}, {}, {}, 20)},
      {"depthwise multiplier", shape(2, {8, 9}, {3, 3}, 6, 18, {2, 2}, {0, 0}, {1, 1}, {}, 6)},
      {"depthwise strided", shape(2, {11, 10}, {3, 3}, 40, 40, {2, 2}, {0, 1}, {1, 1}, {}, 40)},
      {"depthwise 5x7 dilated", shape(2, {14, 18}, {5, 7}, 18, 18, {}, {4, 3}, {}, {2, 1}, 18)},
      {"depthwise stride 2 dilation 2", shape(1, {14, 13}, {3, 4}, 9, 27, {2, 2}, {2, 3}, {}, {2, 2}, 9)},
      {"depthwise 3-D", shape(1, {5, 6, 7}, {3, 2, 3}, 5, 5, {1, 2, 1}, {1, 0, 1}, {}, {}, 5)},
      {"depthwise 1-D", shape(2, {100}, {9}, 33, 33, {}, {8}, {0}, {}, 33)},
      {"depthwise large", shape(4, {28, 28}, {3, 3}, 64, 64, {}, {1, 1}, {}, {}, 64)},
      {"narrow 1", shape(3, {10, 11}, {3, 3}, 32, 1, {}, {1, 1})},
      {"narrow 3 stride", shape(2, {13, 14}, {5, 4}, 21, 3, {2, 1}, {2, 1})},
      {"narrow 4 dilated", shape(1, {12, 9}, {3, 3}, 40, 4, {}, {2, 1}, {}, {2, 1})},
      {"narrow 2 in", shape(2, {9, 9}, {3, 3}, 2, 20, {2, 2}, {1, 1})},
      {"narrow groups", shape(2, {9, 9}, {3, 3}, 16, 6, {}, {1, 1}, {}, {}, 2)},
      {"1-D", shape(2, {50}, {5}, 12, 16, {2}, {2})},
      {"1-D long", shape(1, {3000}, {3}, 8, 8, {}, {1})},
      {"1-D causal dilated", shape(2, {40}, {3}, 10, 11, {}, {8}, {0}, {4})},
      {"3-D", shape(2, {5, 6, 7}, {3, 3, 3}, 4, 17, {}, {1, 1, 1})},
      {"3-D stride", shape(1, {7, 6, 9}, {2, 3, 3}, 5, 8, {2, 2, 2}, {0, 1, 1})},
      {"7x7 wide", shape(2, {7, 7}, {3, 3}, 64, 96, {}, {1, 1})},
      {"4x4 cout 65", shape(2, {4, 4}, {3, 3}, 18, 65, {}, {1, 1})},
      {"many images", shape(40, {6, 6}, {3, 3}, 16, 16)},
      {"tall", shape(1, {70, 30}, {3, 3}, 16, 32, {}, {1, 1})},
      {"large filter", shape(1, {3, 3}, {3, 3}, 160, 200, {}, {1, 1})},
      {"3x3 one row of tiles", shape(3, {2, 21}, {3, 3}, 17, 33, {}, {1, 1})},
      {"3x3 pad 2", shape(2, {6, 5}, {3, 3}, 40, 18, {}, {2, 2})},
      {"3x3 uneven padding", shape(1, {9, 8}, {3, 3}, 16, 130, {}, {0, 1}, {1, 0})},
      {"3x3 of 1 pixel", shape(4, {1, 1}, {3, 3}, 16, 16, {}, {1, 1})},
      {"3x3 many tiles", shape(9, {20, 22}, {3, 3}, 19, 70, {}, {1, 1})},
      {"3x3 512 channels", shape(1, {46, 23}, {3, 3}, 512, 40, {}, {1, 1})},
      {"one pixel", shape(5, {1, 1}, {1, 1}, 3, 2)},
      {"empty batch", shape(0, {5, 5}, {3, 3}, 3, 4)},
  };
}

std::vector<Isa> isas() {
  std::vector<Isa> all;
  for (Isa i : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512})
    if (i == Isa::scalar || (i <= best_isa() && (i == Isa::neon) == (best_isa() == Isa::neon))) all.push_back(i);
  return all;
}

struct RestoreSettings {
  Isa isa = current_isa();
  int threads = num_threads();
  ~RestoreSettings() {
    set_isa(isa);
    set_num_threads(threads);
  }
};

// want is exact; terms is the number of products in a sum. Sums grow with the root of it, and so does what each addition
// rounds off: in the end, of long sums, errors grow with the number itself.
void expect_close(const std::vector<double>& want, Guarded& got, int64_t terms, const std::string& what) {
  ASSERT_TRUE(got.intact()) << what << ": wrote outside its buffer";
  const double n = static_cast<double>(terms), tol = 1e-6 * (2 + std::sqrt(n) * 2) + 5e-8 * std::max(0.0, n - 2048);
  for (int64_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], tol) << what << " at " << i;
}

uint16_t to_bf16(float f) { return static_cast<uint16_t>(std::bit_cast<uint32_t>(f) >> 16); }  // towards zero
float from_bf16(uint16_t b) { return std::bit_cast<float>(static_cast<uint32_t>(b) << 16); }

struct Data {
  Guarded x, w, bias, res_y, res_x, dy;
  std::vector<double> y, dx, dw, db;
  explicit Data(const ConvShape& s, bool bf16 = false)
      : x(s.batch * s.in_pixels() * s.cin, 1),
        w(s.taps() * (s.cin / s.groups) * s.cout, 3),
        bias(std::max(s.cin, s.cout), 2),
        res_y(s.batch * s.out_pixels() * s.cout),
        res_x(x.size()),
        dy(res_y.size(), 5) {
    x.fill_random(1);
    w.fill_random(2);
    bias.fill_random(3);
    res_y.fill_random(4);
    res_x.fill_random(5);
    dy.fill_random(6);
    for (Guarded* g : {&x, &w, &res_y, &res_x, &dy})
      for (int64_t i = 0; bf16 && i < g->size(); ++i) (*g)[i] = from_bf16(to_bf16((*g)[i]));
    y.resize(dy.size());
    dx.resize(x.size());
    dw.resize(w.size());
    db.resize(s.cout);
    auto xd = x.doubles(), wd = w.doubles(), bd = bias.doubles(), dyd = dy.doubles();
    conv_forward_f64(s, xd.data(), wd.data(), nullptr, y.data());
    conv_backward_data_f64(s, dyd.data(), wd.data(), dx.data());
    conv_backward_filter_f64(s, xd.data(), dyd.data(), dw.data(), db.data());
  }
};

struct Results {
  Guarded y, y2, dx, dx2, dw, db;
};

Results run_all(const ConvShape& s, Data& d, bool winograd) {
  Results r{Guarded(d.dy.size(), 7), Guarded(d.dy.size()),   Guarded(d.x.size(), 3),
            Guarded(d.x.size()),     Guarded(d.w.size(), 1), Guarded(s.cout, 1)};
  auto floats = [](size_t bytes) { return Guarded(static_cast<int64_t>((bytes + 3) / 4)); };
  using Pass = WinogradPass;
  Guarded f = floats(winograd ? winograd_workspace(s, Pass::forward) : conv_forward_workspace(s)),
          b = floats(winograd ? winograd_workspace(s, Pass::data) : conv_backward_data_workspace(s)),
          w = floats(winograd ? winograd_workspace(s, Pass::filter) : conv_backward_filter_workspace(s));
  auto forward = winograd ? GLIA_ISA_SELECT(winograd_forward_f32) : GLIA_ISA_SELECT(conv_forward_f32);
  auto backward = winograd ? GLIA_ISA_SELECT(winograd_backward_data_f32) : GLIA_ISA_SELECT(conv_backward_data_f32);
  auto filter = winograd ? GLIA_ISA_SELECT(winograd_backward_filter_f32) : GLIA_ISA_SELECT(conv_backward_filter_f32);
  forward(s, {}, d.x.data(), d.w.data(), r.y.data(), f.data(), false);
  forward(s, {.act = Act::relu, .bias = d.bias.data(), .residual = d.res_y.data()}, d.x.data(), d.w.data(),
          r.y2.data(), f.data(), true);  // the weights are packed there
  backward(s, {}, d.dy.data(), d.w.data(), r.dx.data(), b.data(), false);
  backward(s, {.act = Act::relu, .bias = d.bias.data(), .residual = d.res_x.data()}, d.dy.data(), d.w.data(),
           r.dx2.data(), b.data(), true);
  filter(s, d.x.data(), d.dy.data(), r.dw.data(), r.db.data(), w.data());
  EXPECT_TRUE(f.intact() && b.intact() && w.intact()) << "a workspace is too small";
  return r;
}

// The ways that a shape has: direct, and Winograd's.
std::vector<bool> ways(const ConvShape& s) {
  return winograd_supported(s) ? std::vector<bool>{false, true} : std::vector<bool>{false};
}

std::vector<double> with_epilogue(std::vector<double> v, Guarded& bias, Guarded& residual, int64_t channels) {
  for (size_t i = 0; i < v.size(); ++i)
    v[i] = std::max(0.0, v[i] + bias[static_cast<int64_t>(i) % channels] + residual[static_cast<int64_t>(i)]);
  return v;
}

TEST(Conv, MatchesDoubleOnEveryIsa) {
  RestoreSettings restore;
  for (const Case& c : cases()) {
    const ConvShape& s = c.s;
    Data d(s);
    for (Isa isa : isas()) {
      set_isa(isa);
      for (bool winograd : ways(s)) {
        const std::string what = std::string(c.name) + ", " + std::string(isa_name(isa)) + (winograd ? ", Winograd" : "");
        Results r = run_all(s, d, winograd);
        const int64_t k = s.taps() * s.cin / s.groups, kb = s.taps() * s.cout / s.groups, kw = s.batch * s.out_pixels();
        expect_close(d.y, r.y, k, what + ", forward");
        expect_close(with_epilogue(d.y, d.bias, d.res_y, s.cout), r.y2, k, what + ", forward with epilogue");
        expect_close(d.dx, r.dx, kb, what + ", backward data");
        expect_close(with_epilogue(d.dx, d.bias, d.res_x, s.cin), r.dx2, kb, what + ", backward data with epilogue");
        expect_close(d.dw, r.dw, kw, what + ", backward filter");
        expect_close(d.db, r.db, kw, what + ", bias gradient");
        if (HasFatalFailure()) return;
      }
    }
  }
}

std::vector<uint16_t> halves(Guarded& g) {
  std::vector<uint16_t> h(static_cast<size_t>(g.size()));
  for (int64_t i = 0; i < g.size(); ++i) h[static_cast<size_t>(i)] = to_bf16(g[i]);
  return h;
}

using Bf16Fn = void (*)(const ConvShape&, const ConvEpilogueBf16&, const uint16_t*, const uint16_t*, uint16_t*, void*,
                        bool ready);

// One rounding to 8 bits, and the f32 sums before it.
void expect_bf16(Bf16Fn fn, const ConvShape& s, Guarded& x, Guarded& w, const std::vector<double>& sums, Guarded& bias,
                 Guarded& residual, int64_t channels, size_t workspace, const std::string& what) {
  const std::vector<uint16_t> xh = halves(x), wh = halves(w), rh = halves(residual);
  const size_t n = sums.size(), guard = 40;
  Guarded work(static_cast<int64_t>((workspace + 3) / 4));
  for (bool epilogue : {false, true}) {
    std::vector<uint16_t> got(n + guard, 0x7fc1);
    ConvEpilogueBf16 e;
    if (epilogue) e = {Act::relu, bias.data(), rh.data()};
    if (epilogue) std::copy(rh.begin(), rh.end(), got.begin()), e.residual = got.data();  // may be the result itself
    fn(s, e, xh.data(), wh.data(), got.data(), work.data(), epilogue);
    ASSERT_TRUE(work.intact()) << what << ": the workspace is too small";
    const std::vector<double> want = epilogue ? with_epilogue(sums, bias, residual, channels) : sums;
    for (size_t i = 0; i < n; ++i)
      ASSERT_NEAR(from_bf16(got[i]), want[i], std::abs(want[i]) / 256 + 2e-4) << what << " at " << i;
    for (size_t i = n; i < n + guard; ++i) ASSERT_EQ(got[i], 0x7fc1) << what << ": wrote outside its buffer";
  }
}

TEST(Conv, Bf16MatchesDouble) {
  RestoreSettings restore;
  set_isa(best_isa());
  int tried = 0;
  for (const Case& c : cases()) {
    const ConvShape& s = c.s;
    Data d(s, true);
    if (conv_bf16_supported(s, false)) {
      expect_bf16(GLIA_ISA_SELECT(conv_forward_bf16), s, d.x, d.w, d.y, d.bias, d.res_y, s.cout,
                  conv_forward_bf16_workspace(s), std::string(c.name) + ", forward");
      ++tried;
    }
    if (conv_bf16_supported(s, true)) {
      expect_bf16(GLIA_ISA_SELECT(conv_backward_data_bf16), s, d.dy, d.w, d.dx, d.bias, d.res_x, s.cin,
                  conv_backward_data_bf16_workspace(s), std::string(c.name) + ", backward data");
      ++tried;
    }
    if (HasFatalFailure()) return;
  }
  if (tried == 0) GTEST_SKIP() << "no AVX512-BF16 here";
}

TEST(Conv, SameBitsForAnyNumberOfThreads) {
  RestoreSettings restore;
  for (const Case& c : cases()) {
    Data d(c.s);
    for (bool winograd : ways(c.s)) {
      set_num_threads(1);
      Results one = run_all(c.s, d, winograd);
      for (int threads : {2, 4}) {
        set_num_threads(threads);
        Results many = run_all(c.s, d, winograd);
        const std::string what = std::string(c.name) + (winograd ? ", Winograd, " : ", ") + std::to_string(threads);
        EXPECT_TRUE(one.y.same_bits(many.y) && one.y2.same_bits(many.y2)) << what << ", forward";
        EXPECT_TRUE(one.dx.same_bits(many.dx) && one.dx2.same_bits(many.dx2)) << what << ", backward data";
        EXPECT_TRUE(one.dw.same_bits(many.dw) && one.db.same_bits(many.db)) << what << ", backward filter";
      }
    }
  }
}

TEST(Conv, WinogradPaysForManyChannelsOnly) {
  using Pass = WinogradPass;
  for (Pass pass : {Pass::forward, Pass::data, Pass::filter}) {
    EXPECT_TRUE(winograd_pays(shape(8, {28, 28}, {3, 3}, 64, 64, {}, {1, 1}), pass));
    EXPECT_FALSE(winograd_pays(shape(8, {28, 28}, {3, 3}, 3, 64, {}, {1, 1}), pass)) << "the transforms cost more";
    EXPECT_FALSE(winograd_pays(shape(1, {5, 5}, {3, 3}, 16, 16, {}, {1, 1}), pass)) << "small";
    EXPECT_FALSE(winograd_pays(shape(8, {28, 28}, {3, 3}, 64, 64, {2, 2}, {1, 1}), pass)) << "strides";
    EXPECT_FALSE(winograd_pays(shape(8, {28, 28}, {3, 3}, 64, 64, {}, {2, 2}, {}, {2, 2}), pass)) << "dilation";
    EXPECT_FALSE(winograd_pays(shape(8, {28, 28}, {3, 3}, 64, 64, {}, {1, 1}, {}, {}, 2), pass)) << "groups";
    EXPECT_FALSE(winograd_pays(shape(8, {28, 28}, {5, 5}, 64, 64, {}, {2, 2}), pass)) << "5x5";
  }
}

TEST(Conv, EveryActivation) {
  const ConvShape s = shape(2, {6, 9}, {3, 3}, 4, 21, {}, {1, 1});
  Data d(s);
  const size_t workspace = std::max(conv_forward_workspace(s), winograd_workspace(s, WinogradPass::forward));
  Guarded w(static_cast<int64_t>(workspace / 4)), y(d.dy.size());
  const double a = 0.3;
  auto check = [&](Act act, auto f) {
    for (auto forward : {GLIA_ISA_SELECT(conv_forward_f32), GLIA_ISA_SELECT(winograd_forward_f32)}) {
      forward(s, {.act = act, .alpha = static_cast<float>(a), .bias = d.bias.data()}, d.x.data(), d.w.data(), y.data(),
              w.data(), false);
      for (int64_t i = 0; i < y.size(); ++i)
        ASSERT_NEAR(y[i], f(d.y[i] + d.bias[i % s.cout]), 1e-5) << static_cast<int>(act) << " at " << i;
      ASSERT_TRUE(y.intact());
    }
  };
  check(Act::none, [](double x) { return x; });
  check(Act::relu, [](double x) { return std::max(x, 0.0); });
  check(Act::relu6, [](double x) { return std::clamp(x, 0.0, 6.0); });
  check(Act::leaky_relu, [&](double x) { return x > 0 ? x : a * x; });
  check(Act::elu, [&](double x) { return x > 0 ? x : a * std::expm1(x); });
  check(Act::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); });
  check(Act::tanh, [](double x) { return std::tanh(x); });
  check(Act::gelu, [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); });
  check(Act::silu, [](double x) { return x / (1 + std::exp(-x)); });
}

// The double kernels, which are the reference above, against a sum written out by hand.
TEST(Conv, DoubleKernelsAreRight) {
  ConvShape s = shape(1, {3}, {2}, 1, 2, {2}, {1}, {0});
  ASSERT_EQ(s.out[2], 2);
  const double x[] = {1, 2, 3}, w[] = {10, 1, 20, 2}, bias[] = {0.5, 0}, dy[] = {1, 2, 3, 4};
  double y[4], dx[3], dw[4], db[2];
  conv_forward_f64(s, x, w, bias, y);  // windows (0 1) and (2 3)
  EXPECT_EQ(y[0], 20.5);
  EXPECT_EQ(y[1], 2);
  EXPECT_EQ(y[2], 2 * 10 + 3 * 20 + 0.5);
  EXPECT_EQ(y[3], 2 * 1 + 3 * 2);
  conv_backward_data_f64(s, dy, w, dx);
  EXPECT_EQ(dx[0], 1 * 20 + 2 * 2);
  EXPECT_EQ(dx[1], 3 * 10 + 4 * 1);
  EXPECT_EQ(dx[2], 3 * 20 + 4 * 2);
  conv_backward_filter_f64(s, x, dy, dw, db);
  EXPECT_EQ(dw[0], 2 * 3);
  EXPECT_EQ(dw[1], 2 * 4);
  EXPECT_EQ(dw[2], 1 * 1 + 3 * 3);
  EXPECT_EQ(dw[3], 1 * 2 + 3 * 4);
  EXPECT_EQ(db[0], 4);
  EXPECT_EQ(db[1], 6);
}

}  // namespace
}  // namespace glia::cpu
