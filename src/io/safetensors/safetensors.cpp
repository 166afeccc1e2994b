#include "io/safetensors/safetensors.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "io/file/atomic_file.h"

namespace glia::io {
namespace {

using nlohmann::ordered_json;

struct DTypeName { DType dtype; const char* name; };
constexpr DTypeName kNames[] = {{DType::f32, "F32"}, {DType::f64, "F64"}, {DType::bf16, "BF16"}, {DType::f16, "F16"}, {DType::i32, "I32"},
                                {DType::i64, "I64"}, {DType::u8, "U8"},   {DType::i8, "I8"},     {DType::bool_, "BOOL"}};
constexpr uint64_t kMaxHeader = 100u << 20;

const char* dtype_code(DType t) {
  for (auto& n : kNames)
    if (n.dtype == t) return n.name;
  return "?";
}

std::string header_text(const NamedTensors& tensors) {
  ordered_json header = ordered_json::object();
  size_t at = 0;
  for (auto& [name, t] : tensors) {
    GLIA_CHECK(!header.contains(name), "safetensors: two tensors are named '{}'.", name);
    header[name] = {{"dtype", dtype_code(t.dtype())}, {"shape", t.shape()}, {"data_offsets", {at, at + t.bytes()}}};
    at += t.bytes();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

Tensor tensor_of(const std::string& path, const std::string& name, const ordered_json& entry, const std::vector<char>& data) {
  auto bad = [&](const std::string& what) { throw_error("{}: tensor '{}': {}.", path, name, what); };
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets")) bad("needs dtype, shape and data_offsets");
  if (!entry["dtype"].is_string() || !entry["shape"].is_array() || !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2) bad("has fields of wrong types");
  std::string code = entry["dtype"].get<std::string>();
  auto known = std::find_if(std::begin(kNames), std::end(kNames), [&](auto& n) { return code == n.name; });
  if (known == std::end(kNames)) bad("has the unsupported dtype " + code);
  Shape shape;
  for (auto& d : entry["shape"]) {
    if (!d.is_number_unsigned() || d.get<uint64_t>() > (uint64_t{1} << 40)) bad("has a bad shape");
    shape.push_back(d.get<int64_t>());
  }
  for (auto& o : entry["data_offsets"])
    if (!o.is_number_unsigned()) bad("has bad data_offsets");
  uint64_t begin = entry["data_offsets"][0].get<uint64_t>(), end = entry["data_offsets"][1].get<uint64_t>();
  if (begin > end || end > data.size()) bad(fmt::format("lies at {}..{}, outside the {} bytes of data", begin, end, data.size()));
  uint64_t elements = 1;
  for (int64_t d : shape)
    if (__builtin_mul_overflow(elements, static_cast<uint64_t>(d), &elements)) bad("is too large");
  if (elements > data.size() || elements * dtype_size(known->dtype) != end - begin) bad(fmt::format("has {} bytes, which does not fit its shape {}", end - begin, to_string(shape)));
  Tensor t(shape, known->dtype);
  if (t.bytes()) std::memcpy(t.raw(), data.data() + begin, t.bytes());
  return t;
}

}  // namespace

void write_safetensors(const std::string& path, const NamedTensors& tensors) {
  std::string header = header_text(tensors);
  uint64_t length = header.size();
  AtomicFile f(path);
  f.write(&length, 8);
  f.write(header.data(), header.size());
  for (auto& [name, t] : tensors) f.write(t.raw(), t.bytes());
  f.commit();
}

NamedTensors read_safetensors(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  GLIA_CHECK(in, "Cannot open '{}' for reading. Check the path.", path);
  uint64_t size = static_cast<uint64_t>(in.tellg()), length = 0;
  in.seekg(0);
  GLIA_CHECK(size >= 8 && in.read(reinterpret_cast<char*>(&length), 8), "{}: offset 0: too short for a safetensors file ({} bytes).", path, size);
  GLIA_CHECK(length <= kMaxHeader && length <= size - 8, "{}: offset 0: the header claims {} bytes, the file has {}. It is cut off or no safetensors file.", path, length, size - 8);
  std::string text(length, '\0');
  in.read(text.data(), static_cast<std::streamsize>(length));
  ordered_json header = ordered_json::parse(text, nullptr, false);
  GLIA_CHECK(header.is_object(), "{}: offset 8: the header is not a JSON object.", path);
  std::vector<char> data(size - 8 - length);
  in.read(data.data(), static_cast<std::streamsize>(data.size()));
  GLIA_CHECK(in, "{}: reading failed.", path);
  NamedTensors r;
  for (auto& [name, entry] : header.items())
    if (name != "__metadata__") r.emplace_back(name, tensor_of(path, name, entry, data));
  return r;
}

}  // namespace glia::io
