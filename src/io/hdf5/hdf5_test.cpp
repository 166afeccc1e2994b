#include "io/hdf5/hdf5.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "data/test_files.h"
#include "io/hdf5/sandbox.h"

namespace glia::io {
namespace {

using hdf5::Array;
using hdf5::Group;

#define NEEDS_HDF5 \
  if (!hdf5::available()) GTEST_SKIP() << "built without HDF5"

std::span<const uint8_t> span_of(const std::string& s) { return {reinterpret_cast<const uint8_t*>(s.data()), s.size()}; }

Group sample() {
  Group g;
  g.attributes["name"] = Array::text("модель");
  Group& vars = g.at_path("layers/dense/vars");
  for (DType t : {DType::f32, DType::f64, DType::f16, DType::bf16, DType::i32, DType::i64, DType::u8, DType::i8, DType::bool_})
    vars.arrays[std::string(dtype_name(t))] = Array::numbers(Tensor::from({2, 3}, {0, 1, 1, 0, 1, 0}, t));
  vars.arrays["scalar"] = Array::numbers(Tensor::scalar(7, DType::i64));
  vars.arrays["empty"] = Array::numbers(Tensor({0, 4}));
  g.at_path("list").attributes["names"] = Array::texts({"a", "bc", "def"});
  return g;
}
void expect_sample(const Group& g) {
  EXPECT_EQ(g.text_attribute("name"), "модель");
  EXPECT_EQ(g.find("list")->text_list("names"), (std::vector<std::string>{"a", "bc", "def"}));
  const Group want = sample();
  for (const auto& [name, a] : want.find("layers/dense/vars")->arrays) {
    const Array* got = g.find_array("layers/dense/vars/" + name);
    ASSERT_TRUE(got) << name;
    EXPECT_TRUE(got->tensor.equals(a.tensor)) << name << " " << got->tensor.to_string();
  }
}

TEST(Hdf5, WritesAndReadsAllTypes) {
  NEEDS_HDF5;
  const std::string bytes = hdf5::write(sample());
  EXPECT_EQ(bytes.substr(0, 9), std::string("\x89HDF\r\n\x1a\n\0", 9));  // superblock 0, as h5py writes
  expect_sample(hdf5::read_bytes(span_of(bytes), "memory"));
  expect_sample(hdf5::read_bytes(span_of(bytes), "memory", {.untrusted = true}));
  test::Scratch dir;
  expect_sample(hdf5::read_file(dir.write("a.h5", bytes)));
}

TEST(Hdf5, EncodingRefusesDamage) {
  const std::string bytes = hdf5::encode(sample());
  expect_sample(hdf5::decode(bytes, "pipe"));
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_THROW(hdf5::decode(bytes.substr(0, n), "pipe"), Error);
}

// Written by h5py (tools/golden/hdf5_files.py): chunks with gzip and shuffle, the newest layout, links, boasts.
TEST(Hdf5, ReadsWhatOthersPack) {
  NEEDS_HDF5;
  const std::string folder = std::string(GLIA_SOURCE_DIR) + "/tests/compat/hdf5/";
  for (const char* file : {"gzip.h5", "latest.h5", "big_endian.h5"}) {
    Group g = hdf5::read_file(folder + file);
    const Array* a = g.find_array("a/b/x");
    ASSERT_TRUE(a) << file;
    ASSERT_EQ(a->tensor.shape(), (Shape{20, 10})) << file;
    for (int64_t i = 0; i < 200; ++i) ASSERT_EQ(a->tensor.item(i), static_cast<double>(i)) << file;
    EXPECT_EQ(g.find("a")->text_attribute("note"), "text") << file;
  }
  for (const char* file : {"soft_link.h5", "external_link.h5", "external_data.h5", "virtual.h5", "boast.h5", "cycle.h5"})
    for (bool untrusted : {false, true}) EXPECT_THROW(hdf5::read_file(folder + file, {.untrusted = untrusted}), Error) << file;
  EXPECT_THROW(hdf5::read_file(folder + "gzip.h5", {.limits = {.max_bytes = 100}}), Error);
  EXPECT_THROW(hdf5::read_file(folder + "gzip.h5", {.limits = {.max_nesting = 1}}), Error);
}

TEST(Sandbox, WhateverHappensIsAnError) {
  EXPECT_EQ(run_in_child("f", {}, [] { return std::string("fine"); }), "fine");
  auto message = [](const ChildLimits& limits, std::function<std::string()> body) {
    try {
      run_in_child("file.h5", limits, body);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no Error");
  };
  EXPECT_EQ(message({}, []() -> std::string { throw Error("mine"); }), "mine");
  EXPECT_NE(message({}, []() -> std::string { std::abort(); }).find("crashed"), std::string::npos);
  EXPECT_NE(message({.milliseconds = 20}, []() -> std::string {
              for (volatile int i = 0;; i = i + 1) {
              }
            }).find("time"), std::string::npos);
  EXPECT_NE(message({.output = 10}, [] { return std::string(100, 'x'); }).find("10 bytes"), std::string::npos);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_NE(message({.memory = 32 << 20}, [] { return std::string(std::size_t{1} << 30, 'x'); }).find("memory"), std::string::npos);
#endif
}

}  // namespace
}  // namespace glia::io
