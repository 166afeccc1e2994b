// Layers over sound (batch, samples, channels).
//
//   layers::STFTSpectrogram({.mode = "magnitude", .frame_length = 256, .fft_length = 256})
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

struct STFTSpectrogramOptions {
  std::string mode = "log";  // "log", "magnitude", "psd", "real", "imag", "angle", "stft"
  int64_t frame_length = 256;
  std::optional<int64_t> frame_step = {};   // default: half a frame
  std::optional<int64_t> fft_length = {};   // default: the next power of two
  std::optional<std::string> window = "hann";  // or "hamming", or none
  bool periodic = false;
  std::optional<std::string> scaling = "density";  // or "spectrum", or none
  std::string padding = "valid";
  bool expand_dims = false;  // keep the channels on an axis of their own
  std::string data_format = "channels_last";
  GLIA_LAYER_OPTIONS
};
// The short-time Fourier transform as a convolution whose kernels start as windowed sines and can be trained. Weights:
// real_kernel and imag_kernel (frame_length, 1, fft_length / 2 + 1). Result: (batch, frames, frequencies * channels).
LayerRef STFTSpectrogram(STFTSpectrogramOptions options = {});  // STFTSpectrogram({.frame_length = 64}): (1, 256, 1) -> (1, 7, 33)

struct MelSpectrogramOptions {
  int64_t fft_length = 2048;
  int64_t sequence_stride = 512;
  std::optional<int64_t> sequence_length = {};  // of a frame; default: fft_length
  std::optional<std::string> window = "hann";   // or "hamming", or none
  int64_t sampling_rate = 16000;
  int64_t num_mel_bins = 128;
  double min_freq = 20.0;
  std::optional<double> max_freq = {};          // default: half the sampling rate
  bool power_to_db = true;
  double top_db = 80.0;                         // range below the loudest cell that is kept
  double mag_exp = 2.0;                         // 1 for magnitude, 2 for power
  double min_power = 1e-10;
  double ref_power = 1.0;
  GLIA_LAYER_OPTIONS
};
// Sound (batch, samples) or (samples) to loudness by mel-scaled frequency and time: (batch, num_mel_bins, frames).
LayerRef MelSpectrogram(MelSpectrogramOptions options = {});  // MelSpectrogram({.fft_length = 64, .sequence_stride = 32, .num_mel_bins = 8}): (1, 256) -> (1, 8, 9)

}  // namespace glia::layers
