#include "io/safetensors/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/file/byte_reader.h"
#include "io/file/checked.h"
#include "io/file/json_text.h"
#include "io/file/input_file.h"
#include "io/file/path_name.h"

namespace glia {
namespace io {
namespace {

using nlohmann::ordered_json;

struct Code {
  const char* name;
  DType dtype;
};
constexpr Code kCodes[] = {{"F32", DType::f32}, {"F64", DType::f64},      {"BF16", DType::bf16},       {"F16", DType::f16},
                           {"I32", DType::i32}, {"I64", DType::i64},      {"U8", DType::u8},           {"I8", DType::i8},
                           {"I16", DType::i16}, {"U16", DType::u16},      {"U32", DType::u32},         {"U64", DType::u64},
                           {"BOOL", DType::bool_}, {"F8_E4M3", DType::f8e4m3fn}, {"F8_E5M2", DType::f8e5m2}, {"F8_E8M0", DType::f8e8m0fnu}};
constexpr uint64_t kMaxHeader = 100u << 20;

std::string header_text(const NamedTensors& tensors, const std::map<std::string, std::string>& metadata) {
  ordered_json header = ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t at = 0;
  for (auto& [name, t] : tensors) {
    GLIA_CHECK(!header.contains(name), "safetensors: two tensors are named '{}'.", name);
    GLIA_CHECK(t.defined(), "safetensors: the tensor '{}' is undefined (an empty Tensor).", name);
    const Code* code = std::find_if(std::begin(kCodes), std::end(kCodes), [d = t.dtype()](auto& c) { return c.dtype == d; });
    GLIA_CHECK(code != std::end(kCodes), "safetensors: the format has no name for {}, the dtype of '{}'. Cast it first.", dtype_name(t.dtype()), name);
    header[name] = {{"dtype", code->name}, {"shape", t.shape()}, {"data_offsets", {at, at + t.bytes()}}};
    at += t.bytes();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

class File {
 public:
  File(const std::string& path, const LoadLimits& limits, bool map)
      : path_(path), limits_(limits), file_(InputFile::open(path, map ? UINT64_MAX : limits.max_bytes)) {
    ByteReader in = file_->reader();
    uint64_t length = in.u64("the header length");
    if (length > kMaxHeader || length > file_->size() - 8)
      in.fail_at(
          0,
          fmt::format("the header claims {} bytes, the file has {} behind it. It is cut off or no safetensors file.",
                      length, file_->size() - 8));
    std::string text(length, '\0');
    in.read_exact(text.data(), length, "the header");
    header_ = parse_json_entries(text, path, limits, 8);
    if (header_.size() > limits.max_tensors)
      in.fail_at(8, fmt::format("the header names {} tensors, {} are allowed (LoadLimits::max_tensors).",
                                header_.size(), limits.max_tensors));
    start_ = 8 + length;
    if (map) mapped_ = file_->map();
  }

  NamedTensors read() {
    NamedTensors r;
    for (auto& [name, entry] : header_)
      if (name != "__metadata__") r.emplace_back(name, tensor(name, entry));
    return r;
  }

 private:
  Tensor tensor(const std::string& name, const ordered_json& entry) {
    std::string where = fmt::format("{}: offset 8: tensor '{}'", path_, printable(name));
    auto check = [&](bool ok, const std::string& what) { GLIA_CHECK(ok, "{} {}.", where, what); };
    check(name.size() <= limits_.max_name_length, "has too long a name (LoadLimits::max_name_length)");
    check(entry.is_object() && entry.contains("dtype") && entry.contains("shape") && entry.contains("data_offsets"),
          "needs dtype, shape and data_offsets");
    const ordered_json &shape_json = entry["shape"], &offsets = entry["data_offsets"];
    check(entry["dtype"].is_string() && shape_json.is_array() && offsets.is_array() && offsets.size() == 2,
          "has fields of wrong types");
    std::string code = entry["dtype"].get<std::string>();
    auto known = std::find_if(std::begin(kCodes), std::end(kCodes), [&](auto& c) { return code == c.name; });
    check(known != std::end(kCodes), "has the unsupported dtype '" + printable(code) + "'");
    Shape shape;
    check(shape_json.size() <= 32, "has more than 32 axes");
    for (auto& d : shape_json) {
      check(d.is_number_unsigned() && d.get<uint64_t>() <= (uint64_t{1} << 62), "has a bad shape");
      shape.push_back(d.get<int64_t>());
    }
    for (auto& o : offsets) check(o.is_number_unsigned(), "has bad data_offsets");
    uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
    check(begin <= end && end <= file_->size() - start_,
          fmt::format("lies at {}..{}, outside the {} bytes of data", begin, end, file_->size() - start_));
    auto bytes = checked_product(shape, dtype_size(known->dtype));
    check(bytes && *bytes == end - begin,
          fmt::format("has {} bytes, which does not fit its shape {}", end - begin, to_string(shape)));
    taken_ += *bytes;  // each tensor is read into memory of its own
    check(taken_ <= file_->size() - start_, "shares bytes with another one, which the format forbids");
    return placed(*known, shape, begin, *bytes);
  }

  Tensor placed(const Code& code, const Shape& shape, uint64_t begin, uint64_t bytes) {
    const uint64_t at = start_ + begin;
    if (mapped_ && bytes > 0 && at % dtype_size(code.dtype) == 0 && code.dtype != DType::bool_)
      return Tensor::wrap(shape, code.dtype, mapped_->data() + at, mapped_);
    Tensor t(shape, code.dtype);
    file_->read_at(at, t.raw(), bytes);
    if (code.dtype == DType::bool_)
      for (int64_t i = 0; i < t.size(); ++i) static_cast<bool*>(t.raw())[i] = static_cast<uint8_t*>(t.raw())[i] != 0;
    return t;
  }

  const std::string& path_;
  const LoadLimits& limits_;
  std::shared_ptr<InputFile> file_;
  std::shared_ptr<FileMemory> mapped_;
  std::vector<std::pair<std::string, ordered_json>> header_;
  uint64_t start_ = 0;  // of the data
  uint64_t taken_ = 0;  // bytes of the tensors so far
};

}  // namespace
}  // namespace io

void write_safetensors(const std::string& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::string header = io::header_text(tensors, metadata);
  uint64_t length = header.size(), all = 8 + length;
  for (auto& [name, t] : tensors) all += t.bytes();
  io::AtomicFile f(path, all);
  f.write(&length, 8);
  f.write(header);
  for (auto& [name, t] : tensors) f.write(t.craw(), t.bytes());
  f.commit();
}

NamedTensors read_safetensors(const std::string& path, const LoadOptions& options) {
  return io::File(path, options.limits, options.map && !options.untrusted).read();
}

}  // namespace glia
