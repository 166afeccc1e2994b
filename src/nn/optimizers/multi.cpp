// MultiOptimizer: every weight is updated by the optimizer that a map, or a function, names for it.
#include <glia/layer.h>
#include <glia/ops.h>
#include <glia/optimizers.h>

#include <algorithm>
#include <regex>

#include "base/error.h"
#include "nn/trace.h"

namespace glia {
namespace {

struct Map final : Configurable {
  optimizers::OptimizerMap o;
  std::string class_name() const override { return "OptimizerMap"; }
  void fields(Fields& f) override {
    o.default_optimizer.field(f, "default_optimizer");
    Fields::NamedObjects named;
    for (auto& [key, optimizer] : o.optimizer_map) named.emplace_back(key, optimizer.ptr());
    f.named_objects("optimizer_map", OptimizerBase::kind, named);
    o.optimizer_map.clear();
    for (auto& [key, object] : named) o.optimizer_map.emplace_back(key, std::static_pointer_cast<OptimizerBase>(object));
  }
  Optimizer operator()(const Variable& var) const {
    const std::string path = var.path();
    Optimizer found;
    for (auto& [key, optimizer] : o.optimizer_map)
      if (key == path) return optimizer;
    for (auto& [key, optimizer] : o.optimizer_map) {
      if (!matches(key, path)) continue;
      GLIA_CHECK(!found, "OptimizerMap: several keys match the weight '{}', '{}' among them. Make the expressions narrower, or give the path itself.",
                 path, key);
      found = optimizer;
    }
    return found ? found : o.default_optimizer;
  }

 private:
  static bool matches(const std::string& key, const std::string& path) {
    try {
      return std::regex_match(path, std::regex(key));
    } catch (const std::regex_error&) {
      throw_error("OptimizerMap: '{}' is neither the path of a weight nor a regular expression.", key);
    }
  }
};

struct Multi final : OptimizerBase {
  std::shared_ptr<Map> map;
  std::function<Optimizer(const Variable&)> choose;
  std::vector<Optimizer> inner;
  std::vector<std::vector<Variable>> parts;  // the weights of each

  std::string class_name() const override { return "MultiOptimizer"; }
  void fields(Fields& f) override {
    GLIA_CHECK(!choose, "{}: an optimizer whose weights are assigned by a function has no configuration. Use an OptimizerMap.", common.name);
    std::shared_ptr<Configurable> object = map;
    f.object("optimizer_map", "optimizer_map", object);
    f("loss_scale_factor", common.loss_scale_factor);
    f("name", common.name);
    if (f.reading()) use(std::static_pointer_cast<Map>(object));
  }
  void use(std::shared_ptr<Map> given) {
    map = std::move(given);
    inner.clear();
    for (auto& [key, optimizer] : map->o.optimizer_map) index(optimizer);
    if (map->o.default_optimizer) index(map->o.default_optimizer);
  }
  // Its number; an optimizer that is seen for the first time joins.
  size_t index(const Optimizer& one) {
    GLIA_CHECK(one, "{} (MultiOptimizer): a weight has no optimizer. Give the map a default_optimizer.", common.name);
    GLIA_CHECK(!one->wrapped_optimizer() && one->class_name() != class_name(), "{}: {} cannot be used inside of a MultiOptimizer.", common.name,
               one->class_name());
    for (size_t i = 0; i < inner.size(); ++i)
      if (inner[i].ptr() == one.ptr()) return i;
    one->common.loss_scale_factor = common.loss_scale_factor;
    inner.push_back(one);
    return inner.size() - 1;
  }

  void build_slots(const std::vector<Variable>& vars) override {
    GLIA_CHECK(map || choose, "{} (MultiOptimizer): it has no map.", common.name);
    parts.assign(inner.size(), {});
    for (const Variable& v : vars) {
      const size_t i = index(choose ? choose(v) : (*map)(v));
      parts.resize(inner.size());
      parts[i].push_back(v);
    }
    for (size_t i = 0; i < inner.size(); ++i)
      if (!parts[i].empty()) inner[i]->build(parts[i]);
    for (const Optimizer& one : inner) variables_.insert(variables_.end(), one->variables().begin(), one->variables().end());
  }
  void update_step(const Value&, const Variable&, size_t) override {}

  void apply(const Values& grads, const std::vector<Variable>& vars) override {
    if (!built_) build(vars);
    if (!Trace::current()) return OptimizerBase::apply(grads, vars);
    GLIA_CHECK(grads.size() == vars.size(), "{}: {} gradients for {} weights.", common.name, grads.size(), vars.size());
    for (size_t i = 0; i < inner.size(); ++i) {
      Values part_grads;
      std::vector<Variable> part;
      for (size_t k = 0; k < vars.size(); ++k) {
        if (std::none_of(parts[i].begin(), parts[i].end(), [&](const Variable& v) { return v.same_as(vars[k]); })) continue;
        part_grads.push_back(grads[k]), part.push_back(vars[k]);
      }
      if (!part.empty()) inner[i]->apply(part_grads, part);
    }
    iteration_.assign(iteration_.value() + 1.0);
  }

  std::vector<Optimizer> optimizers() const override { return inner; }
  double learning_rate() override { no_rate(); }
  void set_learning_rate(double) override { no_rate(); }
  void finalize_variable_values(const std::vector<Variable>&) override {
    for (size_t i = 0; i < parts.size(); ++i)
      if (!parts[i].empty()) inner[i]->finalize_variable_values(parts[i]);
  }
  [[noreturn]] void no_rate() const {
    throw_error("{}: a MultiOptimizer has no learning rate of its own. Ask one of its optimizers(), or set it there.", common.name);
  }
};

std::shared_ptr<Multi> make(optimizers::MultiOptimizerOptions& options) {
  auto multi = std::make_shared<Multi>();
  multi->common.name = options.name.empty() ? unique_layer_name("MultiOptimizer") : options.name;
  multi->common.learning_rate = 0.0;
  multi->common.loss_scale_factor = options.loss_scale_factor;
  return multi;
}

}  // namespace

namespace nn {
std::shared_ptr<Configurable> make_optimizer_map() { return std::make_shared<Map>(); }
}  // namespace nn

Optimizer optimizers::MultiOptimizer(OptimizerMap map, MultiOptimizerOptions options) {
  auto multi = make(options);
  auto given = std::make_shared<Map>();
  given->o = std::move(map);
  multi->use(std::move(given));
  return multi;
}
Optimizer optimizers::MultiOptimizer(std::function<Optimizer(const Variable&)> choose, MultiOptimizerOptions options) {
  auto multi = make(options);
  multi->choose = std::move(choose);
  return multi;
}

}  // namespace glia
