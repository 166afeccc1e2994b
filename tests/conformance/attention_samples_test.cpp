// Attention: grouped heads, causal with an offset, masks that are broadcast.
#include "ir/op_def.h"
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;
using ir::Ints;

namespace {

struct AttentionCase {
  Shape q, k, v;
  bool causal = false;
  int64_t offset = 0;
  Tensor mask = {};
};

std::vector<AttentionCase> cases() {
  return {{{2, 3, 2, 5}, {2, 4, 2, 5}, {2, 4, 2, 6}},
          {{1, 70, 2, 8}, {1, 70, 1, 8}, {1, 70, 1, 8}, true},
          {{2, 5, 3, 4}, {2, 9, 1, 4}, {2, 9, 1, 7}, true, 4},
          {{2, 3, 2, 5}, {2, 4, 2, 5}, {2, 4, 2, 6}, false, 0, bools({2, 1, 3, 4}, 3)},
          {{2, 6, 2, 3}, {2, 6, 2, 3}, {2, 6, 2, 3}, true, 0, numbers({6, 6}, -1, 1, 9)}};
}

}  // namespace

GLIA_SAMPLES(attention) {
  for (const AttentionCase& c : cases()) {
    const ir::Attrs attrs{{"scale", 0.4}, {"causal", c.causal}, {"causal_offset", c.offset}, {"mask", c.mask.defined()}};
    std::vector<Tensor> in{numbers(c.q), numbers(c.k, -1.5, 1.5, 2), numbers(c.v, -1.5, 1.5, 3)};
    if (c.mask.defined()) in.push_back(c.mask);
    list.add("attention", attrs, in);
    // Output and lse must be those of the inputs; the definition gives them.
    const Shape out{c.q[0], c.q[1], c.q[2], c.v[3]};
    std::vector<Tensor> result{Tensor(out), Tensor({c.q[0], c.q[2], c.q[1]})};
    ir::find_op("attention").reference(attrs, in, result);
    std::vector<Tensor> back(in.begin(), in.begin() + 3);
    back.insert(back.end(), {result[0], result[1], numbers(out, -1, 1, 4)});
    if (c.mask.defined()) back.push_back(c.mask);
    list.add("attention_grad", attrs, back);
  }
  list.refuse("attention", {}, {{DType::f32, {2, 3, 4}}, {DType::f32, {2, 3, 1, 4}}, {DType::f32, {2, 3, 1, 4}}},
              "attention: query must be (batch, time, heads, size). Received float32 (2, 3, 4).");
  list.refuse("attention", {}, {{DType::f32, {2, 3, 2, 4}}, {DType::f32, {2, 3, 3, 4}}, {DType::f32, {2, 3, 3, 4}}},
              "attention: the number of query heads must be a multiple of the key heads. Received 2 and 3.");
}
