#include "io/file/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "io/file/system.h"

namespace glia::io {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBuffer = 1 << 16;

std::string folder_of(const std::string& path) {
  std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

// The file that a chain of symbolic links ends at: a link stays a link, what it points to is replaced.
std::string followed(const std::string& path) {
  std::error_code ec;
  fs::path p = path;
  for (int i = 0; i < 40 && fs::is_symlink(p, ec); ++i) {
    fs::path to = fs::read_symlink(p, ec);
    p = to.is_absolute() ? to : p.parent_path() / to;
  }
  return p.string();
}

std::string hint(int error, const std::string& folder, uint64_t needed, uint64_t written) {
  std::error_code ec;
  if (error == ENOSPC || error == EDQUOT) {
    uint64_t free = file_system().free_bytes(folder);
    std::string need = needed ? fmt::format("The file needs {} bytes", needed)
                              : fmt::format("The file needs more than {} bytes", written);
    return need + (free == UINT64_MAX ? "; make room there."
                                      : fmt::format("; {} are free in '{}'. Make room there.", free, folder));
  }
  if (error == ENOENT && !fs::exists(folder, ec))
    return fmt::format("The folder '{}' does not exist; create it first.", folder);
  if (error == EACCES || error == EROFS || error == EPERM)
    return fmt::format("The folder '{}' must be writable.", folder);
  return "";
}

[[noreturn]] void fail_write(const char* what, const std::string& path, int error, const std::string& more) {
  throw_error("{} '{}': {}. {}{}The file under that name, if any, was left as it was.", what, path,
              std::strerror(error), more, more.empty() ? "" : " ");
}

}  // namespace

std::string temporary_name(const std::string& path) {
  static std::atomic<uint64_t> count{0};
  return fmt::format("{}.tmp.{}.{}", path, getpid(), count++);
}

AtomicFile::AtomicFile(std::string path, uint64_t needed)
    : path_(std::move(path)), target_(followed(path_)), temporary_(temporary_name(target_)), needed_(needed) {
  std::error_code ec;
  GLIA_CHECK(!path_.empty(), "Cannot write a file without a name.");
  GLIA_CHECK(!fs::is_directory(target_, ec), "Cannot write '{}': it is a folder, expected the name of a file.",
             path_);
  fd_ = file_system().create(temporary_, 0666);
  if (fd_ < 0 && errno == EEXIST) {  // of a process of the same number that was killed
    file_system().unlink(temporary_);
    fd_ = file_system().create(temporary_, 0666);
  }
  if (fd_ < 0) fail("Cannot create", errno);
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  file_system().close(fd_);
  file_system().unlink(temporary_);
}

void AtomicFile::fail(const char* what, int error) {
  fail_write(what, path_, error, hint(error, folder_of(target_), needed_, written_));
}

void AtomicFile::write(const void* data, std::size_t n) {
  written_ += n;
  if (n < kBuffer - buffer_.size()) {
    buffer_.append(static_cast<const char*>(data), n);
    return;
  }
  flush();
  write_through(static_cast<const char*>(data), n);
}

void AtomicFile::overwrite(uint64_t offset, const void* data, std::size_t n) {
  GLIA_ASSERT(offset + n <= written_);
  flush();
  if (file_system().seek(fd_, offset) != 0) fail("Cannot write", errno);
  write_through(static_cast<const char*>(data), n);
  if (file_system().seek(fd_, written_) != 0) fail("Cannot write", errno);
}

void AtomicFile::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void AtomicFile::write_through(const char* p, std::size_t n) {
  while (n) {
    ssize_t done = file_system().write(fd_, p, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail("Cannot write", done == 0 ? ENOSPC : errno);
    p += done;
    n -= static_cast<std::size_t>(done);
  }
}

void AtomicFile::commit() {
  flush();
  if (file_system().fsync(fd_) != 0) fail("Cannot sync", errno);
  int fd = fd_;
  fd_ = -1;
  if (file_system().close(fd) != 0 || file_system().rename(temporary_, target_) != 0) {
    int error = errno;
    file_system().unlink(temporary_);
    fail("Cannot finish", error);
  }
  file_system().sync_folder(folder_of(target_));  // best effort: some file systems refuse it
}

void write_file(const std::string& path, std::string_view bytes) {
  AtomicFile f(path, bytes.size());
  f.write(bytes);
  f.commit();
}

void commit_file(const std::string& temporary, const std::string& path) {
  std::string target = followed(path);
  int fd = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
  int error = fd < 0 ? errno : 0;
  if (fd >= 0 && file_system().fsync(fd) != 0) error = errno;
  if (fd >= 0) file_system().close(fd);
  if (!error && file_system().rename(temporary, target) != 0) error = errno;
  if (error) {
    file_system().unlink(temporary);
    fail_write("Cannot finish", path, error, hint(error, folder_of(target), 0, 0));
  }
  file_system().sync_folder(folder_of(target));
}

}  // namespace glia::io
