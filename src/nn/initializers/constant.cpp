#include <glia/initializers.h>

#include <cmath>

#include "base/error.h"

namespace glia {
namespace {

struct Zeros final : InitializerBase {
  std::string class_name() const override { return "Zeros"; }
  Tensor operator()(const Shape& shape, DType dtype) override { return Tensor::zeros(shape, dtype); }
};

struct Ones final : InitializerBase {
  std::string class_name() const override { return "Ones"; }
  Tensor operator()(const Shape& shape, DType dtype) override { return Tensor::full(shape, 1, dtype); }
};

struct Constant final : InitializerBase {
  double value = 0;
  std::string class_name() const override { return "Constant"; }
  void fields(Fields& f) override { f("value", value); }
  Tensor operator()(const Shape& shape, DType dtype) override { return Tensor::full(shape, value, dtype); }
};

struct Identity final : InitializerBase {
  double gain = 1;
  std::string class_name() const override { return "Identity"; }
  void fields(Fields& f) override {  // Keras's config leaves the gain out; written only where it differs
    if (f.reading() || gain != 1) f("gain", gain);
  }
  Tensor operator()(const Shape& shape, DType dtype) override {
    GLIA_CHECK(shape.size() == 2, "Identity: expected a shape of two axes. Received {}.", to_string(shape));
    Tensor t = Tensor::zeros(shape, dtype);
    for (int64_t i = 0; i < std::min(shape[0], shape[1]); ++i) t.set_item(i * shape[1] + i, gain);
    return t;
  }
};

struct STFT final : InitializerBase {
  initializers::STFTOptions o;
  explicit STFT(initializers::STFTOptions options) : o(std::move(options)) {}
  std::string class_name() const override { return "STFT"; }
  void fields(Fields& f) override {
    f("side", o.side);
    f("window", o.window);
    f("periodic", o.periodic);
    f("scaling", o.scaling);
  }

  // Generalised cosine windows, as scipy.signal.get_window.
  std::vector<double> window(int64_t n) const {
    GLIA_CHECK(*o.window == "hann" || *o.window == "hamming", "STFT: expected window \"hann\" or \"hamming\". Received \"{}\".",
               *o.window);
    double a = *o.window == "hann" ? 0.5 : 0.54;
    std::vector<double> w(static_cast<size_t>(n), 1.0);
    double period = static_cast<double>(o.periodic ? n : n - 1);
    for (int64_t i = 0; n > 1 && i < n; ++i)
      w[static_cast<size_t>(i)] = a - (1 - a) * std::cos(2 * M_PI * static_cast<double>(i) / period);
    return w;
  }

  Tensor operator()(const Shape& shape, DType dtype) override {
    GLIA_CHECK(shape.size() == 3 && shape[1] == 1,
               "STFT: expected a shape (frame_length, 1, fft_length / 2 + 1). Received {}.", to_string(shape));
    GLIA_CHECK(o.side == "real" || o.side == "imag", "STFT: expected side \"real\" or \"imag\". Received \"{}\".", o.side);
    GLIA_CHECK(!o.scaling || *o.scaling == "density" || *o.scaling == "spectrum",
               "STFT: expected scaling \"density\", \"spectrum\" or none. Received \"{}\".", *o.scaling);
    int64_t frames = shape[0], bins = shape[2];
    std::vector<double> w(static_cast<size_t>(frames), 1.0);
    double scale = 1;
    if (o.window) {
      w = window(frames);
      double sum = 0, squares = 0;
      for (double x : w) sum += std::abs(x), squares += x * x;
      if (o.scaling) scale = *o.scaling == "density" ? std::sqrt(squares) : sum;
    }
    Tensor t(shape, dtype);
    double length = static_cast<double>((bins - 1) * 2);
    for (int64_t i = 0; i < frames; ++i)
      for (int64_t k = 0; k < bins; ++k) {
        double angle = -2 * M_PI * static_cast<double>(i) * static_cast<double>(k) / length;
        double v = o.side == "real" ? std::cos(angle) : std::sin(angle);
        t.set_item(i * bins + k, v * w[static_cast<size_t>(i)] / scale);
      }
    return t;
  }
};

}  // namespace

namespace initializers {
Initializer Zeros() { return std::make_shared<glia::Zeros>(); }
Initializer Ones() { return std::make_shared<glia::Ones>(); }
Initializer Constant(double value) {
  auto p = std::make_shared<glia::Constant>();
  p->value = value;
  return p;
}
Initializer Identity(double gain) {
  auto p = std::make_shared<glia::Identity>();
  p->gain = gain;
  return p;
}
Initializer STFT(STFTOptions o) { return std::make_shared<glia::STFT>(std::move(o)); }
}  // namespace initializers
}  // namespace glia
