// Writes protobuf messages by hand, so that tests can make files that no library would write.
#pragma once
#include <cstdint>
#include <string>

namespace glia::onnx::testing {

class Proto {
 public:
  Proto& number(int field, int64_t v) { return key(field, 0), varint(static_cast<uint64_t>(v)), *this; }
  Proto& text(int field, const std::string& s) {
    key(field, 2), varint(s.size());
    bytes_ += s;
    return *this;
  }
  Proto& message(int field, const Proto& m) { return text(field, m.bytes_); }
  Proto& raw(const std::string& s) { return bytes_ += s, *this; }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int kind) { varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(kind)); }
  void varint(uint64_t v) {
    for (; v >= 128; v >>= 7) bytes_ += static_cast<char>(v | 128);
    bytes_ += static_cast<char>(v);
  }
  std::string bytes_;
};

}  // namespace glia::onnx::testing
