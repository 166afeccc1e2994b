// The pointwise family: every row of the table, with broadcasting, a scalar, an empty and a large array.
#include <set>

#include "ir/graph.h"
#include "kernels/cpu/pointwise.h"
#include "ops/pointwise.h"
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;

namespace {

struct Range { double low, high; };
Range domain_of(const std::string& op) {
  static const std::set<std::string> positive{"sqrt", "rsqrt", "reciprocal", "log", "log2", "log10", "pow", "lgamma", "digamma", "mod", "fmod", "div", "floor_div", "hypot"};
  static const std::set<std::string> unit{"asin", "acos", "atanh", "erfinv"};
  if (positive.count(op)) return {0.3, 2.5};
  if (unit.count(op)) return {-0.8, 0.8};
  if (op == "acosh") return {1.2, 3.0};
  if (op == "log1p") return {-0.6, 2.0};
  return {-1.5, 1.5};
}

Tensor operand(const ir::OpDef& op, cpu::PwDomain domain, const Shape& shape, uint64_t seed) {
  if (domain == cpu::PwDomain::log) return bools(shape, seed);
  if (domain == cpu::PwDomain::int_) return integers(shape, 0, 6, DType::i32, seed);
  Range r = domain_of(op.name);
  return numbers(shape, r.low, r.high, seed);
}

void add_op(SampleList& list, const ir::OpDef& op, const cpu::PwOpInfo& info) {
  // Steps and kinks have no gradient worth a finite difference where the operand crosses them; away from them it is exact.
  static const std::set<std::string> jumpy{"floor_div", "mod", "fmod", "sign", "floor", "ceil", "round", "trunc", "digamma"};
  std::vector<std::vector<Shape>> shapes;
  if (info.arity == 1) shapes = {{{3, 5}}, {{}}, {{0, 4}}, {{1037}}, {{2, 3, 4, 5}}};
  else if (info.arity == 2) shapes = {{{3, 5}, {3, 5}}, {{3, 5}, {5}}, {{4, 1, 6}, {3, 1}}, {{7, 3}, {}}, {{}, {}}, {{2, 1000}, {2, 1}}, {{0}, {1}}};
  else shapes = {{{3, 5}, {3, 5}, {3, 5}}, {{3, 5}, {5}, {}}, {{2, 3, 700}, {3, 1}, {700}}};
  for (auto& group : shapes) {
    std::vector<Tensor> in;
    for (size_t i = 0; i < group.size(); ++i) in.push_back(operand(op, info.domain, group[i], i + 1));
    if (op.name == "select") in[0] = bools(group[0]);
    if (op.name == "clip") in[1] = numbers(group[1], -1.0, -0.5, 9), in[2] = numbers(group[2], 0.5, 1.0, 10);
    OpSample& s = list.add(op.name, {}, in);
    s.gradient = !jumpy.count(op.name);
    if (op.name == "erfinv" || op.name == "lgamma" || op.name == "pow" || op.name == "tan") s.tolerance = 1e-4;
    if (op.name == "digamma") s.tolerance = 1e-3;
  }
}

}  // namespace

GLIA_SAMPLES(pointwise) {
  for (int i = static_cast<int>(cpu::PwOp::cast) + 1; i < static_cast<int>(cpu::PwOp::count_); ++i) {
    const cpu::PwOpInfo& info = cpu::pw_info(static_cast<cpu::PwOp>(i));
    add_op(list, ir::find_op(info.name), info);
  }
  for (const char* to : {"float32", "int32", "int64", "uint8", "bool", "bfloat16"}) {
    list.add("cast", {{"dtype", std::string(to)}}, {numbers({4, 33}, 0.2, 90)}).tolerance = 1e-2;
    list.good.back().gradient = std::string(to) == "float32";
    list.add("cast", {{"dtype", std::string(to)}}, {integers({5, 7}, 0, 9)});
  }
  list.add("stop_gradient", {}, {numbers({3, 4})});
  list.add("relu6", {}, {numbers({3, 40})});
  list.add("fused", {{"program", std::string("input:float32:0;input:float32:1;const:float32:0.5;mul:float32:0:1;add:float32:3:2;tanh:float32:4|3,5")}, {"shape", ir::Ints{3, 40}}},
           {numbers({3, 40}), numbers({40}, -1, 1, 3)}).gradient = false;
  list.good.pop_back();  // its program names f32, so the f64 oracle does not apply; tests of the fusion pass cover it
  list.add("fused", {{"program", std::string("input:int32:0;const:int32:3;mul:int32:0:1|2")}, {"shape", ir::Ints{4, 9}}}, {integers({4, 9}, -5, 5)});
  list.refuse("add", {}, {{DType::f32, {2, 3}}, {DType::f32, {4}}}, "add: shapes (2, 3) and (4,) cannot be broadcast together.");
  list.refuse("add", {}, {{DType::f32, {2}}, {DType::i32, {2}}}, "add: operands must share a dtype. Received float32 (2,) and int32 (2,).");
  list.refuse("exp", {}, {{DType::i32, {2}}}, "exp: expected floating point. Received int32.");
  list.refuse("select", {}, {{DType::f32, {2}}, {DType::f32, {2}}, {DType::f32, {2}}}, "select: the condition must be bool. Received float32 (2,).");
  list.refuse("cast", {{"dtype", std::string("flaot32")}}, {{DType::f32, {2}}}, "Unknown dtype 'flaot32'. Did you mean 'float32'?");
}
