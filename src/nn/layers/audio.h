// Spectrograms.
#pragma once
#include <glia/layers/audio.h>

#include "nn/layers/common.h"

namespace glia::nn {

class STFTSpectrogram : public Layer {
 public:
  layers::STFTSpectrogramOptions o;
  Variable real_kernel, imag_kernel;
  std::string class_name() const override { return "STFTSpectrogram"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Value call(const Value& x) override;

 private:
  int64_t bins() const;
  Value transform(const Value& x, const Variable& kernel) const;  // (batch, channels, frequencies, frames)
  Value arranged(const Value& y) const;
};

class MelSpectrogram : public Layer {
 public:
  layers::MelSpectrogramOptions o;
  std::string class_name() const override { return "MelSpectrogram"; }
  void fields(Fields& f) override;
  Value call(const Value& x) override;

 private:
  int64_t bins() const { return o.fft_length / 2 + 1; }
  Tensor fourier_kernel(DType t) const;  // (fft_length, 1, 2 bins): windowed cosines, then sines
  Tensor mel_weights(DType t) const;     // (bins, num_mel_bins)
};

}  // namespace glia::nn
