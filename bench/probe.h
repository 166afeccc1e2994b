// What the machine can do right now: the yardstick printed beside every measurement. Machines differ and drift, so only
// a share of a probe run in the same second says anything.
//
//   double peak = peak_gflops(2);   // f32 multiply-adds of the best instruction set on 2 threads, GFLOP/s
//   double bw = copy_gbs(2);        // read + write of a buffer larger than the caches, GB/s
#pragma once

namespace glia::bench {

double peak_gflops(int threads, double seconds = 0.04);
double copy_gbs(int threads, double seconds = 0.08);

}  // namespace glia::bench
