#include <glia/ops.h>
#include <glia/regularizers.h>

#include <cmath>

#include "base/error.h"
#include "nn/normalize.h"

namespace glia {
namespace {

void check_factor(const char* who, double v) {
  GLIA_CHECK(std::isfinite(v) && v >= 0, "{}: the factor must be a finite number of at least 0. Received {}.", who, v);
}

struct L1 final : RegularizerBase {
  double l1 = 0.01;
  std::string class_name() const override { return "L1"; }
  void fields(Fields& f) override { f("l1", l1); }
  Value operator()(const Value& x) override { return ops::sum(ops::abs(x)) * l1; }
};

struct L2 final : RegularizerBase {
  double l2 = 0.01;
  std::string class_name() const override { return "L2"; }
  void fields(Fields& f) override { f("l2", l2); }
  Value operator()(const Value& x) override { return ops::sum(ops::square(x)) * l2; }
};

struct L1L2 final : RegularizerBase {
  double l1 = 0, l2 = 0;
  std::string class_name() const override { return "L1L2"; }
  void fields(Fields& f) override {
    f("l1", l1);
    f("l2", l2);
  }
  Value operator()(const Value& x) override {
    Value r = ops::scalar_like(x, 0);
    if (l1 != 0) r = r + ops::sum(ops::abs(x)) * l1;
    if (l2 != 0) r = r + ops::sum(ops::square(x)) * l2;
    return r;
  }
};

struct OrthogonalRegularizer final : RegularizerBase {
  double factor = 0.01;
  std::string mode = "rows";
  std::string class_name() const override { return "OrthogonalRegularizer"; }
  void fields(Fields& f) override {
    f("factor", factor);
    f("mode", mode);
  }
  Value operator()(const Value& x) override {
    GLIA_CHECK(x.rank() == 2, "OrthogonalRegularizer: expected a matrix. Received shape {}.", to_string(x.shape()));
    GLIA_CHECK(mode == "rows" || mode == "columns", "OrthogonalRegularizer: expected mode \"rows\" or \"columns\". Received \"{}\".",
               mode);
    bool rows = mode == "rows";
    Value unit = nn::l2_normalize(x, {rows ? 1 : 0});
    Value product = ops::matmul(unit, unit, !rows, rows);
    int64_t n = x.dim(rows ? 0 : 1);
    Tensor off_diagonal = Tensor::full({n, n}, 1, x.dtype());
    for (int64_t i = 0; i < n; ++i) off_diagonal.set_item(i * n + i, 0);
    double pairs = static_cast<double>(n) * (static_cast<double>(n) - 1) / 2;
    return ops::sum(ops::abs(product * ops::constant(off_diagonal))) * (factor * 0.5 / pairs);
  }
};

}  // namespace

namespace regularizers {
Regularizer L1(double l1) {
  check_factor("L1", l1);
  auto p = std::make_shared<glia::L1>();
  p->l1 = l1;
  return p;
}
Regularizer L2(double l2) {
  check_factor("L2", l2);
  auto p = std::make_shared<glia::L2>();
  p->l2 = l2;
  return p;
}
Regularizer L1L2(double l1, double l2) {
  check_factor("L1L2", l1);
  check_factor("L1L2", l2);
  auto p = std::make_shared<glia::L1L2>();
  p->l1 = l1;
  p->l2 = l2;
  return p;
}
Regularizer OrthogonalRegularizer(double factor, std::string mode) {
  check_factor("OrthogonalRegularizer", factor);
  auto p = std::make_shared<glia::OrthogonalRegularizer>();
  p->factor = factor;
  p->mode = std::move(mode);
  return p;
}
}  // namespace regularizers
}  // namespace glia
