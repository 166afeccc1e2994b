// Text to numbers, independent of the locale.
#pragma once
#include <charconv>
#include <optional>
#include <string_view>

namespace glia::data {

inline std::string_view trim(std::string_view s) {
  constexpr std::string_view kBlank = " \t\r\n";
  std::size_t a = s.find_first_not_of(kBlank);
  if (a == std::string_view::npos) return {};
  return s.substr(a, s.find_last_not_of(kBlank) - a + 1);
}

// The whole of s (blanks around it apart) as a number; nothing when it is none.
inline std::optional<double> parse_number(std::string_view s) {
  s = trim(s);
  if (s.size() > 1 && s[0] == '+' && s[1] != '-') s.remove_prefix(1);
  double v = 0;
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (end != s.data() + s.size()) return std::nullopt;
  if (ec == std::errc::result_out_of_range) return v;  // 0 or infinity: what the text means as nearly as a double can
  if (ec != std::errc()) return std::nullopt;
  return v;
}

inline std::optional<int64_t> parse_integer(std::string_view s) {
  s = trim(s);
  int64_t v = 0;
  auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (ec != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return v;
}

}  // namespace glia::data
