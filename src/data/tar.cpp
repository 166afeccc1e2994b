#include "data/tar.h"

#include <cstring>

#include "base/error.h"
#include "io/file/byte_reader.h"

namespace glia::data {
namespace {

uint64_t octal(const uint8_t* p, int n, const std::string& path) {
  uint64_t v = 0;
  for (int i = 0; i < n && p[i] != 0 && p[i] != ' '; ++i) {
    GLIA_CHECK(p[i] >= '0' && p[i] <= '7', "{}: damaged tar header (a size is not octal).", path);
    v = v * 8 + (p[i] - '0');
  }
  return v;
}

std::string text_field(const uint8_t* p, std::size_t n) {
  return {reinterpret_cast<const char*>(p), strnlen(reinterpret_cast<const char*>(p), n)};
}

void check_sum(const uint8_t* head, const std::string& path) {
  uint64_t sum = 0;
  for (int i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : head[i];
  int blank = 0;
  while (blank < 8 && head[148 + blank] == ' ') ++blank;
  GLIA_CHECK(octal(head + 148 + blank, 8 - blank, path) == sum, "{}: damaged tar header (wrong checksum); is this a tar archive?", path);
}

}  // namespace

void for_each_tar_member(const std::string& path, const std::function<void(const std::string&, std::vector<uint8_t>)>& fn,
                         const std::function<bool(const std::string&)>& wanted) {
  io::ByteReader in(path);
  for (;;) {
    uint8_t head[512];
    std::size_t got = in.read(head, 512);
    if (got == 0) return;  // some writers leave out the closing zero blocks
    GLIA_CHECK(got == 512, "{}: the archive is cut off inside a header.", path);
    if (head[0] == 0) return;
    check_sum(head, path);
    std::string name = text_field(head, 100);
    if (std::memcmp(head + 257, "ustar", 5) == 0 && head[345] != 0) name = text_field(head + 345, 155) + "/" + name;
    uint64_t size = octal(head + 124, 12, path);
    uint64_t padding = (512 - size % 512) % 512;
    bool file = head[156] == '0' || head[156] == 0;
    if (file && (!wanted || wanted(name))) {
      fn(name, in.read_promised(size, name.c_str()));
      in.skip(padding, "the padding of a member");
    } else {
      in.skip(size + padding, name.c_str());
    }
  }
}

}  // namespace glia::data
