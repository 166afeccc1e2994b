// glia-bench: one driver for all measurements; a JSON line per run with --json.
//
//   glia-bench kernel 'gemm*' --seconds 1 --threads 2
//   glia-bench kernel --list
//   glia-bench train cnn32 --json
//   glia-bench predict cnn32 --batch 1
//   glia-bench loss shared/data/tinyshakespeare/input.txt
//   glia-bench probe
#include <fnmatch.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/cpu.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "kernels.h"
#include "loss.h"
#include "measure.h"
#include "models.h"
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
  int64_t batch = 1;  // predict
  LossOptions loss;
  double most = 0.5;  // loss: difference allowed, in percent
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

// Times the steps of one fit; thrown by its callback when the time is up, for an epoch would run on to its end.
struct TimeIsUp {};
struct StepClock : Callback {
  explicit StepClock(double s) : seconds(s) {}
  double seconds, first = 0, begin = 0, last = 0;
  std::vector<double> ms;
  int count = 0;
  void on_train_batch_end(int64_t, Logs&) override {
    const double now = now_s();
    if (++count == 1) first = now;
    if (count == 3) begin = now;  // two steps of warm-up
    if (count > 3) ms.push_back((now - last) * 1e3);
    last = now;
    if (ms.size() >= 3 && now - begin > seconds) throw TimeIsUp{};
  }
};

void print_model_line(const Options& o, nlohmann::ordered_json line, const Timing& t, double flops, double peak) {
  const double gflops = flops / t.ms_min * 1e-6;
  line.update({{"ms_med", t.ms_med}, {"ms_min", t.ms_min}, {"gflops", gflops}, {"peak_gflops", peak},
               {"share", flops / t.ms_med * 1e-6 / peak}, {"rss_mb", peak_rss_mb()}});
  if (o.json) return void(std::printf("%s\n", line.dump().c_str()));
  std::printf("%s %s: %.4g ms (min %.4g), %.1f GFLOP/s, %.0f %% of %.0f, %.0f MB\n", line["command"].get<std::string>().c_str(),
              line["work"].get<std::string>().c_str(), t.ms_med, t.ms_min, gflops, 100 * gflops / peak, peak, peak_rss_mb());
}

void train_command(const Options& o) {
  const Workload& w = find_workload(o.name);
  const int64_t batches = w.batch * num_elements(w.input) < 1000000 ? 64 : 8;
  const Tensor x = make_input(w, w.batch * batches), y = make_labels(w, w.batch * batches);
  if (o.dtype == "bf16") set_dtype_policy("mixed_bfloat16");
  double peak = peak_gflops(num_threads());
  const double near = num_threads() > 1 ? handoff_ns() : 0;
  const double start = now_s();
  Model model = w.build();
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  auto clock = std::make_shared<StepClock>(o.seconds);
  try {
    model.fit(x, y, {.batch_size = w.batch, .epochs = 1000000, .verbose = 0, .callbacks = {clock}, .shuffle = false});
  } catch (const TimeIsUp&) {
  }
  peak = std::max(peak, peak_gflops(num_threads()));
  auto line = base_line(w.name, o);
  line["command"] = "train";
  line["handoff_ns"] = {near, num_threads() > 1 ? handoff_ns() : 0};
  line["first_s"] = clock->first - start;
  print_model_line(o, std::move(line), summarise(clock->ms), w.train_flops(w.batch), peak);
}

void predict_command(const Options& o) {
  const Workload& w = find_workload(o.name);
  const Tensor x = make_input(w, o.batch);
  if (o.dtype == "bf16") set_dtype_policy("mixed_bfloat16");
  double peak = peak_gflops(num_threads());
  const double start = now_s();
  Model model = w.build();
  model.predict_on_batch(x);
  const double first = now_s() - start;
  const Timing t = measure([&] { model.predict_on_batch(x); }, o.seconds);
  peak = std::max(peak, peak_gflops(num_threads()));
  auto line = base_line(w.name, o);
  line.update({{"command", "predict"}, {"batch", o.batch}, {"first_s", first}, {"infer_us", t.ms_med * 1e3}});
  print_model_line(o, std::move(line), t, w.predict_flops(o.batch), peak);
}

// From the start of this process to the first prediction of the CNN.
void startup_command(const Options& o) {
  const Workload& w = find_workload("cnn32");
  w.build().predict_on_batch(make_input(w, 1));
  auto line = base_line(w.name, o);
  line.update({{"command", "startup"}, {"first_s", process_age_s()}, {"rss_mb", peak_rss_mb()}});
  std::printf("%s\n", line.dump(o.json ? -1 : 2).c_str());
}

void loss_command(const Options& o) {
  const double start = now_s();
  const LossCheck c = compare_losses(o.loss);
  auto line = base_line("gpt_mini", o);
  line.erase("dtype");
  line.update({{"command", "loss"}, {"steps", o.loss.steps}, {"f32", c.f32}, {"mixed_bfloat16", c.bf16},
               {"difference_percent", 100 * c.difference}, {"seconds", now_s() - start}});
  std::printf("%s\n", line.dump(o.json ? -1 : 2).c_str());
  GLIA_CHECK(100 * c.difference <= o.most, "mixed_bfloat16 loses {:.2f} %; at most {} % are allowed.", 100 * c.difference, o.most);
}

void probe_command(const Options& o) {
  auto line = base_line("probe", o);
  line.update({{"peak_gflops_1", peak_gflops(1)}, {"peak_gflops", peak_gflops(num_threads())},
               {"copy_gbs", copy_gbs(num_threads())}, {"handoff_ns", num_threads() > 1 ? handoff_ns() : 0}});
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
  auto* train = app.add_subcommand("train", "time training steps of a workload");
  train->add_option("WORK", o.name, "mlp, cnn32, lstm3, gpt_mini, ... (see bench/README.md)")->required();
  train->callback([&] { apply(o), train_command(o); });
  auto* predict = app.add_subcommand("predict", "time predictions of a workload");
  predict->add_option("WORK", o.name, "mlp, cnn32, lstm3, gpt_mini, ...")->required();
  predict->add_option("--batch", o.batch, "rows of one call")->capture_default_str()->check(CLI::PositiveNumber);
  predict->callback([&] { apply(o), predict_command(o); });
  auto* loss = app.add_subcommand("loss", "train gpt_mini on a text in float32 and in mixed_bfloat16; fails where the latter learns worse");
  loss->add_option("TEXT", o.loss.text, "a file, such as tinyshakespeare's input.txt")->required();
  loss->add_option("--steps", o.loss.steps, "training steps")->capture_default_str()->check(CLI::PositiveNumber);
  loss->add_option("--seeds", o.loss.seeds, "runs of each, with the seeds 1, 2, ...")->capture_default_str()->check(CLI::PositiveNumber);
  loss->add_option("--most", o.most, "percent by which the loss of mixed_bfloat16 may be higher")->capture_default_str();
  loss->callback([&] { apply(o), loss_command(o); });
  app.add_subcommand("startup", "process start to the first prediction of the CNN")->callback([&] { apply(o), startup_command(o); });
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
