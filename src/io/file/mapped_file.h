// A whole file as memory: read by the system when it is touched, so that opening a large model costs nothing and only
// what is used is read. The memory may be written to; the file never changes.
//
// Who cuts a mapped file short while it is in use ends the process with SIGBUS: the system has no other answer. Files of up
// to kRead bytes, and those of whom one expects it (`copy`), are therefore read at once.
//
//   auto file = MappedFile::open("model.safetensors");
//   ByteReader in(file->bytes(), file->path());
//   Tensor t = Tensor::wrap(shape, DType::f32, file->data() + at, file);      // keeps the file mapped
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace glia::io {

class MappedFile {
 public:
  // Throws Error when the file is missing, a folder, not a regular file or longer than `limit` bytes.
  static std::shared_ptr<MappedFile> open(const std::string& path, uint64_t limit = UINT64_MAX, bool copy = false);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  static constexpr std::size_t kRead = std::size_t{1} << 24;
  static constexpr std::size_t kSpare = 64;  // bytes behind the end that may be read
  uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }

 private:
  MappedFile() = default;
  std::string path_;
  uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace glia::io
