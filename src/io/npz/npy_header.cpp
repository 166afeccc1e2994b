#include "io/npz/npy_header.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "io/file/path_name.h"

namespace glia::io {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr uint64_t kMaxHeader = 1 << 20;

// The literal {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }, keys in any order.
class DictParser {
 public:
  DictParser(std::string_view text, const ByteReader& in, uint64_t base) : text_(text), in_(in), base_(base) {}

  NpyHeader parse() {
    NpyHeader h;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      std::string key = quoted();
      expect(':');
      if (key == "descr" && !descr)
        h.descr = descr_value(), descr = true;
      else if (key == "fortran_order" && !order)
        h.fortran_order = boolean(), order = true;
      else if (key == "shape" && !shape)
        h.shape = tuple(), shape = true;
      else
        fail("the header has the unexpected key '" + printable(key) + "'.");
      if (!accept(',') && peek() != '}') fail("',' or '}' expected in the header.");
    }
    spaces();
    if (at_ != text_.size()) fail("more text follows the header's dictionary.");
    if (!descr || !order || !shape) fail("the header needs the keys 'descr', 'fortran_order' and 'shape'.");
    return h;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { in_.fail_at(base_ + at_, what); }
  void spaces() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) && text_[at_]) ++at_;
  }
  char peek() {
    spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("'{}' expected in the header.", c));
  }
  std::string quoted() {
    char q = peek();
    if (q != '\'' && q != '"') fail("a quoted name expected in the header.");
    std::size_t end = text_.find(q, at_ + 1);
    if (end == std::string_view::npos) fail("a quoted name without its end in the header.");
    std::string r(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return r;
  }
  std::string descr_value() {
    if (peek() == '[' || peek() == '(')
      fail("arrays of records (structured dtypes) cannot be read; save each field as an array of its own.");
    return quoted();
  }
  bool word(std::string_view w) {
    spaces();
    if (text_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }
  bool boolean() {
    if (word("True")) return true;
    if (!word("False")) fail("True or False expected in the header.");
    return false;
  }
  Shape tuple() {
    Shape r;
    expect('(');
    while (!accept(')')) {
      r.push_back(integer());
      if (r.size() > 32) fail("the array has more than 32 axes.");
      if (!accept(',') && peek() != ')') fail("',' or ')' expected in the shape.");
    }
    return r;
  }
  int64_t integer() {
    spaces();
    int64_t v = 0;
    std::size_t start = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
      if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, text_[at_] - '0', &v))
        fail("an extent of the shape is too large.");
    if (at_ == start) fail("a number expected in the shape.");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote long integers so
    return v;
  }

  std::string_view text_;
  const ByteReader& in_;
  uint64_t base_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader read_npy_header(ByteReader& in) {
  char magic[6];
  uint64_t start = in.offset();
  std::size_t got = in.read(magic, sizeof magic);
  if (got != 6 || std::memcmp(magic, kMagic, 6) != 0)
    in.fail_at(start, "not a NumPy array file: it does not begin with \\x93NUMPY.");
  uint8_t major = in.u8("the version"), minor = in.u8("the version");
  if (major < 1 || major > 3 || minor != 0)
    in.fail_at(6, fmt::format("version {}.{} of the .npy format is not known; 1.0 to 3.0 are.", major, minor));
  uint64_t length = major == 1 ? in.u16("the header length") : in.u32("the header length");
  if (length > kMaxHeader)
    in.fail_at(8, fmt::format("the header claims {} bytes, {} are allowed.", length, kMaxHeader));
  uint64_t base = in.offset();
  std::vector<uint8_t> text = in.read_promised(length, "the header");
  return DictParser({reinterpret_cast<const char*>(text.data()), text.size()}, in, base).parse();
}

std::string npy_header_bytes(const NpyHeader& h) {
  std::string shape;
  for (int64_t d : h.shape) shape += fmt::format("{}{}", shape.empty() ? "" : ", ", d);
  if (h.shape.size() == 1) shape += ",";
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': ({}), }}", h.descr,
                                 h.fortran_order ? "True" : "False", shape);
  std::size_t before = sizeof kMagic - 1 + 4;
  dict.append(63 - (before + dict.size()) % 64, ' ');
  dict += '\n';
  std::string r(kMagic, 6);
  r += {'\1', '\0', static_cast<char>(dict.size() & 255), static_cast<char>(dict.size() >> 8)};
  return r + dict;
}

}  // namespace glia::io
