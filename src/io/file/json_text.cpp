#include "io/file/json_text.h"

#include "base/error.h"

namespace glia::io {

// The parser itself does not recurse, but everything that walks its result does.
static void check_nesting(std::string_view text, const std::string& name, int limit, uint64_t base) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      GLIA_CHECK(++depth <= limit, "{}: offset {}: the JSON is nested more than {} deep (LoadLimits::max_nesting).",
                 name, base + i, limit);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
}

nlohmann::ordered_json parse_json(std::string_view text, const std::string& name, const LoadLimits& limits,
                                  uint64_t base) {
  check_nesting(text, name, limits.max_nesting, base);
  try {
    return nlohmann::ordered_json::parse(text);
  } catch (const nlohmann::json::parse_error& e) {
    std::string what =
        e.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..."
    std::size_t colon = what.find(": ");
    throw_error("{}: offset {}: not valid JSON: {}.", name, base + (e.byte ? e.byte - 1 : 0),
                colon == std::string::npos ? what : what.substr(colon + 2));
  } catch (const nlohmann::json::exception& e) {
    throw_error("{}: offset {}: not valid JSON: {}.", name, base, e.what());
  }
}

}  // namespace glia::io
