#include <zip.h>

#include <cstring>
#include <exception>
#include <optional>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/zip/zip.h"

namespace glia::io {

struct ZipWriter::Entry {
  std::string name;
  std::vector<std::span<const uint8_t>> pieces;
  std::string copy;
  bool deflate;
  std::vector<zip_buffer_fragment_t> fragments;
};

namespace {

// What libzip writes to: an AtomicFile. libzip goes back to fill in sizes and CRCs, which overwrite() does.
struct Target {
  std::string path;
  std::optional<AtomicFile> file;
  uint64_t at = 0;
  std::exception_ptr thrown;  // must not pass through libzip's C code
  zip_error_t error;

  zip_int64_t run(void* data, zip_uint64_t n, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_OPEN,
                                              ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
                                              ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_COMMIT_WRITE,
                                              ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE,
                                              ZIP_SOURCE_REMOVE, ZIP_SOURCE_WRITE, -1);
      case ZIP_SOURCE_STAT: {
        auto* s = static_cast<zip_stat_t*>(data);
        zip_stat_init(s);
        s->size = 0;
        s->valid = ZIP_STAT_SIZE;
        return sizeof *s;
      }
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error, data, n);
      case ZIP_SOURCE_BEGIN_WRITE:
        file.emplace(path);
        return 0;
      case ZIP_SOURCE_WRITE:
        write(data, n);
        return static_cast<zip_int64_t>(n);
      case ZIP_SOURCE_TELL_WRITE:
        return static_cast<zip_int64_t>(at);
      case ZIP_SOURCE_SEEK_WRITE: {
        zip_int64_t to = zip_source_seek_compute_offset(at, file->written(), data, n, &error);
        if (to >= 0) at = static_cast<uint64_t>(to);
        return to < 0 ? -1 : 0;
      }
      case ZIP_SOURCE_COMMIT_WRITE:
        file->commit();
        return 0;
      case ZIP_SOURCE_ROLLBACK_WRITE:
        file.reset();
        return 0;
      default:
        return 0;  // an archive that is always written anew has nothing to open, read or free
    }
  }
  void write(const void* data, uint64_t n) {
    uint64_t over = std::min(n, file->written() - at);
    if (over) file->overwrite(at, data, over);
    if (n > over) file->write(static_cast<const char*>(data) + over, n - over);
    at += n;
  }
  static zip_int64_t call(void* self, void* data, zip_uint64_t n, zip_source_cmd_t command) {
    auto* t = static_cast<Target*>(self);
    try {
      return t->run(data, n, command);
    } catch (...) {
      if (!t->thrown) t->thrown = std::current_exception();
      zip_error_set(&t->error, ZIP_ER_WRITE, 0);
      return -1;
    }
  }
};

}  // namespace

ZipWriter::ZipWriter(std::string path) : path_(std::move(path)) {}
ZipWriter::~ZipWriter() = default;

void ZipWriter::add(const std::string& name, std::vector<std::span<const uint8_t>> pieces, ZipEntryOptions options) {
  entries_.push_back({name, std::move(pieces), "", options.deflate, {}});
}

void ZipWriter::add_copy(const std::string& name, std::string bytes, ZipEntryOptions options) {
  entries_.push_back({name, {}, std::move(bytes), options.deflate, {}});
  Entry& e = entries_.back();
  e.pieces.emplace_back(reinterpret_cast<const uint8_t*>(e.copy.data()), e.copy.size());
}

void ZipWriter::commit() {
  Target target{path_, {}, 0, {}, {}};
  zip_error_init(&target.error);
  zip_t* zip = nullptr;
  auto check = [&](bool ok) {
    if (ok) return;
    std::string what = zip ? zip_strerror(zip) : zip_error_strerror(&target.error);
    if (zip) zip_discard(zip);
    if (target.thrown) std::rethrow_exception(target.thrown);
    throw_error("Cannot write '{}': {}. The file under that name, if any, was left as it was.", path_, what);
  };
  zip_source_t* out = zip_source_function_create(Target::call, &target, &target.error);
  check(out);
  zip = zip_open_from_source(out, ZIP_CREATE | ZIP_TRUNCATE, &target.error);
  check(zip);
  for (Entry& e : entries_) {
    for (auto p : e.pieces) e.fragments.push_back({const_cast<uint8_t*>(p.data()), p.size()});
    zip_source_t* data = zip_source_buffer_fragment(zip, e.fragments.data(), e.fragments.size(), 0);
    check(data);
    zip_int64_t index = zip_file_add(zip, e.name.c_str(), data, ZIP_FL_ENC_UTF_8);
    if (index < 0) zip_source_free(data);
    check(index >= 0);
    auto i = static_cast<zip_uint64_t>(index);
    check(zip_set_file_compression(zip, i, e.deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) == 0);
    check(zip_file_set_dostime(zip, i, 0, (0 << 9) | (1 << 5) | 1, 0) == 0);
  }
  if (entries_.empty()) {  // libzip writes no empty archives: an end-of-directory record alone
    zip_discard(zip);
    write_file(path_, std::string_view("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22));
    return;
  }
  bool closed = zip_close(zip) == 0;
  if (closed) zip = nullptr;
  check(closed);
}

}  // namespace glia::io
