#include "nn/layers/audio.h"

#include <glia/initializers.h>

#include <algorithm>
#include <cmath>

namespace glia::nn {

void STFTSpectrogram::fields(Fields& f) {
  Layer::fields(f);
  f("mode", o.mode);
  f("frame_length", o.frame_length);
  f("frame_step", o.frame_step);
  f("fft_length", o.fft_length);
  f("window", o.window);
  f("periodic", o.periodic);
  f("scaling", o.scaling);
  f("padding", o.padding);
  f("data_format", o.data_format);
  f("expand_dims", o.expand_dims);
}

int64_t STFTSpectrogram::bins() const {
  int64_t n = 1;
  while (n < o.frame_length) n *= 2;
  return o.fft_length.value_or(n) / 2 + 1;
}

void STFTSpectrogram::build(const std::vector<Shape>& in) {
  check_rank(title(), in[0], 3, "(batch, samples, channels)");
  check_data_format(title(), o.data_format);
  check_one_of(title(), "mode", o.mode, {"log", "magnitude", "psd", "real", "imag", "angle", "stft"});
  check_one_of(title(), "padding", o.padding, {"valid", "same"});
  GLIA_CHECK(o.frame_length > 0 && o.fft_length.value_or(o.frame_length) >= o.frame_length,
             "{}: fft_length ({}) must not be less than frame_length ({}).", title(), o.fft_length.value_or(0), o.frame_length);
  GLIA_CHECK(!o.frame_step || (*o.frame_step >= 1 && *o.frame_step <= o.frame_length), "{}: frame_step must lie between 1 and frame_length ({}). Received {}.",
             title(), o.frame_length, o.frame_step.value_or(0));
  auto kernel = [&](const char* name, const char* side) {
    return add_weight(name, {o.frame_length, 1, bins()},
                      initializers::STFT({.side = side, .window = o.window, .scaling = o.scaling, .periodic = o.periodic}));
  };
  if (o.mode != "imag") real_kernel = kernel("real_kernel", "real");
  if (o.mode != "real") imag_kernel = kernel("imag_kernel", "imag");
}

Value STFTSpectrogram::transform(const Value& input, const Variable& kernel) const {
  Value x = is_channels_first(o.data_format) ? input : ops::transpose(input, {0, 2, 1});  // (batch, channels, samples)
  const int64_t batch = x.dim(0), channels = x.dim(1);
  const int64_t step = o.frame_step.value_or(std::max<int64_t>(1, o.frame_length / 2));
  Value y = ops::conv(ops::reshape(x, {batch * channels, x.dim(2), 1}), ops::cast(kernel.value(), x.dtype()),
                      {.strides = {step}, .padding = o.padding});
  return ops::reshape(ops::transpose(y, {0, 2, 1}), {batch, channels, y.dim(2), y.dim(1)});
}

Value STFTSpectrogram::arranged(const Value& y) const {
  const bool first = is_channels_first(o.data_format);
  if (o.expand_dims) return first ? ops::transpose(y, {0, 1, 3, 2}) : ops::transpose(y, {0, 3, 2, 1});
  Value flat = ops::reshape(y, {y.dim(0), y.dim(1) * y.dim(2), y.dim(3)});
  return first ? flat : ops::transpose(flat, {0, 2, 1});
}

Value STFTSpectrogram::call(const Value& x) {
  check_rank(title(), x.shape(), 3, "(batch, samples, channels)");
  Value re = real_kernel.defined() ? transform(x, real_kernel) : Value(), im = imag_kernel.defined() ? transform(x, imag_kernel) : Value();
  if (o.mode == "real") return arranged(re);
  if (o.mode == "imag") return arranged(im);
  if (o.mode == "angle") return arranged(ops::arctan2(im, re));
  if (o.mode == "stft") return arranged(ops::concatenate({re, im}, 2));
  Value power = ops::square(re) + ops::square(im);
  if (o.mode == "psd")  // one-sided: the inner frequencies count twice
    return arranged(power + ops::pad(ops::slice_axis(power, 2, 1, power.dim(2) - 1), {{0, 0}, {0, 0}, {1, 1}, {0, 0}}));
  auto floored = [](const Value& v) { return ops::maximum(v, ops::scalar_like(v, 1e-7)); };
  Value magnitude = arranged(ops::sqrt(floored(power)));
  return o.mode == "magnitude" ? magnitude : ops::log(floored(magnitude));
}

// ---- MelSpectrogram -------------------------------------------------------------------------------------------------------

void MelSpectrogram::fields(Fields& f) {
  Layer::fields(f);
  f("fft_length", o.fft_length);
  f("sequence_stride", o.sequence_stride);
  f("sequence_length", o.sequence_length);
  f("window", o.window);
  f("sampling_rate", o.sampling_rate);
  f("num_mel_bins", o.num_mel_bins);
  f("min_freq", o.min_freq);
  f("max_freq", o.max_freq);
  f("power_to_db", o.power_to_db);
  f("top_db", o.top_db);
  f("mag_exp", o.mag_exp);
  f("min_power", o.min_power);
  f("ref_power", o.ref_power);
}

Tensor MelSpectrogram::fourier_kernel(DType t) const {
  const int64_t n = o.fft_length, length = o.sequence_length.value_or(n), left = (n - length) / 2;
  Tensor k = Tensor::zeros({n, 1, 2 * bins()}, t);
  for (int64_t i = 0; i < length; ++i) {
    double w = 1, phase = std::cos(2 * M_PI * static_cast<double>(i) / static_cast<double>(length));  // periodic windows
    if (o.window) w = *o.window == "hann" ? 0.5 - 0.5 * phase : 0.54 - 0.46 * phase;
    for (int64_t b = 0; b < bins(); ++b) {
      const double angle = 2 * M_PI * static_cast<double>((i + left) * b % n) / static_cast<double>(n);
      k.set_item((i + left) * 2 * bins() + b, w * std::cos(angle));
      k.set_item((i + left) * 2 * bins() + bins() + b, -w * std::sin(angle));
    }
  }
  return k;
}

namespace {

// `count` numbers from `low` to `high`, rounded as TensorFlow rounds them.
std::vector<float> linspace(float low, float high, int64_t count) {
  std::vector<float> r(static_cast<size_t>(count), low);
  const float step = (high - low) / static_cast<float>(std::max<int64_t>(1, count - 1));
  for (int64_t i = 1; i < count; ++i) r[static_cast<size_t>(i)] = i + 1 == count ? high : low + step * static_cast<float>(i);
  return r;
}

}  // namespace

// In float32 whatever the dtype of the layer: near the edges of a triangle the rounding decides about decibels.
Tensor MelSpectrogram::mel_weights(DType t) const {
  auto mel = [](float hertz) { return 1127.0f * std::log(1.0f + hertz / 700.0f); };
  const float nyquist = static_cast<float>(o.sampling_rate) / 2.0f;
  const auto high = o.max_freq ? static_cast<float>(*o.max_freq) : static_cast<float>(o.sampling_rate / 2);
  const std::vector<float> hertz = linspace(0, nyquist, bins());
  const std::vector<float> edges = linspace(mel(static_cast<float>(o.min_freq)), mel(high), o.num_mel_bins + 2);
  Tensor w = Tensor::zeros({bins(), o.num_mel_bins}, t);
  for (int64_t b = 1; b < bins(); ++b)  // the constant part has no weight
    for (int64_t m = 0; m < o.num_mel_bins; ++m) {
      const float at = mel(hertz[static_cast<size_t>(b)]), *edge = &edges[static_cast<size_t>(m)];
      const float rising = (at - edge[0]) / (edge[1] - edge[0]), falling = (edge[2] - at) / (edge[2] - edge[1]);
      w.set_item(b * o.num_mel_bins + m, std::max(0.0f, std::min(rising, falling)));
    }
  return w;
}

Value MelSpectrogram::call(const Value& input) {
  GLIA_CHECK(input.rank() == 1 || input.rank() == 2, "{}: expected sound (batch, samples) or (samples). Received shape {}.", title(),
             to_string(input.shape()));
  if (o.window) check_one_of(title(), "window", *o.window, {"hann", "hamming"});
  GLIA_CHECK(o.sequence_length.value_or(o.fft_length) <= o.fft_length && input.dim(-1) > o.fft_length / 2,
             "{}: sequence_length must not exceed fft_length ({}), and the sound must be longer than half of it. Received shape {}.", title(),
             o.fft_length, to_string(input.shape()));
  const DType t = compute_dtype() == DType::f64 ? DType::f64 : DType::f32;
  Value x = ops::cast(input.rank() == 1 ? ops::expand_dims(input, 0) : input, t);
  x = ops::pad(x, {{0, 0}, {o.fft_length / 2, o.fft_length / 2}}, "reflect");
  Value spectrum = ops::conv(ops::expand_dims(x, -1), fourier_kernel(t), {.strides = {o.sequence_stride}});
  Value power = ops::square(ops::slice_axis(spectrum, 2, 0, bins())) + ops::square(ops::slice_axis(spectrum, 2, bins()));
  if (o.mag_exp != 2) power = ops::power(ops::sqrt(power), ops::scalar_like(power, o.mag_exp));
  Value y = ops::matmul(power, mel_weights(t));
  if (o.power_to_db) {
    y = ops::log10(ops::maximum(y, ops::scalar_like(y, o.min_power))) * 10.0 - 10 * std::log10(std::max(std::abs(o.ref_power), o.min_power));
    y = ops::maximum(y, ops::max(y) - o.top_db);
  }
  y = ops::cast(ops::swapaxes(y, 1, 2), compute_dtype());
  return input.rank() == 1 ? ops::squeeze(y, {0}) : y;
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef STFTSpectrogram(STFTSpectrogramOptions options) {
  return LayerRef(nn::make_with<nn::STFTSpectrogram>(std::move(options)));
}
LayerRef MelSpectrogram(MelSpectrogramOptions options) { return LayerRef(nn::make_with<nn::MelSpectrogram>(std::move(options))); }

}  // namespace glia::layers
