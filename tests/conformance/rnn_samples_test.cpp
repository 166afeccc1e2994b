// Recurrent ops. Their gradients are checked in src/ops/rnn_test.cpp: the outputs that only the backward op reads
// carry none, and this suite would differentiate those too.
#include "ir/op_def.h"
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;

namespace {

struct RnnCase {
  const char* op;
  int64_t gates, states, saved;  // of the op: columns per unit, states, outputs that only the backward op reads
  ir::Attrs more;
};
const RnnCase kCases[] = {{"lstm", 4, 2, 3, {}},
                          {"gru", 3, 1, 2, {{"reset_after", true}}},
                          {"gru", 3, 1, 2, {{"reset_after", false}}},
                          {"simple_rnn", 1, 1, 1, {}}};

void add_case(SampleList& list, const RnnCase& c, const Shape& x, int64_t units, bool full) {
  const int64_t columns = c.gates * units;
  const ir::OpDef& op = ir::find_op(c.op);
  ir::Attrs a = c.more;
  for (const char* name : {"bias", "initial_state", "mask", "go_backwards", "return_sequences"}) a.set(name, full);
  std::vector<Tensor> in{numbers(x), numbers({x[2], columns}, -1, 1, 2), numbers({units, columns}, -1, 1, 3)};
  if (full) {
    const bool two = c.gates == 3 && a.b("reset_after");
    in.push_back(numbers(two ? Shape{2, columns} : Shape{columns}, -1, 1, 4));
    for (int64_t i = 0; i < c.states; ++i) in.push_back(numbers({x[0], units}, -1, 1, 5 + static_cast<uint64_t>(i)));
    in.push_back(bools({x[0], x[1]}, 8));
  }
  list.add(c.op, a, in).gradient = false;
  Values wide;  // the saved outputs in double, so that rounding does not part them from the decomposition
  for (const Tensor& t : in) wide.emplace_back(is_float(t.dtype()) ? t.astype(DType::f64) : t);
  const Values out = ir::apply(op, a, wide);
  ir::Attrs back = a;
  for (size_t i = out.size() - static_cast<size_t>(c.saved); i < out.size(); ++i) {
    in.push_back(out[i].tensor().astype(DType::f32));
  }
  const char* names[] = {"dy", "dh", "dc"};
  for (int64_t i = 0; i <= (full ? c.states : 0); ++i) {
    back.set(names[i], true);
    in.push_back(numbers(out[static_cast<size_t>(i)].shape(), -1, 1, 20 + static_cast<uint64_t>(i)));
  }
  list.add(std::string(c.op) + "_backprop", back, in).gradient = false;
}

}  // namespace

GLIA_SAMPLES(rnn) {
  for (const RnnCase& c : kCases) {
    add_case(list, c, {2, 4, 3}, 5, true);
    add_case(list, c, {5, 3, 7}, 17, false);
    add_case(list, c, {1, 2, 4}, 16, true);
  }
  const DType t = DType::f32;
  list.refuse("lstm", {}, {{t, {2, 4}}, {t, {4, 20}}, {t, {5, 20}}},
              "lstm: expected an input of rank 3 (batch, steps, features). Received float32 (2, 4).");
  list.refuse("gru", {}, {{t, {2, 3, 4}}, {t, {4, 16}}, {t, {5, 15}}},
              "gru: expected a kernel of float32 (4, 15). Received float32 (4, 16).");
  list.refuse("simple_rnn", {{"mask", true}}, {{t, {2, 3, 4}}, {t, {4, 5}}, {t, {5, 5}}},
              "simple_rnn: expected 4 inputs. Received 3.");
  list.refuse("lstm_backprop", {},
              {{t, {2, 3, 4}}, {t, {4, 20}}, {t, {5, 20}}, {t, {3, 2, 5}}, {t, {3, 2, 20}}, {t, {4, 2, 5}}},
              "lstm_backprop: expected saved states of float32 (4, 2, 5). Received float32 (3, 2, 5).");
}
