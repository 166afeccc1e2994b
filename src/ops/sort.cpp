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
  int64_t k;  // how many of the sorted indices are wanted
  bool descending;
  DType type;
};

// Indices of one line in sorted order; NaN last either way, equal elements in their order.
template <class T>
void sort_line(const Params& p, const T* x, int32_t* order) {
  const int64_t step = p.split.inner;
  auto is_nan = [](T v) { return v != v; };
  auto before = [&](int32_t i, int32_t j) {
    const T a = x[i * step], b = x[j * step];
    if (is_nan(a) || is_nan(b)) return is_nan(a) != is_nan(b) ? is_nan(b) : i < j;
    if (a != b) return p.descending ? a > b : a < b;
    return i < j;
  };
  for (int64_t i = 0; i < p.split.n; ++i) order[i] = static_cast<int32_t>(i);
  if (p.k < p.split.n)
    std::partial_sort(order, order + p.k, order + p.split.n, before);
  else
    std::sort(order, order + p.split.n, before);
}

constexpr int64_t kTasks = 16;

template <class T>
void sort_lines(const Params& p, const T* x, T* values, int32_t* indices, int32_t* work) {
  const int64_t lines = p.split.outer * p.split.inner, tasks = std::min(kTasks, lines);
  parallel_for(p.split.n * lines < 4096 ? 1 : tasks, [&](int64_t t) {
    const int64_t parts = p.split.n * lines < 4096 ? 1 : tasks;
    int32_t* order = work + t * p.split.n;
    for (int64_t l = lines * t / parts, end = lines * (t + 1) / parts; l < end; ++l) {
      const int64_t o = l / p.split.inner, i = l % p.split.inner;
      const T* line = x + o * p.split.n * p.split.inner + i;
      sort_line(p, line, order);
      for (int64_t j = 0; j < p.k; ++j) {
        const int64_t to = (o * p.k + j) * p.split.inner + i;
        if (indices) indices[to] = order[j];
        if (values) values[to] = line[order[j] * p.split.inner];
      }
    }
  });
}

std::optional<KernelPlan> make_sort(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype == DType::bf16 || q.in[0].dtype == DType::f16) {
    refusal = "not for half types";
    return {};
  }
  const bool top = q.op.name == "top_k";
  Params p{split_at(q.in[0].shape, top ? -1 : q.attrs.i("axis")), 0, top || q.attrs.b("descending"), q.in[0].dtype};
  p.k = top ? q.attrs.i("k") : p.split.n;
  GLIA_CHECK(p.split.n < INT32_MAX, "{}: an axis of {} elements is too long.", q.op.name, p.split.n);
  KernelPlan plan;
  plan.workspace = static_cast<size_t>(kTasks * p.split.n * 4);
  plan.params = kernel_params(p);
  if (top) {
    plan.fn = [](const KernelArgs& a) {
      const auto& p = a.param<Params>();
      visit_dtype(p.type, [&](auto tag) {
        using T = decltype(tag);
        if constexpr (std::is_arithmetic_v<T>)
          sort_lines<T>(p, a.input<T>(0), a.output<T>(0), a.output<int32_t>(1), static_cast<int32_t*>(a.work));
      });
    };
  } else {
    plan.fn = [](const KernelArgs& a) {
      const auto& p = a.param<Params>();
      visit_dtype(p.type, [&](auto tag) {
        using T = decltype(tag);
        if constexpr (std::is_arithmetic_v<T>)
          sort_lines<T>(p, a.input<T>(0), nullptr, a.output<int32_t>(0), static_cast<int32_t*>(a.work));
      });
    };
  }
  return plan;
}

const OpDef& argsort_op() {
  static const OpDef def{
      .name = "argsort",
      .doc = "int32 indices that sort x along an axis, stable, NaN last.",
      .attrs = {{"axis", int64_t{-1}, "axis to sort"}, {"descending", false, "largest first"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        GLIA_CHECK(c.in[0].rank() > 0, "argsort: expected at least one axis. Received a scalar.");
        normalize_axis(c.attrs.i("axis"), c.in[0].rank(), "argsort");
        return {{DType::i32, c.in[0].shape}};
      },
      .differentiable = false,
      .kernels = {{"sort", make_sort}},
  };
  return def;
}

const OpDef& top_k_op() {
  static const OpDef def{
      .name = "top_k",
      .doc =
          "The k largest elements along the last axis, largest first, and their int32 indices; NaN counts as "
          "smallest.",
      .attrs = {{"k", int64_t{1}, "how many", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        GLIA_CHECK(c.in[0].rank() > 0, "top_k: expected at least one axis. Received a scalar.");
        TensorType out = c.in[0];
        const int64_t k = c.attrs.i("k");
        GLIA_CHECK(k >= 0 && k <= out.shape.back(),
                   "top_k: k must lie between 0 and the last axis of {}. Received {}.", to_string(c.in[0]), k);
        out.shape.back() = k;
        return {out, {DType::i32, out.shape}};
      },
      .vjp = [](const VjpContext& c) -> Values {
        if (!c.grads[0].defined()) return {Value()};
        const OpDef& add = find_op("add_along_axis");
        return {apply1(add, {{"axis", int64_t{-1}}, {"n", c.inputs[0].dim(-1)}}, {c.grads[0], c.outputs[1]})};
      },
      .kernels = {{"sort", make_sort}},
  };
  return def;
}

}  // namespace

OpList sort_ops() { return {&argsort_op(), &top_k_op()}; }

Value argsort(const Value& x, int64_t axis) { return apply1(argsort_op(), {{"axis", axis}}, {x}); }
Value sort(const Value& x, int64_t axis) { return take_along_axis(x, argsort(x, axis), axis); }
Values top_k(const Value& x, int64_t k) { return apply(top_k_op(), {{"k", k}}, {x}); }

}  // namespace glia::ops
