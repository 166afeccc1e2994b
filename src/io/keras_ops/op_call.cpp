#include "io/keras_ops/op_call.h"

#include <glia/ops.h>

#include <functional>

#include "base/error.h"

namespace glia::keras_ops {

json OpCall::mark(const json& value) {
  if (is_array(value) && !is_string_array(value)) {
    arrays_.push_back(to_tensor(value));
    return {{"array", arrays_.size() - 1}};
  }
  if (!value.is_structured()) return value;
  json copy = value;
  for (auto& item : copy) item = mark(item);
  return copy;
}

OpCall::OpCall(const json& args, const json& kwargs, std::string_view parameters) {
  marked_args_ = mark(args);
  positional_arrays_ = arrays_.size();
  marked_kwargs_ = mark(kwargs);
  args_ = std::make_unique<CallArgs>(marked_args_, marked_kwargs_, parameters);
  for (const Tensor& t : arrays_) bound_.emplace_back(t);
}

namespace {
bool is_marked(const json& item) { return item.is_object() && item.contains("array"); }
bool is_integer_like(const json& item) { return item.is_number_integer() || item.is_boolean(); }
// Nested lists of numbers: int32 when all are whole, else float32.
Tensor tensor_of_list(const json& list) {
  Shape shape;
  std::vector<double> flat;
  bool whole = true;
  std::function<void(const json&, std::size_t)> visit = [&](const json& v, std::size_t depth) {
    if (!v.is_array()) {
      whole = whole && is_integer_like(v);
      flat.push_back(to_number(v));
      return;
    }
    if (depth == shape.size()) shape.push_back(static_cast<int64_t>(v.size()));
    for (const json& item : v) visit(item, depth + 1);
  };
  visit(list, 0);
  GLIA_CHECK(num_elements(shape) == static_cast<int64_t>(flat.size()), "the nested lists have different lengths: {}.", list.dump().substr(0, 80));
  Tensor t(shape, whole ? DType::i32 : DType::f32);
  for (std::size_t i = 0; i < flat.size(); ++i) t.set_item(static_cast<int64_t>(i), flat[i]);
  return t;
}
}  // namespace

Value OpCall::as_value(const json& item) const {
  if (is_marked(item)) return bound_.at(item["array"].get<std::size_t>());
  if (item.is_array()) return Value(tensor_of_list(item));
  const DType dtype = item.is_boolean() ? DType::bool_ : item.is_number_integer() ? DType::i32 : DType::f32;
  return Value(Tensor::scalar(to_number(item), dtype));
}

Value OpCall::value(std::string_view name) const { return as_value(args_->at(name)); }

Value OpCall::maybe_value(std::string_view name) const { return has(name) ? value(name) : Value(); }

Values OpCall::values(std::string_view name) const {
  Values list;
  for (const json& item : args_->at(name)) list.push_back(as_value(item));
  return list;
}

Tensor OpCall::tensor(std::string_view name) const {
  const json& item = args_->at(name);
  if (is_marked(item)) {
    const std::size_t i = item["array"].get<std::size_t>();
    return i < arrays_.size() ? arrays_[i] : bound_.at(i).tensor();
  }
  return as_value(item).tensor();
}

std::pair<Value, Value> OpCall::pair(std::string_view a, std::string_view b, Numbers numbers) const {
  const json &ja = args_->at(a), &jb = args_->at(b);
  Value va = as_value(ja), vb = as_value(jb);
  if (numbers == Numbers::strong) return {va, vb};
  auto weak = [&](const json& item, const Value& number, const Value& other) {
    const DType t = other.dtype();
    if (is_float(t)) return Value(Tensor::scalar(to_number(item), t));
    if (numbers == Numbers::quotient) return ops::cast(number, DType::f32);
    if (!is_integer_like(item) || t == DType::bool_) return number;
    return ops::cast(number, t);  // modulo the range, as a conversion of int32
  };
  auto is_number = [](const json& item) { return !is_marked(item) && !item.is_array(); };
  if (is_number(ja) && is_marked(jb)) va = weak(ja, va, vb);
  if (is_number(jb) && is_marked(ja)) vb = weak(jb, vb, va);
  return {va, vb};
}

}  // namespace glia::keras_ops
