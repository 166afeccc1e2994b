#include "io/keras/python_json.h"

#include <cmath>
#include <string_view>

#include "base/error.h"
#include "io/file/json_text.h"

namespace glia::io::keras {

nlohmann::ordered_json parse_python_json(const std::string& text, const std::string& name, const LoadLimits& limits) {
  static constexpr std::string_view kWords[] = {"-Infinity", "Infinity", "NaN"};
  if (text.find("NaN") == std::string::npos && text.find("Infinity") == std::string::npos) return parse_json(text, name, limits);
  std::string plain;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\' && i + 1 < text.size()) {
      plain.append(text, i++, 2);
      continue;
    }
    bool replaced = false;
    for (std::string_view w : kWords)
      if (!quoted && !replaced && text.compare(i, w.size(), w) == 0) {
        plain += '"' + std::string(w) + '"';
        i += w.size() - 1;
        replaced = true;
      }
    if (!replaced) plain += c;
  }
  return parse_json(plain, name, limits);
}

namespace {

using json = nlohmann::ordered_json;

bool is_finite(const json& v) {
  if (v.is_number_float()) return std::isfinite(v.get<double>());
  if (v.is_structured())
    for (const json& item : v)
      if (!is_finite(item)) return false;
  return true;
}
// Numbers that JSON lacks become marked texts, whose quotes and marks are taken off again.
constexpr std::string_view kMark = "<number>";
void mark_infinite(json& v) {
  if (v.is_number_float() && !std::isfinite(v.get<double>())) {
    const double d = v.get<double>();
    v = std::string(kMark) + (std::isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity");
  } else if (v.is_structured()) {
    for (json& item : v) mark_infinite(item);
  }
}

}  // namespace

std::string dump_json(const json& value, int indent) {
  auto dump = [&](const json& v) { return v.dump(indent, ' ', true, json::error_handler_t::replace); };
  if (is_finite(value)) return dump(value);
  json copy = value;
  mark_infinite(copy);
  std::string text = dump(copy);
  const std::string begin = "\"" + std::string(kMark);
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    text.erase(at, begin.size());
    text.erase(text.find('"', at), 1);
  }
  return text;
}

void rethrow_with_name(const std::string& name, const Error& e) {
  const std::string file = name.substr(0, name.find(": "));
  if (std::string_view(e.what()).find(file) != std::string_view::npos) throw Error(e.what());
  throw_error("{}: {}", name, e.what());
}

void rethrow_as_error(const std::string& name, const char* what) {
  std::string_view text = what;  // "[json.exception.out_of_range.403] key 'units' not found"
  if (const std::size_t end = text.find("] "); !text.empty() && text[0] == '[' && end != std::string_view::npos) text.remove_prefix(end + 2);
  throw_error("{}: the configuration is damaged: {}.", name, text);
}

}  // namespace glia::io::keras
