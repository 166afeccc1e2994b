// Modified Bessel functions of orders 0 and 1.
#include <glia/ops/arrays.h>

#include <cmath>

#include "ops/compose.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

// exp(-|x|) I_order(|x|): the power series below 20, Hankel's asymptotic series above (Abramowitz and Stegun 9.6.10, 9.7.1).
double scaled(double x, int order) {
  const double a = std::abs(x);
  if (a < 20) {
    double term = order == 0 ? 1 : a / 2, sum = term;
    const double quarter = a * a / 4;
    for (int k = 1; k < 100 && term > sum * 1e-18; ++k) {
      term *= quarter / (static_cast<double>(k) * static_cast<double>(k + order));
      sum += term;
    }
    return sum * std::exp(-a);
  }
  const double mu = 4.0 * order * order;
  double term = 1, sum = 1;
  for (int k = 1; k < 30; ++k) {
    const double odd = 2.0 * k - 1, next = -term * (mu - odd * odd) / (8.0 * a * k);
    if (std::abs(next) > std::abs(term)) break;
    term = next;
    sum += term;
  }
  return sum / std::sqrt(2 * M_PI * a);
}

const OpDef& bessel_op();
Value bessel(const Value& x, int64_t order) { return apply1(bessel_op(), {{"order", order}}, {x}); }

const OpDef& bessel_op() {
  static const OpDef def{
      .name = "bessel_i",
      .doc = "Modified Bessel function of the first kind, order 0 or 1, elementwise.",
      .attrs = {{"order", int64_t{0}, "0 or 1"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        GLIA_CHECK(is_float(c.in[0].dtype), "bessel_i: expected floating point. Received {}.", to_string(c.in[0]));
        GLIA_CHECK(c.attrs.i("order") == 0 || c.attrs.i("order") == 1, "bessel_i: the order must be 0 or 1. Received {}.", c.attrs.i("order"));
        return {c.in[0]};
      },
      .vjp = [](const VjpContext& c) -> Values {
        const Value& x = c.inputs[0];
        if (c.attrs.i("order") == 0) return {c.grads[0] * bessel(x, 1)};
        Value zero = equal(x, zero_of(x));  // I1'(x) = I0(x) - I1(x) / x, 1/2 at 0
        Value slope = bessel(x, 0) - c.outputs[0] / where(zero, scalar_like(x, 1), x);
        return {c.grads[0] * where(zero, scalar_like(x, 0.5), slope)};
      },
      .reference =
          [](const Attrs& a, std::span<const Tensor> in, std::span<const Tensor> out) {
            const int order = static_cast<int>(a.i("order"));
            for (int64_t i = 0; i < in[0].size(); ++i) {
              const double x = in[0].item(i), y = scaled(x, order) * std::exp(std::abs(x));
              out[0].set_item(i, order == 1 && x < 0 ? -y : y);
            }
          },
  };
  return def;
}

}  // namespace

OpList bessel_ops() { return {&bessel_op()}; }

Value i0(const Value& x) { return bessel(x.dtype() == DType::i64 ? cast(x, DType::f64) : as_float(x), 0); }

Value kaiser(int64_t n, double beta) {
  GLIA_CHECK(n >= 1, "kaiser: expected at least one sample. Received {}.", n);
  if (n == 1) return ones({1});
  Tensor w({n}, DType::f64);
  for (int64_t i = 0; i < n; ++i) {
    const double r = 2.0 * static_cast<double>(i) / static_cast<double>(n - 1) - 1;
    w.set_item(i, beta * std::sqrt(std::max(0.0, 1 - r * r)));
  }
  return cast(bessel(Value(w), 0) / bessel(Value(Tensor::scalar(beta, DType::f64)), 0), DType::f32);
}

}  // namespace glia::ops
