#include "base/narrow.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace glia {
namespace {

using enum NarrowFormat;
constexpr float kInf = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();

// Every code comes back from its number; a number between two neighbours goes to the nearer, a tie to the even code.
TEST(Narrow, EveryCodeRoundTrips) {
  for (int f = 0; f < kNarrowFormats; ++f) {
    const auto format = static_cast<NarrowFormat>(f);
    const int codes = f < 5 ? 256 : f < 8 ? 16 : 4;
    for (int c = 0; c < codes; ++c) {
      const float v = narrow_decode(format, static_cast<uint8_t>(c));
      const uint8_t back = narrow_encode(format, v);
      if (std::isnan(v))
        EXPECT_TRUE(std::isnan(narrow_decode(format, back))) << f << " " << c;
      else
        EXPECT_EQ(back & (codes - 1), c) << f;
    }
  }
  for (NarrowFormat f : {f8e4m3fn, f8e5m2, f8e4m3fnuz, f8e5m2fnuz}) {
    for (int c = 0; c < 100; ++c) {
      const float low = narrow_decode(f, static_cast<uint8_t>(c)),
                  high = narrow_decode(f, static_cast<uint8_t>(c + 1)), mid = low + (high - low) / 2;
      EXPECT_EQ(narrow_encode(f, mid), c % 2 ? c + 1 : c) << c;
      EXPECT_EQ(narrow_encode(f, std::nextafter(mid, 0.f)), c);
      EXPECT_EQ(narrow_encode(f, std::nextafter(mid, kInf)), c + 1);
    }
  }
}

// Values of the OCP specifications and of ml_dtypes 0.5.
TEST(Narrow, LimitsAndSpecialValues) {
  EXPECT_EQ(narrow_largest(f8e4m3fn), 448);
  EXPECT_EQ(narrow_largest(f8e5m2), 57344);
  EXPECT_EQ(narrow_largest(f8e4m3fnuz), 240);
  EXPECT_EQ(narrow_largest(f8e5m2fnuz), 57344);
  EXPECT_EQ(narrow_largest(f4e2m1fn), 6);
  EXPECT_EQ(narrow_decode(f8e4m3fn, 1), std::ldexp(1.f, -9));
  EXPECT_EQ(narrow_decode(f8e5m2, 1), std::ldexp(1.f, -16));
  EXPECT_EQ(narrow_decode(f8e4m3fnuz, 1), std::ldexp(1.f, -10));
  EXPECT_EQ(narrow_decode(f8e5m2fnuz, 1), std::ldexp(1.f, -17));
  EXPECT_EQ(narrow_decode(f8e8m0fnu, 0), std::ldexp(1.f, -127));
  EXPECT_EQ(narrow_encode(f8e4m3fn, 464.f), 0x7e);  // the tie above the largest goes to it
  EXPECT_EQ(narrow_encode(f8e4m3fn, 465.f), 0x7f);
  EXPECT_EQ(narrow_encode(f8e4m3fn, -kInf), 0xff);
  EXPECT_EQ(narrow_encode(f8e5m2, 61439.f), 0x7b);
  EXPECT_EQ(narrow_encode(f8e5m2, 61440.f), 0x7c);
  EXPECT_EQ(narrow_encode(f8e5m2, -kInf), 0xfc);
  EXPECT_EQ(narrow_encode(f8e4m3fnuz, kInf), 0x80);
  EXPECT_EQ(narrow_encode(f8e4m3fnuz, -0.f), 0);
  EXPECT_EQ(narrow_encode(f8e4m3fn, -0.f), 0x80);
  EXPECT_EQ(narrow_encode(f4e2m1fn, 1e6f), 7);
  EXPECT_EQ(narrow_encode(f4e2m1fn, -kInf), 15);
  EXPECT_EQ(narrow_encode(f8e8m0fnu, kNaN), 0xff);
  EXPECT_EQ(narrow_encode(f8e8m0fnu, 3.f), 0x81);
  EXPECT_EQ(narrow_encode(f8e8m0fnu, 464.f), 0x88);
  EXPECT_EQ(narrow_encode(f8e8m0fnu, -1.f), 0xff);
}

TEST(Narrow, IntegersKeepTheirLowBits) {
  EXPECT_EQ(narrow_decode(i4, narrow_encode(i4, -9.f)), 7);
  EXPECT_EQ(narrow_decode(i4, narrow_encode(i4, 8.9f)), -8);
  EXPECT_EQ(narrow_decode(u4, narrow_encode(u4, -1.f)), 15);
  EXPECT_EQ(narrow_decode(i2, narrow_encode(i2, 2.f)), -2);
  EXPECT_EQ(narrow_decode(u2, narrow_encode(u2, 7.f)), 3);
  EXPECT_EQ(narrow_encode(i4, kNaN), 0);
}

}  // namespace
}  // namespace glia
