#include <zip.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "io/file/input_file.h"
#include "io/file/path_name.h"
#include "io/zip/zip.h"

namespace glia::io {
namespace {

// Opens through an InputFile: one place decides what is a regular, readable file.
zip_t* open_archive(const std::string& path, const InputFile& file) {
  GLIA_CHECK(file.size() >= 22, "{}: offset 0: too short for a zip archive ({} bytes).", path, file.size());
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_filep_create(file.stream(), 0, -1, &error);
  zip_t* zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  std::string what = zip ? "" : zip_error_strerror(&error);
  if (!zip && source) zip_source_free(source);
  zip_error_fini(&error);
  GLIA_CHECK(zip, "{}: offset 0: not a readable zip archive ({}). It is cut off, damaged or of another format.", path,
             what);
  return zip;
}

}  // namespace

ZipReader::ZipReader(const std::string& path, const LoadLimits& limits) : path_(path), limits_(limits) {
  std::shared_ptr<InputFile> file = InputFile::open(path);
  zip_t* zip = open_archive(path, *file);
  zip_ = std::shared_ptr<void>(zip, [](void* z) { zip_discard(static_cast<zip_t*>(z)); });
  auto count = static_cast<uint64_t>(std::max<zip_int64_t>(0, zip_get_num_entries(zip, 0)));
  GLIA_CHECK(count <= limits.max_tensors, "{}: the archive has {} members, {} are allowed (LoadLimits::max_tensors).",
             path, count, limits.max_tensors);
  for (uint64_t i = 0; i < count; ++i) {
    zip_stat_t s;
    GLIA_CHECK(zip_stat_index(zip, i, 0, &s) == 0 && (s.valid & ZIP_STAT_NAME),
               "{}: member {} of the zip directory is damaged ({}).", path, i, zip_strerror(zip));
    Member m{s.name, s.valid & ZIP_STAT_SIZE ? s.size : 0, s.valid & ZIP_STAT_COMP_SIZE ? s.comp_size : 0};
    GLIA_CHECK(m.name.size() <= limits.max_name_length,
               "{}: the name of member {} has {} bytes, {} are allowed (LoadLimits::max_name_length).", path, i,
               m.name.size(), limits.max_name_length);
    GLIA_CHECK(m.packed_size <= file->size(), "{}: member '{}' claims {} packed bytes, the file has {}.", path,
               printable(m.name), m.packed_size, file->size());
    GLIA_CHECK(index_.emplace(m.name, members_.size()).second, "{}: two members are named '{}'.", path,
               printable(m.name));
    members_.push_back(std::move(m));
  }
}

const ZipReader::Member& ZipReader::member(const std::string& name) const {
  auto it = index_.find(name);
  if (it == index_.end()) {
    std::vector<std::string> names;
    for (auto& m : members_)
      if (names.size() < 20) names.push_back(printable(m.name));
    throw_error("{}: has no member '{}'.{}", path_, printable(name), did_you_mean(name, names));
  }
  return members_[it->second];
}

ByteReader ZipReader::open(const std::string& name) const {
  const Member& m = member(name);
  std::string title = fmt::format("{}: member '{}'", path_, printable(name));
  auto* zip = static_cast<zip_t*>(zip_.get());
  zip_file_t* f = zip_fopen_index(zip, index_.at(name), 0);
  GLIA_CHECK(f, "{}: cannot be opened ({}).", title, zip_strerror(zip));
  std::shared_ptr<zip_file_t> stream(f, zip_fclose);
  auto source = [stream, title, keep = zip_, at = uint64_t{0}, size = m.size](void* dst,
                                                                              std::size_t n) mutable -> std::size_t {
    zip_int64_t got = zip_fread(stream.get(), dst, n);
    GLIA_CHECK(got >= 0, "{}: offset {}: the data is damaged ({}).", title, at, zip_file_strerror(stream.get()));
    at += static_cast<uint64_t>(got);
    GLIA_CHECK(at <= size, "{}: offset {}: unpacks to more than the {} bytes that the directory announces.", title,
               at, size);
    return static_cast<std::size_t>(got);
  };
  return ByteReader(std::move(source), title);
}

ByteReader ZipReader::open_within(const std::string& name, uint64_t limit) const {
  const Member& m = member(name);
  limit = std::min(limit, limits_.max_bytes);
  GLIA_CHECK(m.size <= limit, "{}: member '{}' unpacks to {} bytes, {} are allowed here.", path_, printable(name),
             m.size, limit);
  return open(name);
}

std::vector<uint8_t> ZipReader::read(const std::string& name, uint64_t limit) const {
  ByteReader in = open_within(name, limit);
  std::vector<uint8_t> bytes =
      in.read_promised(member(name).size, "the member", member(name).packed_size);  // which the file has
  in.expect_end();
  return bytes;
}

std::string ZipReader::read_text(const std::string& name, uint64_t limit) const {
  ByteReader in = open_within(name, limit);
  std::string text;
  char buffer[1 << 14];
  for (std::size_t n; (n = in.read(buffer, sizeof buffer)) > 0;) text.append(buffer, n);  // the end checks the CRC
  if (text.size() != member(name).size) in.fail(fmt::format("the directory announces {} bytes.", member(name).size));
  return text;
}

}  // namespace glia::io
