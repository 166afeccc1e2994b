#include "io/npz/npy_text.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "io/file/checked.h"
#include "io/npz/npy.h"

namespace glia::io {
namespace {

constexpr uint64_t kStringBytes = 32;  // memory of a string beside its characters

// The width behind the kind, in characters; none when it is no number.
std::optional<uint64_t> width_of(const std::string& descr) {
  if (descr.size() < 3 || !std::strchr("<>|=", descr[0]) || !std::strchr("US", descr[1])) return std::nullopt;
  uint64_t n = 0;
  for (char c : descr.substr(2)) {
    if (c < '0' || c > '9' || n > (uint64_t{1} << 40)) return std::nullopt;
    n = n * 10 + static_cast<uint64_t>(c - '0');
  }
  return n;
}

void put_utf8(std::string& to, uint32_t c) {
  if (c < 0x80) {
    to += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  static constexpr uint8_t kFirst[] = {0, 0xC0, 0xE0, 0xF0};
  to += static_cast<char>(kFirst[more] | (c >> (6 * more)));
  for (int k = more - 1; k >= 0; --k) to += static_cast<char>(0x80 | ((c >> (6 * k)) & 0x3F));
}

// Code points of UTF-8; a byte that begins none stands for itself.
std::u32string code_points(const std::string& s) {
  std::u32string r;
  for (std::size_t i = 0; i < s.size();) {
    const auto b = static_cast<uint8_t>(s[i]);
    const int more = b >= 0xF0 && b < 0xF8 ? 3 : b >= 0xE0 ? 2 : b >= 0xC0 ? 1 : 0;
    uint32_t c = more == 3 ? b & 7 : more == 2 ? b & 15 : more == 1 ? b & 31 : b;
    bool whole = b < 0xF8 && i + static_cast<std::size_t>(more) < s.size();
    for (int k = 1; whole && k <= more; ++k) {
      const auto next = static_cast<uint8_t>(s[i + static_cast<std::size_t>(k)]);
      whole = (next & 0xC0) == 0x80;
      c = c << 6 | (next & 0x3F);
    }
    r += static_cast<char32_t>(whole ? c : b);
    i += whole ? static_cast<std::size_t>(more) + 1 : 1;
  }
  return r;
}

std::string one_string(const ByteReader& in, const uint8_t* p, uint64_t width, bool unicode, bool swap) {
  std::string s;
  if (!unicode) {
    while (width > 0 && p[width - 1] == 0) --width;
    return {reinterpret_cast<const char*>(p), static_cast<std::size_t>(width)};
  }
  std::u32string points(static_cast<std::size_t>(width), U'\0');
  std::memcpy(points.data(), p, static_cast<std::size_t>(width) * 4);
  while (!points.empty() && points.back() == 0) points.pop_back();
  for (char32_t c : points) {
    if (swap) c = __builtin_bswap32(c);
    if (c > 0x10FFFF) in.fail(fmt::format("a string holds {:#x}, which is no Unicode character.", static_cast<uint32_t>(c)));
    put_utf8(s, c);
  }
  return s;
}

// Fortran order has the first axis innermost.
StringTensor from_fortran(StringTensor t) {
  StringTensor r{t.shape, std::vector<std::string>(t.values.size())};
  std::vector<int64_t> index(t.shape.size(), 0), stride(t.shape.size(), 1);
  for (std::size_t a = 1; a < t.shape.size(); ++a) stride[a] = stride[a - 1] * t.shape[a - 1];
  for (std::string& to : r.values) {
    int64_t at = 0;
    for (std::size_t a = 0; a < index.size(); ++a) at += index[a] * stride[a];
    to = std::move(t.values[static_cast<std::size_t>(at)]);
    for (std::size_t a = index.size(); a-- > 0 && ++index[a] == t.shape[a];) index[a] = 0;
  }
  return r;
}

}  // namespace

bool is_npy_text(const std::string& descr) { return width_of(descr).has_value(); }

StringTensor read_npy_text(ByteReader& in, const NpyHeader& h, const LoadLimits& limits, std::optional<uint64_t> size) {
  const uint64_t width = *width_of(h.descr);
  const bool unicode = h.descr[1] == 'U';
  const std::optional<uint64_t> item = checked_mul(width, unicode ? 4 : 1), count = checked_product(h.shape),
                                bytes = item ? checked_product(h.shape, *item) : std::nullopt,
                                memory = item ? checked_product(h.shape, *item + kStringBytes) : std::nullopt;
  if (!count || !bytes || !memory) in.fail(fmt::format("the shape {} of '{}' is too large.", to_string(h.shape), h.descr));
  if (*memory > limits.max_bytes)
    in.fail(fmt::format("the array needs {} bytes, {} are allowed (LoadLimits::max_bytes).", *memory, limits.max_bytes));
  if (width == 0 && *count > 1 << 20) in.fail(fmt::format("it claims {} empty strings.", *count));
  if (size && *size != in.offset() + *bytes)
    in.fail(fmt::format("the shape {} of '{}' needs {} bytes. {} follow.", to_string(h.shape), h.descr, *bytes,
                        *size - std::min(*size, in.offset())));
  const std::vector<uint8_t> data = in.read_promised(*bytes, "the array", size ? *bytes : 0);
  in.expect_end();
  StringTensor t;
  t.shape = h.shape;
  t.values.reserve(static_cast<std::size_t>(*count));
  for (uint64_t i = 0; i < *count; ++i) t.values.push_back(one_string(in, data.data() + i * *item, width, unicode, h.descr[0] == '>'));
  return h.fortran_order && h.shape.size() > 1 ? from_fortran(std::move(t)) : t;
}

std::string npy_bytes_of(const StringTensor& array) {
  std::vector<std::u32string> points;
  std::size_t width = 1;
  for (const std::string& s : array.values) width = std::max(width, points.emplace_back(code_points(s)).size());
  std::string r = npy_header_bytes({fmt::format("<U{}", width), false, array.shape});
  for (std::u32string& p : points) {
    p.resize(width);
    r.append(reinterpret_cast<const char*>(p.data()), width * 4);
  }
  return r;
}

}  // namespace glia::io
