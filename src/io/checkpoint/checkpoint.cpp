#include <glia/checkpoint.h>
#include <glia/saving.h>

#include <filesystem>

#include "base/error.h"
#include "io/checkpoint/checkpoint.h"
#include "io/checkpoint/glia_file.h"
#include "io/file/json_text.h"
#include "io/file/path_name.h"
#include "io/keras/compile_config.h"
#include "io/keras/python_json.h"
#include "io/keras/weights.h"
#include "io/weights.h"
#include "nn/trace.h"
#include "nn/weight_budget.h"
#include "train/trainer.h"

namespace glia {
namespace io {
namespace {

using nlohmann::ordered_json;

// ---- writing
// ----------------------------------------------------------------------------------------------------------

ordered_json position_json(const FitPosition& at) {
  return {{"epoch", at.epoch},
          {"batch", at.batch},
          {"pass_epoch", at.pass_epoch},
          {"pass_batch", at.pass_batch},
          {"pass_open", at.pass_open},
          {"shuffle_seed", at.shuffle_seed},
          {"stop", at.stop}};
}

void add_callbacks(GliaFile& file, const std::vector<CallbackRef>& callbacks) {
  ordered_json& list = file.manifest["callbacks"] = ordered_json::array();
  TensorGroup& tensors = file.groups["callbacks"];
  for (auto& c : callbacks) {
    if (c->state_name().empty()) continue;
    CallbackState state;
    c->save_state(state);
    ordered_json entry = {
        {"name", c->state_name()}, {"numbers", ordered_json::object()}, {"tensors", ordered_json::object()}};
    for (auto& [name, v] : state.numbers) entry["numbers"][name] = exact(v);
    for (auto& [name, list_of] : state.tensors) {
      entry["tensors"][name] = {tensors.size(), list_of.size()};  // first and count in the group
      for (auto& t : list_of) tensors.emplace_back(name, t);
    }
    list.push_back(std::move(entry));
  }
}

void add_optimizer(GliaFile& file, const Model& model) {
  if (!model.compiled()) return;
  OptimizerBase& optimizer = *model.optimizer();
  file.manifest["optimizer"] = ordered_json::parse(serialize(optimizer));
  file.groups["optimizer"] = named_tensors(optimizer.variables());
  try {
    file.manifest["compile"] = keras::compile_config(model);
  } catch (const Error&) {  // losses and metrics of one's own: whoever loads the file compiles it
  }
}

std::string architecture(const Model& model) {
  try {
    return models::to_json(model);
  } catch (const Error&) {  // layers of one's own, models that are neither Sequential nor functional
    return "";
  }
}

// ---- reading
// ----------------------------------------------------------------------------------------------------------

// Typed access to the manifest; errors name the file and the field.
class Reader {
 public:
  Reader(const ordered_json& json, std::string where) : json_(json), where_(std::move(where)) {
    GLIA_CHECK(json.is_object(), "{}: an object is expected.", where_);
  }
  template <class T>
  T number(const char* name) const {
    GLIA_CHECK(json_.contains(name) && json_[name].is_number_integer(), "{}: '{}' must be an integer.", where_, name);
    return json_[name].get<T>();
  }
  bool flag(const char* name) const {
    GLIA_CHECK(json_.contains(name) && json_[name].is_boolean(), "{}: '{}' must be true or false.", where_, name);
    return json_[name].get<bool>();
  }
  std::string text(const char* name) const {
    GLIA_CHECK(json_.contains(name) && json_[name].is_string(), "{}: '{}' must be a text.", where_, name);
    return json_[name].get<std::string>();
  }

 private:
  const ordered_json& json_;
  std::string where_;
};

FitPosition position_of(const std::string& path, const ordered_json& manifest) {
  FitPosition at;
  if (!manifest.contains("training")) return at;
  Reader r(manifest["training"], path + ": glia.json: training");
  at.epoch = r.number<int>("epoch");
  at.batch = r.number<int64_t>("batch");
  at.pass_epoch = r.number<int>("pass_epoch");
  at.pass_batch = r.number<int64_t>("pass_batch");
  at.pass_open = r.flag("pass_open");
  at.shuffle_seed = r.number<uint64_t>("shuffle_seed");
  at.stop = r.flag("stop");
  GLIA_CHECK(at.epoch >= 0 && at.batch >= 0 && at.pass_epoch >= 0 && at.pass_batch >= 0,
             "{}: glia.json: training: a position is negative.", path);
  return at;
}

std::vector<std::pair<std::string, CallbackState>> callbacks_of(const std::string& path, const GliaFile& file) {
  std::vector<std::pair<std::string, CallbackState>> r;
  if (!file.manifest.contains("callbacks") || !file.groups.count("callbacks")) return r;
  const TensorGroup& tensors = file.groups.at("callbacks");
  const ordered_json& list = file.manifest["callbacks"];
  std::string where = path + ": glia.json: callbacks";
  GLIA_CHECK(list.is_array(), "{}: a list is expected.", where);
  for (auto& entry : list) {
    Reader reader(entry, where);
    CallbackState state;
    ordered_json numbers = entry.value("numbers", ordered_json::object()),
                 lists = entry.value("tensors", ordered_json::object());
    for (auto& [name, v] : numbers.items()) {
      GLIA_CHECK(v.is_string(), "{}: '{}' must be a number as text.", where, printable(name));
      state.numbers[name] = exact(v.get<std::string>(), where);
    }
    for (auto& [name, v] : lists.items()) {
      bool ok = v.is_array() && v.size() == 2 && v[0].is_number_unsigned() && v[1].is_number_unsigned();
      uint64_t first = ok ? v[0].get<uint64_t>() : 0, count = ok ? v[1].get<uint64_t>() : 0;
      GLIA_CHECK(ok && first <= tensors.size() && count <= tensors.size() - first,
                 "{}: the tensors of '{}' lie outside their group.", where, printable(name));
      for (uint64_t i = first; i < first + count; ++i) state.tensors[name].push_back(tensors[i].second);
      state.tensors[name];
    }
    r.emplace_back(reader.text("name"), std::move(state));
  }
  return r;
}

}  // namespace

void Checkpoint::save(const Model& model, const std::string& path) {
  GLIA_CHECK(path.ends_with(".glia"), "save_checkpoint: '{}' has an unknown ending. Checkpoints are .glia files.",
             path);
  GLIA_CHECK(model->built() || !model->weights().empty(),
             "{}: save_checkpoint: the model is not built yet, so it has no weights. Give input_shape or call it on "
             "data first.",
             model.name());
  GliaFile file;
  file.model_json = architecture(model);
  file.assets = keras::assets_of(model);
  for (auto& a : keras::idf_assets_of(model)) file.assets.push_back(std::move(a));
  file.groups["weights"] = named_tensors(model->weights());
  add_optimizer(file, model);
  file.groups["random"] = {{"seed", seed_variable().tensor()}};
  if (const FitState* fit = model.trainer().fit) {
    file.manifest["training"] = position_json(fit->at);
    for (auto& t : model.trainer().metric_state()) file.groups["metrics"].emplace_back("metric", t);
    add_callbacks(file, fit->callbacks);
  }
  write_glia_file(path, file);
}

Checkpoint Checkpoint::read(const std::string& path, const LoadOptions& options) {
  Checkpoint c;
  c.path_ = path;
  c.file_ = std::make_shared<GliaFile>(read_glia_file(path, options.limits));
  if (!c.file_->model_json.empty())
    keras::parse_python_json(c.file_->model_json, path + ": model.json", options.limits);  // told early, and not nested too deep
  c.at_ = position_of(path, c.file_->manifest);
  c.callbacks_ = callbacks_of(path, *c.file_);
  GLIA_CHECK(c.file_->groups.count("weights"), "{}: glia.json: the group 'weights' is missing.", path);
  return c;
}

Model Checkpoint::make_model(bool compile) const {
  GLIA_CHECK(!file_->model_json.empty(),
             "{}: holds weights but no architecture (the model had layers of its own kind). Build the model "
             "and call load_checkpoint().",
             path_);
  uint64_t bytes = 1 << 16;  // an architecture gets as much memory for weights as the file has numbers
  for (auto& [name, t] : file_->groups.at("weights")) bytes += 2 * t.bytes();
  WeightBudget budget(bytes, path_);
  Model model =
      keras::with_json_errors(path_ + ": model.json", [&] { return models::model_from_json(file_->model_json); });
  if (compile && file_->manifest.contains("compile"))
    if (auto options = keras::compile_options(file_->manifest["compile"], path_)) model.compile(std::move(*options));
  restore_model(model, !model.compiled());
  keras::apply_assets(model, {}, path_, [&](const std::string& name) -> std::unique_ptr<std::string> {
    for (auto& [n, text] : file_->assets)
      if (n == name) return std::make_unique<std::string>(text);
    return nullptr;
  });
  return model;
}

void Checkpoint::restore_model(const Model& model, bool weights_only) const {
  std::string where = fmt::format("{}: '{}'", model.name(), path_);
  std::vector<Variable> weights = model->weights();
  const TensorGroup& stored = file_->groups.at("weights");
  GLIA_CHECK(!weights.empty() || stored.empty(),
             "{}: the model is not built yet. Give input_shape or call it on data first.", where);
  std::vector<const Tensor*> values = match_weights(where, weights, stored), slots;
  bool optimizer = !weights_only && model.compiled() && file_->groups.count("optimizer");
  std::vector<Variable> optimizer_variables;
  if (optimizer) {
    OptimizerBase& o = *model.optimizer();
    const ordered_json& saved = file_->manifest["optimizer"];
    std::string name = saved.is_object() && saved.contains("class_name") && saved["class_name"].is_string()
                           ? saved["class_name"].get<std::string>()
                           : "";
    GLIA_CHECK(name == o.class_name(),
               "{}: the optimizer is {}. The checkpoint was made with {}; compile with the same.", where,
               o.class_name(), printable(name));
    if (file_->groups.at("optimizer").size() != o.variables().size())
      o.build(model->trainable_weights());  // it was saved built
    optimizer_variables = o.variables();
    slots = match_weights(where + ": " + o.class_name(), optimizer_variables, file_->groups.at("optimizer"));
  }
  auto random = file_->groups.find("random");
  bool seeded = !weights_only && random != file_->groups.end();
  const Tensor& seed = seed_variable().tensor();
  GLIA_CHECK(!seeded || (random->second.size() == 1 && random->second[0].second.shape() == seed.shape() &&
                         random->second[0].second.dtype() == seed.dtype()),
             "{}: the random state is damaged.", where);
  assign_weights(weights, values);
  assign_weights(optimizer_variables, slots);
  if (seeded) seed.copy_from(random->second[0].second);
}

void Checkpoint::restore_fit(const Model& model) const {
  restore_model(model);
  Trainer& trainer = model.trainer();
  auto metrics = file_->groups.find("metrics");
  if (metrics != file_->groups.end()) {
    std::vector<Tensor> state;
    for (auto& [name, t] : metrics->second) state.push_back(t);
    std::vector<Tensor> now = trainer.metric_state();
    bool fits = now.size() == state.size();
    for (size_t i = 0; fits && i < now.size(); ++i)
      fits = now[i].shape() == state[i].shape() && now[i].dtype() == state[i].dtype();
    GLIA_CHECK(fits || at_.batch == 0,
               "{}: '{}': the losses and metrics differ from those of the checkpoint; compile with the same.",
               model.name(), path_);
    if (fits) trainer.restore_metric_state(state);
  }
  if (!trainer.fit) return;
  std::vector<CallbackRef> left = trainer.fit->callbacks;
  for (auto& [name, state] : callbacks_)  // the first of that name that has not got its state yet
    for (auto& c : left)
      if (c && c->state_name() == name) {
        c->load_state(state);
        c = nullptr;
        break;
      }
}

void Checkpoint::go_on(const Model& model) const {
  FitState* fit = model.trainer().fit;
  GLIA_ASSERT(fit);
  fit->at = at_;
  fit->restore = [self = *this, model] { self.restore_fit(model); };
}

}  // namespace io

void save_checkpoint(const Model& model, const std::string& path) { io::Checkpoint::save(model, path); }

TrainingPosition load_checkpoint(Model& model, const std::string& path, const LoadOptions& options) {
  io::Checkpoint c = io::Checkpoint::read(path, options);
  c.restore_model(model);
  return {c.position().epoch, c.position().batch};
}

Model models::load_glia(const std::string& path, const LoadOptions& options) {
  return io::Checkpoint::read(path, options).make_model(options.compile);
}

}  // namespace glia
