// Thousands of damaged files for every reader: each must be read or refused with a glia::Error, nothing else. Under asan
// this also finds reads outside buffers. The damage is drawn from a fixed seed.
#include <glia/readers.h>

#include <functional>

#include "base/philox.h"
#include "io/file/byte_reader.h"
#include "data/tar.h"
#include "data/test_files.h"

namespace glia {
using test::error_of;
using test::Scratch;

// Flips bits, cuts, repeats, inserts; 1 to 4 times.
static std::string damaged(std::string s, PhiloxStream& rng) {
  for (uint64_t times = 1 + rng.below(4); times > 0 && !s.empty(); --times) {
    std::size_t at = rng.below(s.size());
    switch (rng.below(6)) {
      case 0: s[at] = static_cast<char>(s[at] ^ (1 << rng.below(8))); break;
      case 1: s[at] = static_cast<char>(rng.below(256)); break;
      case 2: s.resize(at); break;
      case 3: s.insert(at, s.substr(at, rng.below(40))); break;
      case 4: s.erase(at, rng.below(40)); break;
      default: s.insert(at, 1, "\0\xff,:@\"\n?-9e"[rng.below(11)]);
    }
  }
  return s;
}

static void survive(const std::string& whole, int rounds, const std::function<void(const std::string&)>& read) {
  PhiloxStream rng(2024, whole.size());
  read(whole);
  int refused = 0;
  for (int i = 0; i < rounds; ++i) {
    std::string bytes = damaged(whole, rng);
    try {
      read(bytes);
    } catch (const Error&) {
      ++refused;
    } catch (const std::exception& e) {
      FAIL() << "round " << i << ": " << e.what();
    }
  }
  EXPECT_GT(refused, 0);
}

TEST(Hostile, Idx) {
  Scratch dir;
  std::string whole{'\0', '\0', '\x0d', '\2', '\0', '\0', '\0', '\3', '\0', '\0', '\0', '\4'};
  whole += std::string(48, '\x3f');
  survive(whole, 1000, [&](const std::string& b) { read_idx(dir.write("f", b)); });
}

TEST(Hostile, Gzip) {
  Scratch dir;
  std::string text;
  for (int i = 0; i < 300; ++i) text += std::to_string(i * i) + ",";
  std::string whole = dir.write_gz("g.gz", text);
  std::ifstream in(whole, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  survive(bytes, 1000, [&](const std::string& b) { io::read_whole(dir.write("f.gz", b), 1 << 20); });
  survive(bytes, 1000, [&](const std::string& b) { io::gunzip(b.data(), b.size(), 1 << 20); });
}

// A line over and over shrinks a thousandfold; nobody's table does.
TEST(Hostile, GzipOfOneLine) {
  Scratch dir;
  const std::string path = dir.write_gz("bomb.csv.gz", std::string(140 << 20, ','));
  EXPECT_HAS(error_of([&] { read_csv(path); }), "the file holds more than the");
}

TEST(Hostile, Csv) {
  std::string whole = "name,x,y\n\"a, \"\"b\"\"\",1.5,2\nc,-3e4,4\nd,?,5\n";
  survive(whole, 5000, [](const std::string& b) {
    CsvTable t = parse_csv(b);
    t.drop_missing();
    t.labels(t.columns()[0]);
    t.floats({t.columns().back()});
  });
}

TEST(Hostile, Ts) {
  Scratch dir;
  std::string whole = "# c\n@univariate false\n@dimensions 2\n@classLabel true a b\n@data\n1,2,3:4,5,6:a\n7,?:9,1e3:b\n";
  survive(whole, 1000, [&](const std::string& b) { read_ts(dir.write("f.ts", b)); });
}

TEST(Hostile, Tar) {
  Scratch dir;
  auto header = [](const std::string& name, std::size_t size) {
    std::string h(512, '\0');
    h.replace(0, name.size(), name);
    std::snprintf(h.data() + 124, 12, "%011zo", size);
    h[156] = '0';
    h.replace(257, 5, "ustar");
    uint64_t sum = 0;
    for (int i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(h[static_cast<std::size_t>(i)]);
    std::snprintf(h.data() + 148, 8, "%06o", static_cast<unsigned>(sum));
    h[155] = ' ';
    return h;
  };
  std::string whole = header("a.txt", 5) + "hello" + std::string(507, '\0') + header("b", 0) + std::string(1024, '\0');
  int files = 0;
  survive(whole, 1000, [&](const std::string& b) {
    data::for_each_tar_member(dir.write("f.tar", b), [&](const std::string& name, std::vector<uint8_t> bytes) {
      files += name == "a.txt" && std::string(bytes.begin(), bytes.end()) == "hello";
    });
  });
  EXPECT_GT(files, 1);
}

TEST(Hostile, Cifar) {
  Scratch dir;
  std::string whole = '\1' + std::string(3072, 'x') + '\2' + std::string(3072, 'y');
  survive(whole, 300, [&](const std::string& b) { read_cifar10({dir.write("f.bin", b)}); });
}

}  // namespace glia
