#include "io/npz/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "io/file/checked.h"
#include "io/file/path_name.h"
#include "io/npz/npy_header.h"
#include "io/npz/npy_text.h"

namespace glia::io {
namespace {

// How an element is stored.
struct Stored {
  const char* code;  // kind and bytes of the descr
  DType dtype;
};
constexpr Stored kStored[] = {{"f2", DType::f16}, {"f4", DType::f32}, {"f8", DType::f64},  {"i1", DType::i8},  {"u1", DType::u8},
                              {"i4", DType::i32}, {"i8", DType::i64}, {"b1", DType::bool_}, {"V2", DType::bf16}, {"i2", DType::i16},
                              {"u2", DType::u16}, {"u4", DType::u32}, {"u8", DType::u64}};

const Stored& stored_as(const ByteReader& in, const std::string& descr) {
  std::string code = descr.empty() ? "" : descr.substr(1);
  if (!descr.empty() && std::strchr("<>|=", descr[0]))
    for (const Stored& s : kStored)
      if (code == s.code) return s;
  const char* why = code.starts_with("O") ? "It holds pickled Python objects, which are never loaded."
                    : code.starts_with("U") || code.starts_with("S") ? "It holds strings, where numbers are expected."
                                                                     : "Glia reads float16/32/64, bfloat16, integers, bool and strings.";
  in.fail(fmt::format("arrays of dtype '{}' cannot be read. {}", printable(descr), why));
}

void swap_bytes(uint8_t* p, uint64_t count, std::size_t item) {
  for (uint64_t i = 0; i < count; ++i, p += item) std::reverse(p, p + item);
}

// Fortran order has the first axis innermost: copies to row-major order.
void from_fortran(const uint8_t* from, Tensor& to) {
  std::size_t item = dtype_size(to.dtype()), rank = to.shape().size();
  auto* out = static_cast<uint8_t*>(to.raw());
  std::vector<int64_t> index(rank, 0), stride(rank, 1);
  for (std::size_t a = 1; a < rank; ++a) stride[a] = stride[a - 1] * to.shape()[a - 1];
  int64_t at = 0;
  for (int64_t i = 0; i < to.size(); ++i, out += item) {
    std::memcpy(out, from + static_cast<std::size_t>(at) * item, item);
    for (std::size_t a = rank; a-- > 0;) {
      at += stride[a];
      if (++index[a] < to.shape()[a]) break;
      at -= stride[a] * to.shape()[a];
      index[a] = 0;
    }
  }
}

// Reads into memory that the system gives page by page, as the bytes arrive.
Tensor read_elements(ByteReader& in, const Shape& shape, DType dtype, bool swap) {
  Tensor t(shape, dtype);
  in.read_exact(t.raw(), t.bytes(), "the array");
  auto* p = static_cast<uint8_t*>(t.raw());
  const std::size_t item = dtype_size(dtype);
  if (swap) swap_bytes(p, t.bytes() / item, item);
  if (dtype == DType::bool_)
    for (std::size_t i = 0; i < t.bytes(); ++i) p[i] = p[i] != 0;
  return t;
}

const char* descr_of(DType t) {
  switch (t) {
    case DType::f16:
      return "<f2";
    case DType::f32:
      return "<f4";
    case DType::f64:
      return "<f8";
    case DType::bf16:
      return "<V2";
    case DType::i8:
      return "|i1";
    case DType::u8:
      return "|u1";
    case DType::i32:
      return "<i4";
    case DType::i64:
      return "<i8";
    case DType::bool_:
      return "|b1";
    case DType::i16:
      return "<i2";
    case DType::u16:
      return "<u2";
    case DType::u32:
      return "<u4";
    case DType::u64:
      return "<u8";
    default:
      throw_error("npy files hold no {}. Cast the array to float16 or int8 first.", dtype_name(t));
  }
}

}  // namespace

static Tensor read_numbers(ByteReader& in, const NpyHeader& h, const LoadLimits& limits, std::optional<uint64_t> size) {
  const Stored& s = stored_as(in, h.descr);
  std::optional<uint64_t> bytes = checked_product(h.shape, dtype_size(s.dtype));
  if (!bytes) in.fail(fmt::format("the shape {} is too large.", to_string(h.shape)));
  if (*bytes > limits.max_bytes)
    in.fail(
        fmt::format("the array needs {} bytes, {} are allowed (LoadLimits::max_bytes).", *bytes, limits.max_bytes));
  if (size && *size != in.offset() + *bytes)
    in.fail(fmt::format("the shape {} of '{}' needs {} bytes. {} follow.", to_string(h.shape), h.descr, *bytes,
                        *size - std::min(*size, in.offset())));
  Tensor t = read_elements(in, h.shape, s.dtype, h.descr[0] == '>');
  in.expect_end();
  if (h.fortran_order && h.shape.size() > 1) {
    Tensor rows(h.shape, s.dtype);
    from_fortran(static_cast<const uint8_t*>(t.raw()), rows);
    return rows;
  }
  return t;
}

Tensor read_npy(ByteReader& in, const LoadLimits& limits, std::optional<uint64_t> size) {
  return read_numbers(in, read_npy_header(in), limits, size);
}

NpyArray read_npy_array(ByteReader& in, const LoadLimits& limits, std::optional<uint64_t> size) {
  const NpyHeader h = read_npy_header(in);
  if (is_npy_text(h.descr)) return {{}, read_npy_text(in, h, limits, size)};
  return {read_numbers(in, h, limits, size), {}};
}

std::string npy_header_of(const Tensor& t) { return npy_header_bytes({descr_of(t.dtype()), false, t.shape()}); }

}  // namespace glia::io
