// Every op x sample: inferred type = produced type; f32 on every instruction set against f64; decomposition and reference
// against the kernels; directional gradient in f64; the same bits with 1, 2 and 4 threads; nothing written outside the
// outputs; print -> parse -> print.
#include <glia/function.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "base/cpu.h"
#include "base/thread_pool.h"
#include "grad/grad.h"
#include "ir/graph.h"
#include "runtime/executable.h"
#include "support/op_samples.h"

namespace glia::testing {

std::vector<SampleFn>& sample_functions() {
  static std::vector<SampleFn> fns;
  return fns;
}
bool register_samples(SampleFn fn) {
  sample_functions().push_back(fn);
  return true;
}
const SampleList& all_samples() {
  static const SampleList list = [] {
    SampleList l;
    for (SampleFn fn : sample_functions()) fn(l);
    return l;
  }();
  return list;
}
OpSample& SampleList::add(std::string op, ir::Attrs attrs, std::vector<Tensor> inputs) {
  good.push_back({std::move(op), std::move(attrs), std::move(inputs)});
  return good.back();
}
void SampleList::refuse(std::string op, ir::Attrs attrs, std::vector<TensorType> inputs, std::string message) {
  bad.push_back({std::move(op), std::move(attrs), std::move(inputs), std::move(message)});
}

static uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}
Tensor numbers(const Shape& shape, double low, double high, uint64_t seed) {
  Tensor t(shape);
  for (int64_t i = 0; i < t.size(); ++i)
    t.set_item(i, low + (high - low) * static_cast<double>(mix(seed * 1000003 + static_cast<uint64_t>(i)) >> 11) * 0x1p-53);
  return t;
}
Tensor integers(const Shape& shape, int64_t low, int64_t high, DType dtype, uint64_t seed) {
  Tensor t(shape, dtype);
  for (int64_t i = 0; i < t.size(); ++i)
    t.set_item(i, static_cast<double>(low + static_cast<int64_t>(mix(seed * 7919 + static_cast<uint64_t>(i)) % static_cast<uint64_t>(high - low + 1))));
  return t;
}
Tensor bools(const Shape& shape, uint64_t seed) { return integers(shape, 0, 1, DType::bool_, seed); }

namespace {

std::vector<Tensor> as(const std::vector<Tensor>& in, DType floats) {
  std::vector<Tensor> r;
  for (const Tensor& t : in) r.push_back(is_float(t.dtype()) ? t.astype(floats) : t);
  return r;
}
ir::Attrs attrs_as(const OpSample& s, DType floats) {  // an op that names its result dtype follows the inputs
  ir::Attrs a = s.attrs;
  if (const ir::AttrValue* d = a.find("dtype"); d && std::get_if<std::string>(d) && std::get<std::string>(*d) == "float32" && floats == DType::f64)
    a.set("dtype", std::string("float64"));
  return a;
}
Values values(const std::vector<Tensor>& t) { return Values(t.begin(), t.end()); }

std::vector<Tensor> run(const OpSample& s, DType floats) {
  std::vector<Tensor> out;
  for (const Value& v : ir::apply(ir::find_op(s.op), attrs_as(s, floats), values(as(s.inputs, floats)))) out.push_back(v.tensor());
  return out;
}

void expect_close(const Tensor& got, const Tensor& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.shape(), want.shape()) << what;
  double scale = 1;
  for (int64_t i = 0; i < want.size(); ++i)
    if (std::isfinite(want.item(i))) scale = std::max(scale, std::abs(want.item(i)));
  for (int64_t i = 0; i < want.size(); ++i) {
    double a = got.item(i), b = want.item(i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    ASSERT_NEAR(a, b, tolerance * scale) << what << ", element " << i;
  }
}

std::string title(const OpSample& s) {
  std::string r = s.op + s.attrs.to_string();
  for (auto& t : s.inputs) r += " " + to_string(TensorType{t.dtype(), t.shape()});
  return r;
}

std::shared_ptr<ir::Graph> graph_of(const OpSample& s, DType floats) {
  auto g = std::make_shared<ir::Graph>();
  Values in;
  for (auto& t : as(s.inputs, floats)) in.push_back(ir::add_input(g, {t.dtype(), t.shape()}, "x"));
  const ir::OpDef& op = ir::find_op(s.op);
  if (in.empty()) {  // an op without inputs: emit the node by hand
    ir::Node n;
    n.op = &op;
    n.attrs = ir::normalized(op, s.attrs);
    n.types = op.infer({op, n.attrs, {}});
    size_t outputs = n.types.size();
    int id = g->add(std::move(n));
    for (size_t o = 0; o < outputs; ++o) g->outputs.push_back({id, static_cast<int>(o)});
    return g;
  }
  g->set_outputs(ir::apply(op, attrs_as(s, floats), in));
  return g;
}

class EachIsa : public ::testing::Test {
 protected:
  void TearDown() override { set_isa(saved_); }
  std::vector<Isa> isas() const {
    if (best_isa() == Isa::avx512) return {Isa::scalar, Isa::avx2, Isa::avx512};
    if (best_isa() == Isa::scalar) return {Isa::scalar};
    return {Isa::scalar, best_isa()};
  }

 private:
  Isa saved_ = current_isa();
};

using Conformance = EachIsa;

TEST_F(Conformance, EveryOpHasSamplesAndDocs) {
  std::set<std::string> sampled;
  for (auto& s : all_samples().good) sampled.insert(s.op);
  for (const ir::OpDef* op : ir::all_ops()) {
    if (op->name == "input" || op->name == "constant" || op->name == "call") continue;
    EXPECT_TRUE(sampled.count(op->name)) << "op '" << op->name << "' has no sample in tests/conformance";
    EXPECT_FALSE(op->doc.empty()) << op->name;
    EXPECT_TRUE(op->vjp || op->decompose || !op->differentiable) << op->name << ": no gradient and not marked as such";
    EXPECT_TRUE(op->traits.view || op->reference || op->decompose || !op->kernels.empty()) << op->name << " cannot run";
    for (auto& a : op->attrs) EXPECT_FALSE(a.doc.empty()) << op->name << "." << a.name;
  }
}

TEST_F(Conformance, ProducesTheInferredTypesAndPrintsThem) {
  for (auto& s : all_samples().good) {
    SCOPED_TRACE(title(s));
    auto g = graph_of(s, DType::f32);
    ir::verify(*g, "sample");
    std::string text = ir::print(*g);
    EXPECT_EQ(ir::print(*ir::parse(text)), text);
    if (s.inputs.empty()) continue;
    std::vector<Tensor> out = run(s, DType::f32);
    for (size_t o = 0; o < out.size(); ++o) EXPECT_EQ((TensorType{out[o].dtype(), out[o].shape()}), g->type(g->outputs[o]));
  }
}

TEST_F(Conformance, KernelsOfEveryInstructionSetAgreeWithDouble) {
  for (auto& s : all_samples().good) {
    SCOPED_TRACE(title(s));
    if (s.inputs.empty()) continue;
    std::vector<Tensor> want = run(s, DType::f64);
    for (Isa isa : isas()) {
      set_isa(isa);
      std::vector<Tensor> got = run(s, DType::f32);
      for (size_t o = 0; o < want.size(); ++o) expect_close(got[o], want[o], s.tolerance, std::string(isa_name(isa)));
    }
    set_isa(best_isa());
  }
}

TEST_F(Conformance, ReferenceAndDecompositionAgreeWithTheKernels) {
  for (auto& s : all_samples().good) {
    SCOPED_TRACE(title(s));
    const ir::OpDef& op = ir::find_op(s.op);
    if (s.inputs.empty() || op.traits.random) continue;
    std::vector<Tensor> in = as(s.inputs, DType::f64), got = run(s, DType::f64);
    ir::Attrs attrs = ir::normalized(op, attrs_as(s, DType::f64));
    if (op.reference) {
      std::vector<Tensor> want;
      for (auto& t : got) want.emplace_back(t.shape(), t.dtype());
      op.reference(attrs, in, want);
      for (size_t o = 0; o < got.size(); ++o) expect_close(got[o], want[o], 1e-9, "reference");
    }
    if (op.decompose) {
      Values want = op.decompose(attrs, values(in));
      for (size_t o = 0; o < want.size(); ++o)
        if (want[o].defined()) expect_close(got[o], want[o].tensor(), 1e-6, "decomposition");
    }
  }
}

// d/dt sum(w * f(x + t d)) at 0, by the gradient and by central differences, for one random direction.
TEST_F(Conformance, GradientsMatchDirectionalDifferences) {
  for (auto& s : all_samples().good) {
    SCOPED_TRACE(title(s));
    const ir::OpDef& op = ir::find_op(s.op);
    if (!s.gradient || !op.differentiable || s.inputs.empty()) continue;
    std::vector<Tensor> in = as(s.inputs, DType::f64), directions;
    bool any = false;
    for (size_t i = 0; i < in.size(); ++i) {
      directions.push_back(is_float(in[i].dtype()) ? numbers(in[i].shape(), -1, 1, 77 + i).astype(DType::f64) : Tensor());
      any |= is_float(in[i].dtype());
    }
    if (!any) continue;
    auto f = [&](const Values& v) {
      Value total;
      uint64_t seed = 5;
      for (const Value& y : ir::apply(op, attrs_as(s, DType::f64), v)) {
        if (!is_float(y.dtype())) continue;
        Value term = ops::sum(y * Value(numbers(y.shape(), -1, 1, seed++).astype(y.dtype())));
        total = total.defined() ? total + ops::cast(term, total.dtype()) : term;
      }
      return total;
    };
    if (!f(values(in)).defined()) continue;
    Values r = value_and_grad(f)(values(in));
    double analytic = 0;
    for (size_t i = 0; i < in.size(); ++i)
      for (int64_t k = 0; directions[i].defined() && k < in[i].size(); ++k) analytic += r[i + 1].tensor().item(k) * directions[i].item(k);
    auto at = [&](double t) {
      Values moved;
      for (size_t i = 0; i < in.size(); ++i) {
        Tensor m = in[i].clone();
        for (int64_t k = 0; directions[i].defined() && k < m.size(); ++k) m.set_item(k, m.item(k) + t * directions[i].item(k));
        moved.emplace_back(m);
      }
      return f(moved).tensor().item();
    };
    double h = 1e-6, numeric = (at(h) - at(-h)) / (2 * h);
    EXPECT_NEAR(analytic, numeric, 2e-5 * (1 + std::abs(numeric)));
  }
}

TEST_F(Conformance, GivesTheSameBitsForAnyNumberOfThreads) {
  int before = num_threads();
  for (auto& s : all_samples().good) {
    SCOPED_TRACE(title(s));
    if (s.inputs.empty()) continue;
    set_num_threads(1);
    std::vector<Tensor> want = run(s, DType::f32);
    for (int n : {2, 4}) {
      set_num_threads(n);
      std::vector<Tensor> got = run(s, DType::f32);
      for (size_t o = 0; o < got.size(); ++o) EXPECT_TRUE(got[o].equals(want[o])) << n << " threads, output " << o;
    }
  }
  set_num_threads(before);
}

// Inputs at odd addresses, outputs between guard bytes.
TEST_F(Conformance, StaysWithinItsBuffers) {
  constexpr size_t kGuard = 64;
  for (auto& s : all_samples().good) {
    SCOPED_TRACE(title(s));
    if (s.inputs.empty()) continue;
    auto exe = runtime::compile(*graph_of(s, DType::f32));
    std::vector<std::vector<unsigned char>> held_in, held_out;
    std::vector<void*> in, out;
    for (auto& t : s.inputs) {
      size_t shift = dtype_size(t.dtype());  // aligned for its type, not for vectors
      held_in.emplace_back(t.bytes() + shift + kGuard, 0xA5);
      std::memcpy(held_in.back().data() + shift, t.raw(), t.bytes());
      in.push_back(held_in.back().data() + shift);
    }
    for (auto& type : exe->plan().output_types) {
      held_out.emplace_back(type.bytes() + 2 * kGuard, 0x5A);
      out.push_back(held_out.back().data() + kGuard);
    }
    exe->run(in, out);
    for (size_t o = 0; o < held_out.size(); ++o)
      for (size_t k = 0; k < kGuard; ++k) {
        ASSERT_EQ(held_out[o][k], 0x5A) << "before output " << o;
        ASSERT_EQ(held_out[o][held_out[o].size() - 1 - k], 0x5A) << "behind output " << o;
      }
    for (size_t i = 0; i < held_in.size(); ++i)
      for (size_t k = 0; k < kGuard; ++k) ASSERT_EQ(held_in[i][held_in[i].size() - 1 - k], 0xA5) << "input " << i << " was written behind";
    std::vector<Tensor> want = run(s, DType::f32);
    for (size_t o = 0; o < want.size(); ++o)
      EXPECT_EQ(std::memcmp(out[o], want[o].raw(), want[o].bytes()), 0) << "unaligned inputs change the result";
  }
}

TEST_F(Conformance, RefusesBadInputWithThePinnedMessage) {
  for (auto& s : all_samples().bad) {
    const ir::OpDef& op = ir::find_op(s.op);
    try {
      op.infer({op, ir::normalized(op, s.attrs), s.inputs});
      ADD_FAILURE() << s.op << " accepted what it should refuse: " << s.message;
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()), s.message) << s.op;
    }
  }
}

}  // namespace
}  // namespace glia::testing
