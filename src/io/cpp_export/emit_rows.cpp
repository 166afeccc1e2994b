// Pooling, softmax, normalisation, reductions, lookup, attention.
#include <algorithm>

#include "base/error.h"
#include "io/cpp_export/emitter.h"
#include "ops/axis.h"
#include "ops/conv_geometry.h"

namespace glia::io::cpp_export {
using namespace ir;

namespace {

// ---- pooling ----

void emit_pool(Emitter& e, bool max) {
  e.require_f32();
  if (max && e.used(1)) e.refuse("the positions of the largest cells are read.");
  const cpu::PoolShape s = ops::pool_shape(e.node().op->name, e.node().attrs, e.in_type(0).shape);
  const auto three = [](const int64_t(&v)[3]) { return fmt::format("{{{}, {}, {}}}", v[0], v[1], v[2]); };
  e.needs("pool");
  e.add(fmt::format("static const detail::Window {} = {{{}, {}, {}, {}, {}, {}, {}, {}, {{1, 1, 1}}}};",
                    e.local("window"), s.batch, three(s.in), s.channels, three(s.out), s.channels, three(s.window),
                    three(s.stride), three(s.pad)));
  e.add(fmt::format("detail::pool<{}>({}, {}, {});", max, e.local("window"), e.in(0), e.out()));
}
void emit_max_pool(Emitter& e) { emit_pool(e, true); }
void emit_avg_pool(Emitter& e) { emit_pool(e, false); }

// ---- rows ----

void emit_softmax(Emitter& e) {
  e.require_f32();
  const ops::AxisSplit s = ops::split_at(e.in_type(0).shape, e.node().attrs.i("axis"));
  e.needs("softmax");
  e.add(fmt::format("detail::softmax<{}>({}, {}, {}, {}, {});", e.node().op->name == "log_softmax", e.in(0), s.outer,
                    s.n, s.inner, e.out()));
}

void emit_layer_norm(Emitter& e) {
  e.require_f32();
  if (e.used(1) || e.used(2)) e.refuse("mean or deviation are read.");
  const Attrs& a = e.node().attrs;
  const int64_t n = e.in_type(0).shape.back();
  size_t next = 1;
  const std::string gamma = a.b("scale") ? e.in(next++) : "nullptr", beta = a.b("center") ? e.in(next) : "nullptr";
  e.needs("layer_norm");
  e.add(fmt::format("detail::layer_norm<{}>({}, {}, {}, {}, {}, {}, {});", a.b("rms"), e.in(0),
                    e.in_type(0).elements() / std::max<int64_t>(n, 1), n, cpp_number(a.f("epsilon"), DType::f32),
                    gamma, beta, e.out()));
}

void emit_take(Emitter& e) {
  const ops::AxisSplit s = ops::split_at(e.in_type(0).shape, e.node().attrs.i("axis"));
  e.needs("take");
  e.add(fmt::format("detail::take({}, {}, {}, {}, {}, {}, {});", e.in(0), s.outer, s.n, s.inner, e.in(1),
                    e.in_type(1).elements(), e.out()));
}

void emit_arg(Emitter& e) {
  const ops::AxisSplit s = ops::split_at(e.in_type(0).shape, e.node().attrs.i("axis"));
  e.needs("argmax");
  e.add(fmt::format("detail::arg_extreme<{}>({}, {}, {}, {}, {});", e.node().op->name == "argmax", e.in(0), s.outer,
                    s.n, s.inner, e.out()));
}

void emit_cumulative(Emitter& e) {
  const Attrs& a = e.node().attrs;
  const ops::AxisSplit s = ops::split_at(e.in_type(0).shape, a.i("axis"));
  e.needs("cumulative");
  e.add(fmt::format("detail::cumulative<{}>({}, {}, {}, {}, {}, {}, {});", e.node().op->name == "cumprod", e.in(0), s.outer, s.n,
                    s.inner, a.b("exclusive"), a.b("reverse"), e.out()));
}

// ---- reductions ----

struct Reduction {
  const char *start, *step;  // the step with $a (so far) and $x
};
Reduction reduction_of(Emitter& e, DType t) {
  const std::string& op = e.node().op->name;
  if (op == "reduce_sum" || op == "reduce_mean") return {"0", "$a + $x"};
  if (op == "reduce_prod") return {"1", "$a * $x"};
  if (op == "reduce_max")
    return {is_float(t) ? "-std::numeric_limits<$T>::infinity()" : "std::numeric_limits<$T>::min()",
            is_float(t) ? "$a > $x || $a != $a ? $a : $x" : "$a > $x ? $a : $x"};
  if (op == "reduce_min")
    return {is_float(t) ? "std::numeric_limits<$T>::infinity()" : "std::numeric_limits<$T>::max()",
            is_float(t) ? "$a < $x || $a != $a ? $a : $x" : "$a < $x ? $a : $x"};
  if (op == "reduce_all") return {"1", "$a && $x"};
  return {"0", "$a || $x"};
}
std::string fill_in(std::string text, const std::string& type, const std::string& a, const std::string& x) {
  for (auto& [key, value] : {std::pair<std::string, std::string>{"$T", type}, {"$a", a}, {"$x", x}})
    for (size_t at; (at = text.find(key)) != std::string::npos;) text.replace(at, 2, value);
  return text;
}

// Where the last axis is kept, whole rows are combined; else each result is computed in a register.
void emit_reduce(Emitter& e) {
  const Attrs& attrs = e.node().attrs;
  const Shape& in = e.in_type(0).shape;
  const DType t = e.in_type(0).dtype;
  std::vector<bool> reduced(in.size(), attrs.ints("axes").empty());
  for (int64_t a : attrs.ints("axes"))
    reduced[static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(in.size()) : a)] = true;
  Shape kept_shape = in;
  for (size_t d = 0; d < in.size(); ++d)
    if (reduced[d]) kept_shape[d] = 1;
  const std::vector<int64_t> from = dense_strides(in), to = broadcast_strides(kept_shape, in);
  const Reduction r = reduction_of(e, t);
  const bool rows = !in.empty() && !reduced.back() && in.back() > 1;
  const std::string type = cpp_type(t), sum = is_float(t) && !rows && e.node().op->name != "reduce_max" &&
                                                      e.node().op->name != "reduce_min"
                                                  ? "double"
                                                  : type;
  const int64_t n = e.in_type(0).elements(), m = e.out_type().elements();
  std::string text = fmt::format("    {{\n      const {}* x = {};\n      {}* y = {};\n", type, e.in(0),
                                 cpp_type(e.out_type().dtype), e.out());
  if (rows) {
    const Loops l = loops(in, {from, to}, 3);
    const std::string y = "y[" + l.index[1] + "]", x = "x[" + l.index[0] + "]";
    text += fmt::format("      std::fill(y, y + {}, {});\n{}{}{} = {};\n", m,
                        fill_in(std::string("static_cast<$T>(") + r.start + ")", type, "", ""), l.open, l.indent, y,
                        fill_in(r.step, type, y, x));
    if (e.node().op->name == "reduce_mean")
      text += fmt::format("      for (std::int64_t i = 0; i < {}; ++i) y[i] /= {};\n", m,
                          cpp_number(static_cast<double>(n) / static_cast<double>(m), t));
  } else {
    std::vector<int64_t> outer, outer_from, outer_to, inner, inner_from;
    for (size_t d = 0; d < in.size(); ++d) {
      if (reduced[d])
        inner.push_back(in[d]), inner_from.push_back(from[d]);
      else
        outer.push_back(in[d]), outer_from.push_back(from[d]), outer_to.push_back(to[d]);
    }
    const Loops o = loops(outer, {outer_from, outer_to}, 3);
    Loops i = loops(inner, {inner_from}, static_cast<int>(o.indent.size() / 2) + 1);
    for (std::string* s : {&i.open, &i.index[0]})  // names differ from the outer loops'
      for (size_t at = 0; (at = s->find('i', at)) != std::string::npos; ++at)
        if (at + 1 < s->size() && std::isdigit(static_cast<unsigned char>((*s)[at + 1]))) (*s)[at] = 'r';
    text += fmt::format("{0}{1}{{\n{1}  {2} so_far = {3};\n{4}{5}so_far = {6};\n", o.open, o.indent, sum,
                        fill_in(r.start, type, "", ""), i.open, i.indent,
                        fill_in(r.step, sum, "so_far", fmt::format("x[{} + {}]", o.index[0], i.index[0])));
    const std::string scale =
        e.node().op->name == "reduce_mean"
            ? fmt::format(" / {}", cpp_number(static_cast<double>(n) / static_cast<double>(m), t))
            : "";
    text += fmt::format("{0}  y[{1}] = static_cast<{2}>(so_far{3});\n{0}}}\n", o.indent, o.index[1],
                        cpp_type(e.out_type().dtype), scale);
  }
  e.add(text + "    }\n");
}

// ---- attention ----

void emit_attention(Emitter& e) {
  e.require_f32();
  if (e.used(1)) e.refuse("the sums of the scores are read.");
  const Attrs& a = e.node().attrs;
  const Shape &q = e.in_type(0).shape, &k = e.in_type(1).shape, &v = e.in_type(2).shape;
  std::string mask = "static_cast<const float*>(nullptr)";
  std::vector<int64_t> step(4, 0);
  if (a.b("mask")) {
    mask = fmt::format("static_cast<const {}*>({})", cpp_type(e.in_type(3).dtype), e.in(3));
    step = broadcast_strides(e.in_type(3).shape, {q[0], q[2], q[1], k[1]});
  }
  e.needs("attention");
  e.add(fmt::format("static const detail::Attention {} = {{{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}}};",
                    e.local("shape"), q[0], q[1], k[1], q[2], k[2], q[3], v[3], a.i("causal_offset"), braces(step),
                    cpp_number(a.f("scale"), DType::f32), a.b("causal")));
  e.add(fmt::format("detail::attention({}, {}, {}, {}, {}, {}, {});", e.local("shape"), e.in(0), e.in(1), e.in(2),
                    mask, e.scratch(k[1]), e.out()));
}

}  // namespace

void add_window_emitters(EmitTable& t) {
  t["max_pool"] = emit_max_pool;
  t["avg_pool"] = emit_avg_pool;
}

void add_row_emitters(EmitTable& t) {
  t["softmax"] = t["log_softmax"] = emit_softmax;
  t["layer_norm"] = emit_layer_norm;
  t["take"] = emit_take;
  t["argmax"] = t["argmin"] = emit_arg;
  t["cumsum"] = t["cumprod"] = emit_cumulative;
  for (const char* op :
       {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_all", "reduce_any"})
    t[op] = emit_reduce;
  t["attention"] = emit_attention;
}

}  // namespace glia::io::cpp_export
