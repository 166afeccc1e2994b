// lstm, gru and simple_rnn: kernels against the reference and against the unrolled decomposition, gradients of first
// and second order, what training saves, errors.
#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ir/graph.h"
#include "kernels/cpu/kernel_test.h"
#include "kernels/cpu/rnn.h"
#include "runtime/executable.h"

namespace glia {
namespace {

Tensor random(Shape shape, uint64_t seed, DType dtype) {
  cpu::Lcg rng{seed};
  Tensor t(std::move(shape), dtype);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, rng.uniform());
  return t;
}

struct Sample {
  const char* op;
  int64_t batch, steps, input, units;
  bool bias = true, states = true, mask = false, sequences = true, backwards = false, zero = false,
       reset_after = true;
  int64_t gates() const { return op[0] == 'l' ? 4 : op[0] == 'g' ? 3 : 1; }
  std::string name() const {
    return std::string(op) + (bias ? " bias" : "") + (states ? " states" : "") + (mask ? " mask" : "") +
           (sequences ? " sequences" : "") + (backwards ? " backwards" : "") + (zero ? " zero" : "") +
           (reset_after ? "" : " reset before");
  }
};

std::vector<Sample> samples() {
  std::vector<Sample> all;
  for (const char* op : {"lstm", "gru", "simple_rnn"}) {
    all.push_back({op, 2, 3, 4, 5});
    all.push_back({.op = op, .batch = 3, .steps = 4, .input = 2, .units = 3, .bias = false, .states = false});
    all.push_back({.op = op, .batch = 3, .steps = 4, .input = 5, .units = 2, .mask = true, .sequences = false});
    all.push_back(
        {.op = op, .batch = 4, .steps = 3, .input = 3, .units = 4, .mask = true, .backwards = true, .zero = true});
    all.push_back({.op = op, .batch = 1, .steps = 1, .input = 1, .units = 1, .sequences = false, .backwards = true});
  }
  all.push_back({.op = "gru", .batch = 2, .steps = 3, .input = 4, .units = 5, .reset_after = false});
  all.push_back({.op = "gru", .batch = 3, .steps = 3, .input = 2, .units = 3, .mask = true, .reset_after = false});
  return all;
}

ir::Attrs attrs_of(const Sample& s) {
  ir::Attrs a{{"return_sequences", s.sequences}, {"go_backwards", s.backwards},
              {"zero_output_for_mask", s.zero},  {"bias", s.bias},
              {"initial_state", s.states},       {"mask", s.mask}};
  if (s.gates() == 3) a.set("reset_after", s.reset_after);
  return a;
}

std::vector<Tensor> inputs_of(const Sample& s, DType t) {
  const int64_t g = s.gates() * s.units;
  std::vector<Tensor> in{random({s.batch, s.steps, s.input}, 1, t), random({s.input, g}, 2, t),
                         random({s.units, g}, 3, t)};
  if (s.bias) in.push_back(random(s.gates() == 3 && s.reset_after ? Shape{2, g} : Shape{g}, 4, t));
  if (s.states) in.push_back(random({s.batch, s.units}, 5, t));
  if (s.states && s.gates() == 4) in.push_back(random({s.batch, s.units}, 6, t));
  if (s.mask) {
    in.push_back(random({s.batch, s.steps}, 7, DType::f32).astype(DType::f64));
    Tensor m({s.batch, s.steps}, DType::bool_);
    for (int64_t i = 0; i < m.size(); ++i) m.set_item(i, in.back().item(i) > -0.4 ? 1 : 0);
    in.back() = m;
  }
  return in;
}

std::vector<Tensor> run(const std::vector<Tensor>& in, const std::function<Values(const Values&)>& f) {
  auto graph = std::make_shared<ir::Graph>();
  Values v;
  for (const Tensor& t : in) v.push_back(ir::add_input(graph, {t.dtype(), t.shape()}, ""));
  graph->set_outputs(f(v));
  return runtime::compile(*graph)->run(in);
}

void expect_close(const std::vector<Tensor>& got, const std::vector<Tensor>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t k = 0; k < got.size(); ++k) {
    ASSERT_EQ(got[k].shape(), want[k].shape()) << "output " << k;
    for (int64_t i = 0; i < got[k].size(); ++i) {
      ASSERT_NEAR(got[k].item(i), want[k].item(i), tolerance * (1 + std::abs(want[k].item(i)))) << k << ", " << i;
    }
  }
}

TEST(Rnn, CandidatesMatchReferenceAndDecomposition) {
  for (const Sample& s : samples()) {
    SCOPED_TRACE(s.name());
    const ir::OpDef& op = ir::find_op(s.op);
    const ir::Attrs attrs = ir::normalized(op, attrs_of(s));
    const auto all = [&](const Values& v) { return ir::apply(op, attrs, v); };
    const auto unrolled = [&](const Values& v) { return op.decompose(attrs, v); };
    const std::vector<Tensor> in = inputs_of(s, DType::f64), narrow = inputs_of(s, DType::f32);
    const auto want = run(in, unrolled);
    expect_close(run(in, all), want, 1e-13);
    cpu::for_each_isa([&] { expect_close(run(narrow, all), want, 1e-6); });
    std::vector<Tensor> out;
    for (const Tensor& t : want) out.emplace_back(t.shape(), DType::f32);
    op.reference(attrs, narrow, out);
    expect_close(out, want, 1e-6);
  }
}

// A scalar that all results of the op go into.
Value loss_of(const Sample& s, const Values& v) {
  const Values out = ir::apply(ir::find_op(s.op), attrs_of(s), v);
  Value sum;
  for (int i = 0; i < (s.gates() == 4 ? 3 : 2); ++i) {
    const Value part = ops::sum(ops::sin(out[i] * (1.5 + i)));
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

void check_gradient(const Sample& s, const std::function<Value(const Values&)>& f) {
  const std::vector<Tensor> in = inputs_of(s, DType::f64);
  const Values args(in.begin(), in.end());
  const Values g = grad(f)(args);
  const Function at = compile_function([&](const Values& v) -> Values { return {f(v)}; });
  for (size_t k = 0; k < in.size(); ++k) {
    if (!is_float(in[k].dtype())) continue;
    const Tensor direction = random(in[k].shape(), 50 + k, DType::f64);
    double by_gradient = 0;
    for (int64_t i = 0; i < direction.size(); ++i) by_gradient += direction.item(i) * g[k].tensor().item(i);
    const auto moved = [&](double h) {
      Values v = args;
      Tensor t = in[k].clone();
      for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, t.item(i) + h * direction.item(i));
      v[k] = t;
      return at(v)[0].tensor().item();
    };
    EXPECT_NEAR((moved(1e-5) - moved(-1e-5)) / 2e-5, by_gradient, 1e-6 * (1 + std::abs(by_gradient)))
        << "input " << k;
  }
}

TEST(Rnn, Gradients) {
  for (const Sample& s : samples()) {
    SCOPED_TRACE(s.name());
    check_gradient(s, [&](const Values& v) { return loss_of(s, v); });
  }
}

TEST(Rnn, SecondOrderGradients) {
  for (const Sample& s : samples()) {
    if (s.batch * s.units > 8 && s.gates() != 4) continue;
    SCOPED_TRACE(s.name());
    check_gradient(s, [&](const Values& v) {
      Values wrt;
      for (const Value& x : v) {
        if (is_float(x.dtype())) wrt.push_back(x);
      }
      Value sum;
      for (const Value& g : gradients({loss_of(s, v)}, wrt)) {
        const Value part = ops::sum(ops::square(g));
        sum = sum.defined() ? sum + part : part;
      }
      return sum;
    });
  }
}

TEST(Rnn, GradientsOfFloatsMatchDoubles) {
  for (const Sample& s : samples()) {
    SCOPED_TRACE(s.name());
    const auto f = [&](const Values& v) {
      Values wrt;
      for (const Value& x : v) {
        if (is_float(x.dtype())) wrt.push_back(x);
      }
      return gradients({loss_of(s, v)}, wrt);
    };
    const auto want = run(inputs_of(s, DType::f64), f);
    cpu::for_each_isa([&] { expect_close(run(inputs_of(s, DType::f32), f), want, 1e-5); });
  }
}

Tensor tensor_of(const nlohmann::json& j) {
  Tensor t(j["shape"].get<Shape>());
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, j["v"][static_cast<size_t>(i)].get<double>());
  return t;
}

// tests/golden/rnn.json: results and gradients computed by Keras (tools/golden/rnn.py).
void check_golden(const nlohmann::json& c) {
  std::vector<Tensor> in{tensor_of(c["x"])}, want, factors;
  const size_t states = c["states"].size();
  for (const auto& s : c["states"]) in.push_back(tensor_of(s));
  for (const auto& w : c["weights"]) in.push_back(tensor_of(w));
  for (const auto& f : c["factors"]) factors.push_back(tensor_of(f));
  for (const auto& r : c["results"]) want.push_back(tensor_of(r));
  want.push_back(tensor_of(c["dx"]));
  for (const auto& g : c["dstates"]) want.push_back(tensor_of(g));
  for (const auto& g : c["dweights"]) want.push_back(tensor_of(g));
  ops::RnnOptions o{.return_sequences = true};
  o.go_backwards = c["options"].value("go_backwards", false);
  o.zero_output_for_mask = c["options"].value("zero_output_for_mask", false);
  if (!c["mask"].is_null()) {
    Tensor m({in[0].dim(0), in[0].dim(1)}, DType::bool_);
    for (int64_t i = 0; i < m.size(); ++i) m.set_item(i, c["mask"][static_cast<size_t>(i)].get<int>());
    o.mask = m;
  }
  const auto got = run(in, [&](const Values& v) {
    ops::RnnOptions all = o;
    all.initial_state = Values(v.begin() + 1, v.begin() + 1 + static_cast<int64_t>(states));
    all.bias = v.back();
    const Value &w = v[1 + states], &u = v[2 + states];
    const std::string op = c["op"];
    const ops::RnnResult r = op == "lstm"  ? ops::lstm(v[0], w, u, all)
                             : op == "gru" ? ops::gru(v[0], w, u, all, c["options"].value("reset_after", true))
                                           : ops::simple_rnn(v[0], w, u, all);
    Values results{r.output}, seeds(factors.begin(), factors.end());
    results.insert(results.end(), r.states.begin(), r.states.end());
    const Values g = gradients(results, v, seeds);
    results.insert(results.end(), g.begin(), g.end());
    return results;
  });
  expect_close(got, want, 2e-6);
}

TEST(Rnn, MatchesKeras) {
  std::ifstream file(GLIA_SOURCE_DIR "/tests/golden/rnn.json");
  const auto golden = nlohmann::json::parse(file);
  ASSERT_GE(golden["cases"].size(), 6u);
  for (const auto& c : golden["cases"]) {
    SCOPED_TRACE(c["name"].get<std::string>());
    cpu::for_each_isa([&] { check_golden(c); });
  }
}

TEST(Rnn, PredictionSavesNothing) {
  const Sample s{"lstm", 8, 20, 16, 32};
  const std::vector<Tensor> in = inputs_of(s, DType::f32);
  auto graph = std::make_shared<ir::Graph>();
  Values v;
  for (const Tensor& t : in) v.push_back(ir::add_input(graph, {t.dtype(), t.shape()}, ""));
  graph->set_outputs({ops::lstm(v[0], v[1], v[2], {.bias = v[3], .initial_state = {v[4], v[5]}}).output});
  const auto exe = runtime::compile(*graph);
  ASSERT_EQ(exe->plan().steps.size(), 1u) << plan::print(exe->plan());
  EXPECT_EQ(exe->plan().steps[0].kernel, "simd");
  EXPECT_LE(exe->plan().arena_bytes, cpu::lstm_workspace({8, 20, 16, 32}) + 4096);
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing thrown";
}

TEST(Rnn, Errors) {
  const auto t = [](Shape s, DType d = DType::f32) { return Value(random(std::move(s), 1, d)); };
  const Value x = t({2, 3, 4}), w = t({4, 20}), u = t({5, 20});
  EXPECT_EQ(error_of([&] {
              ops::lstm(t({2, 4}), w, u);
            }),
            "lstm: expected an input of rank 3 (batch, steps, features). Received float32 (2, 4).");
  EXPECT_EQ(error_of([&] {
              ops::lstm(t({2, 0, 4}), w, u);
            }),
            "lstm: the input has no steps. Received float32 (2, 0, 4).");
  EXPECT_EQ(error_of([&] {
              ops::lstm(x, w, t({5, 15}));
            }),
            "lstm: expected a recurrent kernel of shape (units, 4 units). Received float32 (5, 15).");
  EXPECT_EQ(error_of([&] {
              ops::lstm(x, t({3, 20}), u);
            }),
            "lstm: expected a kernel of float32 (4, 20). Received float32 (3, 20).");
  EXPECT_EQ(error_of([&] { ops::lstm(x, w, u, {.bias = t({5})}); }),
            "lstm: expected a bias of float32 (20,). Received float32 (5,).");
  EXPECT_EQ(error_of([&] {
              ops::gru(x, t({4, 15}), t({5, 15}), {.bias = t({15})});
            }),
            "gru: expected a bias of float32 (2, 15). Received float32 (15,).");
  EXPECT_EQ(error_of([&] {
              ops::lstm(x, w, u, {.initial_state = {t({2, 5})}});
            }),
            "lstm: expected 2 initial states. Received 1.");
  EXPECT_EQ(error_of([&] {
              ops::simple_rnn(x, t({4, 5}), t({5, 5}), {.initial_state = {t({3, 5})}});
            }),
            "simple_rnn: expected an initial state of float32 (2, 5). Received float32 (3, 5).");
  EXPECT_EQ(error_of([&] {
              ops::lstm(x, w, u, {.mask = t({2, 3})});
            }),
            "lstm: expected a mask of bool (2, 3). Received float32 (2, 3).");
  EXPECT_EQ(error_of([&] {
              ops::lstm(x, w, t({5, 20}, DType::f64));
            }),
            "lstm: expected a recurrent kernel of float32 (5, 20). Received float64 (5, 20).");
}

}  // namespace
}  // namespace glia
