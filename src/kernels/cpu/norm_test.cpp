#include "kernels/cpu/norm.h"

#include <cmath>

#include "kernels/cpu/kernel_test_util.h"

namespace glia::cpu {
namespace {

const std::pair<int64_t, int64_t> kSizes[] = {{1, 1},    {2, 3},    {1000, 10}, {37, 64}, {300, 129},
                                              {5, 1003}, {4000, 3}, {3000, 16}, {0, 5}};

std::vector<double> doubles(size_t n, float low, float high, unsigned seed) {  // values that a float holds exactly
  const auto v = random_floats(n, low, high, seed);
  return {v.begin(), v.end()};
}

template <class T>
void check_layer_norm(Elem t, double tol) {
  for (const auto& size : kSizes) {  // (clang 14 lets no lambda capture structured bindings)
    const int64_t rows = size.first, n = size.second;
    const auto N = static_cast<size_t>(rows * n), C = static_cast<size_t>(n), R = static_cast<size_t>(rows);
    const auto xf = doubles(N, 2, 4, 1), gf = doubles(C, 0.5, 2, 2), bf = doubles(C, -1, 1, 3),
               df = doubles(N, -1, 1, 4);
    for (bool rms : {false, true}) {
      for (bool affine : {false, true}) {
        std::vector<double> y(N), dx(N), dg(C, 0), db(C, 0);
        const double eps = 1e-3;
        for (size_t r = 0; r < R; ++r) {
          double mean = 0, var = 0, b = 0, c = 0;
          for (size_t i = 0; i < C; ++i) mean += xf[r * C + i] / double(n);
          if (rms) mean = 0;
          for (size_t i = 0; i < C; ++i) var += (xf[r * C + i] - mean) * (xf[r * C + i] - mean) / double(n);
          const double rs = 1 / std::sqrt(var + eps);
          for (size_t i = 0; i < C; ++i) {
            const double h = (xf[r * C + i] - mean) * rs, g = affine ? gf[i] : 1;
            y[r * C + i] = h * g + (affine && !rms ? bf[i] : 0);
            b += df[r * C + i] * g * h / double(n), c += rms ? 0 : df[r * C + i] * g / double(n);
            dg[i] += df[r * C + i] * h, db[i] += df[r * C + i];
          }
          for (size_t i = 0; i < C; ++i)
            dx[r * C + i] = rs * (df[r * C + i] * (affine ? gf[i] : 1) - c - (xf[r * C + i] - mean) * rs * b);
        }
        for_each_isa([&](Isa) {
          Guarded<T> x(xf, 1), g(gf), b(bf), d(df), mean(R), rstd(R);
          auto got = expect_same_for_threads([&] {
            Guarded<T> out(N, 1);
            GLIA_ISA_SELECT(layer_norm)
            (t, {x.data(), affine ? g.data() : nullptr, affine && !rms ? b.data() : nullptr, out.data(), mean.data(),
                 rstd.data(), rows, n, eps, rms});
            out.expect_intact(), mean.expect_intact(), rstd.expect_intact();
            return out.values();
          });
          for (size_t i = 0; i < N; ++i)
            ASSERT_NEAR(got[i], y[i], tol * (n < 8 ? 10 : 4) * (1 + std::fabs(y[i]))) << i;
          Guarded<T> dgamma(C), dbeta(C), ws(static_cast<size_t>(layer_norm_grad_workspace(t, rows, n)) / sizeof(T));
          auto grad = expect_same_for_threads([&] {
            Guarded<T> out(N, 1);
            GLIA_ISA_SELECT(layer_norm_grad)
            (t, {x.data(), affine ? g.data() : nullptr, mean.data(), rstd.data(), d.data(), out.data(), dgamma.data(),
                 rms ? nullptr : dbeta.data(), rows, n, rms, ws.data()});
            out.expect_intact(), dgamma.expect_intact(), dbeta.expect_intact(), ws.expect_intact();
            auto all = out.values();
            all.insert(all.end(), dgamma.data(), dgamma.data() + C);
            return all;
          });
          const double s = n < 8 ? 1000 : 60;  // short rows can have tiny variances
          for (size_t i = 0; i < N; ++i) ASSERT_NEAR(grad[i], dx[i], tol * s) << i;
          for (size_t i = 0; i < C; ++i) {
            ASSERT_NEAR(dgamma[i], dg[i], tol * 10 * (1 + std::sqrt(rows)));
            if (rms) continue;
            ASSERT_NEAR(dbeta[i], db[i], tol * 10 * (1 + std::sqrt(rows)));
          }
        });
      }
    }
  }
}
TEST(Norm, LayerAndRmsNormWithGradients) {
  check_layer_norm<float>(Elem::f32, 2e-6);
  check_layer_norm<double>(Elem::f64, 1e-13);
}

template <class T>
void check_channels(Elem t, double tol) {
  for (const auto& size : kSizes) {  // (clang 14 lets no lambda capture structured bindings)
    const int64_t rows = size.first, n = size.second;
    if (rows == 0) continue;
    const auto N = static_cast<size_t>(rows * n), C = static_cast<size_t>(n);
    for (float offset : {0.f, 1000.f}) {
      const auto xf = doubles(N, offset - 1, offset + 1, 1), df = doubles(N, -1, 1, 2), rf = doubles(C, 0.5, 2, 3);
      std::vector<double> mean(C, 0), var(C, 0), s(C, 0), q(C, 0);
      for (size_t i = 0; i < N; ++i) mean[i % C] += xf[i] / double(rows);
      for (size_t i = 0; i < N; ++i) {
        const double d = xf[i] - mean[i % C];
        var[i % C] += d * d / double(rows), s[i % C] += df[i], q[i % C] += df[i] * d * rf[i % C];
      }
      for_each_isa([&](Isa) {
        Guarded<T> x(xf, 1), d(df, 1), r(rf), v(C), s0(C), s1(C),
            ws(static_cast<size_t>(channel_workspace(t, rows, n)) / sizeof(T));
        auto m = expect_same_for_threads([&] {
          Guarded<T> out(C);
          GLIA_ISA_SELECT(channel_moments)(t, {x.data(), out.data(), v.data(), rows, n, ws.data()});
          out.expect_intact(), v.expect_intact(), ws.expect_intact();
          return out.values();
        });
        Guarded<T> mt(mean);
        expect_same_for_threads([&] {
          GLIA_ISA_SELECT(channel_grad_sums)
          (t, {x.data(), d.data(), mt.data(), r.data(), s0.data(), s1.data(), rows, n, ws.data()});
          s0.expect_intact(), s1.expect_intact(), ws.expect_intact();
          auto all = s0.values();
          all.insert(all.end(), s1.data(), s1.data() + C);
          return all;
        });
        const double big = offset > 0 && t == Elem::f32 ? 100 : 1;  // the data themselves have coarser steps there
        for (size_t c = 0; c < C; ++c) {
          ASSERT_NEAR(m[c], mean[c], tol * (1 + offset));
          ASSERT_NEAR(v[c], var[c], tol * 10 * (1 + var[c]));
          ASSERT_NEAR(s0[c], s[c], tol * 10 * (1 + std::sqrt(rows)));
          ASSERT_NEAR(s1[c], q[c], tol * 10 * big * (1 + std::sqrt(rows)));
        }
      });
    }
  }
}
TEST(Norm, ChannelMomentsAndGradientSums) {
  check_channels<float>(Elem::f32, 2e-6);
  check_channels<double>(Elem::f64, 1e-11);
}

}  // namespace
}  // namespace glia::cpu
