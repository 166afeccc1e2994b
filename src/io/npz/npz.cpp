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

std::map<std::string, Tensor> read_npz(const std::string& path, const LoadOptions& options) {
  io::ZipReader zip(path, options.limits);
  std::map<std::string, Tensor> arrays;
  LoadLimits left = options.limits;
  for (const auto& m : zip.members()) {
    io::ByteReader in = zip.open(m.name);
    if (!m.name.ends_with(".npy")) in.fail("is no .npy array; an .npz archive holds nothing else.");
    Tensor t = io::read_npy(in, left, m.size);
    left.max_bytes -= std::min<uint64_t>(left.max_bytes, t.bytes());
    arrays.emplace(m.name.substr(0, m.name.size() - 4), std::move(t));
  }
  return arrays;
}

void write_npz(const std::string& path, const std::map<std::string, Tensor>& arrays, const NpzOptions& options) {
  auto bytes = [](const void* p, std::size_t n) { return std::span(static_cast<const uint8_t*>(p), n); };
  std::list<std::string> headers;
  io::ZipWriter zip(path);
  for (auto& [name, t] : arrays) {
    GLIA_CHECK(t.defined(), "write_npz: '{}': the array '{}' is undefined (an empty Tensor).", path, name);
    GLIA_CHECK(!name.empty() && name.find('\0') == std::string::npos,
               "write_npz: '{}': an array has an empty name or one with a zero byte.", path);
    const std::string& header = headers.emplace_back(io::npy_header_of(t));
    zip.add(name + ".npy", {bytes(header.data(), header.size()), bytes(t.craw(), t.bytes())},
            {.deflate = options.compress});
  }
  zip.commit();
}

}  // namespace glia
