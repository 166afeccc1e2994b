#include "kernels/cpu/softmax.h"

#include <cmath>

#include "kernels/cpu/kernel_test_util.h"

namespace glia::cpu {
namespace {

struct Size {
  int64_t outer, n, inner;
};
const Size kSizes[] = {{1, 1, 1},     {3, 5, 1}, {1000, 10, 1}, {7, 16, 1},   {5, 37, 1}, {3, 1003, 1},
                       {1, 20000, 1}, {2, 7, 3}, {4, 9, 130},   {2, 300, 17}, {0, 4, 2}};

// y, dx for dy, in double.
void reference(const std::vector<double>& x, const std::vector<double>& dy, Size s, bool log, std::vector<double>& y,
               std::vector<double>& dx) {
  y = dx = x;
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t c = 0; c < s.inner; ++c) {
      auto at = [&](int64_t i) { return static_cast<size_t>((o * s.n + i) * s.inner + c); };
      double m = -INFINITY, sum = 0, dot = 0, total = 0;
      for (int64_t i = 0; i < s.n; ++i) m = std::max(m, x[at(i)]);
      for (int64_t i = 0; i < s.n; ++i) sum += std::exp(x[at(i)] - m);
      for (int64_t i = 0; i < s.n; ++i) {
        const double p = std::exp(x[at(i)] - m) / sum;
        y[at(i)] = log ? x[at(i)] - m - std::log(sum) : p;
        dot += p * dy[at(i)], total += dy[at(i)];
      }
      for (int64_t i = 0; i < s.n; ++i) {
        const double p = std::exp(x[at(i)] - m) / sum;
        dx[at(i)] = log ? dy[at(i)] - p * total : p * (dy[at(i)] - dot);
      }
    }
  }
}

template <class T>
void check(Elem t, double tol) {
  for (Size s : kSizes) {
    const auto n = static_cast<size_t>(s.outer * s.n * s.inner);
    for (float offset : {0.f, -500.f, 80.f}) {
      auto xf = random_floats(n, -5, 5, 1), df = random_floats(n, -1, 1, 2);
      for (auto& v : xf) v += offset;
      const std::vector<double> xd(xf.begin(), xf.end()), dd(df.begin(), df.end());
      for (bool log : {false, true}) {
        std::vector<double> y, dx;
        reference(xd, dd, s, log, y, dx);
        for_each_isa([&](Isa) {
          Guarded<T> x(xf, 1), d(df, 1);
          auto got = expect_same_for_threads([&] {
            Guarded<T> out(n, 1);
            GLIA_ISA_SELECT(softmax)(t, {x.data(), out.data(), s.outer, s.n, s.inner, log});
            out.expect_intact();
            return out.values();
          });
          for (size_t i = 0; i < n; ++i) ASSERT_NEAR(got[i], y[i], tol * (1 + std::fabs(y[i]))) << i;
          Guarded<T> yy(y, 1);
          auto grad = expect_same_for_threads([&] {
            Guarded<T> out = d;  // in place
            GLIA_ISA_SELECT(softmax_grad)(t, {yy.data(), out.data(), out.data(), s.outer, s.n, s.inner, log});
            out.expect_intact();
            return out.values();
          });
          for (size_t i = 0; i < n; ++i) ASSERT_NEAR(grad[i], dx[i], tol * 20) << i;
        });
      }
    }
  }
}
TEST(Softmax, MatchesTheDefinitionAlongAnyAxis) {
  check<float>(Elem::f32, 2e-6);
  check<double>(Elem::f64, 1e-12);
}

template <class T, class L>
void check_entropy(Elem t, Elem lt, double tol) {
  for (Size s : kSizes) {
    if (s.inner != 1) continue;
    const auto n = static_cast<size_t>(s.outer * s.n), rows = static_cast<size_t>(s.outer);
    auto xf = random_floats(n, -5, 5, 1), df = random_floats(rows, -1, 1, 2);
    std::mt19937 g(4);
    std::vector<L> label(rows);
    for (auto& l : label) l = static_cast<L>(g() % static_cast<unsigned>(s.n));
    if (rows > 2) label[1] = -1;  // ignored
    for_each_isa([&](Isa) {
      Guarded<T> x(xf, 1), d(df), loss(rows), lse(rows);
      EXPECT_EQ(find_bad_label(lt, label.data(), s.outer, s.n, true, -1), -1);
      GLIA_ISA_SELECT(cross_entropy)
      (t, {x.data(), label.data(), lt, s.outer, s.n, true, -1, loss.data(), lse.data()});
      loss.expect_intact(), lse.expect_intact();
      auto grad = expect_same_for_threads([&] {
        Guarded<T> out(n, 1);
        GLIA_ISA_SELECT(cross_entropy_grad)
        (t, {x.data(), label.data(), lt, s.outer, s.n, true, -1, lse.data(), d.data(), out.data()});
        out.expect_intact();
        return out.values();
      });
      for (size_t r = 0; r < rows; ++r) {
        double sum = 0;
        const bool ignored = label[r] == -1;
        for (int64_t i = 0; i < s.n; ++i) sum += std::exp(static_cast<double>(xf[r * s.n + i]));
        ASSERT_NEAR(loss[r], ignored ? 0 : std::log(sum) - xf[r * s.n + label[r]], tol * 10);
        for (int64_t i = 0; i < s.n; ++i) {
          const double p = std::exp(static_cast<double>(xf[r * s.n + i])) / sum - (i == label[r]);
          ASSERT_NEAR(grad[r * s.n + i], ignored ? 0 : p * df[r], tol);
        }
      }
    });
  }
}
TEST(Softmax, CrossEntropyWithLabels) {
  check_entropy<float, int32_t>(Elem::f32, Elem::i32, 2e-6);
  check_entropy<double, int64_t>(Elem::f64, Elem::i64, 1e-12);
  const int32_t bad[] = {0, 3, -1};
  EXPECT_EQ(find_bad_label(Elem::i32, bad, 3, 3, true, -1), 1);
  EXPECT_EQ(find_bad_label(Elem::i32, bad, 3, 4, false, 0), 2);
}

TEST(Softmax, InfinitiesAndNan) {
  for_each_isa([&](Isa) {
    float x[20], y[20];
    for (float& v : x) v = -INFINITY;
    x[17] = 3;
    GLIA_ISA_SELECT(softmax)(Elem::f32, {x, y, 1, 20, 1, false});
    EXPECT_EQ(y[17], 1);
    EXPECT_EQ(y[0], 0);
    x[4] = NAN;
    GLIA_ISA_SELECT(softmax)(Elem::f32, {x, y, 1, 20, 1, false});
    for (float v : y) EXPECT_TRUE(std::isnan(v));
  });
}

}  // namespace
}  // namespace glia::cpu
