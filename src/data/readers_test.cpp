#include <glia/readers.h>

#include <cmath>
#include <numeric>

#include "data/sha256.h"
#include "data/tar.h"
#include "data/test_files.h"

namespace glia {
using test::error_of;
using test::Scratch;

static double sum(const Tensor& t) {
  double s = 0;
  for (int64_t i = 0; i < t.size(); ++i) s += t.item(i);
  return s;
}

static std::string idx_bytes(char type, std::vector<uint32_t> extents, const std::string& body) {
  std::string s{'\0', '\0', type, static_cast<char>(extents.size())};
  for (uint32_t e : extents) {
    for (int shift : {24, 16, 8, 0}) s += static_cast<char>(e >> shift);
  }
  return s + body;
}

TEST(ReadIdx, ReadsMnistAsItIs) {
  GLIA_REAL_FILE(images, "mnist/t10k-images-idx3-ubyte.gz");
  GLIA_REAL_FILE(labels, "mnist/t10k-labels-idx1-ubyte.gz");
  Tensor x = read_idx(images), y = read_idx(labels);
  EXPECT_EQ(x.shape(), (Shape{10000, 28, 28}));
  EXPECT_EQ(x.dtype(), DType::u8);
  EXPECT_EQ(sum(x), 264923200);  // numpy
  EXPECT_EQ(y.slice(0, 10).to_vector(), (std::vector<float>{7, 2, 1, 0, 4, 1, 4, 9, 5, 9}));
}

TEST(ReadIdx, ConvertsEveryTypeFromBigEndian) {
  Scratch dir;
  EXPECT_EQ(read_idx(dir.write("u8", idx_bytes(8, {2}, "\x01\xff"))).to_vector(), (std::vector<float>{1, 255}));
  EXPECT_EQ(read_idx(dir.write("i8", idx_bytes(9, {2}, "\x01\xff"))).to_vector(), (std::vector<float>{1, -1}));
  Tensor i16 = read_idx(dir.write("i16", idx_bytes(0x0B, {1, 1}, "\xff\xfe")));
  EXPECT_EQ(i16.dtype(), DType::i32);
  EXPECT_EQ(i16.item(), -2);
  EXPECT_EQ(read_idx(dir.write("i32", idx_bytes(0x0C, {1}, {'\0', '\1', '\0', '\0'}))).item(), 65536);
  EXPECT_EQ(read_idx(dir.write("f32", idx_bytes(0x0D, {1}, {'\x3f', '\xc0', '\0', '\0'}))).item(), 1.5);
  EXPECT_EQ(read_idx(dir.write("f64", idx_bytes(0x0E, {1}, {'\x3f', '\xf8', 0, 0, 0, 0, 0, 0}))).item(), 1.5);
  EXPECT_EQ(read_idx(dir.write_gz("empty.gz", idx_bytes(8, {0, 28}, ""))).shape(), (Shape{0, 28}));
}

TEST(ReadIdx, RefusesHostileFiles) {
  Scratch dir;
  auto message = [&](const std::string& bytes) { return error_of([&] { read_idx(dir.write("f", bytes)); }); };
  EXPECT_HAS(error_of([&] { read_idx(dir.path("absent")); }), "no such file");
  EXPECT_HAS(error_of([&] { read_idx(dir.path("")); }), "is a folder");
  EXPECT_HAS(message(""), "ends inside the magic number");
  EXPECT_HAS(message("GIF89a"), "not an idx file: it starts with the bytes 47 49 46 38");
  EXPECT_HAS(message(idx_bytes(8, {}, "")), "rank 0");
  EXPECT_HAS(message(idx_bytes(8, {1, 1, 1, 1, 1, 1, 1, 1, 1}, "")), "rank 9");
  EXPECT_HAS(message(idx_bytes(8, {4, 4}, "abc")), "ends inside the elements: expected 16 bytes, found 3");
  EXPECT_HAS(message(idx_bytes(8, {2}, "abc")), "more bytes follow");
  // Promises of many gigabytes must not be believed before the data arrives, nor overflow.
  EXPECT_HAS(message(idx_bytes(8, {1u << 19, 1u << 19}, "abc")), "ends inside the elements");
  EXPECT_HAS(message(idx_bytes(0x0E, {~0u, ~0u, ~0u}, "abc")), "too large");
  std::string gz = dir.write_gz("a.gz", idx_bytes(8, {1000}, std::string(1000, 'x')));
  std::string bytes;
  { std::ifstream in(gz, std::ios::binary); bytes.assign(std::istreambuf_iterator<char>(in), {}); }
  EXPECT_HAS(message(bytes.substr(0, bytes.size() - 12)), "damaged or cut off");
  bytes[bytes.size() - 6] ^= 0x55;  // the checksum
  EXPECT_HAS(message(bytes), "damaged or cut off");
}

TEST(ReadCsv, ReadsRealTables) {
  GLIA_REAL_FILE(passengers, "series_tab/jbrownlee/airline-passengers.csv");
  GLIA_REAL_FILE(pollution, "series_tab/jbrownlee/pollution.csv");
  GLIA_REAL_FILE(abalone, "series_tab/jbrownlee/abalone.csv");
  GLIA_REAL_FILE(wine, "uci/wine_data.csv");
  CsvTable a = read_csv(passengers);
  EXPECT_EQ(a.rows(), 144);
  EXPECT_EQ(a.strings("Month")[0], "1949-01");
  EXPECT_EQ(a.floats({"Passengers"}).item(143), 432);
  CsvTable p = read_csv(pollution);
  EXPECT_EQ(p.rows(), 43824);
  EXPECT_TRUE(std::isnan(p.floats({"pm2.5"}).item(0)));
  EXPECT_EQ(p.drop_missing().rows(), 41757);  // grep -vc NA, less the header
  EXPECT_EQ(p.drop_missing().floats({"pm2.5", "TEMP"}).item(0), 129);
  auto [y, classes] = read_csv(abalone, {.header = false}).labels("0");
  EXPECT_EQ(classes, (std::vector<std::string>{"F", "I", "M"}));
  EXPECT_EQ(y.item(0), 2);
  EXPECT_EQ(read_csv(wine, {.header = false, .skip_lines = 1}).floats().shape(), (Shape{178, 14}));
}

TEST(ReadCsv, KnowsQuotesBlanksAndMissingValues) {
  CsvTable t = parse_csv("\xEF\xBB\xBFname,\"the \"\"size\"\"\", w\r\n\"a,\nb\",+1.5e1, 2 \r\n\r\nc,?,\n");
  EXPECT_EQ(t.columns(), (std::vector<std::string>{"name", "the \"size\"", "w"}));
  EXPECT_EQ(t.rows(), 2);
  EXPECT_EQ(t.strings("name")[0], "a,\nb");
  EXPECT_EQ(t.line_of(1), 5);
  Tensor f = t.floats({"w", "the \"size\""});
  EXPECT_EQ(f.item(0), 2);
  EXPECT_EQ(f.item(1), 15);
  EXPECT_TRUE(std::isnan(f.item(2)) && std::isnan(f.item(3)));
  EXPECT_EQ(t.drop_missing({"name"}).rows(), 2);
  EXPECT_EQ(t.drop_missing({"w"}).rows(), 1);
  auto [ids, names] = parse_csv("y\n10\n9\n10\n").labels("y");
  EXPECT_EQ(names, (std::vector<std::string>{"9", "10"}));  // as numbers, not as text
  EXPECT_EQ(ids.to_vector(), (std::vector<float>{1, 0, 1}));
  EXPECT_EQ(parse_csv("1;2\n3;4", {.delimiter = ';', .header = false}).floats({"1"}).to_vector(),
            (std::vector<float>{2, 4}));
}

TEST(ReadCsv, SaysWhereTheMistakeIs) {
  auto message = [](const char* text) { return error_of([&] { parse_csv(text, {}, "t.csv").floats(); }); };
  EXPECT_HAS(message(""), "t.csv: the file is empty");
  EXPECT_HAS(message("a,b\n1,2\n3\n"), "t.csv, line 3: 1 fields. Expected 2");
  EXPECT_HAS(message("a,b\n1,2\n\n3,x\n"), "t.csv, line 4, column 'b': 'x' is not a number");
  EXPECT_HAS(message("a\n1 2\n"), "'1 2' is not a number");
  EXPECT_HAS(message("a\n\"1\n2\n"), "line 2: the quoted field that starts here is never closed");
  EXPECT_HAS(message("a\n\"1\"2\n"), "text follows the closing quote");
  EXPECT_HAS(error_of([] { parse_csv("speed,b\n1,2\n").floats({"sped"}); }), "Did you mean 'speed'?");
  EXPECT_HAS(error_of([] { parse_csv("y\nNA\n").labels("y"); }), "the label is missing");
}

TEST(ReadTs, ReadsVariableLengthsAndPads) {
  GLIA_REAL_FILE(path, "series_tab/uea_ucr/JapaneseVowels_TRAIN.ts");
  Sequences s = read_ts(path);
  EXPECT_EQ(s.x.shape(), (Shape{270, 26, 12}));
  EXPECT_EQ(s.classes.size(), 9u);
  EXPECT_EQ(s.lengths.slice(0, 5).to_vector(), (std::vector<float>{20, 26, 22, 20, 21}));
  EXPECT_EQ(s.x.item(0), 1.860936f);
  EXPECT_EQ(s.x.item(12), 1.891651f);           // the second step of the first dimension
  EXPECT_EQ(s.x.item(20 * 12), 0);              // padding
  EXPECT_NEAR(sum(s.x), -1057.4523030, 1e-3);   // numpy, in double
  EXPECT_EQ(s.y.item(0), 0);
  EXPECT_EQ(s.y.item(269), 8);
  EXPECT_HAS(error_of([&] { read_ts(path, {.maxlen = 20}); }), "the longest series has 26 steps");
  GLIA_REAL_FILE(motions, "series_tab/uea_ucr/BasicMotions_TRAIN.ts");
  EXPECT_NEAR(sum(read_ts(motions).x), 646.1844410, 1e-2);
  GLIA_REAL_FILE(power, "series_tab/uea_ucr/ItalyPowerDemand_TEST.ts");
  EXPECT_EQ(read_ts(power).x.shape(), (Shape{1029, 24, 1}));
}

TEST(ReadTs, RefusesDamagedFiles) {
  Scratch dir;
  auto message = [&](const std::string& text) { return error_of([&] { read_ts(dir.write("f.ts", text)); }); };
  const std::string head = "@dimensions 2\n@classLabel true a b\n@data\n";
  EXPECT_HAS(message("hello"), "line 1: expected a line starting with '@' or '#'");
  EXPECT_HAS(message(head), "no cases found");
  EXPECT_HAS(message(head + "1,2:3,4:c\n"), "unknown class 'c'");
  EXPECT_HAS(message(head + "1,2:a\n"), "line 4: 1 dimensions. Expected 2");
  EXPECT_HAS(message(head + "1,2:3:a\n"), "different lengths (2 and 1)");
  EXPECT_HAS(message(head + "1,x:3,4:a\n"), "'x' is not a number");
  EXPECT_HAS(message(head + "1"), "no label");
  EXPECT_HAS(message("@timestamps true\n@data\n1\n"), "not supported");
  EXPECT_HAS(message("@dimensions -3\n@data\n1\n"), "no number of dimensions");
  Sequences s = read_ts(dir.write("ok.ts", "@univariate true\n@targetlabel true\n@data\n?,2:0.5\n3:-1\n"));
  EXPECT_TRUE(std::isnan(s.x.item(0)));
  EXPECT_EQ(s.y.to_vector(), (std::vector<float>{0.5f, -1}));
}

TEST(ReadCifar10, TurnsChannelsLast) {
  GLIA_REAL_FILE(path, "cifar10/cifar10_train_10k.bin");
  auto [x, y] = read_cifar10({path});
  EXPECT_EQ(x.shape(), (Shape{10000, 32, 32, 3}));
  EXPECT_EQ(y.slice(0, 6).to_vector(), (std::vector<float>{7, 2, 0, 3, 0, 3}));
  int64_t at = ((7 * 32 + 3) * 32 + 5) * 3;
  EXPECT_EQ(x.item(at), 161);
  EXPECT_EQ(x.item(at + 1), 167);
  EXPECT_EQ(x.item(at + 2), 163);
  EXPECT_EQ(sum(x), 3712474819.0);  // numpy
}

TEST(ReadCifar10, RefusesDamagedFiles) {
  Scratch dir;
  EXPECT_HAS(error_of([&] { read_cifar10({dir.write("a", "xyz")}); }), "3 bytes is no multiple of 3073");
  EXPECT_HAS(error_of([&] { read_cifar10({dir.write("b", std::string(2 * 3073, '\x0a'))}); }), "record 0 has the label 10");
}

TEST(Tar, ReadsMembersOfARealArchive) {
  GLIA_REAL_FILE(path, "fsdd/recordings.tar");
  int64_t files = 0, bytes = 0;
  data::for_each_tar_member(path, [&](const std::string& name, std::vector<uint8_t> b) {
    files += name.ends_with(".wav");
    bytes += static_cast<int64_t>(b.size());
    if (name.ends_with(".wav")) {
      EXPECT_EQ(std::string(b.begin(), b.begin() + 4), "RIFF") << name;
    }
  });
  EXPECT_EQ(files, 2000);
  EXPECT_GT(bytes, 1000000);
}

TEST(Tar, RefusesDamagedArchives) {
  Scratch dir;
  auto read = [&](const std::string& bytes) {
    return error_of([&] { data::for_each_tar_member(dir.write("t", bytes), [](auto&, auto) {}); });
  };
  EXPECT_HAS(read("short"), "cut off inside a header");
  EXPECT_HAS(read(std::string(512, 'x')), "damaged tar header");
}

TEST(Sha256, AgreesWithTheStandard) {
  EXPECT_EQ(data::sha256_hex("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(data::sha256_hex("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  std::string a(1000000, 'a');
  EXPECT_EQ(data::sha256_hex(a.data(), a.size()), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  for (std::size_t n : {55, 56, 63, 64, 119}) EXPECT_EQ(data::sha256_hex(a.data(), n).size(), 64u);
}

TEST(CharVocabulary, RoundTripsText) {
  CharVocabulary v("hello\n");
  EXPECT_EQ(v.chars(), "\nehlo");
  Tensor ids = v.encode("hole");
  EXPECT_EQ(ids.to_vector(), (std::vector<float>{2, 4, 3, 1}));
  EXPECT_EQ(v.decode(ids), "hole");
  EXPECT_EQ(v.decode(ids.astype(DType::i64)), "hole");
  EXPECT_HAS(error_of([&] { v.encode("help"); }), "the character 'p' (byte 0x70) at position 3");
  EXPECT_HAS(error_of([&] { v.decode(Tensor::from({1}, {9}, DType::i32)); }), "outside 0 to 4");
  EXPECT_EQ(v.encode("").size(), 0);
}

}  // namespace glia
