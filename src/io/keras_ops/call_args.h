// The arguments of a Keras call in a file, read by parameter name. What a binding never asks for is an error, so
// that no option of a line is ignored silently.
//
//   CallArgs a(line["args"], line["kwargs"], "x axis keepdims");
//   auto axes = a.integers("axis");             // an int, a list, or absent/null: empty
//   bool keep = a.flag("keepdims", false);
//   a.finish("sum");                            // throws Error when an argument was not read
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/keras_ops/json_array.h"

namespace glia::keras_ops {

class CallArgs {
 public:
  // `names` are Keras's parameter names in order, separated by blanks. A name "*x" takes all remaining positional
  // arguments as one list.
  CallArgs(const json& args, const json& kwargs, std::string_view names);

  CallArgs(const CallArgs&) = delete;

  const json* find(std::string_view name) const;  // nullptr when absent or null
  const json& at(std::string_view name) const;    // throws Error when absent or null
  bool has(std::string_view name) const { return find(name) != nullptr; }
  bool is_null(std::string_view name) const;      // given as null
  std::vector<std::string> names() const;         // of all arguments that are given

  double number(std::string_view name) const { return to_number(at(name)); }
  double number(std::string_view name, double fallback) const;
  int64_t integer(std::string_view name) const { return at(name).get<int64_t>(); }
  int64_t integer(std::string_view name, int64_t fallback) const;
  std::optional<int64_t> maybe_integer(std::string_view name) const;
  bool flag(std::string_view name, bool fallback) const;
  std::string text(std::string_view name, std::string_view fallback = "") const;
  std::vector<int64_t> integers(std::string_view name) const;  // an int or a list of ints; empty when absent
  Tensor tensor(std::string_view name) const { return to_tensor(at(name)); }

  void finish(std::string_view function) const;

 private:
  std::vector<std::pair<std::string, const json*>> values_;
  json rest_;  // holds the list of a "*x" parameter
  mutable std::set<std::string, std::less<>> read_;
};

}  // namespace glia::keras_ops
