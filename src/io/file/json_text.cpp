#include "io/file/json_text.h"

#include <optional>
#include <set>

#include "base/error.h"
#include "io/file/path_name.h"

namespace glia::io {

namespace {
using nlohmann::ordered_json;

// The parser itself does not recurse, but everything that walks its result does. `top`: keys that the outermost object may have.
void check_structure(std::string_view text, const std::string& name, const LoadLimits& limits, uint64_t base, std::size_t top) {
  std::vector<std::size_t> keys;  // of the objects that are open; lists count none
  constexpr std::size_t kList = ~std::size_t{0};
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
      keys.push_back(c == '{' ? 1 : kList);
      GLIA_CHECK(keys.size() <= static_cast<std::size_t>(limits.max_nesting),
                 "{}: offset {}: the JSON is nested more than {} deep (LoadLimits::max_nesting).", name, base + i,
                 limits.max_nesting);
    } else if (c == ']' || c == '}') {
      if (!keys.empty()) keys.pop_back();
    } else if (c == ',' && !keys.empty() && keys.back() != kList) {
      GLIA_CHECK(++keys.back() <= (keys.size() == 1 ? top : kMaxKeys),
                 "{}: offset {}: a JSON object of more than {} keys.", name, base + i, keys.size() == 1 ? top : kMaxKeys);
    }
  }
}

// Runs a parser; its exceptions become Errors.
template <class F>
auto with_place(const std::string& name, uint64_t base, F parse) {
  try {
    return parse();
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

// Events of the outermost object here, those of each of its values to a parser of its own.
class Entries : public nlohmann::json_sax<ordered_json> {
 public:
  using Value = std::pair<std::string, ordered_json>;
  std::vector<Value> list;
  bool is_object = false;

  bool null() override { return scalar([](auto& p) { return p.null(); }); }
  bool boolean(bool v) override { return scalar([&](auto& p) { return p.boolean(v); }); }
  bool number_integer(number_integer_t v) override { return scalar([&](auto& p) { return p.number_integer(v); }); }
  bool number_unsigned(number_unsigned_t v) override { return scalar([&](auto& p) { return p.number_unsigned(v); }); }
  bool number_float(number_float_t v, const string_t& s) override {
    return scalar([&](auto& p) { return p.number_float(v, s); });
  }
  bool string(string_t& v) override { return scalar([&](auto& p) { return p.string(v); }); }
  bool binary(binary_t& v) override { return scalar([&](auto& p) { return p.binary(v); }); }
  bool start_object(std::size_t n) override {
    if (depth_++ == 0) return is_object = true;
    return inner([&](auto& p) { return p.start_object(n); });
  }
  bool start_array(std::size_t n) override {
    if (depth_++ == 0) return true;
    return inner([&](auto& p) { return p.start_array(n); });
  }
  bool end_object() override {
    if (--depth_ == 0) return true;
    return inner([](auto& p) { return p.end_object(); });
  }
  bool end_array() override {
    if (--depth_ == 0) return true;
    return inner([](auto& p) { return p.end_array(); });
  }
  bool key(string_t& k) override {
    if (depth_ > 1) return inner([&](auto& p) { return p.key(k); });
    list.emplace_back(std::move(k), nullptr);
    parser_.reset();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    if (auto* p = dynamic_cast<const nlohmann::json::parse_error*>(&e)) throw *p;
    if (auto* p = dynamic_cast<const nlohmann::json::out_of_range*>(&e)) throw *p;
    return false;
  }

 private:
  template <class F>
  bool scalar(F f) {
    return depth_ == 0 || inner(f);
  }
  template <class F>
  bool inner(F f) {
    if (list.empty()) return true;  // of a list at the top, which is refused at the end
    if (!parser_) parser_.emplace(list.back().second);
    return f(*parser_);
  }
  int depth_ = 0;
  std::optional<nlohmann::detail::json_sax_dom_parser<ordered_json>> parser_;
};

}  // namespace

ordered_json parse_json(std::string_view text, const std::string& name, const LoadLimits& limits, uint64_t base) {
  check_structure(text, name, limits, base, kMaxKeys);
  return with_place(name, base, [&] { return ordered_json::parse(text); });
}

std::vector<std::pair<std::string, ordered_json>> parse_json_entries(std::string_view text, const std::string& name,
                                                                     const LoadLimits& limits, uint64_t base) {
  check_structure(text, name, limits, base, static_cast<std::size_t>(limits.max_tensors) + 1);
  Entries entries;
  const bool whole = with_place(name, base, [&] { return ordered_json::sax_parse(text, &entries); });
  GLIA_CHECK(whole && entries.is_object, "{}: offset {}: not a JSON object.", name, base);
  std::set<std::string_view> seen;
  for (const auto& [key, value] : entries.list)
    GLIA_CHECK(seen.insert(key).second, "{}: offset {}: the JSON key '{}' occurs twice.", name, base, printable(key));
  return std::move(entries.list);
}

}  // namespace glia::io
