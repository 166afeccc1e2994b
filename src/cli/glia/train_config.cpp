#include "cli/glia/train_config.h"

#include <glia/callbacks.h>
#include <glia/tensorboard.h>

#include <filesystem>
#include <map>

namespace glia::cli {

namespace {

// A name, or {"class_name": ..., "config": {...}}.
template <class T>
T object_of(const json& v, const std::string& where) {
  try {
    if (v.is_string()) return T(v.get<std::string>());
    if (v.is_object() && v.contains("class_name")) {
      json full = v;
      if (!full.contains("config")) full["config"] = json::object();
      using Object = std::remove_reference_t<decltype(*T())>;
      auto object = std::dynamic_pointer_cast<Object>(deserialize(Object::kind, full.dump()));
      return T(object);
    }
  } catch (const Error& e) {
    throw_error("{}: {}", where, e.what());
  }
  throw_error("{}: expected a name or {{\"class_name\": ..., \"config\": {{...}}}}. Received {}.", where, v.dump());
}

LossArg loss_arg(const json& v, const std::string& where) {
  if (v.is_null()) return {};
  if (v.is_string()) return LossArg(v.get<std::string>());
  return LossArg(object_of<Loss>(v, where));
}
std::vector<MetricArg> metric_list(const json& v, const std::string& where) {
  std::vector<MetricArg> r;
  for (const json& m : v.is_array() ? v : json::array({v})) {
    if (m.is_string())
      r.emplace_back(m.get<std::string>());
    else
      r.emplace_back(object_of<Metric>(m, where));
  }
  return r;
}

}  // namespace

LossSpec loss_spec(const json& v, const std::string& where) {
  if (v.is_array()) {
    std::vector<LossArg> list;
    for (const json& one : v) list.push_back(loss_arg(one, where));
    return LossSpec(list);
  }
  if (v.is_object() && !v.contains("class_name")) {
    std::map<std::string, LossArg> named;
    for (auto& [name, one] : v.items()) named.emplace(name, loss_arg(one, where + "." + name));
    return LossSpec(named);
  }
  LossSpec spec;
  spec.items = {loss_arg(v, where)};
  return spec;
}

MetricsSpec metrics_spec(const json& v, const std::string& where) {
  if (v.is_object() && !v.contains("class_name")) {
    std::map<std::string, std::vector<MetricArg>> named;
    for (auto& [name, one] : v.items()) named.emplace(name, metric_list(one, where + "." + name));
    return MetricsSpec(named);
  }
  if (v.is_array() && !v.empty() && v[0].is_array()) {
    std::vector<std::vector<MetricArg>> lists;
    for (const json& one : v) lists.push_back(metric_list(one, where));
    return MetricsSpec(lists);
  }
  return MetricsSpec(metric_list(v, where));
}

CompileOptions compile_options(const Config& c) {
  CompileOptions o;
  if (c.has("optimizer")) o.optimizer = object_of<Optimizer>(c.raw("optimizer"), c.where() + ".optimizer");
  if (c.has("loss")) o.loss = loss_spec(c.raw("loss"), c.where() + ".loss");
  if (c.has("metrics")) o.metrics = metrics_spec(c.raw("metrics"), c.where() + ".metrics");
  if (c.has("weighted_metrics"))
    o.weighted_metrics = metrics_spec(c.raw("weighted_metrics"), c.where() + ".weighted_metrics");
  if (c.has("loss_weights") && c.raw("loss_weights").is_object())
    o.named_loss_weights = c.get<std::map<std::string, double>>("loss_weights");
  else if (c.has("loss_weights"))
    o.loss_weights = c.get<std::vector<double>>("loss_weights");
  c.finish();
  return o;
}

FitOptions fit_options(const Config& c) {
  FitOptions o;
  o.verbose = 0;
  if (c.has("batch_size")) o.batch_size = c.get<int64_t>("batch_size");
  o.epochs = c.get<int>("epochs", 1);
  o.validation_split = c.get<double>("validation_split", 0);
  o.shuffle = c.get<bool>("shuffle", true);
  o.initial_epoch = c.get<int>("initial_epoch", 0);
  if (c.has("steps_per_epoch")) o.steps_per_epoch = c.get<int64_t>("steps_per_epoch");
  if (c.has("validation_steps")) o.validation_steps = c.get<int64_t>("validation_steps");
  if (c.has("validation_batch_size")) o.validation_batch_size = c.get<int64_t>("validation_batch_size");
  if (c.has("validation_freq") && c.value()["validation_freq"].is_array()) o.validation_freq = c.get<std::vector<int>>("validation_freq");
  else o.validation_freq = c.get<int>("validation_freq", 1);
  const Config weights = c.object("class_weight");
  for (auto& [key, value] : weights.value().items()) {
    char* end = nullptr;
    const long id = std::strtol(key.c_str(), &end, 10);
    GLIA_CHECK(!key.empty() && *end == '\0', "{}: class ids are whole numbers. Received '{}'.", weights.where(), key);
    o.class_weight[id] = weights.get<double>(key);
  }
  c.finish();
  GLIA_CHECK(o.epochs >= 1, "{}.epochs must be at least 1. Received {}.", c.where(), o.epochs);
  return o;
}

namespace {

std::string in_folder(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).string();
}

CallbackRef early_stopping(const Config& c, const std::string&) {
  callbacks::EarlyStoppingOptions o;
  o.monitor = c.get<std::string>("monitor", o.monitor);
  o.min_delta = c.get<double>("min_delta", 0);
  o.patience = c.get<int>("patience", 0);
  o.mode = c.get<std::string>("mode", o.mode);
  if (c.has("baseline")) o.baseline = c.get<double>("baseline");
  o.restore_best_weights = c.get<bool>("restore_best_weights", false);
  o.start_from_epoch = c.get<int>("start_from_epoch", 0);
  return callbacks::EarlyStopping(o);
}
CallbackRef model_checkpoint(const Config& c, const std::string& folder) {
  callbacks::ModelCheckpointOptions o;
  const std::string path = in_folder(folder, c.get<std::string>("filepath"));
  o.monitor = c.get<std::string>("monitor", o.monitor);
  o.save_best_only = c.get<bool>("save_best_only", false);
  o.save_weights_only = c.get<bool>("save_weights_only", path.find(".safetensors") != std::string::npos ||
                                                             path.find(".weights.") != std::string::npos);
  o.mode = c.get<std::string>("mode", o.mode);
  if (c.has("save_freq") && !(c.raw("save_freq").is_string() && c.get<std::string>("save_freq") == "epoch"))
    o.save_freq = c.get<int64_t>("save_freq");
  if (c.has("initial_value_threshold")) o.initial_value_threshold = c.get<double>("initial_value_threshold");
  return callbacks::ModelCheckpoint(path, o);
}
CallbackRef reduce_lr(const Config& c, const std::string&) {
  callbacks::ReduceLROnPlateauOptions o;
  o.monitor = c.get<std::string>("monitor", o.monitor);
  o.factor = c.get<double>("factor", o.factor);
  o.patience = c.get<int>("patience", o.patience);
  o.mode = c.get<std::string>("mode", o.mode);
  o.min_delta = c.get<double>("min_delta", o.min_delta);
  o.cooldown = c.get<int>("cooldown", 0);
  o.min_lr = c.get<double>("min_lr", 0);
  return callbacks::ReduceLROnPlateau(o);
}
CallbackRef csv_logger(const Config& c, const std::string& folder) {
  callbacks::CSVLoggerOptions o;
  o.separator = c.get<std::string>("separator", o.separator);
  o.append = c.get<bool>("append", false);
  return callbacks::CSVLogger(in_folder(folder, c.get<std::string>("filename")), o);
}
CallbackRef backup_and_restore(const Config& c, const std::string& folder) {
  callbacks::BackupAndRestoreOptions o;
  if (c.has("save_freq") && !(c.raw("save_freq").is_string() && c.get<std::string>("save_freq") == "epoch"))
    o.save_freq = c.get<int64_t>("save_freq");
  o.double_checkpoint = c.get<bool>("double_checkpoint", false);
  o.delete_checkpoint = c.get<bool>("delete_checkpoint", true);
  return callbacks::BackupAndRestore(in_folder(folder, c.get<std::string>("backup_dir")), o);
}
CallbackRef tensor_board(const Config& c, const std::string& folder) {
  callbacks::TensorBoardOptions o;
  o.histogram_freq = c.get<int>("histogram_freq", o.histogram_freq);
  o.write_graph = c.get<bool>("write_graph", o.write_graph);
  return callbacks::TensorBoard(in_folder(folder, c.get<std::string>("log_dir", "logs")), o);
}
CallbackRef terminate_on_nan(const Config&, const std::string&) { return callbacks::TerminateOnNaN(); }

using Make = CallbackRef (*)(const Config&, const std::string&);
const std::map<std::string, Make>& callback_table() {
  static const std::map<std::string, Make> t = {
      {"EarlyStopping", early_stopping},    {"ModelCheckpoint", model_checkpoint},
      {"ReduceLROnPlateau", reduce_lr},     {"CSVLogger", csv_logger},
      {"TerminateOnNaN", terminate_on_nan}, {"BackupAndRestore", backup_and_restore},
      {"TensorBoard", tensor_board}};
  return t;
}

}  // namespace

std::vector<CallbackRef> callbacks_of(const json& list, const std::string& where, const std::string& folder) {
  GLIA_CHECK(list.is_array(), "{}: expected a list of {{\"class_name\": ..., \"config\": {{...}}}}. Received {}.",
             where, list.dump());
  std::vector<CallbackRef> r;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string at = fmt::format("{}[{}]", where, i);
    const Config c(list[i].is_string() ? json{{"class_name", list[i]}} : list[i], at);
    const std::string name = c.get<std::string>("class_name");
    auto it = callback_table().find(name);
    if (it == callback_table().end()) {
      std::vector<std::string> known;
      for (auto& [n, f] : callback_table()) known.push_back(n);
      throw_error("{}: there is no callback '{}'.{}", at, name, did_you_mean(name, known));
    }
    const Config config = c.object("config");
    config.has("verbose");  // accepted; progress is the program's
    r.push_back(it->second(config, folder));
    config.finish();
    c.finish();
  }
  return r;
}

}  // namespace glia::cli
