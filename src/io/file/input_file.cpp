#include "io/file/input_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace glia::io {

FileMemory::~FileMemory() {
  if (data_) ::munmap(data_, size_ + kSpare);
}

std::shared_ptr<InputFile> InputFile::open(const std::string& path, uint64_t limit) {
  std::shared_ptr<InputFile> file(new InputFile);
  file->path_ = path;
  file->fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would wait for its writer
  GLIA_CHECK(file->fd_ >= 0 || errno != ENOENT, "{}: no such file.", path);
  GLIA_CHECK(file->fd_ >= 0, "{}: cannot be opened: {}.", path, std::strerror(errno));
  struct stat s;
  GLIA_CHECK(::fstat(file->fd_, &s) == 0, "{}: cannot be examined: {}.", path, std::strerror(errno));
  GLIA_CHECK(!S_ISDIR(s.st_mode), "{}: is a folder, expected a file.", path);
  GLIA_CHECK(S_ISREG(s.st_mode), "{}: is not a regular file.", path);
  file->size_ = static_cast<uint64_t>(s.st_size);
  GLIA_CHECK(file->size_ <= limit, "{}: the file has {} bytes, {} are allowed (LoadLimits::max_bytes).", path,
             file->size_, limit);
  return file;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::read_at(uint64_t offset, void* to, uint64_t n) const {
  GLIA_CHECK(offset <= size_ && n <= size_ - offset, "{}: offset {}: {} bytes are expected, the file has {} in all.",
             path_, offset, n, size_);
  auto* out = static_cast<uint8_t*>(to);
  for (uint64_t done = 0; done < n;) {
    const auto step = static_cast<std::size_t>(std::min<uint64_t>(n - done, uint64_t{1} << 30));
    const ssize_t got = ::pread(fd_, out + done, step, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    GLIA_CHECK(got >= 0, "{}: offset {}: cannot be read: {}.", path_, offset + done, std::strerror(errno));
    GLIA_CHECK(got > 0, "{}: offset {}: the file was cut short while it was read.", path_, offset + done);
    done += static_cast<uint64_t>(got);
  }
}

ByteReader InputFile::reader() const {
  auto source = [file = shared_from_this(), at = uint64_t{0}](void* to, std::size_t n) mutable -> std::size_t {
    const auto step = static_cast<std::size_t>(std::min<uint64_t>(n, file->size() - at));
    file->read_at(at, to, step);
    at += step;
    return step;
  };
  return ByteReader(std::move(source), path_);
}

std::FILE* InputFile::stream() const {
  const int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  std::FILE* f = fd >= 0 ? ::fdopen(fd, "rb") : nullptr;
  if (!f && fd >= 0) ::close(fd);
  GLIA_CHECK(f, "{}: cannot be opened a second time: {}.", path_, std::strerror(errno));
  return f;
}

namespace {
constexpr int kFlags = MAP_PRIVATE | MAP_NORESERVE;

uint8_t* reserve(const std::string& path, uint64_t size) {
  void* p = size < UINT64_MAX - FileMemory::kSpare ? ::mmap(nullptr, size + FileMemory::kSpare, PROT_READ | PROT_WRITE,
                                                            kFlags | MAP_ANONYMOUS, -1, 0)
                                                   : MAP_FAILED;
  GLIA_CHECK(p != MAP_FAILED, "{}: there is no memory for its {} bytes: {}.", path, size, std::strerror(errno));
  return static_cast<uint8_t*>(p);
}
}  // namespace

std::shared_ptr<FileMemory> InputFile::read_all() const {
  if (size_ == 0) return std::make_shared<FileMemory>(nullptr, 0);
  auto memory = std::make_shared<FileMemory>(reserve(path_, size_), size_);
  read_at(0, memory->data(), size_);
  return memory;
}

std::shared_ptr<FileMemory> InputFile::map() const {
  if (size_ == 0) return std::make_shared<FileMemory>(nullptr, 0);
  auto memory = std::make_shared<FileMemory>(reserve(path_, size_), size_);
  void* p = ::mmap(memory->data(), size_, PROT_READ | PROT_WRITE, kFlags | MAP_FIXED, fd_, 0);
  GLIA_CHECK(p == memory->data(), "{}: its {} bytes cannot be mapped: {}.", path_, size_, std::strerror(errno));
  return memory;
}

}  // namespace glia::io
