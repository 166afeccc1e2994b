// kinds "fit" and "summary": whole models rebuilt from their configuration, trained and printed.
#include <glia/callbacks.h>
#include <glia/layers.h>
#include <glia/model.h>

#include <cstdlib>
#include <functional>

#include "base/error.h"
#include "cli/parity/kinds.h"
#include "cli/parity/objects.h"
#include "io/keras/model_config.h"

namespace glia::parity {
namespace {

Model make_model(const json& spec) {
  require_model_classes(spec);
  return Model(io::keras::model_from_config(io::keras::json(spec)));
}

Array to_one(const json& value) {
  if (!is_string_array(value)) return to_tensor(value);
  return StringTensor(to_shape(value.at("shape")), value.at("v").get<Strings>());
}
Data to_data(const json& value) {
  if (value.is_null()) return {};
  if (is_array(value)) return Data({to_one(value)});
  if (value.is_array()) {
    std::vector<Array> list;
    for (const json& one : value) list.push_back(to_one(one));
    return Data(std::move(list));
  }
  std::map<std::string, Array> named;
  for (const auto& [key, one] : value.items()) named.emplace(key, to_one(one));
  return Data(std::move(named));
}

// What adapt() learned from, by layer; the layers may stand in models inside.
void adapt_layers(const LayerRef& root, const json& data) {
  for (const LayerRef& l : root->sublayers()) {
    if (data.contains(l->name())) {
      const Array a = to_one(data[l->name()]);
      if (a.numbers.defined()) adapt(l, a.numbers);
      else adapt(l, a.strings);
    }
    adapt_layers(l, data);
  }
}

LossArg to_loss(const json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return LossArg(value.get<std::string>());
  return LossArg(Loss(make_object<LossBase>(value)));
}
LossSpec to_losses(const json& value) {
  if (value.is_string()) return LossSpec(value.get<std::string>());
  if (value.is_array()) {
    std::vector<LossArg> list;
    for (const json& one : value) list.push_back(to_loss(one));
    return LossSpec(list);
  }
  if (value.contains("class_name")) return LossSpec(Loss(make_object<LossBase>(value)));
  std::map<std::string, LossArg> named;
  for (const auto& [key, one] : value.items()) named.emplace(key, to_loss(one));
  return LossSpec(named);
}

MetricArg to_metric(const json& value) {
  if (value.is_string()) return MetricArg(value.get<std::string>());
  return MetricArg(Metric(make_object<MetricBase>(value)));
}
std::vector<MetricArg> to_metric_list(const json& value) {
  std::vector<MetricArg> list;
  if (value.is_array())
    for (const json& one : value) list.push_back(to_metric(one));
  else if (!value.is_null()) list.push_back(to_metric(value));
  return list;
}
MetricsSpec to_metrics(const json& value) {
  if (value.is_null()) return {};
  if (value.is_object() && !value.contains("class_name")) {
    std::map<std::string, std::vector<MetricArg>> named;
    for (const auto& [key, one] : value.items()) named.emplace(key, to_metric_list(one));
    return MetricsSpec(named);
  }
  bool nested = false;
  for (const json& one : value) nested |= one.is_array() || one.is_null();
  if (!nested) return MetricsSpec(to_metric_list(value));
  std::vector<std::vector<MetricArg>> lists;
  for (const json& one : value) lists.push_back(to_metric_list(one));
  return MetricsSpec(lists);
}

CompileOptions to_compile(const json& spec) {
  CompileOptions options;
  for (const auto& [key, value] : spec.items()) {
    if (value.is_null()) continue;
    if (key == "optimizer") {
      if (value.is_string()) options.optimizer = value.get<std::string>();
      else options.optimizer = make_object<OptimizerBase>(value);
    } else if (key == "loss") {
      options.loss = to_losses(value);
    } else if (key == "metrics") {
      options.metrics = to_metrics(value);
    } else if (key == "weighted_metrics") {
      options.weighted_metrics = to_metrics(value);
    } else if (key == "loss_weights") {
      if (value.is_object()) options.named_loss_weights = value.get<std::map<std::string, double>>();
      else options.loss_weights = value.get<std::vector<double>>();
    } else {
      throw_error("compile: the argument '{}' is not handled.", key);
    }
  }
  return options;
}

// Reads a callback's config; what is not asked for is an error.
class Reader {
 public:
  Reader(std::string owner, const json& config) : owner_(std::move(owner)), left_(config) {}
  template <class T>
  void operator()(const char* key, T& value) {
    if (!left_.contains(key)) return;
    if (!left_[key].is_null()) assign(left_[key], value);
    left_.erase(key);
  }
  void finish() const {
    GLIA_CHECK(left_.empty(), "{}: the argument '{}' is not handled.", owner_, left_.empty() ? "" : left_.begin().key());
  }

 private:
  template <class T>
  static void assign(const json& from, std::optional<T>& to) { to = from.get<T>(); }
  static void assign(const json& from, double& to) { to = to_number(from); }
  template <class T>
  static void assign(const json& from, T& to) { to = from.get<T>(); }
  std::string owner_;
  json left_;
};

CallbackRef to_callback(const json& spec) {
  const std::string name = spec.at("class_name").get<std::string>();
  Reader read(name, spec.at("config"));
  CallbackRef made;
  if (name == "EarlyStopping") {
    callbacks::EarlyStoppingOptions o;
    read("monitor", o.monitor), read("min_delta", o.min_delta), read("patience", o.patience), read("verbose", o.verbose);
    read("mode", o.mode), read("baseline", o.baseline), read("restore_best_weights", o.restore_best_weights);
    read("start_from_epoch", o.start_from_epoch);
    made = callbacks::EarlyStopping(o);
  } else if (name == "ReduceLROnPlateau") {
    callbacks::ReduceLROnPlateauOptions o;
    read("monitor", o.monitor), read("factor", o.factor), read("patience", o.patience), read("verbose", o.verbose);
    read("mode", o.mode), read("min_delta", o.min_delta), read("cooldown", o.cooldown), read("min_lr", o.min_lr);
    made = callbacks::ReduceLROnPlateau(o);
  } else if (name == "LearningRateScheduler") {
    std::vector<double> table;
    int verbose = 0;
    read("table", table), read("verbose", verbose);
    made = callbacks::LearningRateScheduler(
        [table](int epoch, double) { return table.at(std::min<std::size_t>(static_cast<std::size_t>(epoch), table.size() - 1)); }, verbose);
  } else if (name == "SwapEMAWeights") {
    bool swap_on_epoch = false;
    read("swap_on_epoch", swap_on_epoch);
    made = callbacks::SwapEMAWeights(swap_on_epoch);
  } else if (name == "TerminateOnNaN") {
    made = callbacks::TerminateOnNaN();
  } else {
    throw Unsupported("callback " + name);
  }
  read.finish();
  return made;
}

FitOptions to_fit(const json& line) {
  FitOptions o;
  o.verbose = 0;
  Reader read("fit", line.at("fit"));
  read("epochs", o.epochs), read("batch_size", o.batch_size), read("shuffle", o.shuffle), read("initial_epoch", o.initial_epoch);
  read("steps_per_epoch", o.steps_per_epoch), read("validation_steps", o.validation_steps);
  read("validation_batch_size", o.validation_batch_size);
  if (const json& f = line.at("fit"); f.contains("validation_freq") && f["validation_freq"].is_array()) {
    std::vector<int> epochs;
    read("validation_freq", epochs);
    o.validation_freq = epochs;
  } else {
    read("validation_freq", o.validation_freq.every);
  }
  read("validation_split", o.validation_split), read("verbose", o.verbose);
  read.finish();
  auto given = [&](const char* key) { return line.contains(key) && !line[key].is_null(); };
  if (given("validation_split")) o.validation_split = line["validation_split"].get<double>();
  if (given("sample_weight")) o.sample_weight = to_data(line["sample_weight"]);
  if (given("class_weight"))
    for (const auto& [key, value] : line["class_weight"].items()) o.class_weight[std::stoll(key)] = to_number(value);
  if (given("validation_data")) {
    const json& v = line["validation_data"];
    o.validation_data = ValidationData{to_data(v.at(0)), to_data(v.at(1)), v.size() > 2 ? to_data(v[2]) : Data()};
  }
  if (given("callbacks"))
    for (const json& one : line["callbacks"]) o.callbacks.push_back(to_callback(one));
  return o;
}

// A metric of several numbers is the series "name[0]", "name[1]", ... and their mean "name".
using Series = std::function<double(const std::string& name)>;
void compare_numbers(const std::string& where, const std::string& name, const Series& got, const json& want, Tolerance tol, Check& check) {
  if (!want.is_structured()) return check.number(where, got(name), to_number(want), tol);
  const json& all = want.is_object() ? want.at("v") : want;
  for (std::size_t k = 0; k < all.size(); ++k) check.number(fmt::format("{} [{}]", where, k), got(fmt::format("{}[{}]", name, k)), to_number(all[k]), tol);
}

void compare_history(const History& history, const json& want, Tolerance tol, Check& check) {
  for (const auto& [name, values] : want.items()) {
    if (!history.contains(name)) {
      check.fail("history", "there is no '" + name + "'");
      continue;
    }
    const std::size_t epochs = history[name].size();
    check.that(epochs == values.size(), "history " + name, fmt::format("got {} epochs, want {}", epochs, values.size()));
    for (std::size_t i = 0; i < std::min(epochs, values.size()); ++i)
      compare_numbers(fmt::format("history {} epoch {}", name, i), name, [&](const std::string& n) { return history[n].at(i); }, values[i], tol, check);
  }
  std::size_t series = 0;
  for (const auto& [name, values] : history.history) series += !name.ends_with(']');
  check.that(series == want.size(), "history", fmt::format("got {} series, want {}", series, want.size()));
}

void compare_predictions(Model& model, const Data& x, const json& want, Tolerance tol, Check& check) {
  const std::vector<Tensor> got = model.predict_all(x);
  if (is_array(want)) return check.tensor("predict", got.at(0), want, tol);
  const std::vector<std::string> names = model.output_names();
  for (std::size_t i = 0; i < got.size(); ++i)
    check.tensor(fmt::format("predict {}", i), got[i], want.is_object() ? want.at(names.at(i)) : want.at(i), tol);
}

}  // namespace

void run_fit(const json& line, Check& check) {
  const Tolerance tol = tolerance(line);
  Model model = make_model(line.at("model"));
  if (line.contains("adapt")) adapt_layers(model, line["adapt"]);
  std::vector<Tensor> initial;
  for (const json& w : line.at("initial_weights")) initial.push_back(to_tensor(w.at("value")));
  model.set_weights(initial);
  model.compile(to_compile(line.at("compile")));
  const FitOptions options = to_fit(line);
  const Data x = to_data(line.at("x")), y = to_data(line.at("y"));
  compare_history(model.fit(x, y, options), line.at("history"), tol, check);
  const std::vector<Tensor> weights = model.get_weights();
  const json& final = line.at("final_weights");
  check.that(weights.size() == final.size(), "final weights", fmt::format("got {} want {}", weights.size(), final.size()));
  for (std::size_t i = 0; i < std::min(weights.size(), final.size()); ++i)
    check.tensor("final " + final[i].at("path").get<std::string>(), weights[i], final[i].at("value"), tol);
  if (line.contains("evaluate") && !line["evaluate"].is_null()) {
    const Logs logs = model.evaluate(x, y, {.batch_size = options.batch_size, .verbose = 0, .sample_weight = options.sample_weight});
    for (const auto& [name, want] : line["evaluate"].items()) compare_numbers("evaluate " + name, name, [&](const std::string& n) { return logs[n]; }, want, tol, check);
  }
  if (line.contains("predict") && !line["predict"].is_null()) compare_predictions(model, x, line["predict"], tol, check);
}

void run_summary(const json& line, Check& check) {
  Model model = make_model(line.at("model"));
  setenv("COLUMNS", std::to_string(line.at("width").get<int>()).c_str(), 1);
  SummaryOptions options;
  Reader read("summary", line.value("args", json::object()));
  read("line_length", options.line_length), read("expand_nested", options.expand_nested), read("show_trainable", options.show_trainable);
  read("positions", options.positions), read("layer_range", options.layer_range);
  read.finish();
  check.text("text", model.summary_text(options), line.at("text").get<std::string>());
}

}  // namespace glia::parity
