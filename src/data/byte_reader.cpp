#include "data/byte_reader.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace glia::data {
namespace fs = std::filesystem;

ByteReader::ByteReader(fs::path path)
    : path_(std::move(path)), file_(nullptr, [](void* f) { gzclose(static_cast<gzFile>(f)); }) {
  std::error_code ec;
  GLIA_CHECK(fs::exists(path_, ec), "{}: no such file.", path_.string());
  GLIA_CHECK(!fs::is_directory(path_, ec), "{}: is a folder, expected a file.", path_.string());
  gzFile f = gzopen(path_.c_str(), "rb");
  GLIA_CHECK(f, "{}: cannot be opened: {}.", path_.string(), std::strerror(errno));
  gzbuffer(f, 1 << 17);
  file_.reset(f);
}

std::size_t ByteReader::read(void* dst, std::size_t n) {
  auto* out = static_cast<uint8_t*>(dst);
  auto f = static_cast<gzFile>(file_.get());
  std::size_t done = 0;
  while (done < n) {
    int got = gzread(f, out + done, static_cast<unsigned>(std::min<std::size_t>(n - done, 1 << 30)));
    if (got > 0) done += static_cast<std::size_t>(got);
    int code = Z_OK;
    const char* text = gzerror(f, &code);
    GLIA_CHECK(code == Z_OK || code == Z_STREAM_END, "{}: the gzip data is damaged or cut off ({}).", path_.string(),
               code == Z_ERRNO ? std::strerror(errno) : text);
    if (got <= 0) break;
  }
  return done;
}

void ByteReader::read_exact(void* dst, std::size_t n, const char* what) {
  std::size_t got = read(dst, n);
  GLIA_CHECK(got == n, "{}: the file ends inside {}: expected {} bytes, found {}.", path_.string(), what, n, got);
}

std::vector<uint8_t> ByteReader::read_promised(uint64_t n, const char* what) {
  std::vector<uint8_t> out;
  constexpr uint64_t kStep = uint64_t{1} << 20;
  while (out.size() < n) {
    uint64_t want = std::min<uint64_t>(n - out.size(), std::max<uint64_t>(kStep, out.size()));
    std::size_t at = out.size();
    out.resize(at + want);
    std::size_t got = read(out.data() + at, want);
    GLIA_CHECK(got == want, "{}: the file ends inside {}: expected {} bytes, found {}.", path_.string(), what, n,
               at + got);
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
    GLIA_CHECK(out.size() <= limit, "{}: the file holds more than the {} bytes allowed here.", path_.string(), limit);
    if (got < step) return out;
  }
}

void ByteReader::skip(uint64_t n, const char* what) {
  uint8_t buffer[4096];
  while (n > 0) {
    std::size_t step = std::min<uint64_t>(n, sizeof buffer);
    read_exact(buffer, step, what);
    n -= step;
  }
}

void ByteReader::expect_end() {
  uint8_t extra;
  GLIA_CHECK(read(&extra, 1) == 0, "{}: more bytes follow than the header announces.", path_.string());
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

}  // namespace glia::data
