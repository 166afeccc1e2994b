#include "kernels/cpu/pointwise.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

#include "kernels/cpu/kernel_test_util.h"

namespace glia::cpu {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double softplus(double x) { return x > 30 ? x : std::log1p(std::exp(x)); }
double gelu_tanh(double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }
double python_mod(double a, double b) {
  double r = std::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <class F>
double slope(F f, double x) {
  const double h = 1e-5;
  return (f(x + h) - f(x - h)) / (2 * h);
}

using Fn = std::function<double(double, double, double)>;
#define FN(...)                                \
  [](double a, double b, double c) -> double { \
    (void)a, (void)b, (void)c;                 \
    return __VA_ARGS__;                        \
  }
const std::map<std::string, Fn>& reference() {
  static const std::map<std::string, Fn> m = {
      {"add", FN(a + b)},
      {"sub", FN(a - b)},
      {"mul", FN(a * b)},
      {"div", FN(a / b)},
      {"fma", FN(a * b + c)},
      {"fnma", FN(c - a * b)},
      {"lerp", FN(a + (b - a) * c)},
      {"squared_difference", FN((a - b) * (a - b))},
      {"neg", FN(-a)},
      {"abs", FN(std::fabs(a))},
      {"sign", FN(a > 0   ? 1
                  : a < 0 ? -1
                          : a)},
      {"square", FN(a * a)},
      {"sqrt", FN(std::sqrt(a))},
      {"rsqrt", FN(1 / std::sqrt(a))},
      {"reciprocal", FN(1 / a)},
      {"maximum", FN(std::isnan(a) || std::isnan(b) ? NAN : std::fmax(a, b))},
      {"minimum", FN(std::isnan(a) || std::isnan(b) ? NAN : std::fmin(a, b))},
      {"clip", FN(std::isnan(a) || std::isnan(b) || std::isnan(c) ? NAN : std::fmin(std::fmax(a, b), c))},
      {"pow", FN(std::pow(a, b))},
      {"mod", FN(python_mod(a, b))},
      {"fmod", FN(std::fmod(a, b))},
      {"floor_div", FN(std::floor(a / b))},
      {"atan2", FN(std::atan2(a, b))},
      {"hypot", FN(std::hypot(a, b))},
      {"exp", FN(std::exp(a))},
      {"exp2", FN(std::exp2(a))},
      {"expm1", FN(std::expm1(a))},
      {"log", FN(std::log(a))},
      {"log1p", FN(std::log1p(a))},
      {"log2", FN(std::log2(a))},
      {"log10", FN(std::log10(a))},
      {"logaddexp", FN(std::log(std::exp(a) + std::exp(b)))},
      {"sin", FN(std::sin(a))},
      {"cos", FN(std::cos(a))},
      {"tan", FN(std::tan(a))},
      {"asin", FN(std::asin(a))},
      {"acos", FN(std::acos(a))},
      {"atan", FN(std::atan(a))},
      {"sinh", FN(std::sinh(a))},
      {"cosh", FN(std::cosh(a))},
      {"tanh", FN(std::tanh(a))},
      {"asinh", FN(std::asinh(a))},
      {"acosh", FN(std::acosh(a))},
      {"atanh", FN(std::atanh(a))},
      {"erf", FN(std::erf(a))},
      {"erfc", FN(std::erfc(a))},
      {"lgamma", FN(std::lgamma(a))},
      {"sigmoid", FN(sigmoid(a))},
      {"log_sigmoid", FN(-softplus(-a))},
      {"softplus", FN(softplus(a))},
      {"silu", FN(a * sigmoid(a))},
      {"relu", FN(a < 0 ? 0 : a)},
      {"gelu", FN(a * cdf(a))},
      {"gelu_tanh", FN(gelu_tanh(a))},
      {"relu_grad", FN(a > 0 ? b : 0)},
      {"sigmoid_grad", FN(b * a * (1 - a))},
      {"tanh_grad", FN(b * (1 - a * a))},
      {"gelu_grad", FN(b * slope([](double x) { return x * cdf(x); }, a))},
      {"gelu_tanh_grad", FN(b * slope(gelu_tanh, a))},
      {"silu_grad", FN(b * slope([](double x) { return x * sigmoid(x); }, a))},
      {"floor", FN(std::floor(a))},
      {"ceil", FN(std::ceil(a))},
      {"round", FN(std::nearbyint(a))},
      {"trunc", FN(std::trunc(a))},
      {"eq", FN(a == b)},
      {"ne", FN(a != b)},
      {"lt", FN(a < b)},
      {"le", FN(a <= b)},
      {"gt", FN(a > b)},
      {"ge", FN(a >= b)},
      {"isnan", FN(std::isnan(a))},
      {"isinf", FN(std::isinf(a))},
      {"isfinite", FN(std::isfinite(a))},
      {"logical_and", FN(a && b)},
      {"logical_or", FN(a || b)},
      {"logical_xor", FN((a != 0) != (b != 0))},
      {"logical_not", FN(!a)},
      {"select", FN(a ? b : c)},
  };
  return m;
}

template <class F>
void with_type(Elem t, F&& f) {
  switch (t) {
    case Elem::f32:
      return f(float{});
    case Elem::f64:
      return f(double{});
    case Elem::i32:
      return f(int32_t{});
    case Elem::i64:
      return f(int64_t{});
    case Elem::i8:
      return f(int8_t{});
    case Elem::i16:
      return f(int16_t{});
    case Elem::u16:
      return f(uint16_t{});
    case Elem::u32:
      return f(uint32_t{});
    case Elem::u64:
      return f(uint64_t{});
    default:
      return f(uint8_t{});
  }
}
std::vector<double> samples(Elem t, size_t n, unsigned seed) {
  std::mt19937 g(seed);
  std::vector<double> v(n);
  for (auto& x : v) {
    if (elem_is_float(t))
      x = static_cast<float>(std::uniform_real_distribution<double>(-4, 4)(g));
    else if (t == Elem::bool_)
      x = g() % 2;
    else
      x = static_cast<double>(g() % 10) - (t == Elem::u8 || t == Elem::u16 || t == Elem::u32 || t == Elem::u64 ? 0 : 5);
  }
  const double special[] = {0., -0., kInf, -kInf, NAN, 1., -1., 0.5, 2.5, -2.5, 20., -20., 100., -100.};
  if (elem_is_float(t))
    for (size_t i = 0; i < std::size(special) && i * 3 + seed < n; ++i) v[i * 3 + seed] = special[i];
  return v;
}
void expect_close(double got, double want, double rel, double abs_, const std::string& what) {
  if (std::isnan(want))
    EXPECT_TRUE(std::isnan(got)) << what << " got " << got << " want nan";
  else if (std::isinf(want))
    EXPECT_EQ(got, want) << what;
  else
    EXPECT_NEAR(got, want, rel * std::fabs(want) + abs_) << what;
}

// Runs one op on operands that are arrays or (bit set in `still`) single elements; out in double.
std::vector<double> run_op(PwOp op, Elem t, const std::vector<double> v[3], int still, size_t shift) {
  const int arity = pw_info(op).arity;
  const auto n = static_cast<int64_t>(v[0].size());
  PwProgram p;
  int in[3] = {-1, -1, -1};
  std::vector<std::vector<unsigned char>> data;
  std::vector<std::vector<int64_t>> strides;
  std::vector<const void*> ptr;
  for (int i = 0; i < arity; ++i) {
    const Elem ti = op == PwOp::select && i == 0 ? Elem::bool_ : t;
    in[i] = p.input(ti);
    strides.push_back({still >> i & 1 ? 0 : 1});
    with_type(ti, [&](auto tag) {
      using T = decltype(tag);
      data.emplace_back((v[i].size() + shift) * sizeof(T));
      for (size_t j = 0; j < v[i].size(); ++j)
        reinterpret_cast<T*>(data.back().data())[j + shift] = static_cast<T>(v[i][j]);
      ptr.push_back(data.back().data() + shift * sizeof(T));
    });
  }
  p.output(p.emit(op, in[0], in[1], in[2]));
  const int64_t dims[] = {n};
  PwKernel k(p, dims, strides);
  std::vector<double> out;
  with_type(pw_result(op, t), [&](auto tag) {
    Guarded<decltype(tag)> y(static_cast<size_t>(n), shift);
    void* outs[] = {y.data()};
    k.run(ptr.data(), outs);
    y.expect_intact();
    for (auto x : y.values()) out.push_back(static_cast<double>(x));
  });
  return out;
}

bool skipped(PwOp op, Elem t, const std::string& name, double a, double b) {
  if (!reference().count(name)) return true;
  if (elem_is_float(t)) {  // the naive reference is not exact there
    if (name == "floor_div" || name == "mod") return !std::isfinite(a) || !std::isfinite(b) || b == 0;
    if (name.ends_with("_grad") || name == "gelu" || name == "silu" || name.starts_with("gelu_tanh") ||
        name == "logaddexp")
      return !std::isfinite(a) || !std::isfinite(b);
    return false;
  }
  const bool divides = name == "div" || name == "mod" || name == "fmod" || name == "floor_div";
  if (divides && b == 0) return true;
  return op == PwOp::reciprocal ? a == 0 : name == "pow" ? b < 0 : false;
}

TEST(Pointwise, EveryOpOnEveryTypeMatchesTheDefinition) {
  for_each_isa([&](Isa) {
    for (int o = static_cast<int>(PwOp::cast) + 1; o < static_cast<int>(PwOp::count_); ++o) {
      const PwOp op = static_cast<PwOp>(o);
      const std::string name = pw_info(op).name;
      const int arity = pw_info(op).arity;
      for (Elem t : {Elem::f32, Elem::f64, Elem::i32, Elem::i64, Elem::u8, Elem::i8, Elem::bool_, Elem::i16, Elem::u16, Elem::u32, Elem::u64}) {
        if (!pw_accepts(op, t)) continue;
        for (int still = 0; still < (1 << arity) - 1; ++still) {
          const size_t n = 203;
          std::vector<double> v[3];
          for (int i = 0; i < 3; ++i)
            v[i] = samples(op == PwOp::select && i == 0 ? Elem::bool_ : t, still >> i & 1 ? 1 : n,
                           static_cast<unsigned>(i));
          const bool whole = still & 1;  // the first operand sets the length in run_op
          if (whole) v[0].resize(n, v[0][0]);
          auto got = run_op(op, t, v, still, 1);
          ASSERT_EQ(got.size(), n);
          for (size_t j = 0; j < n; ++j) {
            const double a = v[0][whole ? 0 : j], b = v[1][v[1].size() == 1 ? 0 : j],
                         c = v[2][v[2].size() == 1 ? 0 : j];
            if (skipped(op, t, name, a, arity > 1 ? b : 1)) continue;
            double want = reference().at(name)(a, b, c);
            const std::string what = name + fmt::format("({}, {}, {}) type {} still {}", a, b, c, int(t), still);
            if (elem_is_float(t)) {
              const bool grad = name.ends_with("_grad");
              const double rel = t == Elem::f32 ? 3e-6 : grad ? 1e-7 : 1e-12;
              if (std::fabs(want) > 3e38 && t == Elem::f32) want = std::copysign(kInf, want);
              expect_close(got[j], want, rel, t == Elem::f32 ? 2e-6 : grad ? 1e-8 : 1e-14, what);
            } else {  // wraps to the type
              if (!std::isfinite(want)) continue;
              double wrapped = 0;
              with_type(pw_result(op, t), [&](auto tag) {
                wrapped = static_cast<double>(static_cast<decltype(tag)>(static_cast<int64_t>(want)));
              });
              if (std::fabs(want) < 9e15) {
                EXPECT_EQ(got[j], wrapped) << what;
              }
            }
          }
        }
      }
    }
  });
}

TEST(Pointwise, IntegerCornersAreDefined) {
  auto one = [](PwOp op, Elem t, std::vector<double> a, std::vector<double> b) {
    const std::vector<double> v[3] = {a, b, {}};
    return run_op(op, t, v, 0, 0);
  };
  using V = std::vector<double>;
  for_each_isa([&](Isa) {
    EXPECT_EQ(one(PwOp::div, Elem::i32, {7, -7, 5, -2147483648.}, {2, 2, 0, -1}), (V{3, -3, 0, -2147483648.}));
    EXPECT_EQ(one(PwOp::floor_div, Elem::i64, {7, -7, 5, -8}, {2, 2, 0, 4}), (V{3, -4, 0, -2}));
    EXPECT_EQ(one(PwOp::mod, Elem::i32, {7, -7, 7, -7, 5}, {3, 3, -3, -3, 0}), (V{1, 2, -2, -1, 0}));
    EXPECT_EQ(one(PwOp::mod, Elem::f32, {7, -7, 7, -7, 5.5}, {3, 3, -3, -3, 2}), (V{1, 2, -2, -1, 1.5}));
    EXPECT_EQ(one(PwOp::floor_div, Elem::f32, {7, -7, 7, 1}, {3, 3, -3, 0.1}), (V{2, -3, -3, 9}));
    EXPECT_EQ(one(PwOp::shift_left, Elem::i32, {1, 1, 1, 3}, {0, 31, 32, 1}), (V{1, -2147483648., 0, 6}));
    EXPECT_EQ(one(PwOp::shift_right, Elem::i32, {8, -8, -8, 8}, {1, 1, 40, 40}), (V{4, -4, -1, 0}));
    EXPECT_EQ(one(PwOp::shift_right, Elem::u8, {200, 200}, {3, 9}), (V{25, 0}));
    EXPECT_EQ(one(PwOp::bitwise_and, Elem::i32, {12, -1}, {10, 7}), (V{8, 7}));
    EXPECT_EQ(one(PwOp::bitwise_xor, Elem::bool_, {1, 1, 0}, {1, 0, 0}), (V{0, 1, 0}));
    EXPECT_EQ(one(PwOp::bitwise_or, Elem::u8, {12, 1}, {10, 6}), (V{14, 7}));
    EXPECT_EQ(one(PwOp::bitwise_not, Elem::i8, {0, 5}, {}), (V{-1, -6}));
    EXPECT_EQ(one(PwOp::bitwise_not, Elem::bool_, {0, 1}, {}), (V{1, 0}));
    EXPECT_EQ(one(PwOp::add, Elem::u8, {200}, {100}), (V{44}));
    EXPECT_EQ(one(PwOp::pow, Elem::i32, {2, -3, 2, -1}, {10, 3, -1, -3}), (V{1024, -27, 0, -1}));
  });
}

TEST(Pointwise, InverseErfAndDigamma) {
  for_each_isa([&](Isa) {
    const std::vector<double> v[3] = {{0.5, -0.5, 0.999, 0, 1, -1, 1e-6, 0.1, 1.5}, {}, {}};
    auto y = run_op(PwOp::erfinv, Elem::f64, v, 0, 0);
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(std::erf(y[i]), v[0][i], 1e-14);
    EXPECT_EQ(y[4], kInf);
    EXPECT_EQ(y[5], -kInf);
    EXPECT_NEAR(y[6] / 1e-6, std::sqrt(M_PI) / 2, 1e-9);
    EXPECT_TRUE(std::isnan(y[8]));
    const std::vector<double> d[3] = {
        {1, 0.5, 10, -1.5}, {}, {}};  // -gamma; -gamma - 2 ln 2; harmonic sums; DLMF 5.5
    auto z = run_op(PwOp::digamma, Elem::f64, d, 0, 0);
    EXPECT_NEAR(z[0], -0.57721566490153286, 1e-12);
    EXPECT_NEAR(z[1], -1.9635100260214235, 1e-12);
    EXPECT_NEAR(z[2], 2.2517525890667211, 1e-12);
    EXPECT_NEAR(z[3], 0.70315664064524319, 1e-11);
  });
}

// ---- broadcasting ----

struct Pattern {
  std::vector<int64_t> dims;
  std::vector<std::vector<int64_t>> strides;  // of x, w, z
};
const std::vector<Pattern>& patterns() {
  static const std::vector<Pattern> p = {
      {{100003}, {{1}, {0}, {1}}},  // flat, a scalar
      {{}, {{}, {}, {}}},           // rank 0
      {{1, 1}, {{1, 1}, {0, 0}, {1, 1}}},
      {{0, 5}, {{5, 1}, {0, 1}, {1, 0}}},        // empty
      {{333, 10}, {{10, 1}, {0, 1}, {1, 0}}},    // short rows: row vector, row scalar
      {{7, 3000}, {{3000, 1}, {0, 1}, {1, 0}}},  // long rows
      {{5, 130}, {{130, 1}, {0, 1}, {1, 0}}},
      {{4, 9, 9, 3}, {{243, 27, 3, 1}, {3, 0, 0, 1}, {81, 9, 1, 0}}},  // NHWC: per image and channel, per pixel
      {{4, 9, 200}, {{1800, 200, 1}, {200, 0, 1}, {9, 1, 0}}},
      {{37, 41}, {{41, 1}, {1, 37}, {0, 1}}},  // transposed
      {{300, 200}, {{200, 1}, {1, 300}, {1, 0}}},
      {{2, 3, 2, 3, 2, 3}, {{108, 36, 18, 6, 3, 1}, {0, 1, 0, 3, 0, 9}, {36, 0, 9, 0, 1, 0}}},
      {{6000}, {{2}, {3}, {1}}},  // strided
  };
  return p;
}
int64_t extent(const std::vector<int64_t>& dims, const std::vector<int64_t>& strides) {
  int64_t last = 0;
  for (size_t d = 0; d < dims.size(); ++d) last += std::max<int64_t>(0, dims[d] - 1) * strides[d];
  return last + 1;
}
int64_t offset_of(int64_t flat, const std::vector<int64_t>& dims, const std::vector<int64_t>& strides) {
  int64_t o = 0;
  for (size_t d = dims.size(); d-- > 0;) {
    o += flat % dims[d] * strides[d];
    flat /= dims[d];
  }
  return o;
}

TEST(Pointwise, BroadcastPatternsAndThreads) {
  for_each_isa([&](Isa) {
    for (const Pattern& pt : patterns()) {
      SCOPED_TRACE(fmt::format("dims {}", fmt::join(pt.dims, ",")));
      PwProgram p;  // two outputs: tanh(x w + z) and x w > z, plus an unused input
      const int x = p.input(Elem::f32), w = p.input(Elem::f32), z = p.input(Elem::f32);
      p.input(Elem::i64);
      const int xw = p.emit(PwOp::mul, x, w);
      p.output(p.emit(PwOp::tanh, p.emit(PwOp::add, xw, z)));
      p.output(p.emit(PwOp::gt, xw, z));
      auto strides = pt.strides;
      strides.push_back(std::vector<int64_t>(pt.dims.size(), 0));
      PwKernel k(p, pt.dims, strides);
      const int64_t total = std::accumulate(pt.dims.begin(), pt.dims.end(), int64_t{1}, std::multiplies<>());
      ASSERT_EQ(k.elements(), total);
      Guarded<float> in[3] = {
          Guarded<float>(random_floats(static_cast<size_t>(extent(pt.dims, pt.strides[0])), -2, 2, 1)),
          Guarded<float>(random_floats(static_cast<size_t>(extent(pt.dims, pt.strides[1])), -2, 2, 2)),
          Guarded<float>(random_floats(static_cast<size_t>(extent(pt.dims, pt.strides[2])), -2, 2, 3))};
      std::vector<uint8_t> greater;
      auto y = expect_same_for_threads([&] {
        Guarded<float> out(static_cast<size_t>(total));
        Guarded<uint8_t> flag(static_cast<size_t>(total));
        const void* ins[] = {in[0].data(), in[1].data(), in[2].data(), nullptr};
        void* outs[] = {out.data(), flag.data()};
        k.run(ins, outs);
        out.expect_intact();
        flag.expect_intact();
        greater = flag.values();
        return out.values();
      });
      for (int64_t i = 0; i < total; ++i) {
        double v[3];
        for (int j = 0; j < 3; ++j)
          v[j] = in[j][static_cast<size_t>(offset_of(i, pt.dims, pt.strides[static_cast<size_t>(j)]))];
        ASSERT_NEAR(y[static_cast<size_t>(i)], std::tanh(v[0] * v[1] + v[2]), 2e-6) << i;
        ASSERT_EQ(greater[static_cast<size_t>(i)], static_cast<float>(v[0] * v[1]) > v[2]) << i;
      }
    }
  });
}

TEST(Pointwise, AdamInPlaceWithScalarsComputedOnce) {
  // m += (g - m)(1 - b1); v += (g^2 - v)(1 - b2); w -= m * alpha / (sqrt(v) + eps), alpha from the scalar step number
  PwProgram p;
  const int w = p.input(Elem::f32), m = p.input(Elem::f32), v = p.input(Elem::f32), g = p.input(Elem::f32);
  const int t = p.cast(p.input(Elem::i64), Elem::f32);
  auto c = [&](double x) { return p.constant(Elem::f32, x); };
  auto e = [&](PwOp op, int a, int b = -1, int d = -1) { return p.emit(op, a, b, d); };
  const int one_b1t = e(PwOp::sub, c(1), e(PwOp::pow, c(0.9), t)),
            one_b2t = e(PwOp::sub, c(1), e(PwOp::pow, c(0.999), t));
  const int alpha = e(PwOp::mul, c(1e-3), e(PwOp::div, e(PwOp::sqrt, one_b2t), one_b1t));
  const int m2 = e(PwOp::lerp, m, g, c(0.1)), v2 = e(PwOp::lerp, v, e(PwOp::square, g), c(0.001));
  p.output(e(PwOp::sub, w, e(PwOp::div, e(PwOp::mul, m2, alpha), e(PwOp::add, e(PwOp::sqrt, v2), c(1e-7)))));
  p.output(m2);
  p.output(v2);
  EXPECT_TRUE(PwKernel::fits(p));
  for_each_isa([&](Isa) {
    const int64_t n = 400001;  // enough for the prefetching path
    auto w0 = random_floats(n, -1, 1, 1), m0 = random_floats(n, -1, 1, 2), v0 = random_floats(n, 0, 1, 3),
         g0 = random_floats(n, -1, 1, 4);
    PwKernel k(p, {n}, {{1}, {1}, {1}, {1}, {0}});
    std::vector<float> mm, vv;
    auto ww = expect_same_for_threads([&] {
      std::vector<float> wx = w0;
      mm = m0, vv = v0;
      int64_t step = 3;
      const void* in[] = {wx.data(), mm.data(), vv.data(), g0.data(), &step};
      void* out[] = {wx.data(), mm.data(), vv.data()};
      k.run(in, out);
      return wx;
    });
    const double a = 1e-3 * std::sqrt(1 - std::pow(0.999, 3)) / (1 - std::pow(0.9, 3));
    for (size_t i = 0; i < ww.size(); ++i) {
      const double me = m0[i] + (g0[i] - m0[i]) * 0.1, ve = v0[i] + (double(g0[i]) * g0[i] - v0[i]) * 0.001;
      ASSERT_NEAR(mm[i], me, 1e-6);
      ASSERT_NEAR(vv[i], ve, 1e-6);
      ASSERT_NEAR(ww[i], w0[i] - me * a / (std::sqrt(ve) + 1e-7), 2e-5 * std::fabs(a) / std::sqrt(ve + 1e-9) + 1e-6);
    }
  });
}

TEST(Pointwise, ContractionsKeepTheMeaning) {
  PwProgram p;  // m + (g - m) s; (g - m) s + g; m - (g s); a product that is read twice
  const int m = p.input(Elem::f32), g = p.input(Elem::f32), s = p.input(Elem::f32);
  auto e = [&](PwOp op, int a, int b) { return p.emit(op, a, b); };
  p.output(e(PwOp::add, m, e(PwOp::mul, e(PwOp::sub, g, m), s)));
  p.output(e(PwOp::add, e(PwOp::mul, s, e(PwOp::sub, g, m)), g));
  p.output(e(PwOp::sub, m, e(PwOp::mul, g, s)));
  const int twice = e(PwOp::mul, g, s), diff = e(PwOp::sub, g, m);
  p.output(e(PwOp::add, twice, twice));
  p.output(e(PwOp::add, m, e(PwOp::mul, diff, diff)));
  const int product = e(PwOp::mul, diff, s);
  p.output(e(PwOp::add, m, product));
  p.output(product);
  for_each_isa([&](Isa) {
    const size_t n = 999;
    const auto a = random_floats(n, -1, 1, 1), b = random_floats(n, -1, 1, 2), c = random_floats(n, -1, 1, 3);
    std::vector<std::vector<float>> y(7, std::vector<float>(n));
    const void* in[] = {a.data(), b.data(), c.data()};
    void* out[7];
    for (size_t i = 0; i < 7; ++i) out[i] = y[i].data();
    PwKernel(p, {999}, {{1}, {1}, {1}}).run(in, out);
    for (size_t i = 0; i < n; ++i) {
      const double x = a[i], u = b[i], v = c[i], d = u - x;
      const double want[] = {x + d * v, d * v + u, x - u * v, 2 * u * v, x + d * d, x + d * v, d * v};
      for (size_t k = 0; k < 7; ++k) ASSERT_NEAR(y[k][i], want[k], 5e-7) << k;
    }
  });
}

TEST(Pointwise, OutputsMayBeInputsTwiceOrConstant) {
  PwProgram p;
  const int x = p.input(Elem::f32), s = p.input(Elem::f32);
  const int y = p.emit(PwOp::exp, x);
  p.output(x);
  p.output(y);
  p.output(y);
  p.output(s);
  p.output(p.constant(Elem::i64, 7));
  p.output(p.cast(y, Elem::bf16));
  for_each_isa([&](Isa) {
    const size_t n = 1000;
    auto a = random_floats(n, -1, 1);
    std::vector<float> o0(n), o1(n), o2(n), o3(n);
    std::vector<int64_t> o4(n);
    std::vector<uint16_t> o5(n);
    float sv = 3;
    PwKernel k(p, {1000}, {{1}, {0}});
    const void* in[] = {a.data(), &sv};
    void* out[] = {o0.data(), o1.data(), o2.data(), o3.data(), o4.data(), o5.data()};
    k.run(in, out);
    for (size_t i = 0; i < n; ++i) {
      ASSERT_EQ(o0[i], a[i]);
      ASSERT_NEAR(o1[i], std::exp(a[i]), 1e-6);
      ASSERT_EQ(o2[i], o1[i]);
      ASSERT_EQ(o3[i], 3);
      ASSERT_EQ(o4[i], 7);
      const uint32_t bits = static_cast<uint32_t>(o5[i]) << 16;
      float h;
      std::memcpy(&h, &bits, 4);
      ASSERT_NEAR(h, o1[i], 0.004 * o1[i]);
    }
  });
}

// ---- types ----

uint16_t slow_to_half(double x, int mantissa, int exponent_bits) {  // by definition: nearest, ties to even
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const uint16_t sign = std::signbit(x) ? static_cast<uint16_t>(1u << (mantissa + exponent_bits)) : 0;
  const uint16_t inf = static_cast<uint16_t>(((1u << exponent_bits) - 1) << mantissa);
  x = std::fabs(x);
  int e = x == 0 ? 1 - bias : std::max(std::ilogb(x), 1 - bias);
  double scaled = std::nearbyint(std::ldexp(x, mantissa - e));
  if (std::isinf(x) || std::ldexp(scaled, e - mantissa) >= std::ldexp(1, bias + 1)) return sign | inf;
  auto u = static_cast<uint32_t>(scaled);
  return sign | static_cast<uint16_t>(u + (static_cast<uint32_t>(e - 1 + bias) << mantissa));
}

TEST(Pointwise, HalvesRoundToNearestEven) {
  for_each_isa([&](Isa) {
    for (Elem half : {Elem::f16, Elem::bf16}) {
      PwProgram up, down;  // half -> f32 (every pattern), f32 -> half
      up.output(up.cast(up.input(half), Elem::f32));
      down.output(down.cast(down.input(Elem::f32), half));
      std::vector<uint16_t> all(65536), back(65536);
      std::iota(all.begin(), all.end(), uint16_t{0});
      std::vector<float> f(65536);
      const void* in[] = {all.data()};
      void* out[] = {f.data()};
      PwKernel(up, {65536}, {{1}}).run(in, out);
      const int mant = half == Elem::f16 ? 10 : 7, ebits = half == Elem::f16 ? 5 : 8;
      const void* in2[] = {f.data()};
      void* out2[] = {back.data()};
      PwKernel(down, {65536}, {{1}}).run(in2, out2);
      for (size_t i = 0; i < 65536; ++i) {
        const bool nan = (i & 0x7fff) > ((half == Elem::f16 ? 0x1fu : 0xffu) << mant);
        ASSERT_EQ(std::isnan(f[i]), nan) << i;
        if (nan) {
          ASSERT_GT(back[i] & 0x7fff, ((1u << ebits) - 1) << mant) << i;
        } else {
          ASSERT_EQ(back[i], all[i]) << i;
          ASSERT_EQ(slow_to_half(f[i], mant, ebits), all[i]) << i;
        }
      }
      std::mt19937 g(5);
      std::vector<float> r(20000);
      for (auto& x : r) {
        const uint32_t u = half == Elem::f16 ? (g() & 0x80000fff) | ((g() % 40 + 95) << 23) |
                                                   (g() & 0x7fffff & (g() % 2 ? 0x7fe000u : 0x7fffffu))
                                             : g();
        std::memcpy(&x, &u, 4);
        if (std::isnan(x)) x = 1;
      }
      std::vector<uint16_t> h(r.size());
      const void* in3[] = {r.data()};
      void* out3[] = {h.data()};
      PwKernel(down, {20000}, {{1}}).run(in3, out3);
      for (size_t i = 0; i < r.size(); ++i) ASSERT_EQ(h[i], slow_to_half(r[i], mant, ebits)) << r[i];
    }
  });
}

TEST(Pointwise, HalfProgramsComputeInFloat) {
  PwProgram p;  // (x + 1) - x over bf16: exact in f32, 1 for all but the largest x; then an explicit rounding
  const int x = p.input(Elem::bf16), one = p.constant(Elem::bf16, 1), s = p.input(Elem::bf16);
  p.output(p.emit(PwOp::sub, p.emit(PwOp::add, x, one), x));
  p.output(p.emit(PwOp::mul, x, s));
  p.output(p.cast(p.cast(p.cast(x, Elem::f32), Elem::f16), Elem::f64));
  for_each_isa([&](Isa) {
    std::vector<uint16_t> a = {0x4380, 0x3f80, 0x3dcd}, b(3), c(3);  // 256, 1, 0.1001
    std::vector<double> d(3);
    const uint16_t two = 0x4000;
    PwKernel k(p, {3}, {{1}, {0}});
    const void* in[] = {a.data(), &two};
    void* out[] = {b.data(), c.data(), d.data()};
    k.run(in, out);
    EXPECT_EQ(b, (std::vector<uint16_t>{0x3f80, 0x3f80, 0x3f80}));
    EXPECT_EQ(c, (std::vector<uint16_t>{0x4400, 0x4000, 0x3e4d}));
    EXPECT_EQ(d[0], 256);
    EXPECT_EQ(d[2], 0.10009765625);
  });
}

TEST(Pointwise, CastsSaturateAndTruncate) {
  auto cast = [](Elem from, Elem to, std::vector<double> v) {
    PwProgram p;
    p.output(p.cast(p.input(from), to));
    const int64_t dims[] = {static_cast<int64_t>(v.size())};
    const std::vector<int64_t> strides[] = {{1}};
    PwKernel k(p, dims, strides);
    std::vector<double> r;
    with_type(from, [&](auto f) {
      with_type(to, [&](auto t) {
        Guarded<decltype(f)> x(v);
        Guarded<decltype(t)> y(v.size());
        const void* in[] = {x.data()};
        void* out[] = {y.data()};
        k.run(in, out);
        for (auto e : y.values()) r.push_back(static_cast<double>(e));
      });
    });
    return r;
  };
  using V = std::vector<double>;
  const V wild = {1.9, -1.9, 0, NAN, kInf, -kInf, 1e30, -1e30};
  for_each_isa([&](Isa) {
    for (Elem f : {Elem::f32, Elem::f64}) {
      EXPECT_EQ(cast(f, Elem::i32, wild), (V{1, -1, 0, 0, 2147483647., -2147483648., 2147483647., -2147483648.}));
      EXPECT_EQ(cast(f, Elem::i64, wild), (V{1, -1, 0, 0, 0x1p63, -0x1p63, 0x1p63, -0x1p63}));
      EXPECT_EQ(cast(f, Elem::u8, wild), (V{1, 0, 0, 0, 255, 0, 255, 0}));
      EXPECT_EQ(cast(f, Elem::i8, wild), (V{1, -1, 0, 0, 127, -128, 127, -128}));
      EXPECT_EQ(cast(f, Elem::bool_, wild), (V{1, 1, 0, 1, 1, 1, 1, 1}));
    }
    EXPECT_EQ(cast(Elem::i64, Elem::u8, {257, -1}), (V{1, 255}));
    EXPECT_EQ(cast(Elem::bool_, Elem::f32, {1, 0}), (V{1, 0}));
    EXPECT_EQ(cast(Elem::u8, Elem::bool_, {7, 0}), (V{1, 0}));
    EXPECT_EQ(cast(Elem::i32, Elem::f64, {-7, 1 << 30}), (V{-7, 1 << 30}));
  });
}

// ---- programs ----

TEST(Pointwise, RandomProgramsMatchNodeByNode) {
  const PwOp ops[] = {PwOp::add,     PwOp::sub,  PwOp::mul, PwOp::maximum, PwOp::tanh,
                      PwOp::sigmoid, PwOp::relu, PwOp::fma, PwOp::abs};
  std::mt19937 g(7);
  for (int trial = 0; trial < 60; ++trial) {
    PwProgram p;
    const int inputs = 1 + static_cast<int>(g() % 5);
    for (int i = 0; i < inputs; ++i) p.input(Elem::f32);
    p.constant(Elem::f32, 0.5);
    const int count = 1 + static_cast<int>(g() % 25);
    for (int i = 0; i < count; ++i) {
      const PwOp op = ops[g() % std::size(ops)];
      const int arity = pw_info(op).arity;
      auto pick = [&] { return static_cast<int>(g() % p.nodes.size()); };
      p.emit(op, pick(), arity > 1 ? pick() : -1, arity > 2 ? pick() : -1);
    }
    const int outs = 1 + static_cast<int>(g() % 3);
    for (int i = 0; i < outs; ++i)
      p.output(static_cast<int>(p.nodes.size()) - 1 - static_cast<int>(g() % std::min<size_t>(p.nodes.size(), 6)));
    ASSERT_TRUE(PwKernel::fits(p));
    const Pattern& pt = patterns()[g() % patterns().size()];
    std::vector<std::vector<int64_t>> strides;
    std::vector<std::vector<float>> data;
    for (int i = 0; i < inputs; ++i) {
      strides.push_back(pt.strides[g() % 3]);
      data.push_back(
          random_floats(static_cast<size_t>(extent(pt.dims, strides.back())), -1, 1, static_cast<unsigned>(g())));
    }
    const int64_t total = std::accumulate(pt.dims.begin(), pt.dims.end(), int64_t{1}, std::multiplies<>());
    for_each_isa([&](Isa) {
      PwKernel k(p, pt.dims, strides);
      std::vector<Guarded<float>> out(static_cast<size_t>(outs), Guarded<float>(static_cast<size_t>(total)));
      std::vector<const void*> in;
      std::vector<void*> outp;
      for (auto& d : data) in.push_back(d.data());
      for (auto& o : out) outp.push_back(o.data());
      k.run(in.data(), outp.data());
      for (int64_t e = 0; e < total; e += 1 + total / 997) {
        std::vector<double> v(p.nodes.size());
        for (size_t i = 0; i < v.size(); ++i) {
          const PwNode& n = p.nodes[i];
          auto val = [&](int o) { return o < 0 ? 0. : v[static_cast<size_t>(o)]; };
          if (n.op == PwOp::input)
            v[i] = data[static_cast<size_t>(n.index)]
                       [static_cast<size_t>(offset_of(e, pt.dims, strides[static_cast<size_t>(n.index)]))];
          else if (n.op == PwOp::constant)
            v[i] = n.value;
          else
            v[i] = reference().at(pw_info(n.op).name)(val(n.a), val(n.b), val(n.c));
        }
        for (int o = 0; o < outs; ++o) {
          const double want = v[static_cast<size_t>(p.outputs[static_cast<size_t>(o)])];
          if (std::fabs(want) > 1e6) continue;
          ASSERT_NEAR(out[static_cast<size_t>(o)][static_cast<size_t>(e)], want, 1e-3 * (1 + std::fabs(want)))
              << p.to_string();
        }
      }
      for (auto& o : out) o.expect_intact();
    });
  }
}

TEST(Pointwise, ProgramsMergePrintAndKnowTheirLimits) {
  PwProgram inner;  // relu(x) + 1
  const int r = inner.emit(PwOp::relu, inner.input(Elem::f32));
  inner.output(inner.emit(PwOp::add, r, inner.constant(Elem::f32, 1)));
  PwProgram p;
  const int x = p.input(Elem::f32);
  const int doubled[] = {p.emit(PwOp::add, x, x)};
  p.output(p.append(inner, doubled)[0]);
  EXPECT_EQ(p.to_string(),
            "v0 = input 0: float32\nv1 = add(v0, v0): float32\nv2 = relu(v1): float32\nv4 = add(v2, 1): "
            "float32\noutput v4\n");
  PwOp op;
  EXPECT_TRUE(pw_find("gelu_tanh", &op) && op == PwOp::gelu_tanh);
  EXPECT_FALSE(pw_find("input", &op));
  EXPECT_EQ(pw_result(PwOp::lt, Elem::f32), Elem::bool_);
  EXPECT_FALSE(pw_accepts(PwOp::exp, Elem::i32));
  EXPECT_EQ(pw_broadcast_strides(std::vector<int64_t>{3, 1}, std::vector<int64_t>{2, 3, 4}),
            (std::vector<int64_t>{0, 1, 0}));
  PwProgram wide;  // 70 values alive at once
  std::vector<int> v;
  const int s = wide.input(Elem::f32);
  for (int i = 0; i < 70; ++i) v.push_back(wide.emit(PwOp::exp, i ? v.back() : s));
  int sum = v[0];
  for (int i = 1; i < 70; ++i) sum = wide.emit(PwOp::add, sum, v[static_cast<size_t>(i)]);
  wide.output(sum);
  EXPECT_FALSE(PwKernel::fits(wide));
}

}  // namespace
}  // namespace glia::cpu
