// A file of TFRecords: length, masked CRC-32C of the length, data, masked CRC-32C of the data.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace glia::io {

uint32_t crc32c(std::string_view bytes);  // Castagnoli, RFC 3720
uint32_t masked_crc32c(std::string_view bytes);

class EventFile {
 public:
  explicit EventFile(
      const std::string& folder);  // makes the folder and a file of a new name; writes the version event
  ~EventFile();
  EventFile(const EventFile&) = delete;
  void add(std::string_view event);  // a serialised Event
  void flush();
  const std::string& path() const { return path_; }

 private:
  std::string path_, buffer_;
  int fd_ = -1;
};

double wall_time();  // seconds since 1970

}  // namespace glia::io
