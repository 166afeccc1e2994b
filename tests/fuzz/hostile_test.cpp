// Every loader of loaders.h against hostile files (harness.h says which).
#include <gtest/gtest.h>

#include "fuzz/loaders.h"

namespace glia::fuzz {

#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kMemory = 0;  // the sanitizer's own bookkeeping hides the loader's
#else
constexpr uint64_t kMemory = uint64_t{64} << 20;
#endif
constexpr std::size_t kAll = 3000, kSample = 3000;  // bytes up to which every length and bit is tried; samples beyond

class Hostile : public testing::TestWithParam<Loader> {
 protected:
  void SetUp() override {
    valid_ = GetParam().valid();
    if (valid_.empty()) GTEST_SKIP() << "no valid file of this format on this machine";
  }
  // Runs `body` with a feeder; checks what it did to memory.
  void run(const std::function<void(Feeder&)>& body) {
    Feeder feed(GetParam());
    Feeder::Result first = feed(valid_);
    ASSERT_FALSE(first.refused) << first.message;
    ASSERT_EQ(first.problem, "");
    bool measured = Memory::reset_peak();
    uint64_t before = Memory::now();
    body(feed);
    uint64_t peak = Memory::peak();
    if (measured && kMemory) {
      EXPECT_LT(peak, before + kMemory) << "resident memory grew by " << ((peak - before) >> 20) << " MiB";
    }
    RecordProperty("files", static_cast<int>(feed.files));
    RecordProperty("refused", static_cast<int>(feed.refused));
    RecordProperty("slowest_ms", static_cast<int>(feed.slowest * 1000));
    EXPECT_GT(feed.refused, 0);
  }
  void check(Feeder& feed, const Bytes& bytes, const std::string& what, bool must_refuse = false) {
    Feeder::Result r = feed(bytes);
    EXPECT_EQ(r.problem, "") << what;
    EXPECT_TRUE(r.refused || !must_refuse) << what << ": was read";
    EXPECT_TRUE(!must_refuse || says_where(r.message)) << what << ": where? " << r.message;
    if (feed.seconds > 0.1)
      std::printf("%s: %s took %.0f ms\n", GetParam().name.c_str(), what.c_str(), feed.seconds * 1000);
  }
  // An offset, a line, or the member, layer, tensor or node that is wrong; or what the file is not.
  static bool says_where(const std::string& message) {
    for (const char* place : {"offset ", "line ", "'", "\"", "glia_fuzz_", " (", "model_from_json"})  // "dense_1 (Dense)"
      if (message.find(place) != std::string::npos) return true;
    return false;
  }
  std::size_t part() const { return static_cast<std::size_t>(GetParam().share); }
  Bytes valid_;
};

TEST_P(Hostile, CutAtEveryLength) {
  run([&](Feeder& feed) {
    PhiloxStream rng(1, valid_.size());
    bool all = valid_.size() <= kAll;
    for (std::size_t i = 0; i < (all ? valid_.size() : kSample / 3 / part()); ++i) {
      std::size_t n = all ? i : rng.below(valid_.size());
      check(feed, valid_.substr(0, n), "cut to " + std::to_string(n) + " bytes", !GetParam().ends_anywhere);
    }
  });
}

TEST_P(Hostile, EveryBitFlipped) {
  run([&](Feeder& feed) {
    PhiloxStream rng(2, valid_.size());
    bool all = valid_.size() <= kAll;
    for (std::size_t i = 0; i < (all ? valid_.size() * 8 : kSample / part()); ++i) {
      std::size_t bit = all ? i : rng.below(valid_.size() * 8);
      Bytes b = valid_;
      b[bit / 8] = static_cast<char>(b[bit / 8] ^ (1 << (bit % 8)));
      check(feed, b, "bit " + std::to_string(bit % 8) + " of byte " + std::to_string(bit / 8));
    }
  });
}

TEST_P(Hostile, RandomDamage) {
  run([&](Feeder& feed) {
    Damage damage(2024);
    for (int i = 0; i < 3000 / GetParam().share; ++i) check(feed, damage(valid_), "round " + std::to_string(i));
  });
}

TEST_P(Hostile, MadeByHand) {
  NamedBytes files = GetParam().by_hand(valid_);
  EXPECT_GE(files.size(), 25u);
  zeros();
  run([&](Feeder& feed) {
    for (auto& [name, bytes] : files) check(feed, bytes, name, name[0] != '?');
  });
}

INSTANTIATE_TEST_SUITE_P(All, Hostile, testing::ValuesIn(loaders()),
                         [](const auto& info) { return info.param.name; });

}  // namespace glia::fuzz
