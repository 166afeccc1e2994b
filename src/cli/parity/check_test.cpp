#include "cli/parity/check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>

#include "cli/parity/kinds.h"

namespace glia::parity {
namespace {

json array(const std::string& text) { return json::parse(text); }

TEST(JsonTensor, ReadsEveryKindOfElement) {
  Tensor f = to_tensor(array(R"({"dtype": "float32", "shape": [2, 2], "v": [0.1, "nan", "inf", "-inf"]})"));
  EXPECT_EQ(f.shape(), (Shape{2, 2}));
  EXPECT_EQ(f.data<float>()[0], 0.1f);
  EXPECT_TRUE(std::isnan(f.data<float>()[1]));
  EXPECT_EQ(f.data<float>()[3], -INFINITY);
  Tensor b = to_tensor(array(R"({"dtype": "bool", "shape": [2], "v": [true, false]})"));
  EXPECT_TRUE(b.data<bool>()[0]);
  EXPECT_FALSE(b.data<bool>()[1]);
  Tensor i = to_tensor(array(R"({"dtype": "int64", "shape": [], "v": [9007199254740993]})"));
  EXPECT_EQ(i.data<int64_t>()[0], 9007199254740993);
  EXPECT_THROW(to_tensor(array(R"({"dtype": "float32", "shape": [3], "v": [1, 2]})")), Error);
}

TEST(JsonTensor, GoldenUniformEqualsPython) {
  // tools/golden/golden.py: uniform((4,), 4100, -0.5, 0.25), integers((6,), 4011, 10)
  Tensor u = golden_uniform({4}, 4100, -0.5, 0.25);
  const float want[] = {-0.39569604f, -0.48398226f, 0.18061143f, -0.42619497f};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(u.data<float>()[i], want[i]) << i;
  Tensor n = golden_integers({6}, 4011, 10);
  const int32_t want_n[] = {6, 7, 9, 4, 9, 4};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(n.data<int32_t>()[i], want_n[i]) << i;
}

TEST(JsonLines, PlainFileAndDamagedLine) {
  const std::string path = testing::TempDir() + "glia_lines_test.jsonl";
  std::ofstream(path) << "{\"a\": 1}\n\n{\"a\": 2}";
  int sum = 0;
  for_each_line(path, [&](const json& line) { sum += line["a"].get<int>(); });
  EXPECT_EQ(sum, 3);
  std::ofstream(path) << "{\"a\": 1}\n{oops\n";
  try {
    for_each_line(path, [](const json&) {});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()), path + ":2: not a JSON object.");
  }
  std::remove(path.c_str());
  EXPECT_THROW(for_each_line(path, [](const json&) {}), Error);
}

TEST(Check, ReportsTheLargestErrorAndItsPlace) {
  Check check;
  const json want = array(R"({"dtype": "float32", "shape": [2, 2], "v": [1, 2, 3, "nan"]})");
  check.tensor("y", Tensor::from({2, 2}, {1, 2.5, 3.25, NAN}), want, {1e-5, 1e-6});
  EXPECT_FALSE(check.passed());
  EXPECT_EQ(check.report(), "y: [0, 1] got 2.5 want 2 (abs 0.5, rel 0.25); 2 of 4 elements");
}

TEST(Check, ToleranceIsAbsolutePlusRelative) {
  Check check;
  const json want = array(R"({"dtype": "float32", "shape": [2], "v": [100, 0]})");
  check.tensor("y", Tensor::from({2}, {100.0009, 9e-7}), want, {1e-5, 1e-6});
  EXPECT_TRUE(check.passed()) << check.report();
  check.tensor("y", Tensor::from({2}, {100.002, 0}), want, {1e-5, 1e-6});
  EXPECT_FALSE(check.passed());
}

TEST(Check, ShapeDtypeIntegersAndText) {
  const json want = array(R"({"dtype": "int32", "shape": [2], "v": [1, 2]})");
  Check shape, dtype, value, text;
  shape.tensor("y", Tensor::from({1, 2}, {1, 2}, DType::i32), want, {1, 1});
  EXPECT_EQ(shape.report(), "y: shape (1, 2) want (2,)");
  dtype.tensor("y", Tensor::from({2}, {1, 2}, DType::i64), want, {1, 1});
  EXPECT_EQ(dtype.report(), "y: dtype int64 want int32");
  value.tensor("y", Tensor::from({2}, {1, 3}, DType::i32), want, {1, 1});
  EXPECT_FALSE(value.passed()) << "integers must be equal whatever the tolerance";
  text.text("summary", "a\nb\nc", "a\nB\nc");
  EXPECT_EQ(text.report(), "summary: line 2: got 'b' want 'B'");
}

TEST(Kinds, UnknownKindIsUnsupported) {
  Check check;
  EXPECT_THROW(run_line(array(R"({"id": "x", "kind": "no_such_kind"})"), check), Unsupported);
}

}  // namespace
}  // namespace glia::parity
