// Writes protobuf messages by hand, so that tests can make files that no library would write.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

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

// ModelProto, ValueInfoProto, NodeProto, TensorProto and GraphProto with what a test needs; a graph reads x and writes y,
// both (2, 3).
inline Proto model(const Proto& graph, int64_t opset = 17) {
  return Proto().number(1, 8).message(8, Proto().number(2, opset)).message(7, graph);
}
inline Proto input(const std::string& name, std::vector<int64_t> shape, int64_t type = 1) {
  Proto dims;
  for (int64_t d : shape) dims.message(1, Proto().number(1, d));
  return Proto().text(1, name).message(2, Proto().message(1, Proto().number(1, type).message(2, dims)));
}
inline Proto node(const std::string& op, std::vector<std::string> in, std::vector<std::string> out,
           std::vector<Proto> attributes = {}) {
  Proto n;
  for (auto& s : in) n.text(1, s);
  for (auto& s : out) n.text(2, s);
  n.text(4, op);
  for (auto& a : attributes) n.message(5, a);
  return n;
}
inline Proto int_tensor(const std::string& name, std::vector<int64_t> values) {
  Proto t;
  t.number(1, static_cast<int64_t>(values.size())).number(2, 7);
  for (int64_t v : values) t.number(7, v);
  return t.text(8, name);
}
inline Proto graph_of(std::vector<Proto> nodes, std::vector<Proto> initializers = {}) {
  Proto g;
  for (auto& n : nodes) g.message(1, n);
  for (auto& t : initializers) g.message(5, t);
  return g.message(11, input("x", {2, 3})).message(12, input("y", {2, 3}));
}

}  // namespace glia::onnx::testing
