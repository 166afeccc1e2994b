// Initializers: what fills new weights. By name ("he_normal") or as object with options. Random ones draw from a
// counter-based generator: the same set_random_seed gives the same weights on every machine and for any thread count.
//
//   layers::Dense(64, {.kernel_initializer = initializers::HeNormal({.seed = 1})});
#pragma once
#include <optional>
#include <string>

#include <glia/variable.h>

namespace glia::initializers {

Initializer Zeros();
Initializer Ones();
Initializer Constant(double value = 0.0);
Initializer Identity(double gain = 1.0);  // matrices only

struct RandomNormalOptions {
  double mean = 0.0;
  double stddev = 0.05;
  std::optional<int64_t> seed = {};
};
Initializer RandomNormal(RandomNormalOptions options = {});
Initializer TruncatedNormal(RandomNormalOptions options = {});  // redrawn outside two standard deviations

struct RandomUniformOptions {
  double minval = -0.05;
  double maxval = 0.05;
  std::optional<int64_t> seed = {};
};
Initializer RandomUniform(RandomUniformOptions options = {});

// Variance scale / n with n the fan_in, fan_out or fan_avg of the shape. distribution: "truncated_normal",
// "untruncated_normal" or "uniform".
struct VarianceScalingOptions {
  double scale = 1.0;
  std::string mode = "fan_in";
  std::string distribution = "truncated_normal";
  std::optional<int64_t> seed = {};
  std::optional<Ints> input_axes = {};   // axes that make up fan_in; default: all but the last
  std::optional<Ints> output_axes = {};
};
Initializer VarianceScaling(VarianceScalingOptions options = {});

struct SeedOptions {
  std::optional<int64_t> seed = {};
  std::optional<Ints> input_axes = {};
  std::optional<Ints> output_axes = {};
};
Initializer GlorotUniform(SeedOptions options = {});  // Glorot and Bengio 2010
Initializer GlorotNormal(SeedOptions options = {});
Initializer HeUniform(SeedOptions options = {});      // He et al. 2015
Initializer HeNormal(SeedOptions options = {});
Initializer LecunUniform(SeedOptions options = {});   // LeCun et al. 1998
Initializer LecunNormal(SeedOptions options = {});

// Rows or columns orthonormal times gain. Saxe et al. 2013.
struct OrthogonalOptions {
  double gain = 1.0;
  std::optional<int64_t> seed = {};
};
Initializer Orthogonal(OrthogonalOptions options = {});

// Fourier kernels of shape (frame_length, 1, fft_length / 2 + 1) for a convolution that computes a spectrogram.
struct STFTOptions {
  std::string side = "real";                    // or "imag"
  std::optional<std::string> window = "hann";   // or "hamming"
  std::optional<std::string> scaling = "density";  // or "spectrum"
  bool periodic = false;
};
Initializer STFT(STFTOptions options = {});

}  // namespace glia::initializers
