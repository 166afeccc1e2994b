#include <glia/datasets.h>
#include <glia/readers.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/file/byte_reader.h"

namespace glia::data {
extern const unsigned char kDigitsGz[];  // digits.csv.gz, turned into an array by cmake/GliaLibrary.cmake
extern const std::size_t kDigitsGzBytes;
}  // namespace glia::data

namespace glia::datasets {
namespace {

constexpr int64_t kSide = 8, kTrain = 1437;

// One output position along an axis: the two source pixels around it and the weight of the second.
struct Tap { int64_t a, b; float w; };
Tap tap(int64_t i, int64_t size) {
  float at = std::clamp((static_cast<float>(i) + 0.5f) * kSide / static_cast<float>(size) - 0.5f, 0.0f, kSide - 1.0f);
  auto a = static_cast<int64_t>(at);
  return {a, std::min(a + 1, kSide - 1), at - static_cast<float>(a)};
}

void resize(const float* src, float* dst, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    Tap r = tap(i, size);
    for (int64_t j = 0; j < size; ++j) {
      Tap c = tap(j, size);
      float top = src[r.a * kSide + c.a] * (1 - c.w) + src[r.a * kSide + c.b] * c.w;
      float bottom = src[r.b * kSide + c.a] * (1 - c.w) + src[r.b * kSide + c.b] * c.w;
      *dst++ = top * (1 - r.w) + bottom * r.w;
    }
  }
}

}  // namespace

TrainTest digits(const DigitsOptions& options) {
  int64_t size = options.size;
  GLIA_CHECK(size >= 1 && size <= 1024, "datasets::digits: size {} is outside 1 to 1024.", size);
  GLIA_CHECK(!options.raw || size == kSide, "datasets::digits: raw digits are 8x8. Leave size at 8. Received size {}.", size);
  CsvTable table = parse_csv(io::gunzip(data::kDigitsGz, data::kDigitsGzBytes), {.header = false}, "digits");
  Tensor all = table.floats();  // 64 pixels in 0..16 and the label
  int64_t n = all.dim(0), side = options.raw ? kSide : size;
  Tensor x({n, side, side, 1}), y({n}, DType::i32);
  for (int64_t i = 0; i < n; ++i) {
    float* row = all.data<float>() + i * (kSide * kSide + 1);
    float* to = x.data<float>() + i * side * side;
    y.data<int32_t>()[i] = static_cast<int32_t>(row[kSide * kSide]);
    if (!options.raw) {
      for (int64_t j = 0; j < kSide * kSide; ++j) row[j] /= 16.0f;
    }
    if (side == kSide) std::copy(row, row + kSide * kSide, to);
    else resize(row, to, side);
  }
  if (options.raw) x = x.astype(DType::u8).reshape({n, kSide, kSide});
  return {{x.slice(0, kTrain), y.slice(0, kTrain)}, {x.slice(kTrain, n), y.slice(kTrain, n)}};
}

}  // namespace glia::datasets
