// glia-bench: one driver for all measurements; a JSON line per run with --json.
//
//   glia-bench kernel 'gemm*' --seconds 1 --threads 2
//   glia-bench kernel --list
//   glia-bench probe
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels.h"
#include "measure.h"
#include "probe.h"

namespace glia::bench {
namespace {

struct Options {
  double seconds = 1.0;
  int threads = 0;  // 0: as the library decides
  std::string dtype = "f32";
  std::string isa;
  bool json = false;
  std::string name;
  bool list = false;
};

nlohmann::ordered_json base_line(const std::string& work, const Options& o) {
  return {{"peer", "glia"}, {"work", work}, {"threads", num_threads()}, {"dtype", o.dtype},
          {"isa", std::string(isa_name(current_isa()))}};
}

void apply(const Options& o) {
  if (o.threads > 0) set_num_threads(o.threads);
  if (o.isa.empty()) return;
  for (Isa isa : {Isa::scalar, Isa::neon, Isa::avx2, Isa::avx512}) {
    if (o.isa != isa_name(isa)) continue;
    GLIA_CHECK(isa <= best_isa(), "--isa {}: this machine's best is {}.", o.isa, isa_name(best_isa()));
    return set_isa(isa);
  }
  throw_error("--isa {}: expected scalar, avx2, avx512 or neon.", o.isa);
}

void run_kernel(const KernelBench& k, const Options& o) {
  const auto fn = k.setup();
  double peak = peak_gflops(num_threads());
  const Timing t = measure(fn, o.seconds);
  peak = std::max(peak, peak_gflops(num_threads()));
  auto line = base_line("kernel/" + k.name, o);
  const double gflops = k.flops / t.ms_min * 1e-6, gbs = k.bytes / t.ms_min * 1e-6;
  line.update({{"ms_med", t.ms_med}, {"ms_min", t.ms_min}, {"gflops", gflops}, {"gbs", gbs}, {"peak_gflops", peak},
               {"share", gflops / peak}});
  if (o.json) return void(std::printf("%s\n", line.dump().c_str()));
  std::printf("%-44s %10.2f us  min %10.2f us", k.name.c_str(), t.ms_med * 1e3, t.ms_min * 1e3);
  if (k.flops > 0) std::printf("  %7.1f GFLOP/s %5.1f %% of %.0f", gflops, 100 * gflops / peak, peak);
  if (k.bytes > 0) std::printf("  %7.1f GB/s", gbs);
  std::printf("\n");
}

void kernel_command(const Options& o) {
  int found = 0;
  for (const KernelBench& k : all_kernels()) {
    const bool wanted = o.name.empty() || o.name == "all" || fnmatch(o.name.c_str(), k.name.c_str(), 0) == 0;
    if (!wanted) continue;
    ++found;
    if (o.list) std::printf("%s\n", k.name.c_str());
    else run_kernel(k, o);
    std::fflush(stdout);
  }
  GLIA_CHECK(found > 0, "glia-bench kernel: nothing is named '{}'. See glia-bench kernel --list.", o.name);
}

void probe_command(const Options& o) {
  auto line = base_line("probe", o);
  line.update({{"peak_gflops_1", peak_gflops(1)}, {"peak_gflops", peak_gflops(num_threads())},
               {"copy_gbs", copy_gbs(num_threads())}});
  std::printf("%s\n", line.dump(o.json ? -1 : 2).c_str());
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app{"Measures Glia: kernels against the machine's peak, models against other libraries."};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--seconds", o.seconds, "time spent on each measurement")->capture_default_str();
  app.add_option("--threads", o.threads, "threads (default: the cores granted)");
  app.add_option("--dtype", o.dtype, "f32 or bf16")->check(CLI::IsMember({"f32", "bf16"}))->capture_default_str();
  app.add_option("--isa", o.isa, "force an instruction set: scalar, avx2, avx512, neon");
  app.add_flag("--json", o.json, "one JSON line per run");
  auto* kernel = app.add_subcommand("kernel", "time kernels; NAME may hold * and ?");
  kernel->add_option("NAME", o.name, "name or pattern (default: all)");
  kernel->add_flag("--list", o.list, "print the names only");
  kernel->callback([&] { apply(o), kernel_command(o); });
  app.add_subcommand("probe", "what the machine can do right now")->callback([&] { apply(o), probe_command(o); });
  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace
}  // namespace glia::bench

int main(int argc, char** argv) {
  try {
    return glia::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "glia-bench: %s\n", e.what());
    return 1;
  }
}
