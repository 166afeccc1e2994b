#include <glia/ops.h>

#include <algorithm>

#include "base/error.h"
#include "base/thread_pool.h"
#include "ir/graph.h"
#include "ops/axis.h"
#include "ops/op_list.h"
#include "tensor/convert.h"

namespace glia::ops {
using namespace ir;

namespace {

struct Params {
  AxisSplit split;
  bool exclusive, reverse, product;
  DType type;
};

template <class T>
void scan(const Params& p, const T* x, T* y) {
  using A = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;  // integers wrap
  const int64_t n = p.split.n, inner = p.split.inner, tile = std::min<int64_t>(inner, 64),
                tiles = inner ? (inner + tile - 1) / tile : 0;
  const int64_t lines = p.split.outer * tiles, per = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, n * tile));
  parallel_for((lines + per - 1) / per, [&](int64_t task) {
    for (int64_t l = task * per, end = std::min(lines, l + per); l < end; ++l) {
      const int64_t c0 = l % tiles * tile, m = std::min(tile, inner - c0), base = l / tiles * n * inner + c0;
      A acc[64];
      std::fill(acc, acc + m, A(p.product ? 1 : 0));
      for (int64_t k = 0; k < n; ++k) {
        const int64_t at = base + (p.reverse ? n - 1 - k : k) * inner;
        for (int64_t c = 0; c < m; ++c) {
          const A v = static_cast<A>(x[at + c]), next = p.product ? acc[c] * v : acc[c] + v;
          y[at + c] = static_cast<T>(p.exclusive ? acc[c] : next);
          acc[c] = next;
        }
      }
    }
  });
}

std::optional<KernelPlan> make_scan(const KernelQuery& q, std::string& refusal) {
  const DType t = q.in[0].dtype;
  if (t == DType::bool_ || t == DType::bf16 || t == DType::f16) {
    refusal = "not for bool and half types";
    return {};
  }
  KernelPlan plan;
  plan.params = kernel_params(Params{split_at(q.in[0].shape, q.attrs.i("axis")), q.attrs.b("exclusive"),
                                     q.attrs.b("reverse"), q.op.name == "cumprod", t});
  plan.fn = [](const KernelArgs& a) {
    const auto& p = a.param<Params>();
    visit_dtype(p.type, [&](auto tag) {
      using T = decltype(tag);
      if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) scan<T>(p, a.input<T>(0), a.output<T>(0));
    });
  };
  return plan;
}

std::vector<TensorType> infer_scan(const InferContext& c) {
  GLIA_CHECK(c.in[0].dtype != DType::bool_, "{}: expected numbers. Received {}.", c.op.name, to_string(c.in[0]));
  GLIA_CHECK(c.in[0].rank() > 0, "{}: expected at least one axis. Received a scalar.", c.op.name);
  normalize_axis(c.attrs.i("axis"), c.in[0].rank(), c.op.name);
  return {c.in[0]};
}

OpDef make(const char* name, const char* doc, Values (*vjp)(const VjpContext&)) {
  return {.name = name,
          .doc = doc,
          .attrs = {{"axis", int64_t{0}, "axis to walk along"},
                    {"exclusive", false, "leave the element itself out"},
                    {"reverse", false, "from the end to the start"}},
          .infer = infer_scan,
          .vjp = vjp,
          .kernels = {{"scan", make_scan}},
          .traits = {.in_place = {{0, 0}}}};
}

const OpDef& cumsum_op() {
  static const OpDef def = make("cumsum", "Running sum along an axis.", [](const VjpContext& c) -> Values {
    return {cumsum(c.grads[0], c.attrs.i("axis"), c.attrs.b("exclusive"), !c.attrs.b("reverse"))};
  });
  return def;
}
const OpDef& cumprod_op() {
  // y_i = prod x_j (j <= i): dx_j = sum over i >= j of g_i y_i / x_j. Where x_j is 0 the result is 0, as TensorFlow.
  static const OpDef def = make(
      "cumprod", "Running product along an axis. The gradient is 0 where an element is 0.",
      [](const VjpContext& c) -> Values {
        return {divide_no_nan(cumsum(c.grads[0] * c.outputs[0], c.attrs.i("axis"), c.attrs.b("exclusive"), !c.attrs.b("reverse")),
                              c.inputs[0])};
      });
  return def;
}

Value scanned(const OpDef& op, const Value& x, int64_t axis, bool exclusive, bool reverse) {
  Value v = x.dtype() == DType::bool_ ? cast(x, DType::i32) : x;
  return apply1(op, {{"axis", axis}, {"exclusive", exclusive}, {"reverse", reverse}}, {v});
}

}  // namespace

OpList cumulative_ops() { return {&cumsum_op(), &cumprod_op()}; }

Value cumsum(const Value& x, int64_t axis, bool exclusive, bool reverse) {
  return scanned(cumsum_op(), x, axis, exclusive, reverse);
}
Value cumprod(const Value& x, int64_t axis, bool exclusive, bool reverse) {
  return scanned(cumprod_op(), x, axis, exclusive, reverse);
}

}  // namespace glia::ops
