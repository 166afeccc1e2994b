// How many bytes a text file may unpack to: 200 times its size and 64 MiB. Tables of numbers shrink four- to twentyfold in
// gzip, the same line over and over a thousandfold.
//
//   std::string text = io::read_whole(path, text_limit(path));      // Error for a file that unpacks to more
#pragma once
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

namespace glia {

inline uint64_t text_limit(const std::string& path) {
  std::error_code ec;
  const uint64_t size = std::filesystem::file_size(path, ec);
  const uint64_t most = uint64_t{1} << 34, start = uint64_t{1} << 26;
  return ec ? start : std::max(size, std::min(most, start + 200 * std::min(size, most)));
}

}  // namespace glia
