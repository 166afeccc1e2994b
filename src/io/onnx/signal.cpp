// Windows, Fourier transforms and random numbers.
#include <cmath>

#include "io/onnx/interpreter.h"
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

// ---- Fourier transforms: complex numbers are the last axis, (real, imaginary) ----

Value cut_or_padded(const Value& x, int64_t axis, int64_t length) {
  const int64_t have = x.dim(static_cast<int>(axis));
  if (length <= have) return ops::slice_axis(x, axis, 0, length);
  std::vector<std::pair<int64_t, int64_t>> widths(static_cast<size_t>(x.rank()), {0, 0});
  widths[static_cast<size_t>(axis)].second = length - have;
  return ops::pad(x, widths);
}
Value part_of(const Value& x, int64_t i) { return ops::squeeze(ops::slice_axis(x, -1, i, i + 1), {-1}); }

Operands import_dft(Node& n) {
  const Value given = n.in(0), x = widened(given);
  const int64_t rank = x.rank();
  n.check(rank >= 2 && (x.dim(-1) == 1 || x.dim(-1) == 2), "expected real (..., 1) or complex (..., 2) numbers.");
  const int64_t axis = n.axis(n.opset() >= 20 ? (n.has(2) ? known_integer(n, 2, "the axis") : -2) : n.i("axis", 1), rank);
  n.check(axis != rank - 1, "the axis of real and imaginary parts cannot be transformed.");
  const bool inverse = n.i("inverse", 0) != 0, onesided = n.i("onesided", 0) != 0, complex = x.dim(-1) == 2;
  const int64_t have = x.dim(static_cast<int>(axis));
  const int64_t length = n.has(1) ? known_integer(n, 1, "the length") : inverse && onesided ? 2 * (have - 1) : have;
  n.check(length > 0 && length < (int64_t{1} << 28), "the length must be positive.");
  n.check(!onesided || inverse == complex, "onesided goes from real numbers to complex ones, or back with inverse.");
  Ints order;
  for (int64_t i = 0; i + 1 < rank; ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  const Value re = ops::transpose(part_of(x, 0), order), im = complex ? ops::transpose(part_of(x, 1), order) : Value();
  const Ints back = glia::onnx::inverse(order);
  if (inverse && onesided) return {ops::cast(ops::expand_dims(ops::transpose(ops::irfft({re, im}, length), back), -1), given.dtype())};
  const auto fit = [&](const Value& v) { return cut_or_padded(v, rank - 2, length); };
  Values y;
  if (onesided)
    y = ops::rfft(re, length);
  else if (inverse)
    y = ops::ifft({fit(re), complex ? fit(im) : ops::zeros_like(fit(re))});
  else
    y = ops::fft({fit(re), complex ? fit(im) : ops::zeros_like(fit(re))});
  return {ops::cast(ops::stack({ops::transpose(y[0], back), ops::transpose(y[1], back)}, -1), given.dtype())};
}

// Frames of a signal (batch, samples, 1 or 2), each times the window, transformed.
Operands import_stft(Node& n) {
  const Value given = n.in(0), x = widened(given);
  n.check(x.rank() == 3 && (x.dim(2) == 1 || x.dim(2) == 2), "expected a signal (batch, samples, 1 or 2).");
  const int64_t step = known_integer(n, 1, "the step");
  n.check(n.has(2) || n.has(3), "a window or a length of frames is needed.");
  const int64_t length = n.has(3) ? known_integer(n, 3, "the length of frames") : n.in(2).dim(0);
  const bool onesided = n.i("onesided", 1) != 0, complex = x.dim(2) == 2;
  n.check(step > 0 && length > 0 && length <= x.dim(1), "step and length must be positive, and a frame no longer than the signal.");
  n.check(!complex || !onesided, "the spectrum of a complex signal has no redundant half.");
  const int64_t frames = (x.dim(1) - length) / step + 1;
  check_extents(n, {frames, length}, true);
  Tensor at({frames, length}, DType::i64);
  for (int64_t f = 0; f < frames; ++f)
    for (int64_t i = 0; i < length; ++i) at.data<int64_t>()[f * length + i] = f * step + i;
  const auto framed = [&](int64_t part) {
    Value v = ops::take(part_of(x, part), Value(at), 1);  // (batch, frames, length)
    return n.has(2) ? v * ops::cast(n.in(2), v.dtype()) : v;
  };
  const Value re = framed(0);
  const Values y = onesided ? ops::rfft(re) : ops::fft({re, complex ? framed(1) : ops::zeros_like(re)});
  return {ops::cast(ops::stack({y[0], y[1]}, -1), given.dtype())};
}

// Triangles evenly spaced on the mel scale (2595 log10(1 + f / 700)), cut to whole bins of the spectrum.
Operands import_mel_weights(Node& n) {
  const auto number = [&](size_t i, const char* what) { return n.known_number(i, what); };
  const double bands = number(0, "the number of bands"), dft = number(1, "the length of the transform"), rate = number(2, "the sample rate");
  const double low = number(3, "the lower edge"), high = number(4, "the upper edge");
  n.check(bands >= 1 && bands < 65536 && dft >= 2 && dft < (1 << 24) && rate > 0 && low >= 0 && high >= low, "bad sizes or edges.");
  const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
  const auto count = static_cast<int64_t>(bands), bins = static_cast<int64_t>(dft) / 2 + 1;
  const double step = (mel(high) - mel(low)) / static_cast<double>(count + 2);
  Ints edge;
  for (int64_t i = 0; i < count + 2; ++i) {
    const double f = 700 * (std::pow(10, (mel(low) + step * static_cast<double>(i)) / 2595) - 1);
    edge.push_back(static_cast<int64_t>(std::floor((std::floor(dft) + 1) * f / rate)));
  }
  check_extents(n, {bins, count}, true);
  Tensor t = Tensor::zeros({bins, count}, DType::f64);
  const auto put = [&](int64_t bin, int64_t band, double v) {
    if (bin >= 0 && bin < bins) t.data<double>()[bin * count + band] = v;
  };
  for (int64_t b = 0; b < count; ++b) {
    const int64_t from = edge[static_cast<size_t>(b)], centre = edge[static_cast<size_t>(b) + 1], to = edge[static_cast<size_t>(b) + 2];
    if (centre == from) put(centre, b, 1);
    for (int64_t j = from; centre > from && j <= centre; ++j) put(j, b, static_cast<double>(j - from) / static_cast<double>(centre - from));
    for (int64_t j = centre; to > centre && j < to; ++j) put(j, b, static_cast<double>(to - j) / static_cast<double>(to - centre));
  }
  return {Value(t.astype(n.dtype_attr("output_datatype", DType::f32)))};
}

}  // namespace

OperatorList signal_operators() {
  return {{"Bernoulli", 15, import_bernoulli},
          {"BlackmanWindow", 17, import_blackman, {0}},
          {"DFT", 17, import_dft, {1, 2}},
          {"HammingWindow", 17, import_hamming, {0}},
          {"HannWindow", 17, import_hann, {0}},
          {"MelWeightMatrix", 17, import_mel_weights, {0, 1, 2, 3, 4}},
          {"RandomNormal", 1, import_random<true, false>},
          {"RandomNormalLike", 1, import_random<true, true>},
          {"RandomUniform", 1, import_random<false, false>},
          {"RandomUniformLike", 1, import_random<false, true>},
          {"STFT", 17, import_stft, {1, 3}}};
}

}  // namespace glia::onnx
