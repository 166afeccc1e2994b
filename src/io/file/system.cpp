#include "io/file/system.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>

namespace glia::io {

int FileSystem::create(const std::string& path, int mode) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd >= 0) ::flock(fd, LOCK_EX | LOCK_NB);  // best effort
  return fd;
}
ssize_t FileSystem::write(int fd, const void* data, std::size_t n) { return ::write(fd, data, n); }
int FileSystem::seek(int fd, uint64_t offset) {
  return ::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0 ? -1 : 0;
}
int FileSystem::fsync(int fd) { return ::fsync(fd); }
int FileSystem::close(int fd) { return ::close(fd); }
int FileSystem::rename(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str());
}
int FileSystem::unlink(const std::string& path) { return ::unlink(path.c_str()); }
int FileSystem::sync_folder(const std::string& folder) {
  int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int rc = ::fsync(fd);
  ::close(fd);
  return rc;
}
uint64_t FileSystem::free_bytes(const std::string& folder) {
  struct statvfs s;
  return ::statvfs(folder.c_str(), &s) == 0 ? uint64_t{s.f_bavail} * s.f_frsize : UINT64_MAX;
}

namespace {
std::shared_ptr<FileSystem>& current() {
  static std::shared_ptr<FileSystem> system = std::make_shared<FileSystem>();
  return system;
}
}  // namespace

FileSystem& file_system() { return *current(); }
ScopedFileSystem::ScopedFileSystem(std::shared_ptr<FileSystem> other) : before_(current()) {
  current() = std::move(other);
}
ScopedFileSystem::~ScopedFileSystem() { current() = before_; }

}  // namespace glia::io
