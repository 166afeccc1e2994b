// The calls by which files are written, behind one interface so that tests can make them fail: a full disk, a folder
// that may not be written to, writes that stop half way.
//
//   int fd = file_system().create(path);
//   ScopedFileSystem faulty(std::make_shared<MyFaults>());    // in a test: every writer of this process now uses it
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace glia::io {

// Each function has the meaning and the errno of the POSIX call it is named after. create() locks the file as well
// (flock), so that one whose writer was killed can be told from one that is being written.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual int create(const std::string& path, int mode);  // open for writing; fails when the file exists
  virtual ssize_t write(int fd, const void* data, std::size_t n);
  virtual int seek(int fd, uint64_t offset);  // from the start; 0 when done
  virtual int fsync(int fd);
  virtual int close(int fd);
  virtual int rename(const std::string& from, const std::string& to);
  virtual int unlink(const std::string& path);
  virtual int sync_folder(const std::string& folder);      // so that a rename survives a power cut
  virtual uint64_t free_bytes(const std::string& folder);  // UINT64_MAX when unknown
};

FileSystem& file_system();

class ScopedFileSystem {
 public:
  explicit ScopedFileSystem(std::shared_ptr<FileSystem> other);
  ~ScopedFileSystem();
  ScopedFileSystem(const ScopedFileSystem&) = delete;

 private:
  std::shared_ptr<FileSystem> before_;
};

}  // namespace glia::io
