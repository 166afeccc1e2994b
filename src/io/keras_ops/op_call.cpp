#include "io/keras_ops/op_call.h"

#include <glia/ops.h>

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
}  // namespace

Value OpCall::as_value(const json& item) const {
  if (is_marked(item)) return bound_.at(item["array"].get<std::size_t>());
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
  if (is_marked(item)) return arrays_.at(item["array"].get<std::size_t>());
  return as_value(item).tensor();
}

std::pair<Value, Value> OpCall::pair(std::string_view a, std::string_view b) const {
  const json &ja = args_->at(a), &jb = args_->at(b);
  Value va = as_value(ja), vb = as_value(jb);
  auto weak = [](const json& number, const Value& other) {
    const bool keeps = is_float(other.dtype()) || (is_integer_like(number) && other.dtype() != DType::bool_);
    return keeps ? Value(Tensor::scalar(to_number(number), other.dtype())) : Value(Tensor::scalar(to_number(number)));
  };
  if (!is_marked(ja) && is_marked(jb)) va = weak(ja, vb);
  if (!is_marked(jb) && is_marked(ja)) vb = weak(jb, va);
  return {va, vb};
}

}  // namespace glia::keras_ops
