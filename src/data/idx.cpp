// The idx format: two zero bytes, a type byte, the rank, one big-endian 32-bit extent per axis, then the elements.
#include <glia/readers.h>

#include <bit>
#include <cstring>

#include "base/error.h"
#include "io/file/byte_reader.h"

namespace glia {
namespace {

struct IdxType { uint8_t code; DType dtype; int bytes; };
constexpr IdxType kTypes[] = {{0x08, DType::u8, 1},  {0x09, DType::i8, 1},  {0x0B, DType::i32, 2},
                              {0x0C, DType::i32, 4}, {0x0D, DType::f32, 4}, {0x0E, DType::f64, 8}};

uint64_t big_endian(const uint8_t* p, int bytes) {
  uint64_t v = 0;
  for (int i = 0; i < bytes; ++i) v = v << 8 | p[i];
  return v;
}

void convert(const IdxType& type, const uint8_t* src, Tensor& out) {
  int64_t n = out.size();
  switch (type.code) {
    case 0x0B:
      for (int64_t i = 0; i < n; ++i) out.data<int32_t>()[i] = static_cast<int16_t>(big_endian(src + 2 * i, 2));
      break;
    case 0x0C:
      for (int64_t i = 0; i < n; ++i) out.data<int32_t>()[i] = static_cast<int32_t>(big_endian(src + 4 * i, 4));
      break;
    case 0x0D:
      for (int64_t i = 0; i < n; ++i)
        out.data<float>()[i] = std::bit_cast<float>(static_cast<uint32_t>(big_endian(src + 4 * i, 4)));
      break;
    case 0x0E:
      for (int64_t i = 0; i < n; ++i) out.data<double>()[i] = std::bit_cast<double>(big_endian(src + 8 * i, 8));
      break;
    default:
      if (n) std::memcpy(out.raw(), src, static_cast<std::size_t>(n));
  }
}

}  // namespace

Tensor read_idx(const std::string& path) {
  io::ByteReader in(path);
  uint8_t head[4];
  in.read_exact(head, 4, "the magic number");
  const IdxType* type = nullptr;
  for (const IdxType& t : kTypes) {
    if (t.code == head[2]) type = &t;
  }
  GLIA_CHECK(head[0] == 0 && head[1] == 0 && type,
             "{}: not an idx file: it starts with the bytes {:02x} {:02x} {:02x} {:02x}. Expected 00 00, a type (08, 09, "
             "0b, 0c, 0d or 0e) and the rank.",
             path, head[0], head[1], head[2], head[3]);
  GLIA_CHECK(head[3] >= 1 && head[3] <= 8, "{}: the idx header announces rank {}. Expected 1 to 8.", path, head[3]);
  Shape shape;
  uint64_t bytes = static_cast<uint64_t>(type->bytes);
  for (int i = 0; i < head[3]; ++i) {
    uint8_t extent[4];
    in.read_exact(extent, 4, "the extents");
    shape.push_back(static_cast<int64_t>(big_endian(extent, 4)));
    GLIA_CHECK(!__builtin_mul_overflow(bytes, static_cast<uint64_t>(shape.back()), &bytes) && bytes < (uint64_t{1} << 40),
               "{}: the idx header announces the shape {}, which is too large.", path, to_string(shape));
  }
  std::vector<uint8_t> raw = in.read_promised(bytes, "the elements");
  in.expect_end();
  Tensor out(shape, type->dtype);
  convert(*type, raw.data(), out);
  return out;
}

}  // namespace glia
