#include "io/file/byte_reader.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"

namespace glia::io {
namespace fs = std::filesystem;

ByteReader::ByteReader(fs::path path) : name_(path.string()) {
  std::error_code ec;
  GLIA_CHECK(fs::exists(path, ec), "{}: no such file.", name_);
  GLIA_CHECK(!fs::is_directory(path, ec), "{}: is a folder, expected a file.", name_);
  std::shared_ptr<gzFile_s> f(gzopen(path.c_str(), "rb"), gzclose);
  GLIA_CHECK(f, "{}: cannot be opened: {}.", name_, std::strerror(errno));
  gzbuffer(f.get(), 1 << 17);
  source_ = [this_name = name_, f, at = uint64_t{0}](void* dst, std::size_t n) mutable -> std::size_t {
    int got = gzread(f.get(), dst, static_cast<unsigned>(std::min<std::size_t>(n, 1 << 30)));
    if (got > 0) at += static_cast<uint64_t>(got);
    int code = Z_OK;
    const char* text = gzerror(f.get(), &code);
    GLIA_CHECK(code == Z_OK || code == Z_STREAM_END, "{}: offset {}: the gzip data is damaged or cut off ({}).",
               this_name, at, code == Z_ERRNO ? std::strerror(errno) : text);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  };
}

ByteReader::ByteReader(Source source, std::string name) : name_(std::move(name)), source_(std::move(source)) {}

ByteReader::ByteReader(std::span<const uint8_t> bytes, std::string name, uint64_t base)
    : name_(std::move(name)), memory_(bytes), base_(base), at_(base) {}

void ByteReader::fail(const std::string& text) const { fail_at(at_, text); }
void ByteReader::fail_at(uint64_t offset, const std::string& text) const {
  throw_error("{}: offset {}: {}", name_, offset, text);
}
void ByteReader::fail_short(uint64_t start, const char* what, uint64_t expected, uint64_t found) const {
  fail_at(start, fmt::format("the file ends inside {}: expected {} bytes, found {}.", what, expected, found));
}

std::size_t ByteReader::read(void* dst, std::size_t n) {
  if (!source_) {
    n = std::min(n, left());
    if (n) std::memcpy(dst, memory_.data() + (at_ - base_), n);
    at_ += n;
    return n;
  }
  auto* out = static_cast<uint8_t*>(dst);
  std::size_t done = 0;
  while (done < n) {
    std::size_t got = source_(out + done, n - done);
    if (got == 0) break;
    done += got;
  }
  at_ += done;
  return done;
}

void ByteReader::read_exact(void* dst, std::size_t n, const char* what) {
  uint64_t start = at_;
  std::size_t got = read(dst, n);
  if (got != n) fail_short(start, what, n, got);
}

std::vector<uint8_t> ByteReader::read_promised(uint64_t n, const char* what, uint64_t likely) {
  std::vector<uint8_t> out;
  out.reserve(std::min(n, likely));
  uint64_t start = at_;
  if (!source_ && n > left()) fail_short(start, what, n, left());
  constexpr uint64_t kStep = uint64_t{1} << 20;
  while (out.size() < n) {
    uint64_t want = std::min<uint64_t>(n - out.size(), std::max<uint64_t>(kStep, out.size()));
    std::size_t at = out.size();
    out.resize(at + want);
    std::size_t got = read(out.data() + at, want);
    if (got != want) fail_short(start, what, n, at + got);
  }
  return out;
}

std::vector<uint8_t> ByteReader::read_rest(uint64_t limit) {
  std::vector<uint8_t> out;
  for (;;) {
    std::size_t at = out.size();
    std::size_t step = std::max<std::size_t>(1 << 16, at);
    out.resize(at + step);
    std::size_t got = read(out.data() + at, step);
    out.resize(at + got);
    GLIA_CHECK(out.size() <= limit, "{}: the file holds more than the {} bytes allowed here.", name_, limit);
    if (got < step) return out;
  }
}

void ByteReader::skip(uint64_t n, const char* what) {
  if (!source_) {
    view(n, what);
    return;
  }
  uint8_t buffer[4096];
  while (n > 0) {
    std::size_t step = std::min<uint64_t>(n, sizeof buffer);
    read_exact(buffer, step, what);
    n -= step;
  }
}

std::span<const uint8_t> ByteReader::view(uint64_t n, const char* what) {
  GLIA_ASSERT(!source_);
  if (n > left()) fail_short(at_, what, n, left());
  auto r = memory_.subspan(static_cast<std::size_t>(at_ - base_), static_cast<std::size_t>(n));
  at_ += n;
  return r;
}

void ByteReader::expect_end() {
  uint8_t extra;
  uint64_t at = at_;
  if (read(&extra, 1) != 0) fail_at(at, "more bytes follow than the header announces.");
}

std::string read_whole(const fs::path& path, uint64_t limit) {
  std::vector<uint8_t> bytes = ByteReader(path).read_rest(limit);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string gunzip(const void* data, std::size_t bytes, uint64_t limit) {
  z_stream s{};
  GLIA_CHECK(inflateInit2(&s, 15 + 16) == Z_OK, "gunzip: zlib cannot start.");
  std::unique_ptr<z_stream, int (*)(z_streamp)> guard(&s, inflateEnd);
  s.next_in = const_cast<Bytef*>(static_cast<const Bytef*>(data));
  s.avail_in = static_cast<uInt>(bytes);
  std::string out;
  char buffer[1 << 15];
  for (;;) {
    s.next_out = reinterpret_cast<Bytef*>(buffer);
    s.avail_out = sizeof buffer;
    int rc = inflate(&s, Z_NO_FLUSH);
    out.append(buffer, sizeof buffer - s.avail_out);
    if (rc == Z_STREAM_END) return out;
    GLIA_CHECK(rc == Z_OK, "gunzip: the data is damaged or cut off ({}).", s.msg ? s.msg : "unexpected end");
    GLIA_CHECK(out.size() <= limit, "gunzip: the data unpacks to more than {} bytes.", limit);
  }
}

}  // namespace glia::io
