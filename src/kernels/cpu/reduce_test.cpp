#include "kernels/cpu/reduce.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "kernels/cpu/kernel_test_util.h"

namespace glia::cpu {
namespace {

struct Case {
  std::vector<int64_t> dims;
  std::vector<bool> reduced;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> c = {
      {{}, {}},
      {{7}, {true}},
      {{100003}, {true}},
      {{200000}, {true}},
      {{3, 70001}, {false, true}},
      {{1000, 10}, {false, true}},
      {{37, 129}, {false, true}},
      {{1000, 10}, {true, false}},
      {{5000, 3}, {true, false}},
      {{9, 3}, {true, false}},
      {{300, 64}, {true, false}},
      {{700, 1100}, {true, false}},
      {{8, 5, 6, 7}, {true, true, true, false}},
      {{8, 5, 6, 7}, {true, false, true, false}},
      {{8, 5, 6, 7}, {false, true, false, true}},
      {{8, 5, 6, 7}, {true, false, false, true}},
      {{8, 5, 6, 7}, {false, true, true, false}},
      {{64, 50, 20}, {false, true, false}},
      {{4, 5}, {false, false}},
      {{0, 5}, {true, false}},
      {{5, 0}, {true, false}},
      {{5, 0}, {false, true}},
  };
  return c;
}

template <class T>
void check(ReduceOp op, Elem type, const Case& cs, double rel) {
  size_t n = 1, outs = 1;
  for (size_t d = 0; d < cs.dims.size(); ++d) {
    n *= static_cast<size_t>(cs.dims[d]);
    if (!cs.reduced[d]) outs *= static_cast<size_t>(cs.dims[d]);
  }
  std::mt19937 g(3);
  Guarded<T> x(n, 1);
  for (size_t i = 0; i < n; ++i) {
    if (type == Elem::bool_)
      x[i] = g() % 64 == 0;
    else if (elem_is_float(type))
      x[i] = static_cast<T>(op == ReduceOp::prod ? 0.9 + g() % 200 / 1000. : g() % 2000 / 1000. - 0.7);
    else
      x[i] = static_cast<T>(g() % 100);
  }
  // naive, in long double or modulo 2^64
  std::vector<long double> want(outs);
  std::vector<uint64_t> wrap(outs);
  std::vector<int64_t> seen(outs, 0), arg(outs, -1);
  for (size_t i = 0; i < n; ++i) {
    size_t rest = i, o = 0, step = 1, k = 0, kstep = 1;
    for (size_t d = cs.dims.size(); d-- > 0;) {
      const size_t e = static_cast<size_t>(cs.dims[d]), at = rest % e;
      rest /= e;
      if (cs.reduced[d])
        k += at * kstep, kstep *= e;
      else
        o += at * step, step *= e;
    }
    const long double v = x[i];
    const bool first = seen[o]++ == 0;
    const auto u = static_cast<uint64_t>(static_cast<int64_t>(x[i]));
    switch (op) {
      case ReduceOp::sum:
      case ReduceOp::mean:
        want[o] += v, wrap[o] += u;
        break;
      case ReduceOp::prod:
        want[o] = first ? v : want[o] * v, wrap[o] = first ? u : wrap[o] * u;
        break;
      case ReduceOp::max:
        want[o] = first ? v : std::max(want[o], v);
        break;
      case ReduceOp::min:
        want[o] = first ? v : std::min(want[o], v);
        break;
      case ReduceOp::any:
        want[o] = first ? v : (want[o] != 0 || v != 0);
        break;
      case ReduceOp::all:
        want[o] = first ? v : (want[o] != 0 && v != 0);
        break;
      case ReduceOp::argmax:
      case ReduceOp::argmin: {
        const bool better = first || (op == ReduceOp::argmax ? v > want[o] : v < want[o]) ||
                            (v == want[o] && static_cast<int64_t>(k) < arg[o]);
        if (better) want[o] = v, arg[o] = static_cast<int64_t>(k);
      }
    }
  }
  for_each_isa([&](Isa) {
    ReduceKernel k(op, type, cs.dims, cs.reduced);
    if (op == ReduceOp::argmax || op == ReduceOp::argmin) {
      auto y = expect_same_for_threads([&] {
        Guarded<int32_t> out(outs, 1);
        Guarded<char> ws(static_cast<size_t>(k.workspace()));
        k.run(x.data(), out.data(), ws.data());
        out.expect_intact(), ws.expect_intact();
        return out.values();
      });
      for (size_t o = 0; o < outs; ++o) ASSERT_EQ(y[o], arg[o]) << o;
      return;
    }
    auto y = expect_same_for_threads([&] {
      Guarded<T> out(outs, 1);
      Guarded<char> ws(static_cast<size_t>(k.workspace()));
      k.run(x.data(), out.data(), ws.data());
      out.expect_intact(), ws.expect_intact();
      return out.values();
    });
    for (size_t o = 0; o < outs; ++o) {
      if (seen[o] == 0) continue;
      const double expected =
          static_cast<double>(op == ReduceOp::mean ? want[o] / static_cast<long double>(seen[o]) : want[o]);
      const bool bits = !elem_is_float(type) && (op == ReduceOp::sum || op == ReduceOp::prod);
      if (bits)
        ASSERT_EQ(y[o], static_cast<T>(wrap[o])) << o;
      else
        ASSERT_NEAR(static_cast<double>(y[o]), expected,
                    rel * (std::fabs(expected) + std::sqrt(seen[o]) * (op == ReduceOp::mean ? 1. / seen[o] : 1.)))
            << o;
    }
  });
}

TEST(Reduce, EveryOpTypeAndAxisSet) {
  for (const Case& cs : cases()) {
    SCOPED_TRACE(fmt::format("dims ({})", fmt::join(cs.dims, ",")));
    const bool one_run = cs.dims.size() < 4 || (cs.reduced[1] == cs.reduced[2]);
    for (ReduceOp op : {ReduceOp::sum, ReduceOp::mean, ReduceOp::max, ReduceOp::min, ReduceOp::prod, ReduceOp::any,
                        ReduceOp::all, ReduceOp::argmax, ReduceOp::argmin}) {
      if ((op == ReduceOp::argmax || op == ReduceOp::argmin) &&
          (!one_run || cs.dims == std::vector<int64_t>{8, 5, 6, 7}))
        continue;
      auto run = [&](Elem t, auto tag, double rel) {
        if (ReduceKernel::supports(op, t)) check<decltype(tag)>(op, t, cs, rel);
      };
      run(Elem::f32, float{}, 2e-6);
      run(Elem::f64, double{}, 1e-13);
      run(Elem::i32, int32_t{}, 0);
      run(Elem::i64, int64_t{}, 0);
      run(Elem::u8, uint8_t{}, 0);
      run(Elem::i8, int8_t{}, 0);
      run(Elem::bool_, uint8_t{}, 0);
      run(Elem::i16, int16_t{}, 0);
      run(Elem::u16, uint16_t{}, 0);
      run(Elem::u32, uint32_t{}, 0);
      run(Elem::u64, uint64_t{}, 0);
    }
  }
}

TEST(Reduce, LongFloatSumsStayAccurate) {
  for_each_isa([&](Isa) {
    for (auto [dims, reduced] : {Case{{2000000}, {true}}, Case{{1000000, 2}, {true, false}}}) {
      std::vector<float> x(2000000, 0.1f);
      float y[2];
      ReduceKernel k(ReduceOp::sum, Elem::f32, dims, reduced);
      std::vector<char> ws(static_cast<size_t>(k.workspace()));
      k.run(x.data(), y, ws.data());
      const double want = (reduced.size() == 1 ? 2e6 : 1e6) * static_cast<double>(0.1f);
      EXPECT_NEAR(y[0], want, want * 1e-6);
    }
  });
}

TEST(Reduce, NanAndEmpty) {
  for_each_isa([&](Isa) {
    for (size_t n : {5u, 40u, 1000u}) {
      auto x = random_floats(2 * n, -1, 1);
      x[n + 3] = NAN;
      float y[2];
      int32_t a[2];
      const auto rows = std::vector<int64_t>{2, static_cast<int64_t>(n)};
      ReduceKernel(ReduceOp::max, Elem::f32, rows, {false, true}).run(x.data(), y, nullptr);
      EXPECT_FALSE(std::isnan(y[0]));
      EXPECT_TRUE(std::isnan(y[1]));
      ReduceKernel(ReduceOp::min, Elem::f32, rows, {false, true}).run(x.data(), y, nullptr);
      EXPECT_TRUE(std::isnan(y[1]));
      ReduceKernel(ReduceOp::argmax, Elem::f32, rows, {false, true}).run(x.data(), a, nullptr);
      EXPECT_EQ(a[1], 3);
      std::vector<float> col(n);
      ReduceKernel(ReduceOp::max, Elem::f32, rows, {true, false}).run(x.data(), col.data(), nullptr);
      EXPECT_TRUE(std::isnan(col[3]));
      EXPECT_FALSE(std::isnan(col[2]));
    }
    float y = 5;
    ReduceKernel(ReduceOp::sum, Elem::f32, {0}, {true}).run(nullptr, &y, nullptr);
    EXPECT_EQ(y, 0);
    ReduceKernel(ReduceOp::prod, Elem::f32, {0}, {true}).run(nullptr, &y, nullptr);
    EXPECT_EQ(y, 1);
    float z[3] = {5, 5, 5};
    ReduceKernel(ReduceOp::max, Elem::f32, {0, 3}, {true, false}).run(nullptr, z, nullptr);
    EXPECT_EQ(z[2], -INFINITY);
  });
}

}  // namespace
}  // namespace glia::cpu
