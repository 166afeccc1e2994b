// Damaged and malicious bytes: an Error or a model, never a crash, never more memory or time than the bytes are
// worth.
#include <glia/glia.h>
#include <glia/onnx.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "io/onnx/testing/small_proto.h"

using namespace glia;
using namespace onnx::testing;

namespace {

std::string small_model() {
  set_random_seed(1);
  clear_session();
  Value in = Input({4, 4, 1}, {.name = "x"});
  Value y = layers::Conv2D(1, {3}, {.activation = "relu"})(in);
  y = layers::LSTM(1)(layers::Reshape({2, 2})(layers::MaxPooling2D({1})(y)));
  return onnx::to_bytes(Model({in}, {layers::Dense(1)(y)}, {.name = "m"}));
}

// Loads and runs; any Error is fine.
void survive(const std::string& bytes) {
  try {
    Model m = onnx::load({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    onnx::run(m, {Tensor::zeros({1, 4, 4, 1})});
  } catch (const Error&) {
  }
}

class OnnxHostile : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!onnx::available()) GTEST_SKIP() << "built without ONNX";
  }
};

TEST_F(OnnxHostile, EveryTruncation) {
  const std::string whole = small_model();
  for (size_t n = 0; n < whole.size(); ++n) survive(whole.substr(0, n));
}

TEST_F(OnnxHostile, EveryBitFlip) {
  const std::string whole = small_model();
  const char* all = std::getenv("GLIA_HOSTILE_ALL");
  for (size_t bit = 0; bit < whole.size() * 8; bit += all ? 1 : 7) {  // one in seven by default
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    survive(damaged);
  }
}

TEST_F(OnnxHostile, WrongNumbersEverywhere) {
  const std::string whole = small_model();
  for (size_t at = 0; at < whole.size(); at += 3)
    for (unsigned char value : {0x00, 0x7f, 0xff}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(value);
      survive(damaged);
    }
}

// ---- files made to hurt: what each error must say
// ------------------------------------------------------------------------------

std::string message_of(const std::string& bytes, onnx::ImportOptions options = {}) {
  const auto start = std::chrono::steady_clock::now();
  std::string what = "(loaded)";
  try {
    Model m = onnx::load({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, options);
    onnx::run(m, {Tensor::zeros({2, 3})});
  } catch (const Error& e) {
    what = e.what();
  }
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 2.0);
  return what;
}
void expect_refused(const std::string& bytes, const std::string& part) {
  const std::string what = message_of(bytes);
  EXPECT_NE(what.find(part), std::string::npos) << what;
}

TEST_F(OnnxHostile, SizesThatDoNotFit) {
  // A tensor that claims 2^62 elements, one whose product overflows, a negative extent, too few bytes, too many axes.
  for (auto [dims, part] :
       std::vector<std::pair<std::vector<int64_t>, std::string>>{{{int64_t{1} << 62}, "shape"},
                                                                 {{int64_t{1} << 40, int64_t{1} << 40}, "shape"},
                                                                 {{-5}, "shape"},
                                                                 {{1 << 20}, "elements"},
                                                                 {std::vector<int64_t>(64, 1), "axes"}}) {
    Proto t;
    for (int64_t d : dims) t.number(1, d);
    t.number(2, 1).text(9, "abcd").text(8, "w");
    expect_refused(model(graph_of({node("Add", {"x", "w"}, {"y"})}, {t})).bytes(), part);
  }
  expect_refused(model(graph_of({node("ConstantOfShape", {"s"}, {"c"}), node("Add", {"x", "c"}, {"y"})},
                                {int_tensor("s", {1 << 30, 1 << 30})}))
                     .bytes(),
                 "too large");
  expect_refused(
      model(graph_of({node("Expand", {"x", "s"}, {"y"})}, {int_tensor("s", {int64_t{1} << 40, 2, 3})})).bytes(),
      "too large");
  expect_refused(
      model(graph_of({node("Tile", {"x", "s"}, {"y"})}, {int_tensor("s", {int64_t{1} << 30, int64_t{1} << 30})}))
          .bytes(),
      "too large");
  expect_refused(
      model(graph_of({node("Reshape", {"x", "s"}, {"y"})}, {int_tensor("s", {int64_t{1} << 40, int64_t{1} << 40})}))
          .bytes(),
      "overflow");
  expect_refused(model(graph_of({node("Range", {"a", "b", "c"}, {"r"}), node("Add", {"x", "r"}, {"y"})},
                                {int_tensor("a", {0}), int_tensor("b", {int64_t{1} << 60}), int_tensor("c", {1})}))
                     .bytes(),
                 "elements");
  expect_refused(model(graph_of({node("Pad", {"x", "s"}, {"y"})},
                                {int_tensor("s", {int64_t{1} << 39, 0, int64_t{1} << 39, int64_t{1} << 39})}))
                     .bytes(),
                 "too large");
  expect_refused(model(Proto()
                           .message(1, node("Relu", {"x"}, {"y"}))
                           .message(11, input("x", {int64_t{1} << 50, int64_t{1} << 50}))
                           .message(12, input("y", {})))
                     .bytes(),
                 "too large");
}

TEST_F(OnnxHostile, NestingCyclesAndUnknownThings) {
  Proto deep;
  for (int i = 0; i < 400; ++i)
    deep = graph_of({node("If", {"c"}, {"y"}, {Proto().text(1, "then_branch").number(20, 5).message(6, deep)})});
  expect_refused(model(deep).bytes(), "deep");
  Proto types;
  for (int i = 0; i < 20000; ++i) types = Proto().message(4, Proto().message(1, types));
  expect_refused(model(Proto().message(11, Proto().text(1, "x").message(2, types))).bytes(), "deep");
  expect_refused(model(graph_of({node("Relu", {"z"}, {"y"}), node("Relu", {"y"}, {"z"})})).bytes(),
                 "neither");  // a cycle
  expect_refused(model(graph_of({node("Relu", {"y"}, {"y"})})).bytes(), "neither");
  expect_refused(model(graph_of({node("Launch", {"x"}, {"y"})})).bytes(), "Launch");
  expect_refused(model(graph_of({node("Loop", {"x"}, {"y"})})).bytes(), "Loop");
  expect_refused(model(graph_of({node("Relu", {"x"}, {"other"})})).bytes(), "computed by no node");
  expect_refused(model(graph_of({node("Relu", {}, {"y"})})).bytes(), "missing");
  // A function that calls itself.
  Proto self =
      Proto().text(1, "F").text(4, "a").text(5, "b").message(7, node("F", {"a"}, {"b"}).text(7, "me")).text(10, "me");
  expect_refused(model(graph_of({node("F", {"x"}, {"y"}).text(7, "me")})).message(25, self).bytes(), "64 deep");
}

TEST_F(OnnxHostile, ManyEmptyMessages) {
  Proto g;
  std::string nodes;
  for (int i = 0; i < 1 << 21; ++i) nodes += std::string("\x0a\x00", 2);  // empty nodes: 2 bytes each, 200 in memory
  Proto raw;
  raw.raw(nodes);
  expect_refused(model(raw).bytes(), "too many messages");
}

TEST_F(OnnxHostile, ExternalDataStaysInItsFolder) {
  namespace fs = std::filesystem;
  const fs::path dir = fs::temp_directory_path() / "glia_onnx_hostile" / "model";
  fs::create_directories(dir);
  std::ofstream(dir.parent_path() / "secret") << std::string(24, 'x');
  std::ofstream(dir / "short") << "abcd";
  const auto attempt = [&](const std::string& location, const std::string& offset, const std::string& part) {
    const auto entry = [](const std::string& k, const std::string& v) { return Proto().text(1, k).text(2, v); };
    Proto t;
    t.number(1, 2)
        .number(1, 3)
        .number(2, 1)
        .text(8, "w")
        .number(14, 1)
        .message(13, entry("location", location))
        .message(13, entry("offset", offset));
    const std::string bytes = model(graph_of({node("Add", {"x", "w"}, {"y"})}, {t})).bytes();
    std::ofstream(dir / "m.onnx", std::ios::binary) << bytes;
    try {
      onnx::load((dir / "m.onnx").string());
      FAIL() << location;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
    if (part != "number") expect_refused(bytes, "in another file");
  };
  attempt("../secret", "0", "folder");
  attempt("/etc/passwd", "0", "absolute");
  attempt("a/../../secret", "0", "folder");
  attempt("short", "0", "bytes of");
  attempt("short", "18446744073709551615", "number");
  attempt("missing", "0", "missing");
  fs::remove_all(dir.parent_path());
}

}  // namespace
