#include "io/keras_ops/call_args.h"

#include <sstream>

#include "base/error.h"

namespace glia::keras_ops {

CallArgs::CallArgs(const json& args, const json& kwargs, std::string_view names) {
  std::istringstream stream{std::string(names)};
  std::vector<std::string> parameters;
  for (std::string name; stream >> name;) parameters.push_back(name);
  std::size_t next = 0;
  for (std::size_t i = 0; i < parameters.size() && next < args.size(); ++i) {
    if (parameters[i][0] == '*') {
      parameters[i].erase(0, 1);
      rest_ = json::array();
      for (; next < args.size(); ++next) rest_.push_back(args[next]);
      values_.emplace_back(parameters[i], &rest_);
    } else {
      values_.emplace_back(parameters[i], &args[next++]);
    }
  }
  GLIA_CHECK(next == args.size(), "{} positional arguments for the parameters '{}'.", args.size(), names);
  for (const auto& [key, value] : kwargs.items()) values_.emplace_back(key, &value);
}

const json* CallArgs::find(std::string_view name) const {
  read_.emplace(name);
  for (const auto& [key, value] : values_)
    if (key == name) return value->is_null() ? nullptr : value;
  return nullptr;
}

bool CallArgs::is_null(std::string_view name) const {
  read_.emplace(name);
  for (const auto& [key, value] : values_)
    if (key == name) return value->is_null();
  return false;
}

std::vector<std::string> CallArgs::names() const {
  std::vector<std::string> list;
  for (const auto& [key, value] : values_) list.push_back(key);
  return list;
}

const json& CallArgs::at(std::string_view name) const {
  const json* value = find(name);
  GLIA_CHECK(value != nullptr, "the argument '{}' is missing.", name);
  return *value;
}

double CallArgs::number(std::string_view name, double fallback) const {
  const json* value = find(name);
  return value ? to_number(*value) : fallback;
}
int64_t CallArgs::integer(std::string_view name, int64_t fallback) const {
  return maybe_integer(name).value_or(fallback);
}
std::optional<int64_t> CallArgs::maybe_integer(std::string_view name) const {
  const json* value = find(name);
  return value ? std::optional(value->get<int64_t>()) : std::nullopt;
}
bool CallArgs::flag(std::string_view name, bool fallback) const {
  const json* value = find(name);
  return value ? value->get<bool>() : fallback;
}
std::string CallArgs::text(std::string_view name, std::string_view fallback) const {
  const json* value = find(name);
  return value ? value->get<std::string>() : std::string(fallback);
}
std::vector<int64_t> CallArgs::integers(std::string_view name) const {
  const json* value = find(name);
  if (!value) return {};
  if (value->is_number_integer()) return {value->get<int64_t>()};
  if (is_array(*value)) {
    Tensor t = to_tensor(*value);
    std::vector<int64_t> list;
    for (int64_t i = 0; i < t.size(); ++i) list.push_back(static_cast<int64_t>(t.item(i)));
    return list;
  }
  return value->get<std::vector<int64_t>>();
}

void CallArgs::finish(std::string_view function) const {
  for (const auto& [key, value] : values_)
    GLIA_CHECK(value->is_null() || *value == false || read_.count(key) > 0, "{}: the argument '{}' is not handled.", function, key);
}

}  // namespace glia::keras_ops
