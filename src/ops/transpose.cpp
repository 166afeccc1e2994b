#include <glia/ops.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/copy.h"
#include "ops/move.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

std::vector<TensorType> infer_transpose(const InferContext& c) {
  const Ints& axes = c.attrs.ints("axes");
  Ints sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  Ints all(static_cast<size_t>(c.in[0].rank()));
  std::iota(all.begin(), all.end(), int64_t{0});
  GLIA_CHECK(sorted == all, "transpose: axes must be a permutation of 0 to {}. Received {} for {}.",
             c.in[0].rank() - 1, ir::to_string(AttrValue(axes)), glia::to_string(c.in[0]));
  TensorType out{c.in[0].dtype, {}};
  for (int64_t a : axes) out.shape.push_back(c.in[0].shape[static_cast<size_t>(a)]);
  return {out};
}

std::optional<KernelPlan> make_transpose(const KernelQuery& q, std::string&) {
  const Shape in = row_major_strides(q.in[0].shape);
  Shape src;
  for (int64_t a : q.attrs.ints("axes")) src.push_back(in[static_cast<size_t>(a)]);
  const int size = element_bytes(q.in[0].dtype);
  return copy_plan({{cpu::CopyKernel(q.out[0].shape, src, row_major_strides(q.out[0].shape), size), 0, 0, 0}}, size);
}

const OpDef& transpose_op() {
  static const OpDef def{
      .name = "transpose",
      .doc = "Permutes axes: axis i of the result is axis axes[i] of the input.",
      .attrs = {{"axes", Ints{}, "permutation of the axes", true}},
      .infer = infer_transpose,
      .vjp = [](const VjpContext& c) -> Values {
        const Ints& axes = c.attrs.ints("axes");
        Ints inverse(axes.size());
        for (size_t i = 0; i < axes.size(); ++i) inverse[static_cast<size_t>(axes[i])] = static_cast<int64_t>(i);
        return {transpose(c.grads[0], inverse)};
      },
      .kernels = {{"copy", make_transpose}},
      .traits = {.moves = true, .low_precision = true},
  };
  return def;
}

}  // namespace

OpList transpose_ops() { return {&transpose_op()}; }

Value transpose(const Value& x, std::vector<int64_t> axes) {
  const int64_t rank = x.rank();
  if (axes.empty())
    for (int64_t i = rank; i-- > 0;) axes.push_back(i);
  for (auto& a : axes) a = normalize_axis(a, rank, "transpose");
  if (static_cast<int64_t>(axes.size()) == rank && std::is_sorted(axes.begin(), axes.end()) &&
      std::adjacent_find(axes.begin(), axes.end()) == axes.end())
    return x;
  return apply1(transpose_op(), {{"axes", std::move(axes)}}, {x});
}

Value moveaxis(const Value& x, int64_t source, int64_t destination) {
  source = normalize_axis(source, x.rank(), "moveaxis");
  destination = normalize_axis(destination, x.rank(), "moveaxis");
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != source) axes.push_back(i);
  axes.insert(axes.begin() + destination, source);
  return transpose(x, axes);
}

Value swapaxes(const Value& x, int64_t axis1, int64_t axis2) {
  std::vector<int64_t> axes(static_cast<size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), int64_t{0});
  std::swap(axes[static_cast<size_t>(normalize_axis(axis1, x.rank(), "swapaxes"))],
            axes[static_cast<size_t>(normalize_axis(axis2, x.rank(), "swapaxes"))]);
  return transpose(x, axes);
}

}  // namespace glia::ops
