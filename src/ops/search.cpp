// Binary search, divisors and neighbours of numbers: integer work that is no composition of pointwise ops.
#include <glia/ops/arrays.h>
#include <glia/ops/statistics.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ops/compose.h"
#include "ops/op_list.h"
#include "tensor/convert.h"

namespace glia::ops {
using namespace ir;

namespace {

const OpDef& searchsorted_op() {
  static const OpDef def{
      .name = "searchsorted",
      .doc = "sorted (n), values (any) -> int32 positions where each value would be inserted, before or behind equal elements.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"right", false, "behind equal elements"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        GLIA_CHECK(c.in[0].rank() == 1 && c.in[0].dtype == c.in[1].dtype, "searchsorted: expected a vector and values of its dtype. Received {} and {}.",
                   to_string(c.in[0]), to_string(c.in[1]));
        return {{DType::i32, c.in[1].shape}};
      },
      .differentiable = false,
      .reference =
          [](const Attrs& a, std::span<const Tensor> in, std::span<const Tensor> out) {
            const bool right = a.b("right");
            visit_dtype(in[0].dtype(), [&](auto tag) {
              using T = decltype(tag);
              if constexpr (std::is_arithmetic_v<T>) {
                const T *first = in[0].data<T>(), *last = first + in[0].size(), *v = in[1].data<T>();
                for (int64_t i = 0; i < in[1].size(); ++i)
                  out[0].data<int32_t>()[i] =
                      static_cast<int32_t>((right ? std::upper_bound(first, last, v[i]) : std::lower_bound(first, last, v[i])) - first);
              }
            });
          },
  };
  return def;
}

std::vector<TensorType> infer_same(const InferContext& c) {
  GLIA_CHECK(c.in[0] == c.in[1], "{}: expected two arrays of one shape and dtype. Received {} and {}.", c.op.name, to_string(c.in[0]), to_string(c.in[1]));
  return {c.in[0]};
}

const OpDef& gcd_op() {
  static const OpDef def{
      .name = "gcd",
      .doc = "Greatest common divisors of two integer arrays of one shape; 0 where both are 0.",
      .min_inputs = 2,
      .max_inputs = 2,
      .infer = infer_same,
      .differentiable = false,
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            visit_dtype(in[0].dtype(), [&](auto tag) {
              using T = decltype(tag);
              if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
                for (int64_t i = 0; i < out[0].size(); ++i)
                  out[0].data<T>()[i] = static_cast<T>(std::gcd(in[0].data<T>()[i], in[1].data<T>()[i]));
            });
          },
  };
  return def;
}

const OpDef& nextafter_op() {
  static const OpDef def{
      .name = "nextafter",
      .doc = "The next float64 after each element of the first array towards the second.",
      .min_inputs = 2,
      .max_inputs = 2,
      .infer = infer_same,
      .vjp = [](const VjpContext& c) -> Values {  // as TensorFlow: one for the start, nothing for the direction
        return {c.grads[0], Value()};
      },
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            for (int64_t i = 0; i < out[0].size(); ++i) out[0].set_item(i, std::nextafter(in[0].item(i), in[1].item(i)));
          },
  };
  return def;
}

std::pair<Value, Value> alike(const Value& a, const Value& b, DType t) {
  const Shape shape = broadcast_shapes(a.shape(), b.shape(), "broadcast");
  return {broadcast_to(cast(a, t), shape), broadcast_to(cast(b, t), shape)};
}

}  // namespace

OpList search_ops() { return {&searchsorted_op(), &gcd_op(), &nextafter_op()}; }

Value searchsorted(const Value& sequence, const Value& values, const std::string& side) {
  GLIA_CHECK(side == "left" || side == "right", "searchsorted: unknown side \"{}\". Expected left or right.", side);
  DType t = result_type(sequence.dtype(), values.dtype());
  if (t == DType::bf16 || t == DType::f16) t = DType::f32;
  return apply1(searchsorted_op(), {{"right", side == "right"}}, {cast(sequence, t), cast(values, t)});
}

Value gcd(const Value& a, const Value& b) {
  const DType t = result_type(a.dtype(), b.dtype());
  GLIA_CHECK(!is_float(t) && t != DType::bool_, "gcd: expected integers. Received {} and {}.", to_string(a.type()), to_string(b.type()));
  auto [x, y] = alike(a, b, t);
  return apply1(gcd_op(), {}, {x, y});
}

Value lcm(const Value& a, const Value& b) {
  auto [x, y] = alike(a, b, result_type(a.dtype(), b.dtype()));
  Value divisor = gcd(x, y), none = equal(divisor, zero_of(divisor));
  Value product = abs(x) * floor_divide(abs(y), where(none, scalar_like(divisor, 1), divisor));
  return where(none, zero_of(product), product);
}

Value nextafter(const Value& a, const Value& b) {
  DType t = result_type(a.dtype(), b.dtype());
  if (!is_float(t)) t = DType::f32;
  auto [x, y] = alike(a, b, DType::f64);
  return cast(apply1(nextafter_op(), {}, {x, y}), t);
}

}  // namespace glia::ops
