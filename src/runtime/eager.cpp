// Ops on concrete tensors: a graph of one node goes down the same road (plan, kernels) and is cached by op, attributes
// and input types.
#include <list>
#include <mutex>
#include <unordered_map>

#include "base/cpu.h"
#include "base/error.h"
#include "ir/eager_budget.h"
#include "ir/graph.h"
#include "ir/scope_error.h"
#include "runtime/executable.h"

namespace glia::ir {
namespace {

constexpr size_t kCacheLimit = 512;  // executables; the whole cache is dropped when it is full

std::shared_ptr<runtime::Executable> compile_one(const OpDef& op, const Attrs& attrs, const Values& inputs) {
  auto g = std::make_shared<Graph>();
  Node n;
  std::vector<TensorType> types;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Value v = add_input(g, inputs[i].type(), "");
    n.inputs.push_back({v.node(), 0});
    types.push_back(v.type());
  }
  n.op = &op;
  n.attrs = attrs;
  n.types = op.infer({op, attrs, types});
  size_t outputs = n.types.size();
  int id = g->add(std::move(n));
  for (size_t i = 0; i < outputs; ++i) g->outputs.push_back({id, static_cast<int>(i)});
  return runtime::compile(*g);
}

}  // namespace

Values run_eagerly(const OpDef& op, const Attrs& attrs, const Values& inputs) {
  if (EagerBudget* budget = EagerBudget::current()) {
    std::vector<TensorType> types;
    for (const Value& v : inputs) types.push_back(v.type());
    budget->charge(op.infer({op, attrs, types}));
  }
  static std::mutex mutex;
  static std::unordered_map<std::string, std::shared_ptr<runtime::Executable>> cache;
  std::string key = fmt::format("{}{}{}", op.name, attrs.to_string(), static_cast<int>(current_isa()));
  for (const Value& v : inputs) key += glia::to_string(v.type());
  std::shared_ptr<runtime::Executable> exe;
  {
    std::lock_guard<std::mutex> lock(mutex);
    auto it = cache.find(key);
    if (it != cache.end()) exe = it->second;
  }
  if (!exe) {
    exe = naming_the_layer([&] { return compile_one(op, attrs, inputs); });
    std::lock_guard<std::mutex> lock(mutex);
    if (cache.size() >= kCacheLimit) cache.clear();
    cache.emplace(key, exe);
  }
  std::vector<Tensor> tensors;
  for (const Value& v : inputs) tensors.push_back(v.tensor());
  Values out;
  for (Tensor& t : exe->run(tensors)) out.emplace_back(std::move(t));
  return out;
}

}  // namespace glia::ir
