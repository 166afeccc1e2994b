#include "io/keras_ops/json_array.h"

#include <limits>

#include "base/error.h"

namespace glia::keras_ops {

bool is_array(const json& value) {
  return value.is_object() && value.contains("dtype") && value.contains("shape") && value.contains("v");
}

bool is_string_array(const json& value) { return is_array(value) && value["dtype"] == "string"; }

double to_number(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (value == "nan" || value == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (value == "inf" || value == "Infinity") return std::numeric_limits<double>::infinity();
  if (value == "-inf" || value == "-Infinity") return -std::numeric_limits<double>::infinity();
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
    else if (t.dtype() == DType::u64) t.data<uint64_t>()[i] = v.get<uint64_t>();
    else t.set_item(i, to_number(v));
  }
  return t;
}

}  // namespace glia::keras_ops
