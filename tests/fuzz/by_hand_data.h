// Data files that lie: idx, gzip, csv, ts, tar, PNG, JPEG, BMP. A name that begins with '?' may be read as well as refused.
#pragma once
#include <fmt/format.h>
#include <zlib.h>

#include "fuzz/by_hand.h"

namespace glia::fuzz {

using namespace std::string_literals;

inline Bytes big_endian(uint64_t v, int bytes) {
  Bytes r;
  for (int i = bytes; i-- > 0;) r += static_cast<char>(v >> (8 * i));
  return r;
}
// `valid` with these bytes at this place.
inline Bytes patched(Bytes valid, std::size_t at, const Bytes& with) {
  if (at < valid.size()) valid.replace(at, std::min(with.size(), valid.size() - at), with);
  return valid;
}
inline Bytes deflated(const Bytes& plain, bool gzip = false) {
  z_stream s{};
  deflateInit2(&s, 9, Z_DEFLATED, gzip ? 31 : 15, 9, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&s, plain.size()), '\0');
  s.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  s.avail_in = static_cast<uInt>(plain.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  s.avail_out = static_cast<uInt>(out.size());
  deflate(&s, Z_FINISH);
  out.resize(s.total_out);
  deflateEnd(&s);
  return out;
}

inline Bytes idx_of(int type, const std::vector<uint64_t>& extents, const Bytes& data = "") {
  Bytes r = "\0\0"s + static_cast<char>(type) + static_cast<char>(extents.size());
  for (uint64_t e : extents) r += big_endian(e, 4);
  return r + data;
}
inline NamedBytes idx_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  for (std::size_t rank : {1u, 2u, 3u, 4u, 8u})
    for (int type : {0x08, 0x0e})
      add(fmt::format("rank {} of type {} with all extents 2^32-1", rank, type),
          idx_of(type, std::vector<uint64_t>(rank, 0xffffffff), "abcd"));
  add("rank 0", idx_of(8, {}, "abcd"));
  add("rank 9", idx_of(8, std::vector<uint64_t>(9, 1), "a"));
  add("rank 255", "\0\0\x08\xff"s + Bytes(255 * 4, '\1'));
  for (int type : {0x00, 0x07, 0x0a, 0x0f, 0xff}) add(fmt::format("type {}", type), idx_of(type, {4}, "abcd"));
  add("a product that wraps to 4", idx_of(8, {65536, 65536, 65536, 65537}, "abcd"));
  add("2 GB", idx_of(0x0c, {0x7fffffff}, "abcd"));
  add("no extents", "\0\0\x08\x03"s);
  add("a byte too few", valid.substr(0, valid.size() - 1));
  add("a byte too many", valid + "x");
  add("not zero at the start", patched(valid, 0, "\x01"));
  add("not zero at the second byte", patched(valid, 1, "\x80"));
  add("text", "hello, world");
  add("nothing", "");
  add("packed, cut", deflated(valid, true).substr(0, 20));
  add("packed, a wrong sum", patched(deflated(valid, true), deflated(valid, true).size() - 8, "abcd"));
  add("packed, more behind", deflated(valid + Bytes(100000, '\0'), true));
  add("packed, 64 MB behind", deflated(valid + Bytes(std::size_t{64} << 20, '\0'), true));
  add("packed, boasting", deflated(idx_of(8, {1u << 31}, "abcd"), true));
  add("packed twice", deflated(deflated(valid, true), true));
  add("? an empty array of much", idx_of(8, {0, 0xffffffff}));
  return r;
}

inline NamedBytes csv_by_hand(const Bytes&) {
  NamedBytes r;
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  add("nothing", "");
  add("only line ends", "\n\r\n\r\r\n");
  add("a quote never closed", "a,b\n1,\"2\n3,4\n");
  add("a quote never closed, long", "a\n\"" + Bytes(1 << 20, 'x'));
  add("text behind a quote", "a,b\n\"1\"2,3\n");
  add("too few fields", "a,b\n1\n");
  add("too many fields", "a,b\n1,2,3\n");
  add("a million fields in a row of two", "a,b\n" + Bytes(1000000, ','));
  add("the wrong count in the last line", [] {
    Bytes b = "a,b\n";
    for (int i = 0; i < 20000; ++i) b += "1,2\n";
    return b + "3";
  }());
  for (const char* number : {"1e", "--1", "0x10", "1,5e", "1_000", "one", "1.2.3", "\x1b[2J", "1 2", "+-3", "e5", ".",
                             "1e5000x", "\xff\xfe", "1;2"})
    add(fmt::format("the number {}", number), "a\n" + Bytes(number) + "\n");
  add("a zero byte", "a\n1\0 2\n"s);
  add("UTF-16", "\xff\xfe" "a\0\n\0001\0\n\0"s);
  add("? a megabyte of digits", "a\n" + Bytes(1 << 20, '9') + "\n");
  add("? a number beyond float", "a\n1e9999\n");
  add("? a hundred thousand columns", Bytes(100000, ',') + "\n" + Bytes(100000, ','));
  add("? one name for all", "a,a,a\n1,2,3\n");
  add("? a quoted name of a megabyte", "\"" + Bytes(1 << 20, 'n') + "\"\n1\n");
  add("? only quotes", "\"\"" + Bytes(1 << 20, '"') + "\n");
  add("packed, cut", deflated("a,b\n1,2\n", true).substr(0, 15));
  add("packed, a wrong sum", patched(deflated("a,b\n1,2\n", true), deflated("a,b\n1,2\n", true).size() - 8, "abcd"));
  return r;
}

inline NamedBytes ts_by_hand(const Bytes&) {
  NamedBytes r;
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  const Bytes head = "@dimensions 2\n@classLabel true a b\n@data\n";
  add("nothing", "");
  add("no data", "@dimensions 2\n");
  add("data at once", "1,2:a\n");
  for (const char* n : {"0", "-1", "99999999999999999999", "2000000", "1e3", "x", ""})
    add(fmt::format("{} dimensions", n), "@dimensions "s + n + "\n@classLabel true a b\n@data\n1:2:a\n");
  add("time stamps", "@timestamps true\n@data\n1\n");
  add("no classes", "@classLabel true\n@data\n1:a\n");
  for (const char* line : {"1,2:3,4:c", "1,2:3,4", "1,2:3:a", "1:2:3:a", "a", ":", "::", "1,,2:3,4,5:a", "1,x:2,3:a", "1e:2:a", "0x1:2:a",
                           "1,2:3,4:a b", "--1:1:a", "\x1b[2J:1:a", "1:2:"})
    add(line, head + line + "\n");
  add("a zero byte", head + "1\0:2:a\n"s);
  add("a million dimensions", "@data\n" + Bytes(1000000, ':') + "\n1\n");
  add("one of a hundred thousand steps among a hundred thousand of one", [] {
    Bytes b = "@data\n1";
    for (int i = 0; i < 100000; ++i) b += ",1";
    b += "\n";
    for (int i = 0; i < 100000; ++i) b += "1\n";
    return b;
  }());
  add("targets that are no numbers", "@targetlabel true\n@data\n1:x\n");
  return r;
}

inline Bytes tar_of(const std::string& name, const Bytes& data, const std::string& size = "", const Bytes& more = "") {
  Bytes h(512, '\0');
  h.replace(0, name.size(), name);
  h.replace(124, 11, size.empty() ? fmt::format("{:011o}", data.size()) : size);
  h[156] = '0';
  h.replace(257, 5, "ustar");
  if (!more.empty()) h.replace(300, more.size(), more);
  uint64_t sum = 0;
  for (std::size_t i = 0; i < 512; ++i) sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(h[i]);
  h.replace(148, 6, fmt::format("{:06o}", sum));
  h[155] = ' ';
  return h + data + Bytes((512 - data.size() % 512) % 512, '\0');
}
inline NamedBytes tar_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  for (const char* size : {"77777777777", "00000010000", "37777777777", "00000001001", "20000000000", "40000000000"})
    add(fmt::format("a member of {} bytes", size), tar_of("a", "hello", size));
  for (const char* size : {"9999", "-1", "0x10", "1e3", "abc", "7.5", "\x80\x80", "\xff\xff"})
    add(fmt::format("a size of {}", size), tar_of("a", "hello", size));
  for (std::size_t n : {1u, 100u, 511u, 513u, 516u}) add(fmt::format("cut to {}", n), valid.substr(0, n));
  for (int c : {0x20, 0x39, 0x78, 0xff, 1}) {
    add(fmt::format("all of {:02x}", c), Bytes(512, static_cast<char>(c)));
    add(fmt::format("all of {:02x} from the sum on", c), valid.substr(0, 148) + Bytes(512 - 148, static_cast<char>(c)));
  }
  add("a wrong sum", patched(valid, 0, "b"));
  add("text", Bytes(600, 't'));
  add("packed, cut", deflated(valid, true).substr(0, 30));
  return r;
}

inline Bytes png_chunk(const Bytes& name, const Bytes& data) {
  const Bytes body = name + data;
  return big_endian(data.size(), 4) + body +
         big_endian(crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())), 4);
}
inline Bytes png_header(uint64_t width, uint64_t height, int depth = 8, int colour = 0, int packing = 0, int filter = 0,
                        int interlace = 0) {
  Bytes h = big_endian(width, 4) + big_endian(height, 4);
  for (int v : {depth, colour, packing, filter, interlace}) h += static_cast<char>(v);
  return png_chunk("IHDR", h);
}
inline NamedBytes png_by_hand(const Bytes& valid) {
  NamedBytes r;
  const Bytes start = "\x89PNG\r\n\x1a\n", end = png_chunk("IEND", "");
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  auto chunks = [&](const std::string& name, const Bytes& b) { add(name, start + b + end); };
  const Bytes rows = Bytes(4 * 5, '\0'), good = png_chunk("IDAT", deflated(rows));  // 4 x 4 grey pixels
  for (auto [w, h] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 4}, {4, 0}, {0x7fffffff, 0x7fffffff}, {0x80000000, 4}, {0xffffffff, 0xffffffff}, {1000000, 1}, {1, 1000000},
           {16384, 16384}, {65536, 4096}, {16000, 16000}})
    chunks(fmt::format("{} x {}", w, h), png_header(w, h) + good);
  chunks("16384 x 16384 in colour, interlaced", png_header(16384, 16384, 8, 6, 0, 0, 1) + good);
  chunks("depth 3", png_header(4, 4, 3) + good);
  chunks("colour 5", png_header(4, 4, 8, 5) + good);
  chunks("packing 9", png_header(4, 4, 8, 0, 9) + good);
  chunks("filtering 9", png_header(4, 4, 8, 0, 0, 9) + good);
  chunks("interlacing 7", png_header(4, 4, 8, 0, 0, 0, 7) + good);
  chunks("a palette that is not there", png_header(4, 4, 8, 3) + good);
  chunks("no pixels", png_header(4, 4));
  chunks("no header", good);
  chunks("pixels that are not packed", png_header(4, 4) + png_chunk("IDAT", "abcdefgh"));
  chunks("pixels packed to nothing", png_header(4, 4) + png_chunk("IDAT", ""));
  chunks("too few pixels", png_header(4, 4) + png_chunk("IDAT", deflated(Bytes(6, '\0'))));
  chunks("an unknown filter of a row", png_header(4, 4) + png_chunk("IDAT", deflated(Bytes(20, '\7'))));
  chunks("an unknown chunk that matters", png_header(4, 4) + png_chunk("ABCD", "x") + good);
  chunks("a chunk of 2 GB", png_header(4, 4) + "\x7f\xff\xff\xff" "IDAT");
  chunks("a chunk of 4 GB", png_header(4, 4) + "\xff\xff\xff\xff" "tEXt");
  add("a header with a wrong sum", patched(valid, 20, "\x7f"));
  add("no signature", valid.substr(8));
  add("only a signature", start);
  chunks("? a text that unpacks to 64 MB",
         png_header(4, 4) + png_chunk("zTXt", "k\0\0"s + deflated(Bytes(std::size_t{64} << 20, 'x'))) + good);
  chunks("? a profile that unpacks to 64 MB",
         png_header(4, 4) + png_chunk("iCCP", "k\0\0"s + deflated(Bytes(std::size_t{64} << 20, 'x'))) + good);
  chunks("? pixels of 64 MB behind the last", png_header(4, 4) + png_chunk("IDAT", deflated(Bytes(std::size_t{64} << 20, '\0'))));
  chunks("? ten thousand empty chunks", [&] {
    Bytes b = png_header(4, 4);
    for (int i = 0; i < 10000; ++i) b += png_chunk("tEXt", "k\0"s);
    return b + good;
  }());
  return r;
}

inline NamedBytes jpeg_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  const std::size_t frame = valid.find("\xff\xc0"s), scan = valid.find("\xff\xda"s), codes = valid.find("\xff\xc4"s),
                    tables = valid.find("\xff\xdb"s);
  const Bytes progressive = patched(valid, frame + 1, "\xc2");
  auto sized = [&](const Bytes& b, uint64_t height, uint64_t width) {
    return patched(b, frame + 5, big_endian(height, 2) + big_endian(width, 2));
  };
  for (auto [h, w] : std::vector<std::pair<uint64_t, uint64_t>>{{0, 16}, {16, 0}, {65535, 65535}, {16000, 16000}, {65500, 4000}}) {
    add(fmt::format("{} x {}", h, w), sized(valid, h, w));
    add(fmt::format("{} x {}, progressive", h, w), sized(progressive, h, w));
  }
  for (int kind : {0xc3, 0xc5, 0xc6, 0xc7, 0xc8, 0xcb, 0xcd, 0xcf})
    add(fmt::format("a frame of kind {:x}", kind), patched(valid, frame + 1, Bytes(1, static_cast<char>(kind))));
  add("precision 12", patched(valid, frame + 4, "\x0c"));
  add("255 components", patched(valid, frame + 9, "\xff"));
  add("no components", patched(valid, frame + 9, "\0"s));
  add("a component sampled 0 times", patched(valid, frame + 11, "\0"s));
  add("a component sampled 15 times", patched(valid, frame + 11, "\xff"));
  add("a table that is not there", patched(valid, frame + 12, "\x03"));
  add("a frame of 2 bytes", patched(valid, frame + 2, "\0\2"s));
  add("a frame of 65535 bytes", patched(valid, frame + 2, "\xff\xff"));
  add("codes without end", patched(valid, codes + 5, Bytes(16, '\xff')));
  add("a table of number 9", patched(valid, tables + 4, "\x09"));
  add("a scan of 9 components", patched(valid, scan + 4, "\x09"));
  add("a scan of none", patched(valid, scan + 4, "\0"s));
  add("two frames", valid.substr(0, scan) + valid.substr(frame, 19) + valid.substr(scan));
  add("no frame", valid.substr(0, frame) + valid.substr(scan));
  add("no scan", valid.substr(0, scan) + "\xff\xd9");
  add("? no codes", valid.substr(0, codes) + valid.substr(scan));
  add("only a start", "\xff\xd8");
  add("no start", valid.substr(2));
  add("cut in its pixels", valid.substr(0, scan + 20));
  add("? a segment of no length", "\xff\xd8\xff\xe0\0\0"s + valid.substr(2));
  add("? ten thousand comments", "\xff\xd8" + [] {
    Bytes b;
    for (int i = 0; i < 10000; ++i) b += "\xff\xfe\0\2"s;
    return b;
  }() + valid.substr(2));
  return r;
}
// Scan after scan of nothing over a large image: each costs the decoder a pass over all of it.
inline Bytes jpeg_scan_bomb(int scans, uint64_t side) {
  Bytes b = "\xff\xd8\xff\xdb\0\x43\0"s + Bytes(64, '\1');
  b += "\xff\xc2\0\x0b\x08"s + big_endian(side, 2) + big_endian(side, 2) + "\1\1\x11\0"s;       // one component
  for (int table : {0x00, 0x10}) {                                                           // a code of one symbol
    b += "\xff\xc4\0\x14"s + static_cast<char>(table) + "\1"s + Bytes(15, '\0') + (table ? "\xe0" : "\0"s);
  }
  b += "\xff\xda\0\x08\1\1\0\0\0\0"s + Bytes(side * side / 64 / 8, '\0');                       // the constant parts
  for (int i = 0; i < scans; ++i) b += "\xff\xda\0\x08\1\1\0\1\x3f\0"s + Bytes(static_cast<std::size_t>(side * side / 64 / 16384), '\0');
  return b + "\xff\xd9";
}

inline NamedBytes bmp_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  auto number = [&](const std::string& name, std::size_t at, uint64_t v, int bytes) {
    Bytes b;
    put(b, v, bytes);
    add(name, patched(valid, at, b));
  };
  for (uint64_t v : {uint64_t{0}, uint64_t{0x7fffffff}, uint64_t{0x80000000}, uint64_t{0xffffffff}, uint64_t{16384}}) {
    number(fmt::format("a width of {}", v), 18, v, 4);
    number(fmt::format("? a height of {}", v), 22, v, 4);  // -1 is one row, upside down
  }
  for (uint64_t v : {0, 1, 4, 16, 64, 65535}) number(fmt::format("{} bits a pixel", v), 28, v, 2);
  for (uint64_t v : {1, 2, 3, 4, 5}) number(fmt::format("packed by method {}", v), 30, v, 4);
  for (uint64_t v : {uint64_t{0xffffffff}, uint64_t{0x7fffffff}, uint64_t{4000}})
    number(fmt::format("pixels at {}", v), 10, v, 4);
  number("? a header of 4 GB", 14, 0xffffffff, 4);
  number("8 bits without a palette", 28, 8, 2);
  add("both of 16384", patched(patched(valid, 18, "\0\x40\0\0"s), 22, "\0\x40\0\0"s));
  add("colours that are not there", [&] {
    Bytes b = patched(patched(valid, 28, "\x08\0"s), 46, "\1\0\0\0"s);
    return patched(b, 14, "\x28\0\0\0"s).substr(0, 54) + Bytes(4, '\0') + Bytes(64, '\x05');
  }());
  add("? 8 bits with a palette of 4 GB", patched(patched(valid, 28, "\x08\0"s), 46, "\xff\xff\xff\xff"));
  add("a header alone", valid.substr(0, 54));
  add("half a header", valid.substr(0, 30));
  add("two letters", "BM");
  return r;
}

}  // namespace glia::fuzz
