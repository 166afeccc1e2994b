#include "cli/parity/json_tensor.h"

#include <zlib.h>

#include <cmath>
#include <limits>
#include <memory>

#include "base/error.h"

namespace glia::parity {

bool is_array(const json& value) {
  return value.is_object() && value.contains("dtype") && value.contains("shape") && value.contains("v");
}

bool is_string_array(const json& value) { return is_array(value) && value["dtype"] == "string"; }

double to_number(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (value == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (value == "inf") return std::numeric_limits<double>::infinity();
  if (value == "-inf") return -std::numeric_limits<double>::infinity();
  throw_error("expected a number, true, false, \"nan\", \"inf\" or \"-inf\". Received {}.", value.dump());
}

Shape to_shape(const json& list) {
  Shape shape;
  for (const json& extent : list) shape.push_back(extent.is_null() ? -1 : extent.get<int64_t>());
  return shape;
}

Tensor to_tensor(const json& array) {
  GLIA_CHECK(is_array(array), "expected an array {{\"dtype\", \"shape\", \"v\"}}. Received {}.", array.dump().substr(0, 100));
  const json& values = array["v"];
  Tensor t(to_shape(array["shape"]), dtype_from_name(array["dtype"].get<std::string>()));
  GLIA_CHECK(static_cast<int64_t>(values.size()) == t.size(), "an array of shape {} holds {} values.",
             to_string(t.shape()), values.size());
  for (int64_t i = 0; i < t.size(); ++i) {
    const json& v = values[static_cast<std::size_t>(i)];
    if (t.dtype() == DType::i64) t.data<int64_t>()[i] = v.get<int64_t>();  // above 2^53 a double is not exact
    else t.set_item(i, to_number(v));
  }
  return t;
}

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
