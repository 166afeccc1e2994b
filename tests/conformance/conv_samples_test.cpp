// Convolutions and pooling.
#include "ir/op_def.h"
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;
using ir::Ints;

namespace {

struct ConvCase {
  Shape x, kernel, y;
  Ints strides, pads, dilation;
};
const ConvCase kCases[] = {
    {{2, 7, 6, 3}, {3, 3, 3, 8}, {2, 5, 4, 8}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
    {{2, 9, 9, 1}, {3, 3, 1, 32}, {2, 7, 7, 32}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
    {{1, 8, 7, 16}, {3, 3, 16, 5}, {1, 4, 4, 5}, {2, 2}, {0, 1, 1, 1}, {1, 1}},
    {{1, 6, 6, 4}, {1, 1, 4, 6}, {1, 6, 6, 6}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
    {{1, 5, 5, 6}, {3, 3, 2, 9}, {1, 5, 5, 9}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
    {{1, 6, 5, 8}, {3, 3, 1, 8}, {1, 6, 5, 8}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
    {{2, 10, 11, 16}, {3, 3, 16, 32}, {2, 8, 9, 32}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
    {{2, 11, 3}, {4, 3, 5}, {2, 8, 5}, {1}, {0, 0}, {1}},
    {{1, 9, 9, 2}, {2, 3, 2, 3}, {1, 7, 5, 3}, {1, 1}, {0, 0, 0, 0}, {2, 2}},
    {{1, 4, 3, 5, 2}, {2, 3, 3, 2, 3}, {1, 3, 1, 3, 3}, {1, 1, 1}, {0, 0, 0, 0, 0, 0}, {1, 1, 1}},
};
Ints tail(const Shape& s) { return Ints(s.begin() + 1, s.end()); }

}  // namespace

GLIA_SAMPLES(conv) {
  for (const ConvCase& c : kCases) {
    ir::Attrs a{{"strides", c.strides}, {"pads", c.pads}, {"dilation", c.dilation}};
    Tensor x = numbers(c.x), w = numbers(c.kernel, -1, 1, 2), dy = numbers(c.y, -1, 1, 3);
    list.add("conv", a, {x, w});
    ir::Attrs to_input = a, to_kernel = a;
    to_input.set("input_shape", tail(c.x));
    to_kernel.set("kernel_shape", c.kernel);
    list.add("conv_backprop_input", to_input, {dy, w});
    list.add("conv_backprop_filter", to_kernel, {x, dy});
  }
  ir::Attrs fused{{"strides", Ints{1, 1}}, {"pads", Ints{0, 0, 0, 0}}, {"dilation", Ints{1, 1}}, {"bias", true}, {"residual", true}, {"activation", std::string("tanh")}};
  list.add("conv", fused, {numbers({1, 5, 5, 2}), numbers({3, 3, 2, 7}, -1, 1, 2), numbers({7}), numbers({1, 3, 3, 7}, -1, 1, 5)}).gradient = false;
}

GLIA_SAMPLES(conv_max_pool) {
  auto attrs = [](bool bias, const char* activation, Ints strides, Ints pads) {
    return ir::Attrs{{"strides", strides}, {"pads", pads}, {"dilation", Ints{1, 1}}, {"bias", bias}, {"activation", std::string(activation)}};
  };
  list.add("conv_max_pool", attrs(false, "", {1, 1}, {0, 0, 0, 0}), {numbers({2, 9, 8, 3}), numbers({3, 3, 3, 7}, -1, 1, 2)}).gradient = false;
  list.add("conv_max_pool", attrs(true, "relu", {2, 1}, {1, 1, 0, 1}), {numbers({1, 10, 9, 4}), numbers({3, 2, 4, 18}, -1, 1, 2), numbers({18})}).gradient = false;
  list.add("conv_max_pool", attrs(true, "relu", {1, 1}, {0, 0, 0, 0}), {numbers({2, 13, 12, 16}), numbers({3, 3, 16, 40}, -1, 1, 2), numbers({40})}).gradient = false;  // Winograd
  list.add("conv_max_pool", attrs(false, "", {1, 1}, {1, 1, 1, 1}), {numbers({1, 4, 300, 1}), numbers({3, 3, 1, 70}, -1, 1, 2)}).gradient = false;  // wide rows
}

GLIA_SAMPLES(pool) {
  struct PoolCase { Shape x, y; Ints window, strides, pads; };
  const PoolCase cases[] = {
      {{2, 8, 6, 5}, {2, 4, 3, 5}, {2, 2}, {2, 2}, {0, 0, 0, 0}},
      {{1, 7, 7, 32}, {1, 4, 4, 32}, {3, 3}, {2, 2}, {1, 1, 1, 1}},
      {{2, 9, 3}, {2, 4, 3}, {2}, {2}, {0, 0}},
      {{1, 4, 4, 4, 2}, {1, 2, 2, 2, 2}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0, 0, 0, 0}},
  };
  for (const PoolCase& c : cases) {
    ir::Attrs a{{"window", c.window}, {"strides", c.strides}, {"pads", c.pads}};
    Tensor x = numbers(c.x), dy = numbers(c.y, -1, 1, 4);
    Tensor argmax = ir::apply(ir::find_op("max_pool"), a, {x})[1].tensor();
    ir::Attrs back = a;
    back.set("input_shape", tail(c.x));
    list.add("max_pool", a, {x});
    list.add("avg_pool", a, {x});
    list.add("max_pool_backprop", back, {dy, argmax});
    list.add("avg_pool_backprop", back, {dy});
    list.add("max_pool_take", a, {x, argmax});
  }
}
