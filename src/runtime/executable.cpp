#include "runtime/executable.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "base/thread_pool.h"
#include "passes/pipeline.h"
#include "runtime/profiler.h"

namespace glia::runtime {

#ifdef MADV_HUGEPAGE
// Asks for huge pages and touches them, until the kernel turns out to be slow to find them: a virtual machine whose host has
// yet to give it the memory takes milliseconds for each, more than its 512 small ones together, and their gain (about 1 % of
// a step) would take long to pay that.
static void take_huge_pages(char* p, size_t size) {
  constexpr size_t kHuge = size_t{2} << 20;
  constexpr int64_t kSlow = 1'200'000;  // ns for one; clearing 2 MB takes 200'000
  constexpr int kMostSlow = 4;
  madvise(p, size, MADV_HUGEPAGE);
  int slow = 0;
  for (size_t at = 0; at < size; at += kHuge) {
    const int64_t start = now_ns();
    *const_cast<volatile char*>(p + at) = 0;
    slow += now_ns() - start > kSlow;
    if (slow < kMostSlow) continue;
    at += kHuge;
    if (at < size) madvise(p + at, size - at, MADV_NOHUGEPAGE);
    return;
  }
}
#endif

Arena::~Arena() {
  if (base_) munmap(base_, size_);
}

void Arena::reserve(size_t bytes) {
  if (bytes <= size_) return;
  constexpr size_t kHuge = size_t{2} << 20;
  size_t size = bytes >= kHuge ? (bytes + kHuge - 1) / kHuge * kHuge : (bytes + 4095) / 4096 * 4096;
  void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  GLIA_CHECK(p != MAP_FAILED, "Out of memory: the compiled step needs an arena of {} MB. Use a smaller batch_size.", size >> 20);
#ifdef MADV_HUGEPAGE
  if (size >= kHuge) take_huge_pages(static_cast<char*>(p), size);
#endif
  if (base_) munmap(base_, size_);
  base_ = static_cast<char*>(p);
  size_ = size;
}

Executable::Executable(plan::Plan plan, std::shared_ptr<Arena> arena) : plan_(std::move(plan)), arena_(std::move(arena)) {
  using plan::Place;
  input_slots_.resize(plan_.input_types.size());
  output_slots_.resize(plan_.output_types.size());
  std::vector<std::pair<size_t, size_t>> starts;
  auto add_slot = [&](const plan::Slot& s) {
    size_t at = slots_.size();
    slots_.push_back(nullptr);
    switch (s.place) {
      case Place::none: break;
      case Place::arena: arena_slots_.emplace_back(at, s.at); break;
      case Place::input: input_slots_[s.at].push_back(at); break;
      case Place::output: output_slots_[s.at].push_back(at); break;
      case Place::constant: slots_[at] = plan_.constants[s.at].raw(); break;
      case Place::kept: slots_[at] = kept_.base() + s.at; break;
    }
  };
  kept_.reserve(plan_.kept_bytes);
  for (const plan::Step& step : plan_.steps) {
    size_t in = slots_.size();
    for (auto& s : step.in) add_slot(s);
    size_t out = slots_.size();
    for (auto& s : step.out) add_slot(s);
    starts.emplace_back(in, out);
    if (step.work.place == Place::arena) work_slots_.emplace_back(calls_.size(), step.work.at);
    const bool keeps = step.work.place == Place::kept;
    if (keeps) keeping_calls_.push_back(calls_.size());
    (step.fixed ? fixed_calls_ : run_calls_).push_back(calls_.size());
    calls_.push_back({step.fn, {nullptr, nullptr, keeps ? kept_.base() + step.work.at : nullptr, step.params.get()}});
    for (const plan::Guard& g : step.guards) {
      guards_.push_back({calls_.size() - 1, slots_.size(), g.expected});
      add_slot(g.condition);
    }
  }
  threads_ = ThreadChoice(calls_.size());
  slots_.push_back(nullptr);
  for (size_t i = 0; i < calls_.size(); ++i) {
    calls_[i].args.in = slots_.data() + starts[i].first;
    calls_[i].args.out = slots_.data() + starts[i].second;
  }
  bound_inputs_.assign(plan_.input_types.size(), nullptr);
  bound_outputs_.assign(plan_.output_types.size(), nullptr);
  arena_->reserve(plan_.arena_bytes);
  if (profiling()) profile_id_ = register_plan(plan_);
}

void Executable::bind(std::span<void* const> inputs, std::span<void* const> outputs) {
  GLIA_ASSERT(inputs.size() == bound_inputs_.size() && outputs.size() == bound_outputs_.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == bound_inputs_[i]) continue;
    bound_inputs_[i] = inputs[i];
    if (plan_.fixed[i]) ready_ = false;
    for (size_t s : input_slots_[i]) slots_[s] = inputs[i];
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] == bound_outputs_[i]) continue;
    bound_outputs_[i] = outputs[i];
    for (size_t s : output_slots_[i]) slots_[s] = outputs[i];
  }
  if (arena_->base() == bound_base_) return;
  bound_base_ = arena_->base();
  for (auto [slot, offset] : arena_slots_) slots_[slot] = bound_base_ + offset;
  for (auto [call, offset] : work_slots_) calls_[call].args.work = bound_base_ + offset;
}

// The guards of a call, from `next` on, which is moved behind them.
bool Executable::wanted(size_t call, size_t& next) const {
  bool yes = true;
  for (; next < guards_.size() && guards_[next].call == call; ++next)  // behind a guard that fails, conditions may not have been computed
    yes = yes && *static_cast<const bool*>(slots_[guards_[next].slot]) == guards_[next].expected;
  return yes;
}

template <class F>
void Executable::each_call(bool refresh, F&& f) const {
  if (refresh)
    for (size_t i : fixed_calls_) f(i);
  size_t next = 0;
  for (size_t i : run_calls_)
    if (wanted(i, next)) f(i);
}

namespace {
struct InlineScope {  // what parallel_for does is set back, whatever a kernel throws
  bool was = run_inline(false), now = was;
  InlineScope() { run_inline(was); }
  ~InlineScope() { run_inline(was); }
  void set(bool alone) {
    if (now != (alone || was)) run_inline(now = alone || was);
  }
};
}  // namespace

void Executable::run_calls(bool refresh) {
  InlineScope scope;
  const auto call = [&](size_t i) {
    scope.set(threads_.alone(i));
    try {
      calls_[i].fn(calls_[i].args);
    } catch (const Error& e) {  // what only the data can tell, such as an index out of range
      const std::string& layer = plan_.steps[i].scope;
      throw layer.empty() ? e : Error(layer + ": " + e.what());
    }
  };
  if (profile_id_ < 0 && !tracing() && !threads_.calibrating()) return each_call(refresh, call);
  each_call(refresh, [&](size_t i) {
    const int64_t start = now_ns();
    call(i);
    const int64_t ns = now_ns() - start;
    if (threads_.calibrating()) threads_.record(i, ns);
    if (profile_id_ >= 0) record_step(profile_id_, i, ns);
    if (tracing()) record_event(plan_.steps[i], start, ns);
  });
}

void Executable::run(std::span<void* const> inputs, std::span<void* const> outputs, bool fixed_changed) {
  std::lock_guard<std::mutex> lock(arena_->mutex());
  if (fixed_changed) ready_ = false;
  bind(inputs, outputs);
  const bool refresh = !ready_;
  for (size_t i : keeping_calls_) calls_[i].args.ready = !refresh;
  const bool timed = threads_.begin();
  const int64_t start = timed ? now_ns() : 0;
  run_calls(refresh);
  if (timed) threads_.end(now_ns() - start);
  ready_ = true;
}

std::vector<Tensor> Executable::run(std::span<const Tensor> inputs) {
  GLIA_CHECK(inputs.size() == plan_.input_types.size(), "The compiled function takes {} inputs. Received {}.",
             plan_.input_types.size(), inputs.size());
  std::vector<void*> in, out;
  for (size_t i = 0; i < inputs.size(); ++i) {
    TensorType got{inputs[i].dtype(), inputs[i].shape()};
    GLIA_CHECK(got == plan_.input_types[i], "Input {} of the compiled function: expected {}. Received {}.", i,
               to_string(plan_.input_types[i]), to_string(got));
    in.push_back(const_cast<void*>(inputs[i].craw()));
  }
  std::vector<Tensor> results;
  for (size_t o = 0; o < plan_.output_types.size(); ++o) {
    bool update = plan_.update_of_output[o] >= 0;
    results.push_back(update ? Tensor() : Tensor(plan_.output_types[o].shape, plan_.output_types[o].dtype));
    out.push_back(results.back().raw());
  }
  run(in, out);
  return results;
}

std::shared_ptr<Executable> compile(const ir::Graph& g, std::shared_ptr<Arena> arena, std::vector<bool> fixed) {
  auto work = g.clone();
  passes::optimize(*work, {.fixed = fixed});
  plan::Plan p = plan::make_plan(*work, std::move(fixed));
  if (passes::dump_wanted("plan")) std::fprintf(stderr, "%s", plan::print(p).c_str());
  return std::make_shared<Executable>(std::move(p), arena ? arena : std::make_shared<Arena>());
}

}  // namespace glia::runtime
