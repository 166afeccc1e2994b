// Windows and random numbers.
#include <cmath>

#include "io/onnx/operator_util.h"
#include "nn/trace.h"

namespace glia::onnx {
namespace {

template <class F>
Operands window(Node& n, F f) {
  const double size = n.known_number(0, "the size");
  n.check(size >= 0 && size < (1 << 24), "bad size.");
  const bool periodic = n.i("periodic", 1) != 0;
  const double length = std::max(periodic ? size : size - 1, 1.0);
  Tensor t({static_cast<int64_t>(size)}, DType::f64);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, f(2 * M_PI * static_cast<double>(i) / length));
  return {Value(t.astype(n.dtype_attr("output_datatype", DType::f32)))};
}
Operands import_hann(Node& n) {
  return window(n, [](double x) { return 0.5 - 0.5 * std::cos(x); });
}
Operands import_hamming(Node& n) {
  return window(n, [](double x) { return 25.0 / 46 - 21.0 / 46 * std::cos(x); });
}
Operands import_blackman(Node& n) {
  return window(n, [](double x) { return 0.42 - 0.5 * std::cos(x) + 0.08 * std::cos(2 * x); });
}

Value seed_of(const Node& n) {
  if (Trace* t = Trace::current(); t && !n.has_attr("seed")) return t->seed();
  return Value(Tensor::from_vector<int64_t>({2}, {static_cast<int64_t>(n.f("seed", 0)), 0}));
}
int64_t stream() { return Trace::current() ? Trace::current()->next_stream() : 0; }
template <bool Normal, bool Like>
Operands import_random(Node& n) {
  const Shape s = Like ? n.operand(0).shape() : Shape(n.ints("shape"));
  const DType t = n.dtype_attr("dtype", Like ? n.operand(0).dtype() : DType::f32);
  for (int64_t d : s) n.check(d >= 0 && d < (int64_t{1} << 31), "bad shape.");
  if (Normal) return {ops::random_normal(seed_of(n), stream(), s, n.f("mean", 0), n.f("scale", 1), t)};
  return {ops::random_uniform(seed_of(n), stream(), s, n.f("low", 0), n.f("high", 1), t)};
}
Operands import_bernoulli(Node& n) {
  const Value p = n.in(0);
  const Value u = ops::random_uniform(seed_of(n), stream(), p.shape(), 0, 1, DType::f32);
  return {ops::cast(ops::less(u, ops::cast(p, DType::f32)), n.dtype_attr("dtype", p.dtype()))};
}

}  // namespace

OperatorList signal_operators() {
  return {{"Bernoulli", 15, import_bernoulli},
          {"BlackmanWindow", 17, import_blackman, {0}},
          {"HammingWindow", 17, import_hamming, {0}},
          {"HannWindow", 17, import_hann, {0}},
          {"RandomNormal", 1, import_random<true, false>},
          {"RandomNormalLike", 1, import_random<true, true>},
          {"RandomUniform", 1, import_random<false, false>},
          {"RandomUniformLike", 1, import_random<false, true>}};
}

}  // namespace glia::onnx
