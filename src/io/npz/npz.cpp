#include <glia/npz.h>

#include <algorithm>
#include <list>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/file/input_file.h"
#include "io/npz/npy.h"
#include "io/zip/zip.h"

namespace glia {

Tensor read_npy(const std::string& path, const LoadOptions& options) {
  auto file = io::InputFile::open(path);
  io::ByteReader in = file->reader();
  return io::read_npy(in, options.limits, file->size());
}

void write_npy(const std::string& path, const Tensor& array) {
  GLIA_CHECK(array.defined(), "write_npy: '{}': the array is undefined (an empty Tensor).", path);
  std::string header = io::npy_header_of(array);
  io::AtomicFile f(path, header.size() + array.bytes());
  f.write(header);
  f.write(array.craw(), array.bytes());
  f.commit();
}

StringTensor read_npy_strings(const std::string& path, const LoadOptions& options) {
  auto file = io::InputFile::open(path);
  io::ByteReader in = file->reader();
  io::NpyArray a = io::read_npy_array(in, options.limits, file->size());
  GLIA_CHECK(!a.numbers.defined(), "{}: the array holds {}, where strings are expected.", path, dtype_name(a.numbers.dtype()));
  return std::move(a.strings);
}

namespace {

// Calls `f` with the name and the bytes of each array.
template <class F>
void for_each_member(const std::string& path, const LoadOptions& options, F&& f) {
  io::ZipReader zip(path, options.limits);
  LoadLimits left = options.limits;
  for (const auto& m : zip.members()) {
    io::ByteReader in = zip.open(m.name);
    if (!m.name.ends_with(".npy")) in.fail("is no .npy array; an .npz archive holds nothing else.");
    const uint64_t used = f(m.name.substr(0, m.name.size() - 4), in, left, m.size);
    left.max_bytes -= std::min<uint64_t>(left.max_bytes, used);
  }
}

}  // namespace

std::map<std::string, Tensor> read_npz(const std::string& path, const LoadOptions& options) {
  std::map<std::string, Tensor> arrays;
  for_each_member(path, options, [&](const std::string& name, io::ByteReader& in, const LoadLimits& left, uint64_t size) {
    Tensor t = io::read_npy(in, left, size);
    arrays.emplace(name, t);
    return static_cast<uint64_t>(t.bytes());
  });
  return arrays;
}

NpzArrays read_npz_arrays(const std::string& path, const LoadOptions& options) {
  NpzArrays arrays;
  for_each_member(path, options, [&](const std::string& name, io::ByteReader& in, const LoadLimits& left, uint64_t size) {
    io::NpyArray a = io::read_npy_array(in, left, size);
    uint64_t bytes = a.numbers.bytes();
    for (const std::string& s : a.strings.values) bytes += sizeof s + s.size();
    if (a.numbers.defined()) arrays.numbers.emplace(name, std::move(a.numbers));
    else arrays.strings.emplace(name, std::move(a.strings));
    return bytes;
  });
  return arrays;
}

void write_npz(const std::string& path, const std::map<std::string, Tensor>& arrays, const NpzOptions& options) {
  write_npz_arrays(path, NpzArrays{arrays, {}}, options);
}

void write_npz_arrays(const std::string& path, const NpzArrays& arrays, const NpzOptions& options) {
  auto bytes = [](const void* p, std::size_t n) { return std::span(static_cast<const uint8_t*>(p), n); };
  std::list<std::string> headers;
  io::ZipWriter zip(path);
  for (auto& [name, t] : arrays.numbers) {
    GLIA_CHECK(t.defined(), "write_npz: '{}': the array '{}' is undefined (an empty Tensor).", path, name);
    GLIA_CHECK(!name.empty() && name.find('\0') == std::string::npos,
               "write_npz: '{}': an array has an empty name or one with a zero byte.", path);
    const std::string& header = headers.emplace_back(io::npy_header_of(t));
    zip.add(name + ".npy", {bytes(header.data(), header.size()), bytes(t.craw(), t.bytes())},
            {.deflate = options.compress});
  }
  for (auto& [name, t] : arrays.strings) {
    GLIA_CHECK(!name.empty() && !arrays.numbers.count(name) && num_elements(t.shape) == t.size(),
               "write_npz: '{}': the array of strings '{}' has no name, one that is taken, or a shape that does not fit.", path, name);
    const std::string& all = headers.emplace_back(io::npy_bytes_of(t));
    zip.add(name + ".npy", {bytes(all.data(), all.size())}, {.deflate = options.compress});
  }
  zip.commit();
}

}  // namespace glia
