#include "io/npz/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "io/file/checked.h"
#include "io/file/path_name.h"
#include "io/npz/npy_header.h"

namespace glia::io {
namespace {

// How an element is stored, and the dtype it becomes.
struct Stored {
  const char* code;  // kind and bytes of the descr
  DType dtype;
  bool widen;  // stored in another width than the dtype's
};
constexpr Stored kStored[] = {{"f2", DType::f16, false}, {"f4", DType::f32, false},   {"f8", DType::f64, false},
                              {"i1", DType::i8, false},  {"u1", DType::u8, false},    {"i4", DType::i32, false},
                              {"i8", DType::i64, false}, {"b1", DType::bool_, false}, {"V2", DType::bf16, false},
                              {"i2", DType::i32, true},  {"u2", DType::i32, true},    {"u4", DType::i64, true},
                              {"u8", DType::i64, true}};

const Stored& stored_as(const ByteReader& in, const std::string& descr) {
  std::string code = descr.empty() ? "" : descr.substr(1);
  if (!descr.empty() && std::strchr("<>|=", descr[0]))
    for (const Stored& s : kStored)
      if (code == s.code) return s;
  const char* why = code.starts_with("O") ? "It holds pickled Python objects, which are never loaded."
                                          : "Glia reads float16/32/64, bfloat16, integers and bool.";
  in.fail(fmt::format("arrays of dtype '{}' cannot be read. {}", printable(descr), why));
}

void swap_bytes(uint8_t* p, uint64_t count, std::size_t item) {
  for (uint64_t i = 0; i < count; ++i, p += item) std::reverse(p, p + item);
}

template <class To, class From>
void widen(const uint8_t* from, void* to, uint64_t count, const ByteReader& in) {
  auto* out = static_cast<To*>(to);
  for (uint64_t i = 0; i < count; ++i) {
    From v;
    std::memcpy(&v, from + i * sizeof(From), sizeof(From));
    if constexpr (std::is_same_v<From, uint64_t>)
      if (v > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        in.fail(fmt::format("the uint64 value {} does not fit int64.", v));
    out[i] = static_cast<To>(v);
  }
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
Tensor read_elements(ByteReader& in, const Shape& shape, DType dtype, std::size_t item, bool swap) {
  Tensor t(item == dtype_size(dtype) ? shape : Shape{static_cast<int64_t>(*checked_product(shape, item))},
           item == dtype_size(dtype) ? dtype : DType::u8);
  in.read_exact(t.raw(), t.bytes(), "the array");
  auto* p = static_cast<uint8_t*>(t.raw());
  if (swap) swap_bytes(p, t.bytes() / item, item);
  if (dtype == DType::bool_)
    for (std::size_t i = 0; i < t.bytes(); ++i) p[i] = p[i] != 0;
  return t;
}

Tensor widened(const Tensor& raw, const Stored& s, const Shape& shape, const ByteReader& in) {
  Tensor t(shape, s.dtype);
  auto* from = static_cast<const uint8_t*>(raw.raw());
  auto n = static_cast<uint64_t>(t.size());
  std::string_view code = s.code;
  if (code == "i2")
    widen<int32_t, int16_t>(from, t.raw(), n, in);
  else if (code == "u2")
    widen<int32_t, uint16_t>(from, t.raw(), n, in);
  else if (code == "u4")
    widen<int64_t, uint32_t>(from, t.raw(), n, in);
  else
    widen<int64_t, uint64_t>(from, t.raw(), n, in);
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
  }
  return "?";
}

}  // namespace

Tensor read_npy(ByteReader& in, const LoadLimits& limits, std::optional<uint64_t> size) {
  NpyHeader h = read_npy_header(in);
  const Stored& s = stored_as(in, h.descr);
  std::size_t item = static_cast<std::size_t>(s.code[1] - '0');
  std::optional<uint64_t> bytes = checked_product(h.shape, item);
  if (!bytes) in.fail(fmt::format("the shape {} is too large.", to_string(h.shape)));
  if (*bytes > limits.max_bytes)
    in.fail(
        fmt::format("the array needs {} bytes, {} are allowed (LoadLimits::max_bytes).", *bytes, limits.max_bytes));
  if (size && *size != in.offset() + *bytes)
    in.fail(fmt::format("the shape {} of '{}' needs {} bytes. {} follow.", to_string(h.shape), h.descr, *bytes,
                        *size - std::min(*size, in.offset())));
  bool plain = !s.widen && !(h.fortran_order && h.shape.size() > 1);
  Tensor t = read_elements(in, h.shape, s.widen ? DType::u8 : s.dtype, item, h.descr[0] == '>');
  in.expect_end();
  if (plain) return t;
  if (s.widen) t = widened(t, s, h.shape, in);
  if (h.fortran_order && h.shape.size() > 1) {
    Tensor rows(h.shape, s.dtype);
    from_fortran(static_cast<const uint8_t*>(t.raw()), rows);
    return rows;
  }
  return t;
}

std::string npy_header_of(const Tensor& t) { return npy_header_bytes({descr_of(t.dtype()), false, t.shape()}); }

}  // namespace glia::io
