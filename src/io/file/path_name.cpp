#include "io/file/path_name.h"

#include <filesystem>

#include "base/error.h"

namespace glia::io {

std::string safe_join(const std::string& folder, std::string_view name, const std::string& source) {
  const char* wrong = nullptr;
  if (name.empty())
    wrong = "is empty";
  else if (name.find('\0') != std::string_view::npos)
    wrong = "contains a zero byte";
  else if (name.find('\\') != std::string_view::npos)
    wrong = "contains a backslash";
  else if (name.size() > 4000)
    wrong = "is too long";
  else if (name.front() == '/')
    wrong = "is absolute";
  for (std::size_t at = 0; !wrong && at <= name.size();) {
    std::size_t end = std::min(name.find('/', at), name.size());
    if (name.substr(at, end - at) == "..") wrong = "leads out of its folder";
    at = end + 1;
  }
  GLIA_CHECK(!wrong, "{}: the name '{}' {}. Files are only read and written inside the folder that was given.",
             source, printable(name), wrong);
  return (std::filesystem::path(folder) / std::string(name)).string();
}

// Length of the valid UTF-8 sequence at the start of s, 0 when there is none.
static std::size_t utf8_length(std::string_view s) {
  auto c = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  std::size_t n = c(0) < 0x80                   ? 1
                  : c(0) >= 0xc2 && c(0) < 0xe0 ? 2
                  : (c(0) & 0xf0) == 0xe0       ? 3
                  : c(0) >= 0xf0 && c(0) < 0xf5 ? 4
                                                : 0;
  if (n == 0 || n > s.size()) return 0;
  for (std::size_t i = 1; i < n; ++i)
    if ((c(i) & 0xc0) != 0x80) return 0;
  return n;
}

std::string printable(std::string_view name, std::size_t max) {
  std::string r;
  for (std::size_t i = 0; i < name.size();) {
    if (r.size() >= max) return r + "...";
    auto c = static_cast<unsigned char>(name[i]);
    std::size_t n = c < 0x20 || c == 0x7f ? 0 : utf8_length(name.substr(i));
    if (n == 0)
      r += fmt::format("\\x{:02x}", c);
    else
      r += name.substr(i, n);
    i += n ? n : 1;
  }
  return r;
}

}  // namespace glia::io
