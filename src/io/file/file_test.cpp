// The layer under every reader and writer.
#include <unistd.h>

#include "base/error.h"
#include "data/test_files.h"
#include "io/file/atomic_file.h"
#include "io/file/byte_reader.h"
#include "io/file/checked.h"
#include "io/file/json_text.h"
#include "io/file/input_file.h"
#include "io/file/path_name.h"
#include "support/faults.h"

namespace glia::io {
using test::contains;
using test::error_of;
using test::Scratch;

TEST(ByteReader, MemorySaysWhereItEnds) {
  std::vector<uint8_t> bytes = {1, 2, 0, 3, 0, 0, 0, 9, 9};
  ByteReader in(bytes, "x.bin", 100);
  EXPECT_EQ(in.u8("a"), 1);
  EXPECT_EQ(in.u16("b"), 2);
  EXPECT_EQ(in.u32("c"), 3u);
  EXPECT_EQ(in.offset(), 107u);
  EXPECT_EQ(in.left(), 2u);
  EXPECT_EQ(error_of([&] { in.view(3, "the tail"); }),
            "x.bin: offset 107: the file ends inside the tail: expected 3 bytes, found 2.");
  EXPECT_EQ(error_of([&] { in.read_promised(uint64_t{1} << 60, "the data"); }),
            "x.bin: offset 107: the file ends inside the data: expected 1152921504606846976 bytes, found 2.");
  EXPECT_EQ(error_of([&] { in.expect_end(); }), "x.bin: offset 107: more bytes follow than the header announces.");
  EXPECT_EQ(in.view(1, "it")[0], 9);
  EXPECT_TRUE(in.at_end());
  in.expect_end();
}

TEST(ByteReader, FileOffsetsCountUnpackedBytes) {
  Scratch dir;
  std::string gz = dir.write_gz("a.gz", std::string(1000, 'x') + "\1\2\3\4");
  ByteReader in(gz);
  in.skip(1000, "the text");
  EXPECT_EQ(in.u32be("the number"), 0x01020304u);
  EXPECT_EQ(error_of([&] { in.u8("more"); }),
            gz + ": offset 1004: the file ends inside more: expected 1 bytes, found 0.");
}

TEST(InputFile, ReadsAndRefuses) {
  Scratch dir;
  std::string path = dir.write("a", "hello");
  auto file = InputFile::open(path);
  for (auto& m : {file->read_all(), file->map()}) {
    EXPECT_EQ(std::string(m->bytes().begin(), m->bytes().end()), "hello");
    m->data()[0] = 'j';  // a private copy
    int sum = 0;
    for (size_t i = 0; i < FileMemory::kSpare; ++i) sum += m->data()[m->size() + i];
    EXPECT_EQ(sum, 0);
  }
  EXPECT_EQ(test::file_bytes(path), "hello");
  char two[2];
  file->read_at(3, two, 2);
  EXPECT_EQ(std::string(two, 2), "lo");
  EXPECT_HAS(error_of([&] { file->read_at(4, two, 2); }), "offset 4: 2 bytes are expected, the file has 5 in all");
  EXPECT_HAS(error_of([&] { file->read_at(UINT64_MAX, two, 2); }), "the file has 5 in all");
  EXPECT_EQ(InputFile::open(dir.write("empty", ""))->read_all()->size(), 0u);
  EXPECT_EQ(error_of([&] { InputFile::open(dir.path("none")); }), dir.path("none") + ": no such file.");
  EXPECT_HAS(error_of([&] { InputFile::open(dir.path("")); }), "is a folder");
  EXPECT_HAS(error_of([&] { InputFile::open("/dev/zero"); }), "not a regular file");
  EXPECT_HAS(error_of([&] { InputFile::open(path, 4); }), "the file has 5 bytes, 4 are allowed");
}

TEST(InputFile, CutShortWhileInUse) {
  Scratch dir;
  const std::string path = dir.write("large", "");
  std::filesystem::resize_file(path, (1 << 25) + 100);
  auto file = InputFile::open(path);
  auto all = file->read_all();
  ByteReader in = file->reader();
  EXPECT_EQ(in.u8("a byte"), 0);
  std::filesystem::resize_file(path, 4096);
  EXPECT_EQ(all->bytes()[(1 << 25) + 99], 0);  // a mapped page would be SIGBUS
  EXPECT_HAS(error_of([&] { file->read_all(); }), "offset 4096: the file was cut short while it was read");
  EXPECT_HAS(error_of([&] { in.read_promised(1 << 25, "the rest"); }), "the file was cut short while it was read");
}

TEST(AtomicFile, Faults) {
  Scratch dir;
  dir.write("w/x", "");
  std::filesystem::remove(dir.path("w/x"));
  test::check_failed_writes(dir.path("w/f.bin"), [](const std::string& p) {
    AtomicFile f(p);
    for (int i = 0; i < 1000; ++i) f.write(std::to_string(i) + "\n");
    f.write(std::string(200000, 'z'));
    f.commit();
  });
}

TEST(AtomicFile, AbandonedLeavesNothing) {
  Scratch dir;
  std::string path = dir.write("w/a", "old");
  {
    AtomicFile f(path);
    f.write("new");
  }
  EXPECT_EQ(test::file_bytes(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path("w")), {}), 1);
  EXPECT_HAS(error_of([&] { write_file(dir.path("no/such/a"), "x"); }), "does not exist; create it first");
  EXPECT_HAS(error_of([&] { write_file(dir.path("w"), "x"); }), "it is a folder");
}

TEST(AtomicFile, FollowsLinks) {
  Scratch dir;
  dir.write("real", "old");
  ASSERT_EQ(symlink("real", dir.path("link").c_str()), 0);
  write_file(dir.path("link"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(dir.path("link")));
  EXPECT_EQ(test::file_bytes(dir.path("real")), "new");
}

TEST(AtomicFile, OfOthers) {
  Scratch dir;
  std::string path = dir.write("w/a", "old"), beside = temporary_name(path);
  test::Faults f;
  f.rename_errno = ENOSPC;
  dir.write("w/" + beside.substr(beside.rfind('/') + 1), "new");
  {
    ScopedFileSystem scoped(std::make_shared<test::Faults>(f));
    EXPECT_HAS(error_of([&] { commit_file(beside, path); }), "Cannot finish");
  }
  EXPECT_FALSE(std::filesystem::exists(beside));
  EXPECT_EQ(test::file_bytes(path), "old");
}

TEST(SafeJoin, NamesStayInside) {
  EXPECT_EQ(safe_join("dir", "a/b.txt", "z"), "dir/a/b.txt");
  EXPECT_EQ(safe_join("dir", "..a/b..", "z"), "dir/..a/b..");
  for (std::string_view bad : {std::string_view(""), std::string_view("/etc/passwd"), std::string_view("../x"),
                               std::string_view("a/../../x"), std::string_view("a/.."), std::string_view("a\\b"),
                               std::string_view("a\0b", 3)})
    EXPECT_HAS(error_of([&] { safe_join("dir", bad, "e.zip"); }), "e.zip: the name '");
}

TEST(Printable, EscapesWhatTerminalsWouldObey) {
  EXPECT_EQ(printable("a\x1b[2J"), "a\\x1b[2J");
  EXPECT_EQ(printable("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable(std::string(500, 'a'), 10), "aaaaaaaaaa...");
}

TEST(Checked, SizesThatOverflow) {
  EXPECT_EQ(checked_mul(3, 4), 12u);
  EXPECT_FALSE(checked_mul(uint64_t{1} << 33, uint64_t{1} << 33));
  EXPECT_FALSE(checked_add(UINT64_MAX, 1));
  auto product = [](std::vector<int64_t> d, uint64_t unit = 1) { return checked_product(d, unit); };
  EXPECT_EQ(product({2, 3}, 4), 24u);
  EXPECT_EQ(product({}, 4), 4u);
  EXPECT_EQ(product({0, 5}), 0u);
  EXPECT_FALSE(product({2, -1}));
  EXPECT_FALSE(product({int64_t{1} << 40, int64_t{1} << 40, 0}));
  EXPECT_FALSE(product({INT64_MAX, 2}));
}

TEST(Json, ErrorsNameFileAndOffset) {
  EXPECT_EQ(parse_json("{\"a\": [1, 2]}", "c.json")["a"][1], 2);
  EXPECT_HAS(error_of([] { parse_json("{\"a\": ]", "c.json", {}, 8); }), "c.json: offset 14: not valid JSON");
  EXPECT_HAS(error_of([] { parse_json("\"\xff\"", "c.json"); }), "c.json: offset 1: not valid JSON");
  EXPECT_HAS(error_of([] { parse_json(std::string(1000, '['), "c.json"); }),
             "c.json: offset 256: the JSON is nested more than 256 deep");
  EXPECT_HAS(error_of([] { parse_json("", "c.json"); }), "not valid JSON");
  std::string wide = "{\"k\": [{\"a\": 1}, 2]";
  for (std::size_t i = 0; i < kMaxKeys; ++i) wide += ", \"" + std::to_string(i) + "\": {\"b\": [true, null, 1.5, \"t\"]}";
  wide += "}";
  EXPECT_HAS(error_of([&] { parse_json(wide, "c.json"); }), "a JSON object of more than 8192 keys");
  const auto entries = parse_json_entries(wide, "c.json");
  ASSERT_EQ(entries.size(), kMaxKeys + 1);
  EXPECT_EQ(entries[0].first, "k");
  EXPECT_EQ(entries[0].second.dump(), "[{\"a\":1},2]");
  EXPECT_EQ(entries.back().first, std::to_string(kMaxKeys - 1));
  EXPECT_EQ(entries.back().second.dump(), "{\"b\":[true,null,1.5,\"t\"]}");
  EXPECT_EQ(parse_json_entries("{\"a\": 1}", "c.json")[0].second, 1);
  EXPECT_TRUE(parse_json_entries("{}", "c.json").empty());
  EXPECT_HAS(error_of([&] { parse_json_entries(wide, "c.json", {.max_tensors = 100}); }), "more than 101 keys");
  EXPECT_HAS(error_of([] { parse_json_entries("{\"a\": ]", "c.json", {}, 8); }), "c.json: offset 14: not valid JSON");
  EXPECT_HAS(error_of([] { parse_json_entries("[1, {\"a\": 2}]", "c.json"); }), "not a JSON object");
  EXPECT_HAS(error_of([] { parse_json_entries("{\"a\": 1, \"a\": 2}", "c.json"); }), "'a' occurs twice");
}

}  // namespace glia::io
