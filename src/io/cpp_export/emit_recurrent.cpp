// lstm, gru, simple_rnn.
#include "base/error.h"
#include "io/cpp_export/emitter.h"
#include "io/cpp_export/pack.h"

namespace glia::io::cpp_export {
using namespace ir;

namespace {

struct Operands {
  int bias = -1, h0 = -1, c0 = -1, mask = -1;
};
Operands operands_of(const Attrs& a, bool cell) {
  Operands o;
  int next = 3;
  if (a.b("bias")) o.bias = next++;
  if (a.b("initial_state")) {
    o.h0 = next++;
    if (cell) o.c0 = next++;
  }
  if (a.b("mask")) o.mask = next;
  return o;
}

// {weights, bias, rows, columns} of the columns [first, last) of operand i; the bias is row `bias_row` of operand
// `bias`.
std::string packed(Emitter& e, size_t i, int64_t first, int64_t last, int bias, int64_t bias_row) {
  const Shape& shape = e.in_type(i).shape;
  const std::string part = fmt::format("{}:{}", first, last);
  const std::string w = e.prepared(
      i, "columns" + part, [&](const Tensor& t) { return pack_panels(columns_of(t.reshape(shape), first, last)); });
  std::string b = "nullptr";
  if (bias >= 0)
    b = e.prepared(static_cast<size_t>(bias), fmt::format("bias{}:{}", bias_row, part), [&](const Tensor& t) {
      const Tensor rows = t.reshape({-1, shape.back()});
      return pad_to_panel(columns_of(rows.slice(bias_row, bias_row + 1), first, last));
    });
  return fmt::format("{{{}, {}, {}, {}}}", w, b, shape[0], last - first);
}

void emit_recurrent(Emitter& e) {
  e.require_f32();
  const std::string& op = e.node().op->name;
  const Attrs& a = e.node().attrs;
  const bool lstm = op == "lstm", gru = op == "gru", after = gru && a.b("reset_after");
  const Operands o = operands_of(a, lstm);
  if (!e.constant(1) || !e.constant(2) || (o.bias >= 0 && !e.constant(static_cast<size_t>(o.bias))))
    e.refuse("the kernels and the bias of a recurrent layer must be weights.");
  for (size_t k = lstm ? 3 : 2; k < e.node().types.size(); ++k)
    if (e.used(k)) e.refuse("inner states that only training needs are read.");
  const Shape& x = e.in_type(0).shape;
  const int64_t units = e.in_type(2).shape[0], columns = e.in_type(1).shape[1], n = x[0] * units;
  const int64_t gates = columns / units;
  e.needs(op);
  e.add(fmt::format("static const detail::Rnn {} = {{{}, {}, {}, {}, {}, {}, {}}};", e.local("shape"), x[0], x[1],
                    x[2], units, a.b("return_sequences"), a.b("go_backwards"), a.b("zero_output_for_mask")));
  const auto operand = [&](int i) { return i < 0 ? std::string("nullptr") : e.in(static_cast<size_t>(i)); };
  const std::string work = e.scratch(n * (gates * x[1] + gates + (lstm ? 3 : gru ? 4 : 2)));
  std::string args = fmt::format("{}, {}, {}", e.local("shape"), e.in(0), packed(e, 1, 0, columns, o.bias, 0));
  if (!gru || after)
    args += ", " + packed(e, 2, 0, columns, after ? o.bias : -1, 1);
  else
    args += ", " + packed(e, 2, 0, 2 * units, -1, 0);
  if (gru) {
    if (!after)
      e.add(fmt::format("const detail::Packed {} = {};", e.local("candidate"),
                        packed(e, 2, 2 * units, 3 * units, -1, 0)));
    args += after ? ", nullptr" : ", &" + e.local("candidate");
  }
  args += ", " + operand(o.h0);
  if (lstm) args += ", " + operand(o.c0);
  args += fmt::format(", {}, {}, {}, {}", operand(o.mask), work, e.out(0), e.out(1));
  if (lstm) args += ", " + e.out(2);
  e.add(fmt::format("detail::{}({});", op, args));
}

}  // namespace

void add_recurrent_emitters(EmitTable& t) { t["lstm"] = t["gru"] = t["simple_rnn"] = emit_recurrent; }

}  // namespace glia::io::cpp_export
