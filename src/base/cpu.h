// What this processor can run. One binary holds every instruction set of its architecture; the choice is made here, at
// run time, and GLIA_ISA=scalar|avx2|avx512 forces a lower one.
#pragma once
#include <string_view>

namespace glia {

enum class Isa { scalar = 0, neon = 1, avx2 = 2, avx512 = 3 };

std::string_view isa_name(Isa);
Isa best_isa();          // the highest set this machine runs, ignoring GLIA_ISA
Isa current_isa();       // best_isa() lowered by GLIA_ISA; throws Error if GLIA_ISA names one the machine lacks
void set_isa(Isa);       // for tests and benchmarks: executables planned afterwards use it
bool cpu_has_avx512_bf16();
bool cpu_has_avx512_vnni();
int usable_cores();      // cores granted by affinity and cgroup quota, at least 1

}  // namespace glia
