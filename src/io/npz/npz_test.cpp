// .npy and .npz against files that NumPy wrote (tests/compat/npz, by tools/golden/npz.py).
#include <glia/npz.h>

#include <fstream>

#include "data/test_files.h"
#include "io/zip/zip.h"
#include "support/faults.h"

namespace glia {
using test::contains;
using test::error_of;
using test::file_bytes;
using test::Scratch;

static std::string compat(const std::string& name) {
  return std::string(GLIA_SOURCE_DIR) + "/tests/compat/npz/" + name;
}

static double number(int64_t i, DType t, bool is_unsigned) {
  return t == DType::bool_ ? static_cast<double>(i % 2) : static_cast<double>((7 * i) % 11 - (is_unsigned ? 0 : 3));
}
static void expect_numbers(const Tensor& t, const Shape& shape, DType dtype, bool is_unsigned = false) {
  ASSERT_TRUE(t.defined());
  EXPECT_EQ(t.shape(), shape);
  EXPECT_EQ(t.dtype(), dtype);
  for (int64_t i = 0; i < t.size(); ++i) EXPECT_EQ(t.item(i), number(i, dtype, is_unsigned)) << i;
}

TEST(Npz, ReadsEveryDtypeOfNumpy) {
  auto a = read_npz(compat("dtypes.npz"));
  ASSERT_EQ(a.size(), 13u);
  struct {
    const char* name;
    DType dtype;
    bool is_unsigned;
  } cases[] = {{"f2", DType::f16, false},    {"f4", DType::f32, false}, {"f8", DType::f64, false},
               {"bf16", DType::bf16, false}, {"i1", DType::i8, false},  {"u1", DType::u8, true},
               {"i2", DType::i16, false},    {"u2", DType::u16, true},  {"i4", DType::i32, false},
               {"u4", DType::u32, true},     {"i8", DType::i64, false}, {"u8", DType::u64, true},
               {"b1", DType::bool_, false}};
  for (auto& c : cases) {
    SCOPED_TRACE(c.name);
    expect_numbers(a[c.name], {2, 3}, c.dtype, c.is_unsigned);
  }
}

TEST(Npz, ReadsOrdersAndShapes) {
  auto a = read_npz(compat("forms.npz"));
  expect_numbers(a["fortran"], {2, 3, 4}, DType::f32);
  expect_numbers(a["fortran_bool"], {3, 3}, DType::bool_);
  expect_numbers(a["big"], {5}, DType::f64);
  expect_numbers(a["big_widened"], {5}, DType::i16);
  expect_numbers(a["scalar"], {}, DType::f32);
  expect_numbers(a["empty"], {0, 3}, DType::f32);
  EXPECT_EQ(a["zeros"].size(), 200000);  // 800 kB out of 1 kB: honest, however small
}

TEST(Npy, ReadsEveryVersion) {
  expect_numbers(read_npy(compat("plain.npy")), {3, 4}, DType::f32);
  expect_numbers(read_npy(compat("v2.npy")), {7}, DType::i64);
  expect_numbers(read_npy(compat("v3.npy")), {7}, DType::i64);
}

TEST(Npy, RefusesWhatHoldsCodeOrNoNumbers) {
  EXPECT_HAS(error_of([] { read_npy(compat("objects.npy")); }),
             "dtype '|O' cannot be read. It holds pickled Python objects, which are never loaded");
  EXPECT_HAS(error_of([] { read_npy(compat("text.npy")); }), "dtype '<U2' cannot be read");
  EXPECT_HAS(error_of([] { read_npy(compat("record.npy")); }), "structured dtypes");
  EXPECT_HAS(error_of([] { read_npy("/no/such.npy"); }), "/no/such.npy: no such file");
}

TEST(Npz, ReadsAndWritesStrings) {
  const NpzArrays a = read_npz_arrays(compat("strings.npz"));
  const StringTensor words({2, 3}, {"a", "Łódź", "", "naïve 😀", std::string("x\0y", 3), "tail "});
  EXPECT_EQ(a.strings.at("u"), words);
  EXPECT_EQ(a.strings.at("big"), words);
  EXPECT_EQ(a.strings.at("fortran"), words);
  EXPECT_EQ(a.strings.at("s"), StringTensor({"ab", "", std::string("\xff\0z", 3)}));
  EXPECT_EQ(a.strings.at("scalar"), StringTensor(Shape{}, {"one"}));
  EXPECT_EQ(a.strings.at("none"), StringTensor({0, 2}, {}));
  expect_numbers(a.numbers.at("numbers"), {2, 2}, DType::f32);
  EXPECT_EQ(read_npy_strings(compat("text.npy")), (StringTensor{"a", "bc"}));
  EXPECT_HAS(error_of([] { read_npz(compat("strings.npz")); }), "It holds strings, where numbers are expected.");
  EXPECT_HAS(error_of([] { read_npy_strings(compat("plain.npy")); }), "holds float32, where strings are expected");
  Scratch dir;
  write_npz_arrays(dir.path("w.npz"), {{{"n", a.numbers.at("numbers")}}, {{"u", words}}}, {.compress = true});
  EXPECT_EQ(io::ZipReader(dir.path("w.npz")).read_text("u.npy"), io::ZipReader(compat("strings.npz")).read_text("u.npy"));
  EXPECT_EQ(read_npz_arrays(dir.path("w.npz")).strings.at("u"), words);
}

TEST(Npz, WritesWhatNumpyWrites) {
  Scratch dir;
  Tensor plain = read_npy(compat("plain.npy"));
  write_npy(dir.path("a.npy"), plain);
  EXPECT_EQ(file_bytes(dir.path("a.npy")), file_bytes(compat("plain.npy")));
  auto arrays = read_npz(compat("dtypes.npz"));
  for (bool compress : {false, true}) {
    std::string path = dir.path(compress ? "c.npz" : "s.npz");
    write_npz(path, arrays, {.compress = compress});
    io::ZipReader ours(path), numpy(compat("dtypes.npz"));
    for (auto& m : ours.members()) EXPECT_EQ(ours.read_text(m.name), numpy.read_text(m.name)) << m.name;
    EXPECT_EQ(ours.members().size(), 13u);
    auto again = read_npz(path);
    for (auto& [name, t] : arrays) EXPECT_TRUE(again.at(name).equals(t)) << name;
  }
}

TEST(Npz, RoundTripsLargeAndNone) {
  Scratch dir;
  Tensor big({1000, 777});
  for (int64_t i = 0; i < big.size(); ++i) big.data<float>()[i] = static_cast<float>(i % 1000);
  write_npz(dir.path("big.npz"), {{"big", big}, {"weights/0", big.slice(3, 9)}}, {.compress = true});
  EXPECT_LT(std::filesystem::file_size(dir.path("big.npz")), 2000000u);
  auto a = read_npz(dir.path("big.npz"));
  EXPECT_TRUE(a.at("big").equals(big));
  EXPECT_TRUE(a.at("weights/0").equals(big.slice(3, 9)));
  write_npz(dir.path("none.npz"), {});
  EXPECT_TRUE(read_npz(dir.path("none.npz")).empty());
  EXPECT_HAS(error_of([&] { write_npz(dir.path("x.npz"), {{"a", Tensor()}}); }), "the array 'a' is undefined");
}

TEST(Npz, EqualContentGivesEqualFiles) {
  Scratch dir;
  write_npz(dir.path("a.npz"), {{"x", Tensor::zeros({4})}});
  write_npz(dir.path("b.npz"), {{"x", Tensor::zeros({4})}});
  EXPECT_EQ(file_bytes(dir.path("a.npz")), file_bytes(dir.path("b.npz")));
}

TEST(Npz, Limits) {
  Scratch dir;
  write_npz(dir.path("a.npz"), {{"x", Tensor::zeros({1000})}, {"y", Tensor::zeros({1000})}}, {.compress = true});
  std::string path = dir.path("a.npz");
  EXPECT_HAS(error_of([&] { read_npz(path, {.limits = {.max_bytes = 5000}}); }),
             "member 'y.npy': offset 128: the array needs 4000 bytes, 1000 are allowed");
  EXPECT_HAS(error_of([&] { read_npz(path, {.limits = {.max_tensors = 1}}); }),
             "the archive has 2 members, 1 are allowed");
  EXPECT_HAS(error_of([&] { read_npz(path, {.limits = {.max_name_length = 4}}); }),
             "the name of member 0 has 5 bytes, 4 are allowed");
}

TEST(Npz, HeadersThatLie) {
  Scratch dir;
  auto npy = [&](const std::string& dict, const std::string& data) {
    std::string b = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(dict.size()) + '\0' + dict + data;
    return error_of([&] { read_npy(dir.write("l.npy", b)); });
  };
  EXPECT_HAS(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "abcd"),
             "offset 87: the shape (4611686018427387904, 4) is too large");
  EXPECT_HAS(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }", "abcd"),
             "needs 4000000000 bytes. 4 follow");
  EXPECT_HAS(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "abcd"),
             "an extent of the shape is too large");
  EXPECT_HAS(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "abcd"),
             "offset 61: a number expected in the shape");
  EXPECT_HAS(npy("{'descr': '<f4', 'shape': (1,), }", "abcd"), "the header needs the keys");
  EXPECT_HAS(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "abcd"), "unexpected key 'x'");
  EXPECT_HAS(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "abcde"), "needs 4 bytes. 5 follow");
  EXPECT_EQ(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "abcd"), "(no error)");
  auto text = [&](const std::string& dict, const std::string& data) {
    std::string b = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(dict.size()) + '\0' + dict + data;
    return error_of([&] { read_npy_strings(dir.write("t.npy", b)); });
  };
  EXPECT_HAS(text("{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,), }", ""), "bytes");
  EXPECT_HAS(text("{'descr': '<U0', 'fortran_order': False, 'shape': (10000000,), }", ""), "empty strings");
  EXPECT_HAS(text("{'descr': '<U99999999999', 'fortran_order': False, 'shape': (99999999999,), }", ""), "too large");
  EXPECT_HAS(text("{'descr': '<U1', 'fortran_order': False, 'shape': (2,), }", "abcd"), "needs 8 bytes. 4 follow");
  EXPECT_HAS(text("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", "abcd"), "no Unicode character");
}

TEST(Npz, FailedWritesLeaveTheOldFile) {
  Scratch dir;
  std::filesystem::create_directories(dir.path("w"));
  Tensor t = Tensor::full({300, 300}, 1.5);
  test::check_failed_writes(dir.path("w/a.npz"), [&](const std::string& p) { write_npz(p, {{"x", t}, {"y", t}}); });
  test::check_failed_writes(dir.path("w/a.npz"), [&](const std::string& p) {
    write_npz(p, {{"x", t}, {"y", t}}, {.compress = true});
  });
}

}  // namespace glia
