#include "io/onnx/wire_check.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace glia::onnx {
namespace {

// Which fields of which messages are messages, by field number: the part of ONNX's schema that can be repeated or
// nested.
enum Kind : uint8_t {
  leaf,
  model,
  graph,
  node,
  attribute,
  tensor,
  sparse,
  value_info,
  function,
  entry,
  type,
  type_tensor,
  shape,
  type_wrap
};
Kind child(Kind parent, uint64_t field) {
  switch (parent) {
    case model:
      return field == 7                  ? graph
             : field == 8 || field == 14 ? entry
             : field == 25               ? function
             : field == 20               ? model
                                         : leaf;
    case graph:
      return field == 1                   ? node
             : field == 5                 ? tensor
             : field == 15                ? sparse
             : field == 14                ? entry
             : field >= 11 && field <= 13 ? value_info
                                          : leaf;
    case node:
      return field == 5 ? attribute : leaf;
    case function:
      return field == 7 ? node : field == 9 ? entry : field == 12 ? value_info : field == 11 ? attribute : leaf;
    case attribute:
      return field == 5 || field == 10    ? tensor
             : field == 6 || field == 11  ? graph
             : field == 22 || field == 23 ? sparse
             : field == 14 || field == 15 ? type
                                          : leaf;
    case sparse:
      return field == 1 || field == 2 ? tensor : leaf;
    case tensor:
      return field == 3 || field == 13 ? entry : leaf;
    case value_info:
      return field == 2 ? type : leaf;
    case type:
      return field == 1 || field == 8 ? type_tensor : field == 4 || field == 5 || field == 9 ? type_wrap : leaf;
    case type_wrap:
      return field == 1 || field == 2 ? type : leaf;
    case type_tensor:
      return field == 2 ? shape : leaf;
    case shape:
      return field == 1 ? entry : leaf;
    default:
      return leaf;
  }
}

// Bytes that protobuf takes for an empty message of a kind, roughly.
uint64_t cost(Kind kind) {
  switch (kind) {
    case node:
    case attribute:
    case tensor:
    case graph:
    case function:
    case model:
      return 300;
    default:
      return 80;
  }
}

struct Checker {
  std::span<const uint8_t> bytes;
  const std::string& source;
  const LoadLimits& limits;
  uint64_t messages = 0, memory = 0;

  [[noreturn]] void fail(size_t at, const char* what) const { throw_error("{}: offset {}: {}.", source, at, what); }
  uint64_t varint(size_t& at, size_t end) const {
    uint64_t v = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at >= end) fail(at, "the message is cut short");
      const uint8_t b = bytes[at++];
      v |= static_cast<uint64_t>(b & 127) << std::min(shift, 63);
      if (b < 128) return v;
    }
    fail(at, "a number of more than 10 bytes");
  }
  void message(Kind kind, size_t at, size_t end, int depth) {
    if (depth > 4 * limits.max_nesting + 16) fail(at, "messages nest too deep (LoadLimits::max_nesting)");
    memory += cost(kind);  // honest files stay below 12 times their size
    if (++messages > 64 * limits.max_tensors || memory > (uint64_t{16} << 20) + 24 * bytes.size())
      fail(at, "too many messages for a file of this size");
    while (at < end) {
      const size_t start = at;
      const uint64_t tag = varint(at, end), field = tag >> 3;
      switch (tag & 7) {
        case 0:
          varint(at, end);
          break;
        case 1:
          at += 8;
          break;
        case 5:
          at += 4;
          break;
        case 2: {
          const uint64_t n = varint(at, end);
          if (n > end - at)
            fail(start, "a field is longer than the message it lies in: the file is damaged or cut short");
          if (const Kind k = child(kind, field); k != leaf) message(k, at, at + n, depth + 1);
          at += n;
          break;
        }
        default:
          fail(start, "an unknown kind of field: the file is damaged, or not an ONNX model");
      }
      if (at > end) fail(start, "a field is longer than the message it lies in: the file is damaged or cut short");
    }
  }
};

}  // namespace

void check_wire(std::span<const uint8_t> bytes, const std::string& source, const LoadLimits& limits) {
  Checker{bytes, source, limits}.message(model, 0, bytes.size(), 0);
}

}  // namespace glia::onnx
