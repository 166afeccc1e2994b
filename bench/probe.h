// What the machine can do right now: the yardstick printed beside every measurement. Machines differ and drift, so only
// a share of a probe run in the same second says anything.
//
//   double peak = peak_gflops(2);   // f32 multiply-adds of the best instruction set on 2 threads, GFLOP/s
//   double bw = copy_gbs(2);        // read + write of a buffer larger than the caches, GB/s
#pragma once

namespace glia::bench {

double peak_gflops(int threads, double seconds = 0.04);
double copy_gbs(int threads, double seconds = 0.08);
// Time for a cache line to go from one core to another and back, ns (the median of short runs). A host may put the cores
// of a virtual machine near each other (some tens of ns) or far apart (hundreds), and change that while a program runs.
double handoff_ns();

}  // namespace glia::bench
