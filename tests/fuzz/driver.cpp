// Random damage without end, for every loader of loaders.h.
//
//   glia-fuzz                          the names
//   glia-fuzz --report [LOADER]        every file made by hand, cut or with a flipped bit: the worst of time and memory
//   glia-fuzz LOADER SECONDS [SEED]    prints how many files were tried; a file that breaks the rules is kept in the
//   current folder,
//                                      one that ends the process with a signal lies in /dev/shm/glia_fuzz_PID_LOADER
//   glia-fuzz --corpus LOADER FOLDER   writes the valid file and the small ones made by hand there, for a fuzzer to start with
//   GLIA_FUZZ=LOADER glia-libfuzzer    the same files steered by coverage: tools/libfuzzer builds and runs it
#include <cstdlib>

#include "fuzz/loaders.h"

using namespace glia::fuzz;

static const Loader* find(const char* name) {
  for (const Loader& l : loaders())
    if (name && l.name == name) return &l;
  for (const Loader& l : loaders()) std::printf("%s\n", l.name.c_str());
  return nullptr;
}

#ifdef GLIA_LIBFUZZER
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Loader* loader = find(std::getenv("GLIA_FUZZ"));
  if (!loader) std::exit(1);
  static Feeder feed(*loader);
  if (!feed(Bytes(reinterpret_cast<const char*>(data), size)).problem.empty()) std::abort();
  return 0;
}
#else
namespace {

struct Worst {
  double value = 0;
  std::string what;
  void see(double v, const std::string& w) {
    if (v > value) value = v, what = w;
  }
};

// Seconds of the processor, children included: what a busy machine does not change.
double processor_time() {
  double all = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage u{};
    getrusage(who, &u);
    all += static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
  }
  return all;
}

// A line: how many files, and the worst of them. Memory is what the process grew by; children have a limit of their own.
void report(const Loader& l) {
  const Bytes valid = l.valid();
  if (valid.empty()) return;
  NamedBytes files = l.by_hand(valid);
  const std::size_t by_hand = files.size(), step = std::max<std::size_t>(1, valid.size() * static_cast<std::size_t>(l.share) / 1000);
  for (std::size_t n = 0; n < valid.size(); n += step) {
    files.emplace_back(fmt::format("cut to {}", n), valid.substr(0, n));
    files.emplace_back(fmt::format("bit {} of byte {}", n % 8, n), patched(valid, n, Bytes(1, static_cast<char>(valid[n] ^ (1 << n % 8)))));
  }
  Feeder feed(l);
  feed(valid);
  Worst time, memory;
  for (auto& [name, bytes] : files) {
    Memory::reset_peak();
    const uint64_t before = Memory::now();
    const double start = processor_time();
    if (const auto r = feed(bytes); !r.problem.empty()) std::printf("%s: %s: %s\n", l.name.c_str(), name.c_str(), r.problem.c_str());
    time.see((processor_time() - start) * 1000, name.substr(0, 40));
    const uint64_t peak = Memory::peak();
    memory.see(peak > before ? static_cast<double>(peak - before) / (1 << 20) : 0, name.substr(0, 40));
  }
  std::printf("%-15s %5zu files (%3zu by hand), %5lld refused; most processor time %6.1f ms (%s); most memory %5.1f MiB (%s)\n", l.name.c_str(),
              files.size(), by_hand, static_cast<long long>(feed.refused), time.value, time.what.c_str(), memory.value,
              memory.what.c_str());
}

int write_corpus(const Loader& l, const std::string& folder) {
  const Bytes valid = l.valid();
  if (valid.empty()) return 0;
  NamedBytes files = l.by_hand(valid);
  files.emplace_back("valid", valid);
  int n = 0;
  for (auto& [name, bytes] : files)
    if (bytes.size() < 20000) std::ofstream(folder + "/seed" + std::to_string(n++), std::ios::binary) << bytes;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--report") {
    for (const Loader& l : loaders())
      if (argc < 3 || l.name == argv[2]) report(l);
    return 0;
  }
  if (argc > 3 && std::string(argv[1]) == "--corpus") {
    const Loader* l = find(argv[2]);
    return l ? write_corpus(*l, argv[3]) : 1;
  }
  const Loader* loader = find(argc > 1 ? argv[1] : nullptr);
  if (!loader) return argc > 1;
  double limit = argc > 2 ? std::atof(argv[2]) : 10;
  uint64_t seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1;
  Bytes valid = loader->valid();
  Damage damage(seed);
  Feeder feed(*loader);
  auto start = std::chrono::steady_clock::now();
  auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::string kept = "fuzz-" + loader->name + loader->ending;
  while (elapsed() < limit) {
    Bytes bytes = damage(valid);
    const double before = processor_time();  // a busy machine makes any file slow by the clock
    Feeder::Result r = feed(bytes);
    const double seconds = processor_time() - before;
    if (r.problem.empty() && seconds < 1) continue;
    std::ofstream(kept, std::ios::binary) << bytes;
    std::printf("%s: file %lld: %s (%.3f s); kept as %s\n", loader->name.c_str(), static_cast<long long>(feed.files),
                r.problem.c_str(), seconds, kept.c_str());
    return 1;
  }
  std::printf("%s: %lld files, %lld refused, slowest %.1f ms, peak %llu MiB\n", loader->name.c_str(),
              static_cast<long long>(feed.files), static_cast<long long>(feed.refused), feed.slowest * 1000,
              static_cast<unsigned long long>(Memory::peak() >> 20));
}
#endif
