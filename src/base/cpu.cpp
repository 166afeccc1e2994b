#include "base/cpu.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "base/error.h"

namespace glia {

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::scalar: return "scalar";
    case Isa::neon: return "neon";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
  }
  return "?";
}

Isa best_isa() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
  return Isa::scalar;
#elif defined(__aarch64__)
  return Isa::neon;
#else
  return Isa::scalar;
#endif
}

namespace {
Isa initial_isa() {
  const char* env = std::getenv("GLIA_ISA");
  if (!env || !*env) return best_isa();
  std::string want = env;
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    if (want != isa_name(isa)) continue;
    bool ok = isa == Isa::scalar || isa == best_isa() || (isa == Isa::avx2 && best_isa() == Isa::avx512);
    GLIA_CHECK(ok, "GLIA_ISA={}: this machine cannot run it; the best it has is {}. Unset GLIA_ISA or choose a lower one.",
               want, isa_name(best_isa()));
    return isa;
  }
  throw_error("GLIA_ISA={}: unknown instruction set. Expected scalar, avx2, avx512 or neon.", want);
}
std::atomic<int>& isa_cell() {
  static std::atomic<int> cell{static_cast<int>(initial_isa())};
  return cell;
}
}  // namespace

Isa current_isa() { return static_cast<Isa>(isa_cell().load(std::memory_order_relaxed)); }
void set_isa(Isa isa) { isa_cell().store(static_cast<int>(isa)); }

bool cpu_has_avx512_bf16() {
#if defined(__x86_64__)
  return current_isa() == Isa::avx512 && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}
bool cpu_has_avx512_vnni() {
#if defined(__x86_64__)
  return current_isa() == Isa::avx512 && __builtin_cpu_supports("avx512vnni");
#else
  return false;
#endif
}

int usable_cores() {
  int n = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) n = CPU_COUNT(&set);
  std::ifstream max("/sys/fs/cgroup/cpu.max");  // cgroup v2: "quota period" or "max period"
  std::string quota;
  double period = 0;
  if (max >> quota >> period && quota != "max" && period > 0)
    n = std::min(n, static_cast<int>(std::max(1.0, std::stod(quota) / period + 0.5)));
  return std::max(1, n);
}

}  // namespace glia
