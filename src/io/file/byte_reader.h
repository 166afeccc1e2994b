// Reads bytes from a file, plain or gzip (told apart by its first bytes), or from memory, and says exactly what is
// wrong with damaged ones: every error names the source and the offset.
//
//   ByteReader in("train-images-idx3-ubyte.gz");
//   uint32_t magic = in.u32be("the magic number");
//   std::vector<uint8_t> rest = in.read_rest(1 << 20);        // Error when the file holds more
//
//   MappedFile file("model.npy");
//   ByteReader head(file.bytes(), file.path());
//   std::span<const uint8_t> text = head.view(head.u16("the header length"), "the header");   // no copy
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace glia::io {

class ByteReader {
 public:
  explicit ByteReader(std::filesystem::path path);
  // Over anything else, e.g. a member of an archive: `source` gives up to n bytes, 0 at the end, or throws.
  using Source = std::function<std::size_t(void* dst, std::size_t n)>;
  ByteReader(Source source, std::string name);
  // Over memory that stays alive. `name` is what errors call it; `base` is the offset of bytes[0] in that file.
  ByteReader(std::span<const uint8_t> bytes, std::string name, uint64_t base = 0);

  // Reads up to n bytes; fewer only at the end. Throws Error on a damaged gzip stream.
  std::size_t read(void* dst, std::size_t n);
  void read_exact(void* dst, std::size_t n, const char* what);
  // n bytes that a (possibly lying) header promises: memory grows with the data that really arrives.
  // `likely`: so many of them are sure to come, or nearly; spares copies.
  std::vector<uint8_t> read_promised(uint64_t n, const char* what, uint64_t likely = 0);
  std::vector<uint8_t> read_rest(uint64_t limit);
  void skip(uint64_t n, const char* what);
  void expect_end();  // Error when bytes follow

  uint8_t u8(const char* what) { return number<uint8_t>(what); }
  uint16_t u16(const char* what) { return number<uint16_t>(what); }  // little-endian
  uint32_t u32(const char* what) { return number<uint32_t>(what); }
  uint64_t u64(const char* what) { return number<uint64_t>(what); }
  uint32_t u32be(const char* what) { return __builtin_bswap32(number<uint32_t>(what)); }
  uint64_t u64be(const char* what) { return __builtin_bswap64(number<uint64_t>(what)); }

  // Of memory only: bytes without a copy, what is left, the end.
  std::span<const uint8_t> view(uint64_t n, const char* what);
  std::size_t left() const { return memory_.size() - static_cast<std::size_t>(at_ - base_); }
  bool at_end() const { return left() == 0; }

  uint64_t offset() const { return at_; }  // in the unpacked bytes
  const std::string& name() const { return name_; }
  // Throws Error "NAME: offset N: TEXT".
  [[noreturn]] void fail(const std::string& text) const;
  [[noreturn]] void fail_at(uint64_t offset, const std::string& text) const;

 private:
  template <class T>
  T number(const char* what) {  // hosts are little-endian: x86-64 and ARM
    T v;
    read_exact(&v, sizeof v, what);
    return v;
  }
  [[noreturn]] void fail_short(uint64_t start, const char* what, uint64_t expected, uint64_t found) const;

  std::string name_;
  Source source_;  // empty for memory
  std::span<const uint8_t> memory_;
  uint64_t base_ = 0, at_ = 0;
};

// The whole file, gunzipped where needed. Throws Error when it is missing, damaged or larger than `limit`.
std::string read_whole(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 32);

// Gunzips a block of memory.
std::string gunzip(const void* data, std::size_t bytes, uint64_t limit = uint64_t{1} << 32);

}  // namespace glia::io
