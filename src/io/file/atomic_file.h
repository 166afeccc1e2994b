// A file that appears under its name only when it is complete: written beside, synced, renamed. Until commit() the
// old file of that name is untouched; when writing fails or commit() is never called, nothing is left behind.
//
//   AtomicFile f("model.npz");
//   f.write(header.data(), header.size());
//   f.write(tensor.craw(), tensor.bytes());
//   f.commit();
//
//   write_file("notes.json", text);        // the same in one call
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace glia::io {

class AtomicFile {
 public:
  // `needed`: bytes the whole file will have, where known; told to the user when the disk is full.
  explicit AtomicFile(std::string path, uint64_t needed = 0);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t n);
  void write(std::string_view text) { write(text.data(), text.size()); }
  uint64_t written() const { return written_; }
  void overwrite(uint64_t offset, const void* data, std::size_t n);  // of bytes written before
  void commit();

 private:
  void flush();
  void write_through(const char* p, std::size_t n);
  [[noreturn]] void fail(const char* what, int error);

  std::string path_, target_, temporary_;  // target_: path_ with symbolic links followed
  std::string buffer_;
  uint64_t needed_ = 0, written_ = 0;
  int fd_ = -1;
};

void write_file(const std::string& path, std::string_view bytes);

// For writers that must name a file themselves (libraries that take a path): a name beside `path` that is free.
std::string temporary_name(const std::string& path);
// Syncs such a file and renames it to `path`; removes it when that fails. Throws Error.
void commit_file(const std::string& temporary, const std::string& path);

}  // namespace glia::io
