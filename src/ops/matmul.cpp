#include <glia/ops.h>

#include <cmath>

#include "base/error.h"
#include "ir/graph.h"
#include "kernels/cpu/gemm.h"
#include "ops/fixed_input.h"
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
  TensorType out{a.dtype, shape};
  const bool bias = c.attrs.b("bias"), residual = c.attrs.b("residual");
  const size_t want = 2 + size_t{bias} + size_t{residual};
  GLIA_CHECK(c.in.size() == want, "matmul: expected {} inputs. Received {}.", want, c.in.size());
  if (bias)
    GLIA_CHECK((c.in[2] == TensorType{a.dtype, {d.n}}), "matmul: the bias must be {}. Received {}.",
               to_string(TensorType{a.dtype, {d.n}}), to_string(c.in[2]));
  if (residual)
    GLIA_CHECK(c.in.back() == out, "matmul: the residual must be {}. Received {}.", to_string(out), to_string(c.in.back()));
  const std::string& act = c.attrs.s("activation");
  GLIA_CHECK(act.empty() || is_epilogue_activation(act), "matmul: unknown activation '{}'.", act);
  return {out};
}

cpu::Act activation(const std::string& name) {
  using cpu::Act;
  if (name.empty()) return Act::none;
  if (name == "relu") return Act::relu;
  if (name == "sigmoid") return Act::sigmoid;
  if (name == "tanh") return Act::tanh;
  if (name == "gelu") return Act::gelu;
  if (name == "gelu_tanh") return Act::gelu_tanh;
  if (name == "silu") return Act::silu;
  return Act::count_;
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
  const Tensor* bias = attrs.b("bias") ? &in[2] : nullptr;
  const Tensor* residual = attrs.b("residual") ? &in.back() : nullptr;
  const cpu::Act act = activation(attrs.s("activation"));
  for (int64_t i = 0; i < num_elements(batch); ++i) {
    int64_t ao = batch_offset(at.shape, batch, i, d.m * d.k), bo = batch_offset(bt.shape, batch, i, d.k * d.n);
    for (int64_t r = 0; r < d.m; ++r)
      for (int64_t c = 0; c < d.n; ++c) {
        double s = 0;
        for (int64_t k = 0; k < d.k; ++k)
          s += in[0].item(ao + (ta ? k * d.m + r : r * d.k + k)) * in[1].item(bo + (tb ? c * d.k + k : k * d.n + c));
        const int64_t at = (i * d.m + r) * d.n + c;
        if (bias) s += bias->item(c);
        if (residual) s += residual->item(at);
        out[0].set_item(at, cpu::activate_f64(act, 0, s));
      }
  }
}

struct MatmulParams {
  cpu::GemmParams gemm;
  bool bias = false, residual = false;
  int64_t elements[4] = {};  // of the inputs; convert_f32 only
  int64_t out_elements = 0;
  DType dtype = DType::f32;
};

// Batch axes with the strides of each operand, neighbours merged where all operands walk them densely.
bool set_batches(cpu::GemmParams& p, const Shape& a, const Shape& b, const Shape& out) {
  struct Axis { int64_t extent, a, b, c; };
  std::vector<Axis> axes;  // innermost first
  int64_t sa = p.m * p.k, sb = p.k * p.n, sc = p.m * p.n;
  const int64_t rank = static_cast<int64_t>(out.size());
  for (int64_t i = 2; i < rank; ++i) {
    auto extent = [&](const Shape& s) { return i < static_cast<int64_t>(s.size()) ? s[s.size() - 1 - i] : 1; };
    const int64_t ea = extent(a), eb = extent(b), n = extent(out);
    Axis axis{n, ea == 1 ? 0 : sa, eb == 1 ? 0 : sb, sc};
    sa *= ea, sb *= eb, sc *= n;
    if (n == 1) continue;
    if (!axes.empty()) {
      Axis& last = axes.back();
      if (axis.a == last.a * last.extent && axis.b == last.b * last.extent && axis.c == last.c * last.extent) {
        last.extent *= n;
        continue;
      }
    }
    axes.push_back(axis);
  }
  if (axes.size() > cpu::GemmParams::kMaxBatchRank) return false;
  p.batch_rank = static_cast<int>(axes.size());
  for (int d = 0; d < p.batch_rank; ++d) {
    const Axis& axis = axes[axes.size() - 1 - static_cast<size_t>(d)];
    p.batch_dims[d] = axis.extent;
    p.batch_a[d] = axis.a, p.batch_b[d] = axis.b, p.batch_c[d] = p.batch_r[d] = axis.c;
  }
  return true;
}

void run_gemm(const KernelArgs& args) {
  const auto& p = args.param<MatmulParams>();
  cpu::gemm_run(p.gemm, args.in[0], args.in[1], args.out[0], p.bias ? args.in[2] : nullptr,
                p.residual ? args.in[2 + int{p.bias}] : nullptr, args.work, args.ready);
}

std::optional<MatmulParams> gemm_params(const KernelQuery& q, cpu::GemmType type, std::string& refusal) {
  MatmulParams p;
  const Dims d = matmul_dims(q.attrs, q.in[0], q.in[1]);
  p.bias = q.attrs.b("bias"), p.residual = q.attrs.b("residual");
  cpu::GemmParams& g = p.gemm;
  g.m = d.m, g.n = d.n, g.k = d.k;
  g.trans_a = q.attrs.b("transpose_a"), g.trans_b = q.attrs.b("transpose_b");
  g.lda = g.trans_a ? d.m : d.k;
  g.ldb = g.trans_b ? d.k : d.n;
  g.ldc = g.ldr = d.n;
  g.has_bias = p.bias, g.has_residual = p.residual;
  g.act = activation(q.attrs.s("activation"));
  if (g.act == cpu::Act::count_) {
    refusal = "unknown activation " + q.attrs.s("activation");
    return {};
  }
  if (!set_batches(g, q.in[0].shape, q.in[1].shape, q.out[0].shape)) {
    refusal = "more than 6 separate batch axes";
    return {};
  }
  g.keep_b = is_fixed(q, 1) && q.in[0].dtype != DType::f16;
  cpu::gemm_prepare(g, type);
  return p;
}

std::optional<KernelPlan> make_gemm(const KernelQuery& q, std::string& refusal) {
  cpu::GemmType type;
  switch (q.in[0].dtype) {
    case DType::f32: type = cpu::GemmType::f32; break;
    case DType::f64: type = cpu::GemmType::f64; break;
    case DType::bf16: type = cpu::GemmType::bf16; break;
    default: refusal = "dtype is not float32, float64 or bfloat16"; return {};
  }
  auto p = gemm_params(q, type, refusal);
  if (!p) return {};
  const size_t workspace = p->gemm.plan.workspace;
  const bool keep = p->gemm.plan.kept;
  return KernelPlan{run_gemm, kernel_params(std::move(*p)), workspace, keep};
}

// Other types that floats hold well enough: converted into the workspace, multiplied there.
size_t padded_floats(int64_t n) { return static_cast<size_t>((n + 15) / 16 * 16); }

void run_converted(const KernelArgs& args) {
  const auto& p = args.param<MatmulParams>();
  float* at = static_cast<float*>(args.work);
  const float* in[4] = {};
  for (int i = 0; i < 2 + int{p.bias} + int{p.residual}; ++i) {
    convert_elements(DType::f32, at, p.dtype, args.in[i], p.elements[i]);
    in[i] = at;
    at += padded_floats(p.elements[i]);
  }
  float* out = at;
  at += padded_floats(p.out_elements);
  cpu::gemm_run(p.gemm, in[0], in[1], out, p.bias ? in[2] : nullptr, p.residual ? in[2 + int{p.bias}] : nullptr, at);
  convert_elements(p.dtype, args.out[0], DType::f32, out, p.out_elements);
}

std::optional<KernelPlan> make_converted(const KernelQuery& q, std::string& refusal) {
  if (q.in[0].dtype != DType::f16) {
    refusal = "dtype is not float16";
    return {};
  }
  auto p = gemm_params(q, cpu::GemmType::f32, refusal);
  if (!p) return {};
  p->dtype = q.in[0].dtype;
  size_t floats = padded_floats(q.out[0].elements());
  for (size_t i = 0; i < q.in.size(); ++i) floats += padded_floats(p->elements[i] = q.in[i].elements());
  p->out_elements = q.out[0].elements();
  const size_t workspace = floats * sizeof(float) + p->gemm.plan.workspace;
  return KernelPlan{run_converted, kernel_params(std::move(*p)), workspace};
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
      .max_inputs = 4,
      .attrs = {{"transpose_a", false, "use a with its last two axes swapped"},
                {"transpose_b", false, "use b with its last two axes swapped"},
                {"bias", false, "third input: a vector added to every row"},
                {"residual", false, "last input: added before the activation; has the type of the result"},
                {"activation", std::string(), "name of the pointwise op applied last, or empty"}},
      .infer = infer_matmul,
      .vjp = vjp_matmul,
      .reference = reference_matmul,
      .kernels = {{"gemm", make_gemm}, {"gemm_converted", make_converted}},
      .traits = {.low_precision = true, .epilogue = true},
  };
  return def;
}

}  // namespace

Value matmul(const Value& a, const Value& b, bool transpose_a, bool transpose_b) {
  GLIA_CHECK(a.rank() >= 1 && b.rank() >= 1, "matmul: scalars cannot be multiplied as matrices. Received {} and {}.",
             to_string(a.type()), to_string(b.type()));
  DType t = result_type(a.dtype(), b.dtype());
  const bool bytes = a.dtype() == DType::i8 && b.dtype() == DType::i8;
  if (bytes && (a.rank() == 1 || b.rank() == 1)) return cast(matmul(cast(a, DType::i32), cast(b, DType::i32), transpose_a, transpose_b), DType::i8);
  if (bytes) t = DType::i32;  // as Keras, which keeps int8 beside a vector
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
