// Peak probe: what this machine's multiply-adds reach right now, the yardstick for every kernel measurement.
//
//   double peak = peak_gflops(2);            // f32, two threads, about 30 ms
//   report(gflops / peak);
#pragma once

namespace glia::cpu {

double peak_gflops(int threads);       // f32 FMA of current_isa(), best of several short runs
double peak_bf16_gflops(int threads);  // VDPBF16PS; 0 where the machine has none

}  // namespace glia::cpu
