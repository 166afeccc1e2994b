#include "base/naming.h"

#include <cctype>

namespace glia {

std::string to_snake_case(const std::string& name) {
  auto is_word = [](unsigned char c) { return std::isalnum(c) || c == '_' || c >= 0x80; };
  auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  std::string word, out;
  for (char c : name) {
    if (is_word(static_cast<unsigned char>(c))) word += c;
  }
  for (std::size_t i = 0; i < word.size(); ++i) {
    // A capital starts a word when it follows a small letter or comes before one.
    bool starts = is_upper(word[i]) && i > 0 && (is_lower(word[i - 1]) || (i + 1 < word.size() && is_lower(word[i + 1])));
    if (starts) out += '_';
    out += is_upper(word[i]) ? static_cast<char>(word[i] - 'A' + 'a') : word[i];
  }
  return out;
}

}  // namespace glia
