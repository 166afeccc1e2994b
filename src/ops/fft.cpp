// The discrete Fourier transform as an op on {real, imaginary}; the real and the short-time transforms are composed of it.
#include <glia/ops/arrays.h>
#include <glia/ops/fft.h>

#include <cmath>
#include <complex>

#include "base/thread_pool.h"
#include "ops/compose.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;

namespace {

using Complex = std::complex<double>;

// One length: mixed radix (Cooley and Tukey 1965) over its prime factors; a large prime is turned into a convolution of
// a power of two (Bluestein 1970). Unnormalised.
struct Dft {
  int64_t n = 0, rows = 0;
  bool inverse = false, f64 = false;
  std::vector<Complex> roots;           // exp(-+2 pi i k / n)
  std::vector<int64_t> factors;
  std::shared_ptr<const Dft> wide;      // Bluestein: length 2^k >= 2 n - 1
  std::vector<Complex> chirp, filter;   // exp(-+pi i k^2 / n) and the transform of its conjugate, divided by the wide length

  static constexpr int64_t kLargestRadix = 61;

  Dft(int64_t length, bool inverse) : n(length), inverse(inverse) {
    const double turn = (inverse ? 2 : -2) * M_PI / static_cast<double>(n);
    for (int64_t k = 0; k < n; ++k) roots.push_back(std::polar(1.0, turn * static_cast<double>(k)));
    int64_t rest = n;
    for (int64_t p = 2; p * p <= rest; ++p)
      while (rest % p == 0) factors.push_back(p), rest /= p;
    if (rest > 1) factors.push_back(rest);
    if (!factors.empty() && factors.back() > kLargestRadix) make_chirp();
  }
  void make_chirp() {
    int64_t m = 1;
    while (m < 2 * n - 1) m *= 2;
    wide = std::make_shared<Dft>(m, false);
    for (int64_t k = 0; k < n; ++k)  // k^2 modulo 2 n keeps the angle small
      chirp.push_back(std::polar(1.0, (inverse ? M_PI : -M_PI) * static_cast<double>(k * k % (2 * n)) / static_cast<double>(n)));
    std::vector<Complex> taps(static_cast<std::size_t>(m), 0.0), work(static_cast<std::size_t>(m));
    for (int64_t k = 0; k < n; ++k) taps[static_cast<std::size_t>(k)] = taps[static_cast<std::size_t>((m - k) % m)] = std::conj(chirp[static_cast<std::size_t>(k)]);
    filter.resize(static_cast<std::size_t>(m));
    wide->run(taps.data(), filter.data(), work.data());
    for (Complex& f : filter) f /= static_cast<double>(m);
  }

  // Complex numbers of scratch memory beside input and output.
  int64_t scratch() const { return wide ? 3 * wide->n : kLargestRadix; }

  void run(const Complex* x, Complex* y, Complex* work) const {
    if (wide) bluestein(x, y, work);
    else step(n, 1, 0, x, y, work);
  }

  void step(int64_t size, int64_t stride, std::size_t depth, const Complex* x, Complex* y, Complex* work) const {
    if (size == 1) {
      y[0] = x[0];
      return;
    }
    const int64_t p = factors[depth], m = size / p, turn = n / size;
    for (int64_t r = 0; r < p; ++r) step(m, stride * p, depth + 1, x + r * stride, y + r * m, work);
    for (int64_t k = 0; k < m; ++k) {
      if (p == 2) {
        const Complex a = y[k], b = y[m + k] * roots[static_cast<std::size_t>(k * turn)];
        y[k] = a + b, y[m + k] = a - b;
        continue;
      }
      for (int64_t r = 0; r < p; ++r) work[r] = y[r * m + k] * roots[static_cast<std::size_t>(r * k * turn)];
      for (int64_t q = 0; q < p; ++q) {
        Complex sum = work[0];
        for (int64_t r = 1; r < p; ++r) sum += work[r] * roots[static_cast<std::size_t>(r * q % p * (n / p))];
        y[q * m + k] = sum;
      }
    }
  }

  void bluestein(const Complex* x, Complex* y, Complex* work) const {
    const int64_t m = wide->n;
    Complex *a = work, *b = work + m, *more = work + 2 * m;
    for (int64_t k = 0; k < m; ++k) a[k] = k < n ? x[k] * chirp[static_cast<std::size_t>(k)] : 0.0;
    wide->run(a, b, more);
    for (int64_t k = 0; k < m; ++k) a[k] = std::conj(b[k] * filter[static_cast<std::size_t>(k)]);
    wide->run(a, b, more);  // the inverse, by conjugation
    for (int64_t k = 0; k < n; ++k) y[k] = std::conj(b[k]) * chirp[static_cast<std::size_t>(k)];
  }
};

constexpr int64_t kTasks = 16;

template <class T>
void run_rows(const Dft& d, const KernelArgs& a) {
  const int64_t n = d.n, tasks = d.rows * n < 4096 ? 1 : std::min(kTasks, d.rows), need = 2 * n + d.scratch();
  parallel_for(tasks, [&](int64_t t) {
    Complex *x = static_cast<Complex*>(a.work) + t * need, *y = x + n;
    for (int64_t r = d.rows * t / tasks, end = d.rows * (t + 1) / tasks; r < end; ++r) {
      for (int64_t i = 0; i < n; ++i) x[i] = {static_cast<double>(a.input<T>(0)[r * n + i]), static_cast<double>(a.input<T>(1)[r * n + i])};
      d.run(x, y, y + n);
      for (int64_t i = 0; i < n; ++i) {
        if (a.out[0]) a.output<T>(0)[r * n + i] = static_cast<T>(y[i].real());
        if (a.out[1]) a.output<T>(1)[r * n + i] = static_cast<T>(y[i].imag());
      }
    }
  });
}

std::optional<KernelPlan> make_fft(const KernelQuery& q, std::string&) {
  Dft d(q.in[0].shape.back(), q.attrs.b("inverse"));
  d.rows = d.n > 0 ? q.in[0].elements() / d.n : 0;
  d.f64 = q.in[0].dtype == DType::f64;
  KernelPlan plan;
  plan.workspace = static_cast<std::size_t>(kTasks * (2 * d.n + d.scratch())) * sizeof(Complex);
  plan.params = kernel_params(std::move(d));
  plan.fn = [](const KernelArgs& a) {
    const auto& d = a.param<Dft>();
    d.f64 ? run_rows<double>(d, a) : run_rows<float>(d, a);
  };
  return plan;
}

const OpDef& fft_op();
Values transform(const Value& re, const Value& im, bool inverse) { return apply(fft_op(), {{"inverse", inverse}}, {re, im}); }

const OpDef& fft_op() {
  static const OpDef def{
      .name = "fft",
      .doc = "Discrete Fourier transform of {real, imaginary} along the last axis, any length; inverse: with the other sign, not divided.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"inverse", false, "exp(+2 pi i ...) instead of exp(-2 pi i ...)"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        GLIA_CHECK(is_float(c.in[0].dtype) && c.in[0] == c.in[1] && c.in[0].rank() >= 1,
                   "fft: expected real and imaginary parts of one shape (..., n) and floating point dtype. Received {} and {}.", to_string(c.in[0]),
                   to_string(c.in[1]));
        return {c.in[0], c.in[0]};
      },
      // The transform is a symmetric matrix: its transpose as a map of real numbers is the transform with the other sign.
      .vjp = [](const VjpContext& c) -> Values {
        auto part = [&](std::size_t i) { return c.grads[i].defined() ? c.grads[i] : zeros(c.inputs[0].shape(), c.inputs[0].dtype()); };
        return transform(part(0), part(1), !c.attrs.b("inverse"));
      },
      .kernels = {{"mixed_radix", make_fft}},
  };
  return def;
}

Values checked(const Values& x, const char* op) {
  GLIA_CHECK(x.size() == 2 && x[0].shape() == x[1].shape(), "{}: expected a pair of real and imaginary parts of one shape.", op);
  GLIA_CHECK(is_float(x[0].dtype()) && is_float(x[1].dtype()), "{}: expected floating point parts. Received {} and {}.", op, to_string(x[0].type()),
             to_string(x[1].type()));
  const DType t = x[0].dtype() == DType::f64 || x[1].dtype() == DType::f64 ? DType::f64 : DType::f32;
  return {cast(x[0], t), cast(x[1], t)};
}
Values swapped(const Values& x) { return {swapaxes(x[0], -1, -2), swapaxes(x[1], -1, -2)}; }
Values scaled(const Values& x, double f) { return {x[0] * f, x[1] * f}; }

}  // namespace

OpList fft_ops() { return {&fft_op()}; }

Values fft(const Values& x) {
  const Values c = checked(x, "fft");
  return transform(c[0], c[1], false);
}
Values ifft(const Values& x) {
  const Values c = checked(x, "ifft");
  return scaled(transform(c[0], c[1], true), 1.0 / static_cast<double>(c[0].dim(-1)));
}

static Values both_axes(const Values& x, bool inverse, const char* op) {
  Values c = checked(x, op);
  GLIA_CHECK(c[0].rank() >= 2, "{}: expected at least two axes. Received shape {}.", op, to_string(c[0].shape()));
  c = transform(c[0], c[1], inverse);
  c = swapped(c);
  return swapped(transform(c[0], c[1], inverse));
}
Values fft2(const Values& x) { return both_axes(x, false, "fft2"); }
Values ifft2(const Values& x) {
  Values y = both_axes(x, true, "ifft2");
  return scaled(y, 1.0 / static_cast<double>(y[0].dim(-1) * y[0].dim(-2)));
}

// Cuts or pads the last axis with zeros.
static Value resized(const Value& x, int64_t n) {
  if (x.dim(-1) > n) return slice_axis(x, -1, 0, n);
  if (x.dim(-1) == n) return x;
  std::vector<std::pair<int64_t, int64_t>> widths(static_cast<std::size_t>(x.rank()), {0, 0});
  widths.back().second = n - x.dim(-1);
  return pad(x, widths);
}

Values rfft(const Value& given, std::optional<int64_t> fft_length) {
  GLIA_CHECK(given.rank() >= 1, "rfft: expected at least one axis. Received a scalar.");
  Value x = given.dtype() == DType::f64 ? given : cast(given, DType::f32);
  const int64_t n = fft_length.value_or(x.dim(-1));
  GLIA_CHECK(n > 0, "rfft: fft_length must be positive. Received {}.", n);
  x = resized(x, n);
  Values y = transform(x, zeros(x.shape(), x.dtype()), false);
  for (Value& v : y) v = slice_axis(v, -1, 0, n / 2 + 1);
  return y;
}

Value irfft(const Values& x, std::optional<int64_t> fft_length) {
  Values c = checked(x, "irfft");
  const int64_t n = fft_length.value_or(2 * (c[0].dim(-1) - 1)), half = n / 2 + 1;
  GLIA_CHECK(n > 0, "irfft: fft_length must be positive. Received {}.", n);
  Value re = resized(c[0], half), im = resized(c[1], half);
  // Frequencies n/2 + 1 ... n - 1 are the conjugates of those from the other side; the imaginary parts of the first and, for even
  // lengths, of the last do not count.
  const int64_t mirrored = n - half;
  auto tail = [&](const Value& v) { return flip(slice_axis(v, -1, 1, 1 + mirrored), {-1}); };
  std::vector<double> keep(static_cast<std::size_t>(half), 1.0);
  keep[0] = 0;
  if (n % 2 == 0) keep[static_cast<std::size_t>(n / 2)] = 0;
  im = im * cast(Value(Tensor::from_vector<double>({half}, keep)), im.dtype());
  if (mirrored > 0) re = concatenate({re, tail(re)}, -1), im = concatenate({im, -tail(im)}, -1);
  return transform(re, im, true)[0] / static_cast<double>(n);
}

// ---- short-time transforms ----

// The window in the middle of fft_length samples; undefined for none.
static Value centred_window(const StftOptions& o, int64_t length, int64_t fft_length, DType t, const char* op) {
  GLIA_CHECK(length > 0 && fft_length >= length, "{}: fft_length ({}) must not be less than sequence_length ({}).", op, fft_length, length);
  Value w = o.window_values;
  if (!w.defined()) {
    if (o.window.empty()) return {};
    GLIA_CHECK(o.window == "hann" || o.window == "hamming", "{}: unknown window \"{}\". Expected hann, hamming or none.", op, o.window);
    const double a = o.window == "hann" ? 0.5 : 0.54;
    Tensor values({length}, DType::f64);
    const double period = static_cast<double>(length % 2 == 0 ? length : length - 1);  // odd windows are symmetric, as TensorFlow's
    for (int64_t i = 0; i < length; ++i) values.set_item(i, length == 1 ? 1 : a - (1 - a) * std::cos(2 * M_PI * static_cast<double>(i) / period));
    w = values;
  }
  GLIA_CHECK(w.rank() == 1 && w.dim(0) == length, "{}: the window must have shape ({}). Received {}.", op, length, to_string(w.shape()));
  const int64_t left = (fft_length - length) / 2;
  return pad(cast(w, t), {{left, fft_length - length - left}});
}

Values stft(const Value& given, int64_t length, int64_t stride, int64_t fft_length, const StftOptions& o) {
  GLIA_CHECK(given.rank() >= 1 && (given.dtype() == DType::f32 || given.dtype() == DType::f64), "stft: expected float32 or float64 sound (..., samples). Received {}.",
             to_string(given.type()));
  Value x = given;
  Value w = centred_window(o, length, fft_length, x.dtype(), "stft");
  if (o.center) {
    std::vector<std::pair<int64_t, int64_t>> widths(static_cast<std::size_t>(x.rank()), {0, 0});
    widths.back() = {fft_length / 2, fft_length / 2};
    x = pad(x, widths, "reflect");
  }
  Value frames = extract_sequences(x, fft_length, stride);
  return rfft(w.defined() ? frames * w : frames, fft_length);
}

Value istft(const Values& x, int64_t length, int64_t stride, int64_t fft_length, std::optional<int64_t> samples, const StftOptions& o) {
  Value frames = irfft(x, fft_length);  // (..., frames, fft_length)
  GLIA_CHECK(frames.rank() >= 2 && stride > 0, "istft: expected parts (..., frames, frequencies) and a positive stride. Received shape {}.",
             to_string(x[0].shape()));
  Value w = centred_window(o, length, fft_length, frames.dtype(), "istft");
  const int64_t count = frames.dim(-2), total = fft_length + stride * (count - 1);
  if (w.defined()) {  // over the squares of all windows that cover a sample
    const int64_t overlaps = (fft_length + stride - 1) / stride;
    Value squares = reshape(resized(square(w), overlaps * stride), {overlaps, stride});
    Value norm = slice_axis(reshape(broadcast_to(sum(squares, {0}, true), {overlaps, stride}), {-1}), 0, 0, fft_length);
    frames = frames * divide_no_nan(w, norm);
  }
  std::vector<int32_t> places;
  for (int64_t f = 0; f < count; ++f)
    for (int64_t i = 0; i < fft_length; ++i) places.push_back(static_cast<int32_t>(f * stride + i));
  Shape lead = frames.shape();
  lead.resize(lead.size() - 2);
  const int64_t rows = num_elements(lead);
  Value y = transpose(segment_sum(transpose(reshape(frames, {rows, count * fft_length})), index_vector(places), total));
  const int64_t start = o.center ? fft_length / 2 : 0;
  const int64_t stop = std::min(total, samples ? start + *samples : o.center ? total - fft_length / 2 : total);
  y = slice_axis(y, 1, start, std::max(start, stop));
  lead.push_back(y.dim(1));
  return reshape(y, lead);
}

}  // namespace glia::ops
