#include <algorithm>
#include <chrono>
#include <random>

#include "base/cpu.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "cli/glia/command.h"
#include "cli/glia/model_file.h"

namespace glia::cli {

namespace {
struct Options {
  std::string model;
  std::vector<int64_t> batches;
  double seconds = 1;
  int64_t unknown = 64;
};

Tensor random_input(const InputSpec& s, int64_t batch, int64_t unknown) {
  Shape shape = s.shape;
  if (shape.empty()) throw_error("the model does not say the shape of its input '{}'.", s.name);
  if (shape[0] < 0) shape[0] = batch;
  for (int64_t& d : shape)
    if (d < 0) d = unknown;
  Tensor t(shape, s.dtype);
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int64_t i = 0; i < t.size(); ++i)
    t.set_item(i, is_float(s.dtype) ? uniform(generator) : i % 2);  // ids 0 and 1 exist everywhere
  return t;
}

void bench(const Options& o, const Context& c) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  Model model = open_model(o.model);
  const double load_ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  json results = json::array();
  std::string text = fmt::format("{}: {} parameters, {} threads, {}; loaded in {:.0f} ms\n", o.model,
                                 model.count_params(), num_threads(), isa_name(current_isa()), load_ms);
  for (int64_t batch : o.batches.empty() ? std::vector<int64_t>{1, 32} : o.batches) {
    std::vector<Array> inputs;
    for (const InputSpec& s : input_specs(model)) inputs.push_back(random_input(s, batch, o.unknown));
    const int64_t rows = rows_of(inputs);
    std::vector<double> ms;
    const auto until = Clock::now() + std::chrono::duration<double>(o.seconds);
    do {
      const auto t = Clock::now();
      predict_arrays(model, inputs, {.batch_size = rows});
      ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - t).count());
    } while (Clock::now() < until || ms.size() < 3);
    const double first = ms[0];  // traces and plans
    ms.erase(ms.begin());
    std::sort(ms.begin(), ms.end());
    const double median = ms[ms.size() / 2], p90 = ms[ms.size() * 9 / 10];
    results.push_back({{"batch", rows},
                       {"calls", ms.size()},
                       {"ms_median", median},
                       {"ms_min", ms[0]},
                       {"ms_p90", p90},
                       {"ms_first", first},
                       {"rows_per_second", 1e3 * static_cast<double>(rows) / median}});
    text += fmt::format("batch {:>4}: median {:.3f} ms, best {:.3f}, 90% {:.3f}, first {:.1f}; {:.0f} rows/s\n", rows,
                        median, ms[0], p90, first, 1e3 * static_cast<double>(rows) / median);
  }
  c.print({{"model", o.model},
           {"params", model.count_params()},
           {"threads", num_threads()},
           {"isa", isa_name(current_isa())},
           {"load_ms", load_ms},
           {"results", results}},
          text);
}
}  // namespace

Run add_bench(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("MODEL", o->model, "model file")->required();
  app.add_option("-b,--batch-size", o->batches, "rows of a call; may be given several times (default: 1 and 32)")
      ->check(positive());
  app.add_option("--seconds", o->seconds, "time for each batch size")
      ->capture_default_str()
      ->check(positive());
  app.add_option("--length", o->unknown, "extent where the model leaves it open")
      ->capture_default_str()
      ->check(positive());
  return [o, &c] { bench(*o, c); };
}

}  // namespace glia::cli
