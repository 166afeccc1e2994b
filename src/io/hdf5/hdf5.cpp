// Where libhdf5 is called, and where it is not built in.
#include "io/hdf5/hdf5.h"

#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "io/hdf5/h5_native.h"
#include "io/hdf5/sandbox.h"

namespace glia::io::hdf5 {

namespace {
std::optional<std::size_t> superblock(std::span<const uint8_t> bytes) {
  static constexpr uint8_t kMagic[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  // It lies at 0, or after a user block of 512, 1024, ... bytes.
  for (std::size_t at = 0; at + sizeof kMagic <= bytes.size(); at = at ? at * 2 : 512)
    if (std::memcmp(bytes.data() + at, kMagic, sizeof kMagic) == 0) return at;
  return std::nullopt;
}
}  // namespace

bool looks_like_hdf5(std::span<const uint8_t> bytes) { return superblock(bytes).has_value(); }

std::optional<uint64_t> end_of_file(std::span<const uint8_t> bytes) {
  const auto block = superblock(bytes);
  if (!block || bytes.size() < *block + 64) return std::nullopt;
  const uint8_t* p = bytes.data() + *block;  // the layouts of version 0, 1 and of 2, 3: HDF5 File Format Specification, II.A
  const int version = p[8];
  if (version > 3 || p[version < 2 ? 13 : 9] != 8) return std::nullopt;
  uint64_t end;
  std::memcpy(&end, p + (version == 0 ? 40 : version == 1 ? 44 : 28), 8);
  return end > (uint64_t{1} << 62) ? std::nullopt : std::optional(*block + end);
}

#if GLIA_HAVE_HDF5

bool available() { return true; }

namespace {

ChildLimits child_limits(uint64_t file_bytes, const LoadOptions& options) {
  ChildLimits l;
  l.memory = (uint64_t{64} << 20) + 4 * file_bytes;
  // A small file takes 2 ms; whole files are read twenty times faster.
  l.milliseconds = 40 + static_cast<int64_t>(std::min<uint64_t>(file_bytes / 10'000, 600'000));
  l.output = options.limits.max_bytes;
  return l;
}

template <class Read>
Group read_guarded(const std::string& name, uint64_t bytes, const LoadOptions& options, Read read) {
  auto lock = native::lock();  // also keeps the library's state whole across fork
  if (!options.untrusted) return read();
  return decode(run_in_child(name, child_limits(bytes, options), [&] { return encode(read()); }), name);
}

}  // namespace

Group read_bytes(std::span<const uint8_t> bytes, const std::string& name, const LoadOptions& options) {
  GLIA_CHECK(looks_like_hdf5(bytes), "{}: not an HDF5 file: it does not begin with the HDF5 signature.", name);
  return read_guarded(name, bytes.size(), options, [&] { return native::read_image(bytes, name, options.limits); });
}

Group read_file(const std::string& path, const LoadOptions& options) {
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(path, error);
  GLIA_CHECK(!error, "{}: cannot open the file: {}.", path, error.message());
  return read_guarded(path, bytes, options, [&] { return native::read_path(path, bytes, options.limits); });
}

std::string write(const Group& root) {
  auto lock = native::lock();
  return native::write(root);
}

#else

bool available() { return false; }

namespace {
[[noreturn]] void missing(const std::string& name) {
  throw_error("{}: this build of Glia has no HDF5 and cannot read or write .keras, .h5 and .weights.h5 files. Install libhdf5-dev "
              "and configure with -DGLIA_WITH_HDF5=ON, or keep weights in .safetensors.", name);
}
}  // namespace

Group read_bytes(std::span<const uint8_t>, const std::string& name, const LoadOptions&) { missing(name); }
Group read_file(const std::string& path, const LoadOptions&) { missing(path); }
std::string write(const Group&) { missing("save"); }

#endif

}  // namespace glia::io::hdf5
