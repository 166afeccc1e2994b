// Random damage without end, for every loader of loaders.h.
//
//   glia-fuzz                          the names
//   glia-fuzz LOADER SECONDS [SEED]    prints how many files were tried; a file that breaks the rules is kept in the
//   current folder,
//                                      one that ends the process with a signal lies in /dev/shm/glia_fuzz_PID_LOADER
//   GLIA_FUZZ=LOADER glia-libfuzzer    the same files steered by coverage (built with clang and -DGLIA_LIBFUZZER=ON)
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
int main(int argc, char** argv) {
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
    Feeder::Result r = feed(bytes);
    if (r.problem.empty() && feed.seconds < 2) continue;
    std::ofstream(kept, std::ios::binary) << bytes;
    std::printf("%s: file %lld: %s (%.3f s); kept as %s\n", loader->name.c_str(), static_cast<long long>(feed.files),
                r.problem.c_str(), feed.seconds, kept.c_str());
    return 1;
  }
  std::printf("%s: %lld files, %lld refused, slowest %.1f ms, peak %llu MiB\n", loader->name.c_str(),
              static_cast<long long>(feed.files), static_cast<long long>(feed.refused), feed.slowest * 1000,
              static_cast<unsigned long long>(Memory::peak() >> 20));
}
#endif
