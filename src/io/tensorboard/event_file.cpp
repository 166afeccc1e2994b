#include "io/tensorboard/event_file.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "io/file/system.h"
#include "io/tensorboard/wire.h"

namespace glia::io {
namespace {

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> t{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = c & 1 ? 0x82f63b78u ^ (c >> 1) : c >> 1;
    t[i] = c;
  }
  return t;
}
constexpr std::array<uint32_t, 256> kTable = crc_table();

std::string number(uint64_t v, std::size_t bytes) { return {reinterpret_cast<const char*>(&v), bytes}; }

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t c = ~0u;
  for (char b : bytes) c = kTable[(c ^ static_cast<uint8_t>(b)) & 255] ^ (c >> 8);
  return ~c;
}
uint32_t masked_crc32c(std::string_view bytes) {
  uint32_t c = crc32c(bytes);
  return ((c >> 15) | (c << 17)) + 0xa282ead8u;
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

EventFile::EventFile(const std::string& folder) {
  static std::atomic<int> count{0};
  std::error_code ec;
  std::filesystem::create_directories(folder, ec);
  GLIA_CHECK(std::filesystem::is_directory(folder, ec), "TensorBoard: the folder '{}' cannot be made: {}.", folder,
             ec ? ec.message() : "a file of that name is there");
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  double now = wall_time();
  path_ = fmt::format("{}/events.out.tfevents.{}.{}.{}.{}.v2", folder, static_cast<int64_t>(now), host, getpid(),
                      count++);
  fd_ = file_system().create(path_, 0666);
  GLIA_CHECK(fd_ >= 0, "TensorBoard: cannot create '{}': {}. The folder must be writable.", path_,
             std::strerror(errno));
  Message event;
  event.real(1, now);
  event.text(3, "brain.Event:2");
  add(event.bytes());
  flush();
}

EventFile::~EventFile() {
  try {
    flush();
  } catch (const Error&) {  // told by flush() to those who asked
  }
  if (fd_ >= 0) file_system().close(fd_);
}

void EventFile::add(std::string_view event) {
  std::string length = number(event.size(), 8);
  buffer_ += length;
  buffer_ += number(masked_crc32c(length), 4);
  buffer_ += event;
  buffer_ += number(masked_crc32c(event), 4);
  if (buffer_.size() > (1 << 16)) flush();
}

void EventFile::flush() {
  const char* p = buffer_.data();
  std::size_t left = buffer_.size();
  while (left) {
    ssize_t done = file_system().write(fd_, p, left);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      std::string what = std::strerror(done == 0 ? ENOSPC : errno);
      buffer_.clear();
      throw_error("TensorBoard: cannot write {} bytes to '{}': {}. What was logged before is kept.", left, path_,
                  what);
    }
    p += done;
    left -= static_cast<std::size_t>(done);
  }
  buffer_.clear();
}

}  // namespace glia::io
