// Hostile files, for every loader alike: a small valid file is cut at every length, has every bit flipped, and is
// damaged at random from a fixed seed; files made by hand lie about sizes, nest, refer in circles, unpack without
// end. Each must be read or refused with a glia::Error: no other exception, no signal, no memory that the file does
// not have.
//
// A new loader is one line in loaders.h. Random damage without end: build/<preset>/bin/glia-fuzz LOADER SECONDS
// [SEED].
#pragma once
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <glia/error.h>

#include "base/philox.h"

namespace glia::fuzz {

using Bytes = std::string;
using NamedBytes = std::vector<std::pair<std::string, Bytes>>;

struct Loader {
  friend void PrintTo(const Loader& l, std::ostream* out) { *out << l.name; }
  std::string name, ending;                         // ".npz": what the file is called
  std::function<Bytes()> valid;                     // a small valid file; empty: not on this machine
  std::function<void(const std::string&)> load;     // reads a path
  // Damaged on purpose; each must be refused, save those whose name begins with '?'. At least 25.
  std::function<NamedBytes(const Bytes&)> by_hand;
  bool ends_anywhere = false;                       // the beginning of a file may be a whole file (protocol buffers)
  int share = 1;                                    // slow loaders get this part of the samples
};

inline Bytes file_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Resident memory now and at most since reset_peak(), in bytes.
struct Memory {
  static uint64_t field(const char* name) {
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
      if (line.starts_with(name)) return std::strtoull(line.c_str() + std::strlen(name) + 1, nullptr, 10) * 1024;
    return 0;
  }
  static bool reset_peak() { return static_cast<bool>(std::ofstream("/proc/self/clear_refs") << "5" << std::flush); }
  static uint64_t now() { return field("VmRSS"); }
  static uint64_t peak() { return field("VmHWM"); }
};

// Feeds files to one loader.
class Feeder {
 public:
  explicit Feeder(const Loader& loader) : loader_(loader) {
    std::error_code ec;
    std::filesystem::path base =
        std::filesystem::is_directory("/dev/shm", ec) ? "/dev/shm" : std::filesystem::temp_directory_path();
    folder_ = (base / ("glia_fuzz_" + std::to_string(getpid()) + "_" + loader.name)).string();
    std::filesystem::create_directories(folder_);
    path_ = folder_ + "/file" + loader.ending;
  }
  ~Feeder() { std::filesystem::remove_all(folder_); }
  Feeder(const Feeder&) = delete;

  struct Result {
    bool refused = false;
    std::string problem, message;  // problem: "" when all is well
  };
  Result operator()(const Bytes& bytes) {
    if (std::FILE* f = std::fopen(path_.c_str(), "wb")) {
      std::fwrite(bytes.data(), 1, bytes.size(), f);
      std::fclose(f);
    }
    Result r;
    auto start = std::chrono::steady_clock::now();
    try {
      loader_.load(path_);
    } catch (const Error& e) {
      r.refused = true;
      r.message = e.what();
      if (r.message.empty() || r.message.size() > 20000)
        r.problem = "an error of " + std::to_string(r.message.size()) + " characters";
    } catch (const std::exception& e) {
      r.problem = std::string("not a glia::Error but: ") + e.what();
    }
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    slowest = std::max(slowest, seconds);
    ++files;
    refused += r.refused;
    return r;
  }
  const std::string& path() const { return path_; }
  int64_t files = 0, refused = 0;
  double seconds = 0, slowest = 0;  // of the last, of all

 private:
  const Loader& loader_;
  std::string folder_, path_;
};

// Random damage, the same for the same seed.
class Damage {
 public:
  explicit Damage(uint64_t seed) : rng_(seed, 0) {}
  Bytes operator()(Bytes s) {
    for (uint64_t times = 1 + rng_.below(3); times > 0 && !s.empty(); --times) once(s);
    return s;
  }

 private:
  void once(Bytes& s) {
    std::size_t at = rng_.below(s.size());
    switch (rng_.below(9)) {
      case 0:
        s[at] = static_cast<char>(s[at] ^ (1 << rng_.below(8)));
        break;
      case 1:
        s[at] = static_cast<char>(rng_.below(256));
        break;
      case 2:
        s.resize(at);
        break;
      case 3:
        s.insert(at, s.substr(at, rng_.below(64)));
        break;
      case 4:
        s.erase(at, rng_.below(64));
        break;
      case 5:
        s.insert(at, s.substr(rng_.below(s.size()), rng_.below(64)));
        break;
      case 6:
        digits(s, at);
        break;
      default:
        number(s, at);
    }
  }
  // A number of 1 to 8 bytes, in either byte order, becomes extreme.
  void number(Bytes& s, std::size_t at) {
    static const uint64_t values[] = {0,
                                      1,
                                      0x7f,
                                      0x80,
                                      0xff,
                                      0x7fff,
                                      0xffff,
                                      0x7fffffff,
                                      0x80000000,
                                      0xffffffff,
                                      uint64_t{1} << 40,
                                      uint64_t{1} << 62,
                                      0x7fffffffffffffff,
                                      0x8000000000000000,
                                      ~uint64_t{0},
                                      ~uint64_t{0} - 7};
    uint64_t v = values[rng_.below(std::size(values))];
    std::size_t width = std::size_t{1} << rng_.below(4);
    bool big = rng_.below(2);
    for (std::size_t i = 0; i < width && at + i < s.size(); ++i)
      s[at + i] = static_cast<char>(v >> (8 * (big ? width - 1 - i : i)));
  }
  // The next run of decimal digits becomes a number that does not fit.
  void digits(Bytes& s, std::size_t at) {
    auto digit = [&](std::size_t i) { return s[i] >= '0' && s[i] <= '9'; };
    while (at < s.size() && !digit(at)) ++at;
    std::size_t end = at;
    while (end < s.size() && digit(end)) ++end;
    static const char* values[] = {"0",     "-1",        "99999999999999999999", "4294967296", "9223372036854775807",
                                   "1e999", "2147483647"};
    if (at < s.size()) s.replace(at, end - at, values[rng_.below(std::size(values))]);
  }
  PhiloxStream rng_;
};

// ---- bytes of zip archives, for bombs and lies
// -------------------------------------------------------------------------

inline void put(Bytes& s, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) s += static_cast<char>(v >> (8 * i));
}

// Replaces every occurrence of `what`, e.g. a size in both headers of a zip member.
inline Bytes replaced(Bytes s, const Bytes& what, const Bytes& with) {
  for (std::size_t at = 0; (at = s.find(what, at)) != Bytes::npos; at += with.size())
    s.replace(at, what.size(), with);
  return s;
}

}  // namespace glia::fuzz
