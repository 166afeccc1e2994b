#include "io/keras/compile_config.h"

#include "base/error.h"
#include "nn/config_json.h"
#include "train/trainer.h"

namespace glia::io::keras {
namespace {

template <class T>
Ref<T> object(const json& v) {
  return Ref<T>(std::static_pointer_cast<T>(config::from_json(T::kind, v)));
}

bool is_object_spec(const json& v) { return v.is_object() && v.contains("class_name") && v.contains("config"); }
// A function of keras.losses or keras.metrics, which is known by its name.
bool is_function(const json& v) { return is_object_spec(v) && v["class_name"] == "function" && v["config"].is_string(); }

LossArg loss_arg(const json& v) {
  if (v.is_null()) return {};
  if (v.is_string()) return LossArg(v.get<std::string>());
  if (is_function(v)) return LossArg(v["config"].get<std::string>());
  return LossArg(object<LossBase>(v));
}
MetricArg metric_arg(const json& v) {
  if (v.is_string()) return MetricArg(v.get<std::string>());
  if (is_function(v)) return MetricArg(v["config"].get<std::string>());
  return MetricArg(object<MetricBase>(v));
}
std::vector<MetricArg> metric_list(const json& v) {
  std::vector<MetricArg> r;
  if (v.is_array())
    for (const json& m : v) r.push_back(metric_arg(m));
  else if (!v.is_null()) r.push_back(metric_arg(v));
  return r;
}

LossSpec loss_spec(const json& v) {
  if (v.is_null()) return {};
  if (v.is_array()) {
    std::vector<LossArg> list;
    for (const json& l : v) list.push_back(loss_arg(l));
    return LossSpec(std::move(list));
  }
  if (v.is_object() && !is_object_spec(v)) {
    std::map<std::string, LossArg> named;
    for (const auto& [name, l] : v.items())
      if (!l.is_null()) named[name] = loss_arg(l);
    return LossSpec(std::move(named));
  }
  LossSpec s;
  s.items = {loss_arg(v)};
  return s;
}

MetricsSpec metrics_spec(const json& v) {
  if (v.is_null()) return {};
  if (v.is_object() && !is_object_spec(v)) {
    std::map<std::string, std::vector<MetricArg>> named;
    for (const auto& [name, list] : v.items()) named[name] = metric_list(list);
    return MetricsSpec(std::move(named));
  }
  bool nested = false;
  if (v.is_array())
    for (const json& m : v) nested |= m.is_array();
  if (!nested) {
    std::vector<MetricArg> list = metric_list(v);
    return list.empty() ? MetricsSpec() : MetricsSpec(std::move(list));
  }
  std::vector<std::vector<MetricArg>> lists;
  for (const json& m : v) lists.push_back(metric_list(m));
  return MetricsSpec(std::move(lists));
}

void read_loss_weights(const json& v, CompileOptions& o) {
  if (v.is_number()) o.loss_weights = {v.get<double>()};
  if (v.is_array())
    for (const json& w : v) o.loss_weights.push_back(w.is_null() ? 1.0 : w.get<double>());
  if (v.is_object())
    for (const auto& [name, w] : v.items()) o.named_loss_weights[name] = w.get<double>();
}

json loss_json(const LossArg& a) {
  if (a.object) return config::to_json(*a.object);
  return a.name.empty() ? json() : json(a.name);
}
json loss_json(const LossSpec& s) {
  if (!s.names.empty()) {
    json r = json::object();
    for (std::size_t i = 0; i < s.names.size(); ++i) r[s.names[i]] = loss_json(s.items[i]);
    return r;
  }
  if (!s.per_output) return s.items.empty() ? json() : loss_json(s.items[0]);
  json r = json::array();
  for (const LossArg& a : s.items) r.push_back(loss_json(a));
  return r;
}
json metrics_json(const std::vector<MetricArg>& list) {
  json r = json::array();
  for (const MetricArg& a : list) r.push_back(a.object ? config::to_json(*a.object) : json(a.name));
  return r;
}
json metrics_json(const MetricsSpec& s) {
  if (!s.names.empty()) {
    json r = json::object();
    for (std::size_t i = 0; i < s.names.size(); ++i) r[s.names[i]] = metrics_json(s.items[i]);
    return r;
  }
  if (!s.per_output) return s.items.empty() ? json() : metrics_json(s.items[0]);
  json r = json::array();
  for (const auto& list : s.items) r.push_back(metrics_json(list));
  return r;
}

}  // namespace

std::optional<CompileOptions> compile_options(const json& config, const std::string& where) try {
  if (!config.is_object() || !config.contains("optimizer") || config["optimizer"].is_null()) return std::nullopt;
  auto at = [&](const char* key) { return config.contains(key) ? config[key] : json(); };
  CompileOptions o;
  o.optimizer = object<OptimizerBase>(config["optimizer"]);
  o.loss = loss_spec(at("loss"));
  o.metrics = metrics_spec(at("metrics"));
  o.weighted_metrics = metrics_spec(at("weighted_metrics"));
  read_loss_weights(at("loss_weights"), o);
  return o;
} catch (const Error& e) {
  throw_error("{}: the compile configuration: {} Load the model with compile = false to leave it out.", where, e.what());
}

json compile_config(const Model& model) {
  const CompileOptions& o = model.trainer().options();
  json weights = nullptr;
  if (!o.named_loss_weights.empty()) weights = o.named_loss_weights;
  else if (o.loss_weights.size() == 1) weights = o.loss_weights[0];
  else if (!o.loss_weights.empty()) weights = o.loss_weights;
  return {{"optimizer", config::to_json(*o.optimizer)},
          {"loss", loss_json(o.loss)},
          {"loss_weights", weights},
          {"metrics", metrics_json(o.metrics)},
          {"weighted_metrics", metrics_json(o.weighted_metrics)},
          {"run_eagerly", false},
          {"steps_per_execution", 1},
          {"jit_compile", false}};
}

}  // namespace glia::io::keras
