#include "io/file/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace glia::io {

namespace {
// What a file shrinks by between fstat and here is an Error.
void read_into(int fd, uint8_t* to, uint64_t size, const std::string& path) {
  for (uint64_t done = 0; done < size;) {
    const ssize_t n = ::read(fd, to + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    GLIA_CHECK(n >= 0, "{}: offset {}: cannot be read: {}.", path, done, std::strerror(errno));
    GLIA_CHECK(n > 0, "{}: offset {}: the file was cut short while it was read.", path, done);
    done += static_cast<uint64_t>(n);
  }
}
}  // namespace

std::shared_ptr<MappedFile> MappedFile::open(const std::string& path, uint64_t limit, bool copy) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  GLIA_CHECK(fd >= 0 || errno != ENOENT, "{}: no such file.", path);
  GLIA_CHECK(fd >= 0, "{}: cannot be opened: {}.", path, std::strerror(errno));
  struct Close {
    int fd;
    ~Close() { ::close(fd); }
  } closer{fd};
  struct stat s;
  GLIA_CHECK(::fstat(fd, &s) == 0, "{}: cannot be examined: {}.", path, std::strerror(errno));
  GLIA_CHECK(!S_ISDIR(s.st_mode), "{}: is a folder, expected a file.", path);
  GLIA_CHECK(S_ISREG(s.st_mode), "{}: is not a regular file.", path);
  auto size = static_cast<uint64_t>(s.st_size);
  GLIA_CHECK(size <= limit, "{}: the file has {} bytes, {} are allowed (LoadLimits::max_bytes).", path, size, limit);
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  if (size > 0) {
    // Kernels may read a vector behind the last element, so memory goes on behind the end of the file.
    constexpr int kFlags = MAP_PRIVATE | MAP_NORESERVE;
    void* all = ::mmap(nullptr, size + kSpare, PROT_READ | PROT_WRITE, kFlags | MAP_ANONYMOUS, -1, 0);
    GLIA_CHECK(all != MAP_FAILED, "{}: its {} bytes cannot be mapped: {}.", path, size, std::strerror(errno));
    file->data_ = static_cast<uint8_t*>(all);
    file->size_ = size;
    if (copy || size <= kRead) {
      read_into(fd, file->data_, size, path);
      return file;
    }
    void* p = ::mmap(all, size, PROT_READ | PROT_WRITE, kFlags | MAP_FIXED, fd, 0);
    GLIA_CHECK(p == all, "{}: its {} bytes cannot be mapped: {}.", path, size, std::strerror(errno));
  }
  return file;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_ + kSpare);
}

}  // namespace glia::io
