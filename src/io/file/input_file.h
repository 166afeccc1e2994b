// A regular file that is read by position. What somebody cuts off while it is read is an Error, never a signal: bytes
// are copied by the system call, no page of the file is mapped.
//
//   auto file = InputFile::open("model.safetensors");
//   file->read_at(8, buffer, n);
//   ByteReader in = file->reader();             // a stream from offset 0
//   auto all = file->read_all();                // the whole file, with room behind its end
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "io/file/byte_reader.h"

namespace glia::io {

// Memory that holds a file, or is one (MappedFile). Kernels may read a vector behind the last element, so kSpare bytes
// follow the end.
class FileMemory {
 public:
  static constexpr std::size_t kSpare = 64;
  FileMemory(uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  ~FileMemory();
  FileMemory(const FileMemory&) = delete;
  uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  uint8_t* data_;
  std::size_t size_;
};

class InputFile : public std::enable_shared_from_this<InputFile> {
 public:
  // Throws Error when the file is missing, a folder, not a regular file or longer than `limit` bytes.
  static std::shared_ptr<InputFile> open(const std::string& path, uint64_t limit = UINT64_MAX);
  ~InputFile();
  InputFile(const InputFile&) = delete;

  uint64_t size() const { return size_; }  // when it was opened
  const std::string& path() const { return path_; }

  // n bytes from `offset` on. Throws Error when the file has fewer, or has become shorter.
  void read_at(uint64_t offset, void* to, uint64_t n) const;
  // A stream from offset 0 that keeps the file open.
  ByteReader reader() const;
  std::FILE* stream() const;  // of its own; the caller closes it
  std::shared_ptr<FileMemory> read_all() const;
  // The file itself as memory, read by the system when it is touched; the memory may be written to, the file never
  // changes. Who cuts the file short while it is in use ends the process with SIGBUS: the system has no other answer.
  // Only for callers who said that the file is theirs.
  std::shared_ptr<FileMemory> map() const;

 private:
  InputFile() = default;
  std::string path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

}  // namespace glia::io
