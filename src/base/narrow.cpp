#include "base/narrow.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace glia {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

struct Layout {
  int bits;      // of the whole element
  int mantissa;  // -1: an integer
  int bias;
  bool sign;
};
constexpr Layout kLayouts[kNarrowFormats] = {
    {8, 3, 7, true}, {8, 2, 15, true}, {8, 3, 8, true},   {8, 2, 16, true}, {8, 0, 127, false},
    {4, 1, 1, true}, {4, -1, 0, true}, {4, -1, 0, false}, {2, -1, 0, true}, {2, -1, 0, false}};

constexpr const Layout& layout(NarrowFormat f) { return kLayouts[static_cast<int>(f)]; }

float decode_float(NarrowFormat f, int code) {
  const Layout& l = layout(f);
  if (f == NarrowFormat::f8e8m0fnu) return code == 255 ? kNaN : std::ldexp(1.0f, code - l.bias);
  const int half = 1 << (l.bits - 1), rest = code & (half - 1), man = rest & ((1 << l.mantissa) - 1),
            exp = rest >> l.mantissa;
  const float sign = code & half ? -1.0f : 1.0f;
  const bool unsigned_zero = f == NarrowFormat::f8e4m3fnuz || f == NarrowFormat::f8e5m2fnuz;
  if (unsigned_zero && code == half) return kNaN;
  if (f == NarrowFormat::f8e4m3fn && rest == 127) return kNaN;
  if (f == NarrowFormat::f8e5m2 && exp == 31) return man ? kNaN : sign * kInf;
  const int step = 1 - l.bias - l.mantissa;  // the exponent of the smallest number
  if (exp == 0) return sign * std::ldexp(static_cast<float>(man), step);
  return sign * std::ldexp(static_cast<float>((1 << l.mantissa) + man), exp - 1 + step);
}

float decode(NarrowFormat f, int code) {
  const Layout& l = layout(f);
  if (l.mantissa >= 0) return decode_float(f, code & ((1 << l.bits) - 1));
  const int v = code & ((1 << l.bits) - 1);
  return static_cast<float>(l.sign && v >> (l.bits - 1) ? v - (1 << l.bits) : v);
}

using Table = std::array<float, 256>;
const Table& table(NarrowFormat f) {
  static const auto tables = [] {
    std::array<Table, kNarrowFormats> r{};
    for (int i = 0; i < kNarrowFormats; ++i)
      for (int c = 0; c < 256; ++c)
        r[static_cast<std::size_t>(i)][static_cast<std::size_t>(c)] = decode(static_cast<NarrowFormat>(i), c);
    return r;
  }();
  return tables[static_cast<std::size_t>(f)];
}

// The code of the largest finite number without a sign. Codes from 0 to it ascend with their numbers.
int largest_code(NarrowFormat f) {
  switch (f) {
    case NarrowFormat::f8e4m3fn:
      return 0x7e;
    case NarrowFormat::f8e5m2:
      return 0x7b;
    case NarrowFormat::f8e8m0fnu:
      return 0xfe;
    case NarrowFormat::f4e2m1fn:
      return 7;
    default:
      return 0x7f;
  }
}

int encode_nan(NarrowFormat f, int sign) {
  switch (f) {
    case NarrowFormat::f8e4m3fn:
      return 0x7f | sign;
    case NarrowFormat::f8e5m2:
      return 0x7e | sign;
    case NarrowFormat::f8e4m3fnuz:
    case NarrowFormat::f8e5m2fnuz:
      return 0x80;
    case NarrowFormat::f8e8m0fnu:
      return 0xff;
    default:
      return 0;
  }
}

int encode_float(NarrowFormat f, float x) {
  const int sign = std::signbit(x) ? 1 << (layout(f).bits - 1) : 0;
  if (x != x) return encode_nan(f, sign);
  const Table& t = table(f);
  const int last = largest_code(f);
  const double a = std::fabs(static_cast<double>(x));
  if (f == NarrowFormat::f8e8m0fnu && sign && a != 0) return encode_nan(f, 0);  // there are no negative numbers
  const float* end = t.data() + last + 1;
  const auto above = static_cast<int>(std::upper_bound(t.data(), end, static_cast<float>(a)) - t.data());
  int code = std::max(0, above - 1);
  if (above > last) {  // at or beyond the largest: the step below it decides what rounds to it
    const double top = t[static_cast<std::size_t>(last)];
    const bool beyond = f == NarrowFormat::f8e8m0fnu
                            ? a >= top * 1.5
                            : a - top >= 0.5 * (top - static_cast<double>(t[static_cast<std::size_t>(last - 1)]));
    if (beyond && f != NarrowFormat::f4e2m1fn) {
      // Between the largest and the next that would be there, ties go to the even code: of e4m3fn that is the
      // largest.
      const bool tie_stays = f == NarrowFormat::f8e4m3fn &&
                             a - top == 0.5 * (top - static_cast<double>(t[static_cast<std::size_t>(last - 1)]));
      if (!tie_stays) return f == NarrowFormat::f8e5m2 ? sign | 0x7c : encode_nan(f, sign);
    }
    code = last;
  } else if (above > 0) {
    const double low = t[static_cast<std::size_t>(code)], high = t[static_cast<std::size_t>(above)];
    const bool up = (code & 1) || f == NarrowFormat::f8e8m0fnu;  // where a tie goes; powers of two have no even one
    if (a - low > high - a || (a - low == high - a && up)) code = above;
  }
  const bool unsigned_zero =
      f == NarrowFormat::f8e4m3fnuz || f == NarrowFormat::f8e5m2fnuz || f == NarrowFormat::f8e8m0fnu;
  return code == 0 && unsigned_zero ? 0 : f == NarrowFormat::f8e8m0fnu ? code : code | sign;
}

}  // namespace

float narrow_decode(NarrowFormat f, uint8_t code) { return table(f)[code]; }
uint8_t narrow_encode(NarrowFormat f, float x) {
  const Layout& l = layout(f);
  if (l.mantissa >= 0) return static_cast<uint8_t>(encode_float(f, x));
  if (!(std::fabs(x) < 9e18f)) return 0;
  const int64_t v = static_cast<int64_t>(x) & ((1 << l.bits) - 1);
  return static_cast<uint8_t>(l.sign && v >> (l.bits - 1) ? v - (1 << l.bits) : v);  // sign-extended over the byte
}
float narrow_largest(NarrowFormat f) {
  const Layout& l = layout(f);
  if (l.mantissa < 0) return static_cast<float>((1 << (l.bits - (l.sign ? 1 : 0))) - 1);
  return table(f)[static_cast<std::size_t>(largest_code(f))];
}

}  // namespace glia
