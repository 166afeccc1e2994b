#include "kernels/cpu/copy.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "kernels/cpu/kernel_test_util.h"

namespace glia::cpu {
namespace {

struct Case {
  std::vector<int64_t> dims, src, dst;
  int64_t src_at = 0, dst_at = 0;
};
const Case kCases[] = {
    {{}, {}, {}},
    {{1000000}, {1}, {1}},
    {{7, 5}, {1, 7}, {5, 1}},  // transposes
    {{300, 513}, {1, 300}, {513, 1}},
    {{513, 31}, {1, 513}, {31, 1}},
    {{4, 65, 33, 5}, {65 * 33 * 5, 5, 65 * 5, 1}, {65 * 33 * 5, 33 * 5, 5, 1}},
    {{3, 50, 20, 4}, {4000, 4, 200, 1}, {4000, 80, 4, 1}},
    {{3, 4, 50, 20}, {4000, 1, 80, 4}, {4000, 1000, 20, 1}},  // NHWC to NCHW
    {{3, 50, 20, 4}, {4000, 20, 1, 1000}, {4000, 80, 4, 1}},  // and back
    {{10, 6}, {20, 2}, {6, 1}, 3},                            // slice with steps
    {{10, 6}, {6, -1}, {6, 1}, 5},                            // flip
    {{10, 6}, {6, 1}, {20, 1}, 0, 7},                         // into a wider row: concat, pad
    {{5, 4, 6}, {0, 6, 1}, {24, 6, 1}},                       // tile
    {{5, 4}, {0, 0}, {4, 1}},
    {{0, 4}, {4, 1}, {4, 1}},
    {{2, 3, 2, 3, 2, 3}, {1, 2, 6, 12, 36, 72}, {108, 36, 18, 6, 3, 1}},
};

template <class T>
void check(const Case& c) {
  int64_t total = 1, src_size = c.src_at + 1, dst_size = c.dst_at + 1;
  for (size_t d = 0; d < c.dims.size(); ++d) {
    total *= c.dims[d];
    src_size += std::max<int64_t>(0, (c.dims[d] - 1) * c.src[d]);
    dst_size += std::max<int64_t>(0, (c.dims[d] - 1) * c.dst[d]);
  }
  Guarded<T> x(static_cast<size_t>(src_size), 1);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i * 2654435761u + 17);
  CopyKernel k(c.dims, c.src, c.dst, sizeof(T));
  auto y = expect_same_for_threads([&] {
    Guarded<T> out(static_cast<size_t>(dst_size), 1);
    for (size_t i = 0; i < out.size(); ++i) out[i] = 0;
    k.run(x.data() + c.src_at, out.data() + c.dst_at);
    out.expect_intact();
    return out.values();
  });
  std::vector<T> want(static_cast<size_t>(dst_size), 0);
  for (int64_t i = 0; i < total; ++i) {
    int64_t rest = i, s = c.src_at, d = c.dst_at;
    for (size_t j = c.dims.size(); j-- > 0;) {
      s += rest % c.dims[j] * c.src[j], d += rest % c.dims[j] * c.dst[j];
      rest /= c.dims[j];
    }
    want[static_cast<size_t>(d)] = x[static_cast<size_t>(s)];
  }
  EXPECT_EQ(y, want) << fmt::format("dims ({}) size {}", fmt::join(c.dims, ","), sizeof(T));
}

TEST(Copy, AnyStridesAndSizes) {
  for (const Case& c : kCases) {
    check<uint8_t>(c);
    check<uint16_t>(c);
    check<uint64_t>(c);
    for_each_isa([&](Isa) { check<uint32_t>(c); });
  }
}

TEST(Copy, PatternsOfNumbers) {
  EXPECT_EQ(elem_pattern(Elem::f32, 1), 0x3f800000u);
  EXPECT_EQ(elem_pattern(Elem::bf16, -2.5), 0xc020u);
  EXPECT_EQ(elem_pattern(Elem::f16, 1), 0x3c00u);
  EXPECT_EQ(elem_pattern(Elem::f16, -INFINITY), 0xfc00u);
  EXPECT_EQ(elem_pattern(Elem::f16, 5.9604644775390625e-08), 1u);
  EXPECT_EQ(elem_pattern(Elem::i8, -1) & 0xff, 0xffu);
  EXPECT_EQ(elem_pattern(Elem::bool_, 0.5), 1u);
  Guarded<uint16_t> h(5);
  fill_elements(h.data(), 5, elem_pattern(Elem::f16, 1), 2);
  h.expect_intact();
  EXPECT_EQ(h[4], 0x3c00);
}

TEST(Copy, TakeAndScatterAdd) {
  for (const auto& size : {std::array<int64_t, 4>{1, 50, 700, 64},
                           {1, 1000, 3000, 300},
                           {3, 7, 5, 1},
                           {1, 4, 0, 3},
                           {1, 5000, 90000, 8}}) {
    const int64_t outer = size[0], n = size[1], count = size[2], inner = size[3];
    const auto X = static_cast<size_t>(outer * n * inner), Y = static_cast<size_t>(outer * count * inner);
    Guarded<float> x(random_floats(X, -1, 1));
    std::mt19937 g(3);
    std::vector<int32_t> index(static_cast<size_t>(count));
    for (auto& i : index) i = static_cast<int32_t>(g() % static_cast<unsigned>(2 * n)) - static_cast<int32_t>(n);
    const std::vector<int64_t> index64(index.begin(), index.end());
    EXPECT_EQ(find_bad_index(Elem::i32, index.data(), count, n), -1);
    auto y = expect_same_for_threads([&] {
      Guarded<float> out(Y);
      take({x.data(), index.data(), Elem::i32, out.data(), outer, n, count, inner * 4});
      out.expect_intact();
      return out.values();
    });
    for (size_t i = 0; i < Y; ++i) {
      const size_t I = static_cast<size_t>(inner), o = i / I / static_cast<size_t>(count),
                   j = i / I % static_cast<size_t>(count);
      const int64_t r = index[j] < 0 ? index[j] + n : index[j];
      ASSERT_EQ(y[i], x[(o * static_cast<size_t>(n) + static_cast<size_t>(r)) * I + i % I]);
    }
    if (outer != 1) continue;
    std::vector<double> want(X, 0);
    for (size_t i = 0; i < Y; ++i) {
      const size_t I = static_cast<size_t>(inner);
      const int64_t r = index[i / I] < 0 ? index[i / I] + n : index[i / I];
      want[static_cast<size_t>(r) * I + i % I] += y[i];
    }
    auto sum = expect_same_for_threads([&] {
      Guarded<float> out(X);
      scatter_add(Elem::f32, {nullptr, index64.data(), Elem::i64, y.data(), out.data(), n, count, inner});
      out.expect_intact();
      return out.values();
    });
    for (size_t i = 0; i < X; ++i) ASSERT_NEAR(sum[i], want[i], 1e-4);
    std::vector<float> base(X, 2.f);
    scatter_add(Elem::f32, {base.data(), index.data(), Elem::i32, y.data(), base.data(), n, count, inner});
    for (size_t i = 0; i < X; ++i) ASSERT_NEAR(base[i], want[i] + 2, 1e-4);
  }
  const int64_t bad[] = {1, -4, 3};
  EXPECT_EQ(find_bad_index(Elem::i64, bad, 3, 4), -1);
  EXPECT_EQ(find_bad_index(Elem::i64, bad, 3, 3), 1);
}

}  // namespace
}  // namespace glia::cpu
