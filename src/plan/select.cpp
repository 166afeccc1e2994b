#include "plan/select.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace glia::plan {
using namespace ir;

namespace {

bool verbose_dispatch() {
  static const bool on = [] {
    const char* v = std::getenv("GLIA_VERBOSE");
    return v && std::strstr(v, "dispatch");
  }();
  return on;
}

// Names in GLIA_DISABLE_KERNEL, between commas.
bool disabled(const std::string& kernel) {
  static const std::string names = [] {
    const char* v = std::getenv("GLIA_DISABLE_KERNEL");
    return v ? "," + std::string(v) + "," : std::string();
  }();
  return !names.empty() && names.find("," + kernel + ",") != std::string::npos;
}

struct ReferenceParams {
  void (*fn)(const Attrs&, std::span<const Tensor>, std::span<const Tensor>);
  Attrs attrs;
  std::vector<TensorType> in, out;
};

// The naive implementation run as a kernel: correct everywhere, allocates, slow.
void run_reference(const KernelArgs& a) {
  const auto& p = a.param<ReferenceParams>();
  std::vector<Tensor> in, out;
  for (size_t i = 0; i < p.in.size(); ++i) in.push_back(Tensor::wrap(p.in[i].shape, p.in[i].dtype, a.in[i], nullptr));
  for (size_t i = 0; i < p.out.size(); ++i)
    out.push_back(a.out[i] ? Tensor::wrap(p.out[i].shape, p.out[i].dtype, a.out[i], nullptr) : Tensor(p.out[i].shape, p.out[i].dtype));
  p.fn(p.attrs, in, out);
}

}  // namespace

Selection select_kernel(const Graph& g, int id, const std::vector<bool>& out_used, std::vector<bool> in_fixed) {
  const Node& n = g.nodes[id];
  std::vector<TensorType> in;
  for (Ref r : n.inputs) in.push_back(g.type(r));
  KernelQuery q{*n.op, n.attrs, in, n.types, out_used, std::move(in_fixed)};
  std::string reasons;
  for (const KernelCandidate& c : n.op->kernels) {
    std::string refusal = "named in GLIA_DISABLE_KERNEL";
    if (auto plan = disabled(c.name) ? std::nullopt : c.make(q, refusal)) {
      if (verbose_dispatch()) std::fprintf(stderr, "dispatch %s (%s): %s%s\n", n.op->name.c_str(), n.scope.c_str(), c.name.c_str(), reasons.c_str());
      return {std::move(*plan), c.name};
    }
    reasons += fmt::format("; {} refused: {}", c.name, refusal);
  }
  GLIA_CHECK(n.op->reference, "{}{}: no kernel for {}{}.", n.scope.empty() ? "" : n.scope + ": ", n.op->name,
             in.empty() ? "" : to_string(in[0]), reasons);
  if (verbose_dispatch()) std::fprintf(stderr, "dispatch %s (%s): reference%s\n", n.op->name.c_str(), n.scope.c_str(), reasons.c_str());
  KernelPlan plan;
  plan.fn = run_reference;
  plan.params = kernel_params(ReferenceParams{n.op->reference, n.attrs, in, n.types});
  return {plan, "reference"};
}

}  // namespace glia::plan
