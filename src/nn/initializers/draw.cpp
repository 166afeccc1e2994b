#include "nn/initializers/draw.h"

#include <array>
#include <cmath>

#include "base/philox.h"
#include "base/thread_pool.h"
#include "nn/trace.h"

namespace glia::nn {
namespace {

constexpr int64_t kChunk = 4096;

// Four elements come from one block of four 32-bit numbers; `make` turns a block into their values.
template <class F>
Tensor fill(const Shape& shape, DType dtype, uint64_t seed, F&& make) {
  Tensor t(shape, dtype);
  int64_t size = t.size();
  float* f32 = dtype == DType::f32 ? t.data<float>() : nullptr;
  parallel_for((size + kChunk - 1) / kChunk, [&](int64_t chunk) {
    for (int64_t i = chunk * kChunk, end = std::min(size, i + kChunk); i < end; i += 4) {
      auto b = static_cast<uint64_t>(i / 4);
      auto r = philox4x32({static_cast<uint32_t>(b), static_cast<uint32_t>(b >> 32), 0, 0x494E4954u}, seed);
      std::array<double, 4> v = make(r);
      for (int64_t k = i, last = std::min(end, i + 4); k < last; ++k) {
        if (f32) f32[k] = static_cast<float>(v[static_cast<size_t>(k - i)]);
        else t.set_item(k, v[static_cast<size_t>(k - i)]);
      }
    }
  });
  return t;
}

using Block = std::array<uint32_t, 4>;

double polynomial(std::initializer_list<double> c, double x) {
  double r = 0;
  for (double k : c) r = r * x + k;
  return r;
}

// Inverse of the normal distribution function to 1e-9 (P. Acklam's rational approximations).
double inverse_normal(double p) {
  constexpr double kTail = 0.02425;
  if (p < kTail || p > 1 - kTail) {
    double q = std::sqrt(-2 * std::log(p < 0.5 ? p : 1 - p));
    double x = polynomial({-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00, -2.549732539343734e+00,
                           4.374664141464968e+00, 2.938163982698783e+00}, q) /
               polynomial({7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1}, q);
    return p < 0.5 ? x : -x;
  }
  double q = p - 0.5, r = q * q;
  return q * polynomial({-3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02, 1.383577518672690e+02,
                         -3.066479806614716e+01, 2.506628277459239e+00}, r) /
         polynomial({-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01,
                     -1.328068155288572e+01, 1}, r);
}

}  // namespace

Tensor draw_normal(const Shape& shape, DType dtype, double mean, double stddev, uint64_t seed) {
  return fill(shape, dtype, seed, [=](const Block& r) {  // Box and Muller 1958
    std::array<double, 4> v;
    for (size_t k = 0; k < 4; k += 2) {
      double radius = stddev * std::sqrt(-2 * std::log((static_cast<double>(r[k]) + 1) * 0x1p-32));
      double angle = 2 * M_PI * 0x1p-32 * static_cast<double>(r[k + 1]);
      v[k] = mean + radius * std::cos(angle);
      v[k + 1] = mean + radius * std::sin(angle);
    }
    return v;
  });
}

Tensor draw_truncated_normal(const Shape& shape, DType dtype, double mean, double stddev, uint64_t seed) {
  constexpr double kBelow = 0.022750131948179195;  // probability of a value under -2
  return fill(shape, dtype, seed, [=](const Block& r) {
    std::array<double, 4> v;
    for (size_t k = 0; k < 4; ++k) {
      double u = (static_cast<double>(r[k]) + 0.5) * 0x1p-32;
      v[k] = mean + stddev * inverse_normal(kBelow + u * (1 - 2 * kBelow));
    }
    return v;
  });
}

Tensor draw_uniform(const Shape& shape, DType dtype, double low, double high, uint64_t seed) {
  return fill(shape, dtype, seed, [=](const Block& r) {
    std::array<double, 4> v;
    for (size_t k = 0; k < 4; ++k) v[k] = low + (high - low) * 0x1p-32 * static_cast<double>(r[k]);
    return v;
  });
}

uint64_t initializer_seed(const std::optional<int64_t>& seed) {
  return seed ? static_cast<uint64_t>(*seed) * 0x9E3779B97F4A7C15ull + 0x5851F42D4C957F2Dull : next_initializer_seed();
}

}  // namespace glia::nn
