// Reads a file, plain or gzip (told apart by its first bytes), and says exactly what is wrong with a damaged one.
//
//   ByteReader in("train-images-idx3-ubyte.gz");
//   uint8_t magic[4];
//   in.read_exact(magic, 4, "the magic number");
//   std::vector<uint8_t> rest = in.read_rest(1 << 20);   // Error when the file holds more
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace glia::data {

class ByteReader {
 public:
  explicit ByteReader(std::filesystem::path path);
  // Reads up to n bytes; fewer only at the end of the file. Throws Error on a damaged gzip stream.
  std::size_t read(void* dst, std::size_t n);
  void read_exact(void* dst, std::size_t n, const char* what);
  // n bytes that a (possibly lying) header promises: memory grows with the data that really arrives.
  std::vector<uint8_t> read_promised(uint64_t n, const char* what);
  std::vector<uint8_t> read_rest(uint64_t limit);
  void skip(uint64_t n, const char* what);
  void expect_end();  // Error when bytes follow
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::unique_ptr<void, void (*)(void*)> file_;  // gzFile
};

// The whole file as text, gunzipped where needed. Throws Error when it is missing, damaged or larger than `limit`.
std::string read_whole(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 32);

// Gunzips a block of memory.
std::string gunzip(const void* data, std::size_t bytes, uint64_t limit = uint64_t{1} << 32);

}  // namespace glia::data
