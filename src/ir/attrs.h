// Attributes of an op: an ordered list of named plain values. Equality, hash, text and parsing come from here, so an
// op only lists its fields once (OpDef::attrs).
//
//   Attrs a{{"axis", int64_t{-1}}, {"keepdims", true}};
//   int64_t axis = a.i("axis");
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace glia::ir {

using Ints = std::vector<int64_t>;
using Floats = std::vector<double>;
using AttrValue = std::variant<bool, int64_t, double, std::string, Ints, Floats>;

std::string to_string(const AttrValue&);  // true, 3, 1.5, "text", [1, 2], f[1.5, 2.0]

class Attrs {
 public:
  using Entry = std::pair<std::string, AttrValue>;
  Attrs() = default;
  Attrs(std::initializer_list<Entry> entries) : entries_(entries) {}

  const AttrValue* find(std::string_view name) const;
  void set(std::string name, AttrValue value);
  bool b(std::string_view name) const;                 // each asserts that the name exists with that type
  int64_t i(std::string_view name) const;
  double f(std::string_view name) const;               // also from an integer
  const std::string& s(std::string_view name) const;
  const Ints& ints(std::string_view name) const;
  const Floats& floats(std::string_view name) const;

  const std::vector<Entry>& entries() const { return entries_; }
  bool operator==(const Attrs&) const = default;
  uint64_t hash() const;
  std::string to_string() const;  // {axis=-1, keepdims=true}

 private:
  const AttrValue& at(std::string_view name) const;
  std::vector<Entry> entries_;
};

}  // namespace glia::ir
