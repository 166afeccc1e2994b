#include "nn/initializers/draw.h"

#include <cmath>

#include "base/philox.h"
#include "base/thread_pool.h"
#include "nn/trace.h"

namespace glia::nn {
namespace {

constexpr int64_t kChunk = 4096;

double unit(uint32_t high, uint32_t low) {  // (0, 1]
  uint64_t bits = (static_cast<uint64_t>(high) << 32 | low) >> 11;
  return (static_cast<double>(bits) + 1) * 0x1p-53;
}

std::array<uint32_t, 4> block(int64_t i, uint32_t attempt, uint64_t seed) {
  auto u = static_cast<uint64_t>(i);
  return philox4x32({static_cast<uint32_t>(u), static_cast<uint32_t>(u >> 32), attempt, 0x494E4954u}, seed);
}

struct Pair { double a, b; };
Pair normals(const std::array<uint32_t, 4>& r) {  // Box and Muller 1958
  double radius = std::sqrt(-2 * std::log(unit(r[0], r[1])));
  double angle = 2 * M_PI * unit(r[2], r[3]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

template <class F>
Tensor fill(const Shape& shape, DType dtype, F&& value) {
  Tensor t(shape, dtype);
  int64_t chunks = (t.size() + kChunk - 1) / kChunk;
  float* f32 = dtype == DType::f32 ? t.data<float>() : nullptr;
  parallel_for(chunks, [&](int64_t c) {
    for (int64_t i = c * kChunk, end = std::min(t.size(), (c + 1) * kChunk); i < end; ++i) {
      if (f32) f32[i] = static_cast<float>(value(i));
      else t.set_item(i, value(i));
    }
  });
  return t;
}

}  // namespace

Tensor draw_normal(const Shape& shape, DType dtype, double mean, double stddev, uint64_t seed) {
  return fill(shape, dtype, [=](int64_t i) {
    Pair p = normals(block(i / 2, 0, seed));
    return mean + stddev * (i % 2 ? p.b : p.a);
  });
}

Tensor draw_truncated_normal(const Shape& shape, DType dtype, double mean, double stddev, uint64_t seed) {
  return fill(shape, dtype, [=](int64_t i) {
    for (uint32_t attempt = 1;; ++attempt) {
      Pair p = normals(block(i, attempt, seed));
      if (std::abs(p.a) < 2) return mean + stddev * p.a;
      if (std::abs(p.b) < 2) return mean + stddev * p.b;
    }
  });
}

Tensor draw_uniform(const Shape& shape, DType dtype, double low, double high, uint64_t seed) {
  return fill(shape, dtype, [=](int64_t i) {
    auto r = block(i, 0, seed);
    return low + (high - low) * (unit(r[0], r[1]) - 0x1p-53);
  });
}

uint64_t initializer_seed(const std::optional<int64_t>& seed) {
  return seed ? static_cast<uint64_t>(*seed) * 0x9E3779B97F4A7C15ull + 0x5851F42D4C957F2Dull : next_initializer_seed();
}

}  // namespace glia::nn
