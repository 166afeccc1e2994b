#include <glia/ops.h>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/op_list.h"
#include "tensor/convert.h"

namespace glia::ops {
using namespace ir;

namespace {

struct Dims { int64_t m, n, k; };
Dims matmul_dims(const Attrs& attrs, const TensorType& a, const TensorType& b) {
  bool ta = attrs.b("transpose_a"), tb = attrs.b("transpose_b");
  size_t ra = a.shape.size(), rb = b.shape.size();
  int64_t m = a.shape[ra - (ta ? 1 : 2)], ka = a.shape[ra - (ta ? 2 : 1)];
  int64_t kb = b.shape[rb - (tb ? 1 : 2)], n = b.shape[rb - (tb ? 2 : 1)];
  GLIA_CHECK(ka == kb, "matmul: the inner extents differ: {} of {} and {} of {}.", ka, glia::to_string(a.shape), kb,
             glia::to_string(b.shape));
  return {m, n, ka};
}

std::vector<TensorType> infer_matmul(const InferContext& c) {
  const TensorType &a = c.in[0], &b = c.in[1];
  GLIA_CHECK(a.rank() >= 2 && b.rank() >= 2, "matmul: operands need rank at least 2. Received {} and {}.", to_string(a), to_string(b));
  GLIA_CHECK(a.dtype == b.dtype, "matmul: operands must share a dtype. Received {} and {}.", to_string(a), to_string(b));
  Dims d = matmul_dims(c.attrs, a, b);
  Shape shape = broadcast_shapes(Shape(a.shape.begin(), a.shape.end() - 2), Shape(b.shape.begin(), b.shape.end() - 2), "matmul");
  shape.push_back(d.m);
  shape.push_back(d.n);
  return {{a.dtype, shape}};
}

// Offset of batch `index` of an operand whose batch axes broadcast to `batch`.
int64_t batch_offset(const Shape& shape, const Shape& batch, int64_t index, int64_t matrix) {
  int64_t offset = 0, stride = matrix;
  for (int64_t i = static_cast<int64_t>(batch.size()) - 1, j = static_cast<int64_t>(shape.size()) - 3; i >= 0; --i, --j) {
    int64_t at = index % batch[i];
    index /= batch[i];
    if (j < 0) continue;
    if (shape[j] != 1) offset += at * stride;
    stride *= shape[j];
  }
  return offset;
}

void reference_matmul(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out) {
  TensorType at{in[0].dtype(), in[0].shape()}, bt{in[1].dtype(), in[1].shape()};
  Dims d = matmul_dims(attrs, at, bt);
  bool ta = attrs.b("transpose_a"), tb = attrs.b("transpose_b");
  Shape batch(out[0].shape().begin(), out[0].shape().end() - 2);
  for (int64_t i = 0; i < num_elements(batch); ++i) {
    int64_t ao = batch_offset(at.shape, batch, i, d.m * d.k), bo = batch_offset(bt.shape, batch, i, d.k * d.n);
    for (int64_t r = 0; r < d.m; ++r)
      for (int64_t c = 0; c < d.n; ++c) {
        double s = 0;
        for (int64_t k = 0; k < d.k; ++k)
          s += in[0].item(ao + (ta ? k * d.m + r : r * d.k + k)) * in[1].item(bo + (tb ? c * d.k + k : k * d.n + c));
        out[0].set_item((i * d.m + r) * d.n + c, s);
      }
  }
}

Values vjp_matmul(const VjpContext& c) {
  const Value &a = c.inputs[0], &b = c.inputs[1], &g = c.grads[0];
  bool ta = c.attrs.b("transpose_a"), tb = c.attrs.b("transpose_b");
  Values r(2);
  if (c.needs[0]) r[0] = sum_to(ta ? matmul(b, g, tb, true) : matmul(g, b, false, !tb), a.shape());
  if (c.needs[1]) r[1] = sum_to(tb ? matmul(g, a, true, ta) : matmul(a, g, !ta, false), b.shape());
  return r;
}

const OpDef& matmul_op() {
  static const OpDef def{
      .name = "matmul",
      .doc = "Product of the last two axes; leading axes broadcast. The flags transpose an operand's last two axes first.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"transpose_a", false, "use a with its last two axes swapped"},
                {"transpose_b", false, "use b with its last two axes swapped"}},
      .infer = infer_matmul,
      .vjp = vjp_matmul,
      .reference = reference_matmul,
  };
  return def;
}

}  // namespace

Value matmul(const Value& a, const Value& b, bool transpose_a, bool transpose_b) {
  GLIA_CHECK(a.rank() >= 1 && b.rank() >= 1, "matmul: scalars cannot be multiplied as matrices. Received {} and {}.",
             to_string(a.type()), to_string(b.type()));
  DType t = result_type(a.dtype(), b.dtype());
  Value x = cast(a, t), y = cast(b, t);
  bool row = x.rank() == 1, column = y.rank() == 1;
  if (row) x = expand_dims(x, 0);
  if (column) y = expand_dims(y, 1);
  // A matrix on the right: every row of every leading axis meets the same b, one large product.
  Shape lead = x.shape();
  bool flat = !transpose_a && y.rank() == 2 && x.rank() > 2;
  if (flat) x = reshape(x, {-1, lead.back()});
  Value r = apply1(matmul_op(), {{"transpose_a", transpose_a && !row}, {"transpose_b", transpose_b && !column}}, {x, y});
  if (flat) {
    Shape s(lead.begin(), lead.end() - 1);
    s.push_back(r.shape().back());
    int unknown = 0;
    for (int64_t d : s) unknown += d < 0;
    if (unknown <= 1) r = reshape(r, s);
    else return apply1(matmul_op(), {{"transpose_b", transpose_b && !column}}, {cast(a, t), y});
  }
  if (row) r = squeeze(r, {-2});
  if (column) r = squeeze(r, {-1});
  return r;
}

OpList matmul_ops() { return {&matmul_op()}; }

}  // namespace glia::ops
