// Protocol buffer messages as bytes: the handful of fields that event files need.
//
//   Message value;
//   value.text(1, "epoch_loss");
//   value.message(8, tensor);
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace glia::io {

class Message {
 public:
  void integer(int field, int64_t v) {  // int32, int64, bool, enum
    key(field, 0);
    varint(static_cast<uint64_t>(v));
  }
  void real(int field, double v) { fixed(field, 1, &v, 8); }
  void single(int field, float v) { fixed(field, 5, &v, 4); }
  void text(int field, std::string_view s) {
    key(field, 2);
    varint(s.size());
    bytes_ += s;
  }
  void message(int field, const Message& m) { text(field, m.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int wire) { varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire)); }
  void varint(uint64_t v) {
    for (; v >= 128; v >>= 7) bytes_ += static_cast<char>(v | 128);
    bytes_ += static_cast<char>(v);
  }
  void fixed(int field, int wire, const void* p, std::size_t n) {
    key(field, wire);
    bytes_.append(static_cast<const char*>(p), n);
  }
  std::string bytes_;
};

}  // namespace glia::io
