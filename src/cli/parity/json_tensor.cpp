#include "cli/parity/json_tensor.h"

#include <zlib.h>

#include <memory>

#include "base/error.h"

namespace glia::parity {

void for_each_line(const std::string& path, const std::function<void(const json&)>& fn) {
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);  // reads plain files as well
  GLIA_CHECK(file != nullptr, "{}: cannot open the file.", path);
  std::string line;
  char buffer[1 << 16];
  int number = 0;
  auto flush = [&] {
    ++number;
    if (line.find_first_not_of(" \r\n\t") == std::string::npos) return line.clear();
    json value = json::parse(line, nullptr, false);
    GLIA_CHECK(!value.is_discarded(), "{}:{}: not a JSON object.", path, number);
    line.clear();
    fn(value);
  };
  while (gzgets(file.get(), buffer, sizeof buffer) != nullptr) {
    line += buffer;
    if (!line.empty() && line.back() == '\n') flush();
  }
  int code = Z_OK;
  const char* what = gzerror(file.get(), &code);
  GLIA_CHECK(code == Z_OK || code == Z_STREAM_END, "{}: damaged file: {}.", path, what);
  if (!line.empty()) flush();
}

namespace {
uint64_t hash64(uint32_t seed, uint64_t i) {
  uint64_t z = (static_cast<uint64_t>(seed) << 32) + i + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}
}  // namespace

Tensor golden_uniform(Shape shape, uint32_t seed, double lo, double hi) {
  Tensor t(std::move(shape));
  for (int64_t i = 0; i < t.size(); ++i) {
    const double u = static_cast<double>(hash64(seed, static_cast<uint64_t>(i)) >> 40) / 16777216.0;
    const double scaled = (hi - lo) * u;  // two statements: a fused multiply-add would round differently
    t.data<float>()[i] = static_cast<float>(lo + scaled);
  }
  return t;
}

Tensor golden_integers(Shape shape, uint32_t seed, uint64_t count) {
  Tensor t(std::move(shape), DType::i32);
  for (int64_t i = 0; i < t.size(); ++i)
    t.data<int32_t>()[i] = static_cast<int32_t>(hash64(seed, static_cast<uint64_t>(i)) % count);
  return t;
}

}  // namespace glia::parity
