// Checks that op tests share: gradients against finite differences, kernels against decompositions, all in float64.
//
//   check_gradient([](const Values& v) { return ops::softmax(v[0]); }, {random_values({3, 5})});
#pragma once
#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/cpu.h"
#include "base/thread_pool.h"
#include "ir/graph.h"
#include "runtime/executable.h"

namespace glia::testing_ops {

inline Tensor random_values(const Shape& shape, double low = -1, double high = 1, unsigned seed = 1,
                            DType dtype = DType::f64) {
  std::mt19937 g(seed);
  std::uniform_real_distribution<double> u(low, high);
  Tensor t(shape, dtype);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, u(g));
  return t;
}

// sum(weights * f(args)), a scalar that every output element moves.
inline Value weighted(const Value& y) {
  Tensor w(y.shape(), y.dtype());
  for (int64_t i = 0; i < w.size(); ++i) w.set_item(i, std::sin(1.3 * static_cast<double>(i) + 0.7));
  return ops::sum(y * Value(w));
}

// Derivative in one random direction over all float64 arguments together, by central differences.
inline void check_gradient(const std::function<Value(const Values&)>& f, const std::vector<Tensor>& args,
                           double tolerance = 1e-6) {
  auto loss = [&](const Values& v) { return weighted(f(v)); };
  const Values at(args.begin(), args.end());
  const Values g = grad(loss)(at);
  double want = 0, size = 0;
  Values up, down;
  const double h = 1e-5;
  for (size_t a = 0; a < args.size(); ++a) {
    Tensor p = args[a].clone(), m = args[a].clone();
    if (args[a].dtype() == DType::f64) {
      const Tensor d = random_values(args[a].shape(), -1, 1, static_cast<unsigned>(a) + 11);
      for (int64_t i = 0; i < p.size(); ++i) {
        p.set_item(i, p.item(i) + h * d.item(i));
        m.set_item(i, m.item(i) - h * d.item(i));
        want += g[a].tensor().item(i) * d.item(i);
        size += std::fabs(g[a].tensor().item(i) * d.item(i));
      }
    }
    up.emplace_back(p), down.emplace_back(m);
  }
  const double got = (loss(up).tensor().item() - loss(down).tensor().item()) / (2 * h);
  EXPECT_NEAR(want, got, tolerance * (1 + size));
  EXPECT_GT(size, 0) << "the gradient is zero everywhere";
}

inline void expect_near(const Tensor& got, const Tensor& want, double tolerance) {
  ASSERT_EQ(got.shape(), want.shape());
  ASSERT_EQ(got.dtype(), want.dtype());
  for (int64_t i = 0; i < got.size(); ++i) {
    const double a = got.item(i), b = want.item(i);
    if (std::isnan(b))
      ASSERT_TRUE(std::isnan(a)) << i;
    else if (std::isinf(b))
      ASSERT_EQ(a, b) << i;
    else
      ASSERT_NEAR(a, b, tolerance * (1 + std::fabs(b))) << i;
  }
}

// Every output of the op's kernels against its decomposition, for f64 and f32 arguments and every instruction set,
// with the same bits for 1, 2 and 4 threads.
inline void check_decomposition(std::string_view name, const ir::Attrs& attrs, const std::vector<Tensor>& args,
                                double f32_tolerance = 2e-5) {
  const ir::OpDef& op = ir::find_op(name);
  ASSERT_TRUE(op.decompose) << name;
  SCOPED_TRACE(std::string(name) + attrs.to_string());
  Values wide(args.begin(), args.end()), narrow;
  for (const Tensor& t : args) narrow.emplace_back(t.dtype() == DType::f64 ? t.astype(DType::f32) : t);
  const ir::Attrs full = ir::normalized(op, attrs);
  const Values want = op.decompose(full, wide);
  const Isa old = current_isa();
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    if (isa > best_isa() || (isa == Isa::neon && best_isa() != Isa::neon)) continue;
    set_isa(isa);
    SCOPED_TRACE(std::string(isa_name(isa)));
    const Values got = ir::apply(op, attrs, wide);
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) expect_near(got[i].tensor(), want[i].tensor(), 1e-11);
    std::vector<Tensor> first;
    for (int threads : {1, 2, 4}) {
      set_num_threads(threads);
      const Values half = ir::apply(op, attrs, narrow);
      for (size_t i = 0; i < half.size(); ++i) {
        if (threads == 1)
          first.push_back(half[i].tensor().clone());
        else
          EXPECT_TRUE(half[i].tensor().equals(first[i])) << threads << " threads differ";
        Tensor w = want[i].tensor();
        if (w.dtype() == DType::f64) w = w.astype(DType::f32);
        expect_near(half[i].tensor(), w, f32_tolerance);
      }
    }
    set_num_threads(2);
  }
  set_isa(old);
}

}  // namespace glia::testing_ops
