#include <glia/safetensors.h>

#include "data/test_files.h"
#include "support/faults.h"

namespace glia {
using test::contains;
using test::error_of;
using test::Scratch;

TEST(Safetensors, RoundTripsEveryDtypeInOrder) {
  Scratch dir;
  NamedTensors t;
  for (DType d : {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i32, DType::i64, DType::u8, DType::i8,
                  DType::bool_}) {
    Tensor v({3, 5}, d);
    for (int64_t i = 0; i < v.size(); ++i)
      v.set_item(i, d == DType::bool_ ? static_cast<double>(i % 2) : static_cast<double>(i));
    t.emplace_back("z" + std::to_string(9 - static_cast<int>(d)) + "/\xc3\xbc", v);
  }
  t.emplace_back("scalar", Tensor::scalar(3));
  t.emplace_back("none", Tensor({0, 4}));
  write_safetensors(dir.path("a.safetensors"), t, {{"format", "pt"}});
  NamedTensors r = read_safetensors(dir.path("a.safetensors"));
  ASSERT_EQ(r.size(), t.size());
  for (size_t i = 0; i < t.size(); ++i) {
    EXPECT_EQ(r[i].first, t[i].first);
    EXPECT_TRUE(r[i].second.equals(t[i].second)) << r[i].first;
  }
  EXPECT_HAS(test::file_bytes(dir.path("a.safetensors")), "{\"__metadata__\":{\"format\":\"pt\"},\"z9/");
}

TEST(Safetensors, TensorsAreACopyOfTheirOwn) {  // mapped, yet writable without touching the file
  Scratch dir;
  std::string path = dir.path("a.safetensors");
  write_safetensors(path, {{"a", Tensor::full({1000}, 1)}, {"b", Tensor::full({100}, 2)}});
  std::string before = test::file_bytes(path);
  NamedTensors r = read_safetensors(path);
  std::filesystem::remove(path);
  r[0].second.fill(5);
  EXPECT_EQ(r[0].second.item(999), 5);
  EXPECT_EQ(r[1].second.item(99), 2);
}

TEST(Safetensors, ReadsIntegersOfEveryWidth) {
  Scratch dir;
  std::string json =
      R"({"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"U32","shape":[1],"data_offsets":[4,8]},"c":{"dtype":"U64","shape":[1],"data_offsets":[8,16]}})";
  std::string data = std::string("\xff\xff\x02\x00", 4) + "\xff\xff\xff\xff" + std::string("\x05\0\0\0\0\0\0\0", 8);
  auto file = [&](const std::string& d) {
    return dir.write("w.safetensors",
                     std::string(1, static_cast<char>(json.size())) + std::string(7, '\0') + json + d);
  };
  NamedTensors r = read_safetensors(file(data));
  EXPECT_EQ(r[0].second.dtype(), DType::i16);
  EXPECT_EQ(r[0].second.to_vector(), (std::vector<float>{-1, 2}));
  EXPECT_EQ(r[1].second.item(), 4294967295.0);
  data.back() = '\x80';
  EXPECT_EQ(read_safetensors(file(data))[2].second.data<uint64_t>()[0], (uint64_t{1} << 63) + 5);
  // 8-bit floats, as checkpoints of large language models hold them: 1.5 and -448 of e4m3.
  json = R"({"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}})";
  r = read_safetensors(file("\x3c\xfe"));
  EXPECT_EQ(r[0].second.dtype(), DType::f8e4m3fn);
  EXPECT_EQ(r[0].second.astype(DType::f32).to_vector(), (std::vector<float>{1.5, -448}));
  write_safetensors(dir.path("again.safetensors"), r);
  EXPECT_TRUE(read_safetensors(dir.path("again.safetensors"))[0].second.equals(r[0].second));
  EXPECT_HAS(error_of([&] { write_safetensors(dir.path("no.safetensors"), {{"q", Tensor::zeros({2}, DType::i4)}}); }), "has no name for int4, the dtype of 'q'");
}

TEST(Safetensors, Refuses) {
  Scratch dir;
  auto read = [&](const std::string& json, const std::string& data = "", uint64_t length = 0) {
    uint64_t n = length ? length : json.size();
    std::string b(reinterpret_cast<const char*>(&n), 8);
    return error_of([&] { read_safetensors(dir.write("x.safetensors", b + json + data)); });
  };
  EXPECT_HAS(read("{}", "", 1000), "offset 0: the header claims 1000 bytes, the file has 2 behind it");
  EXPECT_HAS(read("[]"), "offset 8: not a JSON object");
  EXPECT_HAS(read("{\"a\":"), "x.safetensors: offset 13: not valid JSON");
  EXPECT_HAS(read(R"({"a":{"dtype":"F6_E2M3","shape":[1],"data_offsets":[0,1]}})", "a"),
             "unsupported dtype 'F6_E2M3'");
  EXPECT_HAS(read(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}})", "abcd"),
             "does not fit its shape");
  EXPECT_HAS(read(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "abcd"),
             "lies at 4..8, outside the 4 bytes of data");
  EXPECT_HAS(read(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "abcd"), "bad shape");
}

TEST(Safetensors, FailedWritesLeaveTheOldFile) {
  Scratch dir;
  std::filesystem::create_directories(dir.path("w"));
  Tensor t = Tensor::full({200, 200}, 1.5);
  test::check_failed_writes(dir.path("w/a.safetensors"), [&](const std::string& p) {
    write_safetensors(p, {{"x", t}, {"y", t}});
  });
}

}  // namespace glia
