#include "ops/pointwise.h"

#include <glia/ops.h>

#include <charconv>
#include <map>

#include "base/error.h"
#include "ops/op_list.h"

namespace glia::ops {

using cpu::compute_elem;
using cpu::Elem;
using cpu::elem_is_float;
using cpu::PwDomain;
using cpu::PwOp;
using cpu::PwProgram;
using ir::Attrs;
using ir::InferContext;
using ir::KernelArgs;
using ir::KernelPlan;
using ir::KernelQuery;
using ir::OpDef;
using ir::VjpContext;

static_assert(static_cast<int>(DType::u2) == static_cast<int>(Elem::u2) && static_cast<int>(DType::u64) == static_cast<int>(Elem::u64) &&
              static_cast<int>(DType::i32) == static_cast<int>(Elem::i32));

// ---- gradients ----------------------------------------------------------------------------------------------------
// Each returns gradients of the output's shape; the differentiation sums over broadcast axes (grad/grad.cpp).
namespace {

using Vjp = Values (*)(const VjpContext&);
#define GLIA_VJP(...)                                                                            \
  [](const VjpContext& c) -> Values {                                                            \
    [[maybe_unused]] const Value &g = c.grads[0], &y = c.outputs[0], &x = c.inputs[0];            \
    [[maybe_unused]] const Value& b = c.inputs.size() > 1 ? c.inputs[1] : c.inputs[0];            \
    [[maybe_unused]] const Value& d = c.inputs.size() > 2 ? c.inputs[2] : c.inputs[0];            \
    return {__VA_ARGS__};                                                                        \
  }
Value emit(PwOp op, const Values& in) { return ir::apply1(pointwise_op(cpu::pw_info(op).name), {}, in); }
Value zero_where_not(const Value& keep, const Value& g) { return where(keep, g, scalar_like(g, 0)); }
Value zero_where(const Value& drop, const Value& g) { return where(drop, scalar_like(g, 0), g); }
constexpr double kLn2 = 0.693147180559945309, kLn10 = 2.302585092994045684, kTwoOverSqrtPi = 1.128379167095512574;

// Of large * sqrt(1 + (small / large)^2), part by part, as Keras computes it: operands of equal size give all to the first.
Values hypot_vjp(const VjpContext& c) {
  const Value &g = c.grads[0], a = abs(c.inputs[0]), b = abs(c.inputs[1]);
  const Value large = maximum(a, b), ratio = divide_no_nan(minimum(a, b), large), root = sqrt(square(ratio) + 1.0);
  const Value to_ratio = g * large * ratio / root;
  const Value to_small = divide_no_nan(to_ratio, large), to_large = g * root - divide_no_nan(to_ratio * ratio, large);
  const Value first = zero_where_not(a >= b, to_large) + zero_where_not(a <= b, to_small);
  const Value second = zero_where(a >= b, to_large) + zero_where(a <= b, to_small);
  return {first * sign(c.inputs[0]), second * sign(c.inputs[1])};
}

const std::map<std::string_view, Vjp>& vjps() {
  static const std::map<std::string_view, Vjp> table = {
      {"add", GLIA_VJP(g, g)},
      {"sub", GLIA_VJP(g, c.needs[1] ? -g : Value())},
      {"mul", GLIA_VJP(c.needs[0] ? g * b : Value(), c.needs[1] ? g * x : Value())},
      {"div", GLIA_VJP(c.needs[0] ? g / b : Value(), c.needs[1] ? -(g * y) / b : Value())},
      {"fma", GLIA_VJP(c.needs[0] ? g * b : Value(), c.needs[1] ? g * x : Value(), g)},
      {"fnma", GLIA_VJP(c.needs[0] ? -(g * b) : Value(), c.needs[1] ? -(g * x) : Value(), g)},
      {"lerp", GLIA_VJP(c.needs[0] ? g * (1.0 - d) : Value(), c.needs[1] ? g * d : Value(), c.needs[2] ? g * (b - x) : Value())},
      {"squared_difference", GLIA_VJP(c.needs[0] ? g * (x - b) * 2.0 : Value(), c.needs[1] ? g * (b - x) * 2.0 : Value())},
      {"neg", GLIA_VJP(-g)},
      {"abs", GLIA_VJP(g * sign(x))},
      {"sign", GLIA_VJP(Value())},
      {"square", GLIA_VJP(g * x * 2.0)},
      {"sqrt", GLIA_VJP(g * 0.5 / y)},
      {"rsqrt", GLIA_VJP(g * -0.5 * (y * y * y))},
      {"reciprocal", GLIA_VJP(-(g * y * y))},
      {"maximum", GLIA_VJP(c.needs[0] ? zero_where_not(x >= b, g) : Value(), c.needs[1] ? zero_where(x >= b, g) : Value())},
      {"minimum", GLIA_VJP(c.needs[0] ? zero_where_not(x <= b, g) : Value(), c.needs[1] ? zero_where(x <= b, g) : Value())},
      {"clip", GLIA_VJP(zero_where_not(logical_and(x >= b, x <= d), g), c.needs[1] ? zero_where_not(x < b, g) : Value(),
                        c.needs[2] ? zero_where_not(x > d, g) : Value())},
      {"pow", GLIA_VJP(c.needs[0] ? g * b * power(x, b - 1.0) : Value(),
                       c.needs[1] ? g * y * log(where(x > 0.0, x, scalar_like(x, 1))) : Value())},
      {"mod", GLIA_VJP(g, c.needs[1] ? -(g * floor(x / b)) : Value())},
      {"fmod", GLIA_VJP(g * square(sign(x)), c.needs[1] ? -(g * sign(x) * floor(abs(x / b)) * sign(b)) : Value())},
      {"floor_div", GLIA_VJP(Value(), Value())},
      {"atan2", GLIA_VJP(c.needs[0] ? g * b / (x * x + b * b) : Value(), c.needs[1] ? -(g * x) / (x * x + b * b) : Value())},
      {"hypot", hypot_vjp},
      {"exp", GLIA_VJP(g * y)},
      {"exp2", GLIA_VJP(g * y * kLn2)},
      {"expm1", GLIA_VJP(g * (y + 1.0))},
      {"log", GLIA_VJP(g / x)},
      {"log1p", GLIA_VJP(g / (x + 1.0))},
      {"log2", GLIA_VJP(g / (x * kLn2))},
      {"log10", GLIA_VJP(g / (x * kLn10))},
      {"logaddexp", GLIA_VJP(c.needs[0] ? g * where(equal(x - b, scalar_like(x, 0)), scalar_like(x, 1), sigmoid(x - b)) : Value(),
                             c.needs[1] ? g * where(equal(x - b, scalar_like(x, 0)), scalar_like(x, 0), sigmoid(b - x)) : Value())},  // of equals, the first
      {"sin", GLIA_VJP(g * cos(x))},
      {"cos", GLIA_VJP(-(g * sin(x)))},
      {"tan", GLIA_VJP(g * (y * y + 1.0))},
      {"asin", GLIA_VJP(g * rsqrt(1.0 - x * x))},
      {"acos", GLIA_VJP(-(g * rsqrt(1.0 - x * x)))},
      {"atan", GLIA_VJP(g / (x * x + 1.0))},
      {"sinh", GLIA_VJP(g * cosh(x))},
      {"cosh", GLIA_VJP(g * sinh(x))},
      {"tanh", GLIA_VJP(emit(PwOp::tanh_grad, {y, g}))},
      {"asinh", GLIA_VJP(g * rsqrt(x * x + 1.0))},
      {"acosh", GLIA_VJP(g / sinh(y))},
      {"atanh", GLIA_VJP(g / (1.0 - x * x))},
      {"erf", GLIA_VJP(g * exp(-(x * x)) * kTwoOverSqrtPi)},
      {"erfc", GLIA_VJP(g * exp(-(x * x)) * -kTwoOverSqrtPi)},
      {"erfinv", GLIA_VJP(g * exp(y * y) * (1.0 / kTwoOverSqrtPi))},
      {"lgamma", GLIA_VJP(g * emit(PwOp::digamma, {x}))},
      {"sigmoid", GLIA_VJP(emit(PwOp::sigmoid_grad, {y, g}))},
      {"log_sigmoid", GLIA_VJP(g * sigmoid(-x))},
      {"softplus", GLIA_VJP(g * sigmoid(x))},
      {"silu", GLIA_VJP(emit(PwOp::silu_grad, {x, g}))},
      {"relu", GLIA_VJP(emit(PwOp::relu_grad, {y, g}))},
      {"gelu", GLIA_VJP(emit(PwOp::gelu_grad, {x, g}))},
      {"gelu_tanh", GLIA_VJP(emit(PwOp::gelu_tanh_grad, {x, g}))},
      {"relu_grad", GLIA_VJP(Value(), c.needs[1] ? emit(PwOp::relu_grad, {x, g}) : Value())},
      {"sigmoid_grad", GLIA_VJP(c.needs[0] ? g * b * (1.0 - x * 2.0) : Value(),
                                c.needs[1] ? emit(PwOp::sigmoid_grad, {x, g}) : Value())},
      {"tanh_grad", GLIA_VJP(c.needs[0] ? g * b * x * -2.0 : Value(), c.needs[1] ? emit(PwOp::tanh_grad, {x, g}) : Value())},
      {"floor", GLIA_VJP(Value())},
      {"ceil", GLIA_VJP(Value())},
      {"round", GLIA_VJP(Value())},
      {"trunc", GLIA_VJP(Value())},
      {"select", GLIA_VJP(Value(), c.needs[1] ? where(x, g, scalar_like(g, 0)) : Value(),
                          c.needs[2] ? where(x, scalar_like(g, 0), g) : Value())},
      {"cast", GLIA_VJP(cast(g, x.dtype()))},
  };
  return table;
}

// d/dx of the activation gradients, so that second derivatives exist (value of dy * f'(x) in simpler ops).
Values decompose_gelu_grad(const Attrs&, const Values& in) {
  const Value& x = in[0];
  return {in[1] * ((erf(x * 0.70710678118654752) + 1.0) * 0.5 + x * exp(x * x * -0.5) * 0.3989422804014327)};
}
Values decompose_gelu_tanh_grad(const Attrs&, const Values& in) {
  const Value& x = in[0];
  const double k = 0.7978845608028654, c = 0.044715;
  Value t = tanh((x + x * x * x * c) * k);
  return {in[1] * ((t + 1.0) * 0.5 + x * 0.5 * (1.0 - t * t) * (x * x * (3 * c) + 1.0) * k)};
}
Values decompose_silu_grad(const Attrs&, const Values& in) {
  Value s = sigmoid(in[0]);
  return {in[1] * s * (in[0] * (1.0 - s) + 1.0)};
}

// ---- type rule and kernel ---------------------------------------------------------------------------------------------

const char* domain_text(PwDomain d) {
  switch (d) {
    case PwDomain::num: return "numbers";
    case PwDomain::flt: return "floating point";
    case PwDomain::all: return "numbers or bool";
    case PwDomain::int_: return "integers or bool";
    case PwDomain::log: return "bool";
  }
  return "";
}

std::vector<TensorType> infer_pointwise(const InferContext& c) {
  PwOp op{};
  GLIA_ASSERT(cpu::pw_find(c.op.name, &op));
  size_t first = op == PwOp::select ? 1 : 0;
  if (first) GLIA_CHECK(c.in[0].dtype == DType::bool_, "select: the condition must be bool. Received {}.", to_string(c.in[0]));
  DType type = c.in[first].dtype;
  Shape shape = c.in[0].shape;
  for (size_t i = 1; i < c.in.size(); ++i) {
    GLIA_CHECK(i < first || c.in[i].dtype == type, "{}: operands must share a dtype. Received {} and {}.", c.op.name,
               to_string(c.in[first]), to_string(c.in[i]));
    shape = ir::broadcast_shapes(shape, c.in[i].shape, c.op.name);
  }
  GLIA_CHECK(cpu::pw_accepts(op, elem(type)), "{}: expected {}. Received {}.", c.op.name,
             domain_text(cpu::pw_info(op).domain), dtype_name(type));
  return {{cpu::pw_info(op).result_bool ? DType::bool_ : type, shape}};
}

std::optional<KernelPlan> make_pointwise(const KernelQuery& q, std::string&) {
  PwProgram p = node_program(q.op, q.attrs, q.in);
  const Shape& dims = q.out[0].shape;
  std::vector<std::vector<int64_t>> strides;
  for (auto& t : q.in) strides.push_back(cpu::pw_broadcast_strides(t.shape, dims));
  KernelPlan plan;
  plan.params = ir::kernel_params(cpu::PwKernel(p, dims, strides));
  plan.fn = [](const KernelArgs& a) {
    a.param<cpu::PwKernel>().run(const_cast<const void* const*>(a.in), a.out);
  };
  return plan;
}

OpDef make_def(PwOp op) {
  const cpu::PwOpInfo& info = cpu::pw_info(op);
  OpDef def;
  def.name = info.name;
  def.doc = fmt::format("Elementwise {} with NumPy broadcasting; operands are {}.", info.name, domain_text(info.domain));
  def.min_inputs = def.max_inputs = info.arity;
  def.infer = infer_pointwise;
  def.kernels = {{"pointwise", make_pointwise}};
  def.traits.pointwise = true;
  def.traits.low_precision = true;
  auto it = vjps().find(def.name);
  if (it != vjps().end()) def.vjp = it->second;
  if (def.name == "gelu_grad") def.decompose = decompose_gelu_grad;
  if (def.name == "gelu_tanh_grad") def.decompose = decompose_gelu_tanh_grad;
  if (def.name == "silu_grad") def.decompose = decompose_silu_grad;
  def.differentiable = def.vjp || def.decompose;
  return def;
}

const std::vector<OpDef>& table_defs() {
  static const std::vector<OpDef> defs = [] {
    std::vector<OpDef> d;
    for (int i = static_cast<int>(PwOp::cast) + 1; i < static_cast<int>(PwOp::count_); ++i)
      d.push_back(make_def(static_cast<PwOp>(i)));
    return d;
  }();
  return defs;
}

}  // namespace

const OpDef& pointwise_op(std::string_view name) {
  PwOp op{};
  bool found = cpu::pw_find(name, &op);
  GLIA_ASSERT(found, std::string(name));
  return table_defs()[static_cast<size_t>(op) - static_cast<size_t>(PwOp::cast) - 1];
}

static const OpDef& cast_op() {
  static const OpDef def{
      .name = "cast",
      .doc = "Converts to another dtype. Floats to integers truncate; anything to bool is x != 0; to 8-bit and smaller floats rounds to nearest even, beyond their range to infinity or NaN; to 4-bit and 2-bit integers keeps the low bits.",
      .attrs = {{"dtype", std::string(), "Keras name of the result dtype", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        return {{dtype_from_name(c.attrs.s("dtype")), c.in[0].shape}};
      },
      .vjp = vjps().at("cast"),
      .kernels = {{"pointwise", make_pointwise}},
      .traits = {.pointwise = true, .low_precision = true},
  };
  return def;
}

const OpDef& fused_op() {
  static const OpDef def{
      .name = "fused",
      .doc = "A program of pointwise operations run in one pass over memory; made by the fusion pass.",
      .min_inputs = 0,
      .max_inputs = -1,
      .attrs = {{"program", std::string(), "encoded program", true}, {"shape", ir::Ints{}, "shape of every output", true}},
      .infer = [](const InferContext& c) {
        PwProgram p = decode_program(c.attrs.s("program"));
        std::vector<TensorType> out;
        for (int v : p.outputs) out.push_back({static_cast<DType>(p.type(v)), c.attrs.ints("shape")});
        return out;
      },
      .differentiable = false,
      .kernels = {{"pointwise", make_pointwise}},
      .traits = {.pointwise = true, .low_precision = true},
  };
  return def;
}

static const OpDef& stop_gradient_op() {
  static const OpDef def{.name = "stop_gradient",
                         .doc = "The input itself; no gradient flows back.",
                         .infer = [](const InferContext& c) -> std::vector<TensorType> { return {c.in[0]}; },
                         .differentiable = false,
                         .traits = {.view = true, .low_precision = true}};
  return def;
}

OpList pointwise_ops() {
  OpList list{&cast_op(), &fused_op(), &stop_gradient_op()};
  for (const OpDef& def : table_defs()) list.push_back(&def);
  return list;
}

PwProgram node_program(const OpDef& op, const Attrs& attrs, std::span<const TensorType> in) {
  if (&op == &fused_op()) return decode_program(attrs.s("program"));
  PwProgram p;
  int v[3] = {-1, -1, -1};
  for (size_t i = 0; i < in.size(); ++i) v[i] = p.input(elem(in[i].dtype));
  PwOp code{};
  if (&op == &cast_op()) {
    p.output(p.cast(v[0], elem(dtype_from_name(attrs.s("dtype")))));
  } else {
    GLIA_ASSERT(cpu::pw_find(op.name, &code));
    p.output(p.emit(code, v[0], v[1], v[2]));
  }
  return p;
}

// ---- programs as text -------------------------------------------------------------------------------------------------

std::string encode_program(const PwProgram& p) {
  std::string r;
  for (const auto& n : p.nodes) {
    if (!r.empty()) r += ';';
    std::string name = n.op == PwOp::input ? "input" : n.op == PwOp::constant ? "const" : cpu::pw_info(n.op).name;
    if (n.op == PwOp::cast) name = "cast";
    r += fmt::format("{}:{}", name, dtype_name(static_cast<DType>(n.type)));
    if (n.op == PwOp::input) r += fmt::format(":{}", n.index);
    else if (n.op == PwOp::constant)
      r += elem_is_float(compute_elem(n.type)) ? fmt::format(":{}", n.value) : fmt::format(":{}", n.ivalue);
    else
      for (int o : {n.a, n.b, n.c})
        if (o >= 0) r += fmt::format(":{}", o);
  }
  r += '|';
  for (size_t i = 0; i < p.outputs.size(); ++i) r += (i ? "," : "") + std::to_string(p.outputs[i]);
  return r;
}

namespace {
std::vector<std::string_view> split(std::string_view s, char sep) {
  std::vector<std::string_view> r;
  while (true) {
    size_t p = s.find(sep);
    r.push_back(s.substr(0, p));
    if (p == std::string_view::npos) return r;
    s.remove_prefix(p + 1);
  }
}
template <class T>
T number(std::string_view s) {
  T v{};
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  GLIA_CHECK(ec == std::errc() && end == s.data() + s.size(), "fused: bad number '{}' in the program.", s);
  return v;
}
}  // namespace

PwProgram decode_program(std::string_view text) {
  PwProgram p;
  auto halves = split(text, '|');
  GLIA_CHECK(halves.size() == 2, "fused: malformed program '{}'.", text);
  for (std::string_view item : split(halves[0], ';')) {
    auto f = split(item, ':');
    GLIA_CHECK(f.size() >= 3, "fused: malformed instruction '{}'.", item);
    Elem type = elem(dtype_from_name(f[1]));
    int n = static_cast<int>(p.nodes.size());
    auto operand = [&](size_t i) {
      if (i >= f.size()) return -1;
      int v = number<int>(f[i]);
      GLIA_CHECK(v >= 0 && v < n, "fused: operand {} of '{}' does not exist.", v, item);
      return v;
    };
    if (f[0] == "input") {
      int v = p.input(type);
      p.nodes[v].index = number<int16_t>(f[2]);
      p.num_inputs = std::max(p.num_inputs, p.nodes[v].index + 1);
    } else if (f[0] == "const") {
      if (elem_is_float(compute_elem(type))) p.constant(type, number<double>(f[2]));
      else p.constant_int(type, number<int64_t>(f[2]));
    } else if (f[0] == "cast") {
      p.nodes.push_back({.op = PwOp::cast, .type = type, .a = static_cast<int16_t>(operand(2))});
    } else {
      PwOp op{};
      GLIA_CHECK(cpu::pw_find(f[0], &op), "fused: unknown operation '{}'.", f[0]);
      p.nodes.push_back({.op = op, .type = type, .a = static_cast<int16_t>(operand(2)), .b = static_cast<int16_t>(operand(3)),
                         .c = static_cast<int16_t>(operand(4))});
    }
  }
  for (std::string_view o : split(halves[1], ',')) {
    int v = number<int>(o);
    GLIA_CHECK(v >= 0 && v < static_cast<int>(p.nodes.size()), "fused: output {} does not exist.", v);
    p.output(v);
  }
  return p;
}

}  // namespace glia::ops
