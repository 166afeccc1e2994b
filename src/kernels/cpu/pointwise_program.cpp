#include <algorithm>
#include <limits>

#include "base/error.h"
#include "kernels/cpu/pointwise.h"

namespace glia::cpu {
namespace {

#define PW_DOMAIN_num PwDomain::num
#define PW_DOMAIN_flt PwDomain::flt
#define PW_DOMAIN_all PwDomain::all
#define PW_DOMAIN_int PwDomain::int_
#define PW_DOMAIN_log PwDomain::log
#define PW_BOOL_same false
#define PW_BOOL_bool_ true
constexpr PwOpInfo kInfo[] = {{"input", 0, PwDomain::all, false, 0},
                              {"constant", 0, PwDomain::all, false, 0},
                              {"cast", 1, PwDomain::all, false, 1},
#define X(name, arity, domain, result, cost, ...) {#name, arity, PW_DOMAIN_##domain, PW_BOOL_##result, cost},
                              GLIA_POINTWISE_OPS(X)
#undef X
};
static_assert(std::size(kInfo) == static_cast<size_t>(PwOp::count_));

const char* elem_name(Elem t) {
  constexpr const char* names[kElemCount] = {
      "float32",       "float64",     "bfloat16",        "float16",         "int32",          "int64",         "uint8", "int8",
      "bool",          "int16",       "uint16",          "uint32",          "uint64",         "float8_e4m3fn", "float8_e5m2",
      "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn", "int4", "uint4", "int2", "uint2"};
  return names[static_cast<int>(t)];
}

}  // namespace

const PwOpInfo& pw_info(PwOp op) { return kInfo[static_cast<int>(op)]; }

bool pw_find(std::string_view name, PwOp* op) {
  for (int i = static_cast<int>(PwOp::cast); i < static_cast<int>(PwOp::count_); ++i) {
    if (name == kInfo[i].name) {
      *op = static_cast<PwOp>(i);
      return true;
    }
  }
  return false;
}

bool pw_accepts(PwOp op, Elem t) {
  if (elem_is_narrow(t)) return pw_info(op).domain == PwDomain::all;
  if (t == Elem::bool_ && (op == PwOp::shift_left || op == PwOp::shift_right)) return false;
  switch (pw_info(op).domain) {
    case PwDomain::num:
      return t != Elem::bool_;
    case PwDomain::flt:
      return elem_is_float(t);
    case PwDomain::all:
      return true;
    case PwDomain::int_:
      return !elem_is_float(t);
    case PwDomain::log:
      return t == Elem::bool_;
  }
  return false;
}

int PwProgram::input(Elem type) {
  PwNode n{PwOp::input, type};
  n.index = static_cast<int16_t>(num_inputs++);
  nodes.push_back(n);
  return static_cast<int>(nodes.size()) - 1;
}

int PwProgram::constant(Elem type, double value) {
  if (!elem_is_float(compute_elem(type)))
    return constant_int(type, type == Elem::bool_                   ? value != 0
                              : type == Elem::u64 && value >= 0x1p63 ? static_cast<int64_t>(static_cast<uint64_t>(value))
                                                                    : static_cast<int64_t>(value));
  PwNode n{PwOp::constant, type};
  n.value = value;
  nodes.push_back(n);
  return static_cast<int>(nodes.size()) - 1;
}

int PwProgram::constant_int(Elem type, int64_t value) {
  if (elem_is_float(compute_elem(type))) return constant(type, static_cast<double>(value));
  PwNode n{PwOp::constant, type};
  n.ivalue = value;
  nodes.push_back(n);
  return static_cast<int>(nodes.size()) - 1;
}

int PwProgram::emit(PwOp op, int a, int b, int c) {
  const PwOpInfo& info = pw_info(op);
  GLIA_ASSERT(op > PwOp::cast && op < PwOp::count_, "emit: use input, constant or cast");
  const int arity = (a >= 0) + (b >= 0) + (c >= 0), size = static_cast<int>(nodes.size());
  GLIA_ASSERT(arity == info.arity, fmt::format("{} takes {} operands, got {}", info.name, info.arity, arity));
  GLIA_ASSERT(a < size && b < size && c < size, "operands come before their users");
  const Elem t = type(op == PwOp::select ? b : a);
  GLIA_ASSERT(pw_accepts(op, t), fmt::format("{} does not take {}", info.name, elem_name(t)));
  const bool agree = op == PwOp::select ? type(a) == Elem::bool_ && type(c) == t
                                        : (b < 0 || type(b) == t) && (c < 0 || type(c) == t);
  GLIA_ASSERT(agree, fmt::format("{}: operand types differ", info.name));
  PwNode n{op, pw_result(op, t)};
  n.a = static_cast<int16_t>(a);
  n.b = static_cast<int16_t>(b);
  n.c = static_cast<int16_t>(c);
  nodes.push_back(n);
  return size;
}

int PwProgram::cast(int a, Elem to) {
  if (type(a) == to) return a;
  PwNode n{PwOp::cast, to};
  n.a = static_cast<int16_t>(a);
  nodes.push_back(n);
  return static_cast<int>(nodes.size()) - 1;
}

std::vector<int> PwProgram::append(const PwProgram& other, std::span<const int> inputs) {
  GLIA_ASSERT(static_cast<int>(inputs.size()) == other.num_inputs, "append: one value per input");
  std::vector<int> map;
  auto moved = [&](int16_t v) { return static_cast<int16_t>(v < 0 ? v : map[static_cast<size_t>(v)]); };
  for (PwNode n : other.nodes) {
    if (n.op == PwOp::input) {
      const int v = inputs[static_cast<size_t>(n.index)];
      GLIA_ASSERT(type(v) == n.type, "append: input type differs");
      map.push_back(v);
      continue;
    }
    n.a = moved(n.a);
    n.b = moved(n.b);
    n.c = moved(n.c);
    map.push_back(static_cast<int>(nodes.size()));
    nodes.push_back(n);
  }
  GLIA_ASSERT(nodes.size() < static_cast<size_t>(std::numeric_limits<int16_t>::max()), "program too long");
  std::vector<int> result;
  for (int v : other.outputs) result.push_back(map[static_cast<size_t>(v)]);
  return result;
}

std::string PwProgram::to_string() const {
  std::string s;
  auto operand = [&](int v) {
    const PwNode& n = nodes[static_cast<size_t>(v)];
    if (n.op != PwOp::constant) return fmt::format("v{}", v);
    return elem_is_float(compute_elem(n.type)) ? fmt::format("{}", n.value) : fmt::format("{}", n.ivalue);
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    const PwNode& n = nodes[i];
    if (n.op == PwOp::constant) continue;
    if (n.op == PwOp::input) {
      s += fmt::format("v{} = input {}: {}\n", i, n.index, elem_name(n.type));
      continue;
    }
    s += fmt::format("v{} = {}({}", i, pw_info(n.op).name, operand(n.a));
    if (n.b >= 0) s += ", " + operand(n.b);
    if (n.c >= 0) s += ", " + operand(n.c);
    s += fmt::format("): {}\n", elem_name(n.type));
  }
  for (int v : outputs) s += "output " + operand(v) + "\n";
  return s;
}

std::vector<int64_t> pw_broadcast_strides(std::span<const int64_t> in, std::span<const int64_t> out) {
  GLIA_ASSERT(in.size() <= out.size(), "broadcast: input has more dims than the output");
  std::vector<int64_t> strides(out.size(), 0);
  int64_t step = 1;
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t di = in.size() - 1 - i, d = out.size() - 1 - i;
    GLIA_ASSERT(in[di] == out[d] || in[di] == 1, "broadcast: extents do not match");
    if (in[di] != 1) strides[d] = step;
    step *= in[di];
  }
  return strides;
}

}  // namespace glia::cpu
