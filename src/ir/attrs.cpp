#include "ir/attrs.h"

#include "base/error.h"

namespace glia::ir {
namespace {
std::string number(double v) {
  std::string s = fmt::format("{}", v);  // shortest text that reads back the same
  if (s.find_first_of(".einf") == std::string::npos) s += ".0";
  return s;
}
std::string quoted(const std::string& text) {
  std::string r = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') r += '\\';
    if (c == '\n') r += "\\n";
    else r += c;
  }
  return r + '"';
}
}  // namespace

std::string to_string(const AttrValue& v) {
  struct Visitor {
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(int64_t x) const { return std::to_string(x); }
    std::string operator()(double x) const { return number(x); }
    std::string operator()(const std::string& x) const { return quoted(x); }
    std::string operator()(const Ints& x) const {
      std::string r = "[";
      for (size_t i = 0; i < x.size(); ++i) r += (i ? ", " : "") + std::to_string(x[i]);
      return r + "]";
    }
    std::string operator()(const Floats& x) const {
      std::string r = "f[";
      for (size_t i = 0; i < x.size(); ++i) r += (i ? ", " : "") + number(x[i]);
      return r + "]";
    }
  };
  return std::visit(Visitor{}, v);
}

const AttrValue* Attrs::find(std::string_view name) const {
  for (auto& e : entries_)
    if (e.first == name) return &e.second;
  return nullptr;
}
void Attrs::set(std::string name, AttrValue value) {
  for (auto& e : entries_)
    if (e.first == name) {
      e.second = std::move(value);
      return;
    }
  entries_.emplace_back(std::move(name), std::move(value));
}
const AttrValue& Attrs::at(std::string_view name) const {
  const AttrValue* v = find(name);
  GLIA_ASSERT(v, "no attribute " + std::string(name));
  return *v;
}
bool Attrs::b(std::string_view n) const { return std::get<bool>(at(n)); }
int64_t Attrs::i(std::string_view n) const { return std::get<int64_t>(at(n)); }
double Attrs::f(std::string_view n) const {
  const AttrValue& v = at(n);
  if (auto* x = std::get_if<int64_t>(&v)) return static_cast<double>(*x);
  return std::get<double>(v);
}
const std::string& Attrs::s(std::string_view n) const { return std::get<std::string>(at(n)); }
const Ints& Attrs::ints(std::string_view n) const { return std::get<Ints>(at(n)); }
const Floats& Attrs::floats(std::string_view n) const { return std::get<Floats>(at(n)); }

uint64_t Attrs::hash() const { return std::hash<std::string>{}(to_string()); }
std::string Attrs::to_string() const {
  std::string r = "{";
  for (size_t i = 0; i < entries_.size(); ++i)
    r += fmt::format("{}{}={}", i ? ", " : "", entries_[i].first, ir::to_string(entries_[i].second));
  return r + "}";
}

}  // namespace glia::ir
