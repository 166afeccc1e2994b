#include "io/keras/weights.h"

#include <glia/optimizers.h>

#include <map>

#include "base/error.h"
#include "base/log.h"
#include "nn/layers/quantized.h"
#include "nn/layers/text.h"
#include "nn/trace.h"
#include "train/trainer.h"

namespace glia::io::keras {

using hdf5::Array;
using hdf5::Group;

namespace {

bool is_adapter(const Variable& v) { return v.name().rfind("lora_", 0) == 0; }

// What a file holds of a layer. Low-rank adapters are no variables of their own there: their product is part of the kernel.
std::vector<Variable> stored_variables(const Layer& layer) {
  if (auto* q = dynamic_cast<const nn::Quantizable*>(&layer); q && q->quantized()) return q->stored_variables();
  if (layer.lora_rank() == 0) return own_variables(layer);
  std::vector<Variable> r;
  for (const Variable& v : layer.own_variables())
    if (!is_adapter(v)) r.push_back(v);
  return r;
}
// The product starts anew from nothing. Keras sets both factors to zero, after which neither has a gradient; here only one.
void reset_adapters(const Layer& layer) {
  for (const Variable& v : layer.own_variables())
    if (const Variable& b = v.state()->adapter_b; b.defined()) b.tensor().copy_from(Tensor::zeros(b.shape(), b.dtype()));
}
Tensor merged(const Variable& v) { return v.state()->adapter_a.defined() ? v.value().tensor() : v.tensor(); }

void put_variables(Group& tree, const std::string& path, const std::string& name, const std::vector<Variable>& variables) {
  Group& vars = tree.at_path(path.empty() ? "vars" : path + "/vars");
  vars.attributes["name"] = Array::text(name);
  for (std::size_t i = 0; i < variables.size(); ++i) vars.arrays[std::to_string(i)] = Array::numbers(merged(variables[i]));
}

const Group* variables_at(const Group& tree, const std::vector<std::string>& paths) {
  for (const std::string& p : paths)
    if (const Group* g = tree.find(p.empty() ? "vars" : p + "/vars")) return g;
  return nullptr;
}

std::string title_of(const Saveable& s) { return fmt::format("{} ({}) at '{}'", s.layer->name(), s.layer->class_name(), s.paths[0]); }

// Keras does not say in the configuration that a layer inside MultiHeadAttention has rounded weights; the file shows it.
void follow_rounded_weights(Layer& layer, const Group* vars) {
  auto* q = dynamic_cast<nn::Quantizable*>(&layer);
  if (!q || q->quantized() || !q->built() || !vars || q->lora_rank() > 0) return;
  const Array* table = vars->find_array("0");
  const std::vector<Variable> own = q->stored_variables();
  if (table && !table->is_text && table->tensor.dtype() == DType::i8 && vars->arrays.size() > own.size() && !own.empty() &&
      table->tensor.shape() == own[0].shape())
    q->quantize_storage();
}

void load_layer(const Saveable& s, const Group& tree) {
  const Group* vars = variables_at(tree, s.paths);
  follow_rounded_weights(*s.layer, vars);
  const std::vector<Variable> own = stored_variables(*s.layer);
  const std::size_t stored = vars ? vars->arrays.size() : 0;
  if (own.empty()) {
    const bool built = s.layer->built() || stored == 0 || s.layer->class_name() == "Discretization" || dynamic_cast<nn::HostLayer*>(s.layer.ptr().get());
    GLIA_CHECK(built, "{}: the layer is not built, but the file has {} variables for it. Build the model first.", title_of(s), stored);
    return;
  }
  GLIA_CHECK(stored == own.size(), "{}: the layer has {} variables. The file has {}{}.", title_of(s), own.size(), stored,
             vars ? "" : " (no such group)");
  for (std::size_t i = 0; i < own.size(); ++i) {
    auto it = vars->arrays.find(std::to_string(i));
    GLIA_CHECK(it != vars->arrays.end(), "{}: the file lacks its variable {}.", title_of(s), i);
    GLIA_CHECK(!it->second.is_text && it->second.tensor.shape() == own[i].shape(), "{}: variable {} '{}' has shape {}. The file's has shape {}.",
               title_of(s), i, own[i].name(), to_string(own[i].shape()), it->second.is_text ? "text" : to_string(it->second.tensor.shape()));
  }
  for (std::size_t i = 0; i < own.size(); ++i) assign(own[i], vars->arrays.at(std::to_string(i)), title_of(s));
  reset_adapters(*s.layer);
}

void load_optimizer(const Model& model, const Group& tree, const std::string& name) {
  const Group* vars = tree.find("optimizer/vars");
  if (!model.compiled() || !vars || vars->arrays.empty()) return;
  OptimizerBase& optimizer = *model.optimizer();
  std::vector<Variable> trainable = model->trainable_weights();
  if (!trainable.empty()) optimizer.build(trainable);
  std::vector<Variable> own = optimizer.variables();
  // Keras 2 keeps the learning rate, the second variable, in the configuration only.
  if (own.size() == vars->arrays.size() + 1 && own.size() > 2 && own[1].shape().empty()) own.erase(own.begin() + 1);
  bool fits = own.size() == vars->arrays.size();
  for (std::size_t i = 0; fits && i < own.size(); ++i) {
    auto it = vars->arrays.find(std::to_string(i));
    fits = it != vars->arrays.end() && !it->second.is_text && it->second.tensor.shape() == own[i].shape();
  }
  if (!fits) {
    // A model saved before its first step has only the count and the rate: a fresh state is the same.
    if (vars->arrays.size() > 2)
      log_warning(fmt::format("{}: the optimizer '{}' has {} variables, the file {}: its state is not restored.", name, optimizer.name(),
                              own.size(), vars->arrays.size()));
    return;
  }
  for (std::size_t i = 0; i < own.size(); ++i) assign(own[i], vars->arrays.at(std::to_string(i)), name + ": optimizer");
}

}  // namespace

void assign(const Variable& to, const Array& from, const std::string& where) {
  GLIA_CHECK(!from.is_text && from.tensor.shape() == to.shape(), "{}: '{}' has shape {}. The file's array has shape {}.", where, to.path(),
             to_string(to.shape()), from.is_text ? "text" : to_string(from.tensor.shape()));
  to.tensor().copy_from(from.tensor.astype(to.dtype()));
}

Group weights_tree(const Model& model) {
  Group tree;
  for (const Saveable& s : walk(model)) {
    put_variables(tree, s.paths[0], s.layer->name(), stored_variables(*s.layer));
    if (auto* text = dynamic_cast<nn::HostLayer*>(s.layer.ptr().get()))
      if (const nn::Vocabulary* v = text->known_vocabulary(); v && v->output_mode == "tf_idf" && !v->idf.empty()) {
        std::vector<float> idf(v->idf.begin(), v->idf.end());
        const Tensor weights = Tensor::from_vector<float>({static_cast<int64_t>(idf.size())}, idf);
        tree.at_path(s.paths[0] + "/vars").arrays["idf_weights"] = Array::numbers(weights);
        if (s.layer->class_name() == "TextVectorization")  // Keras reads them for the lookup layer inside as well
          tree.at_path(s.paths[0] + "/_lookup_layer/vars").arrays["idf_weights"] = Array::numbers(weights);
      }
  }
  if (model.compiled()) {
    OptimizerBase& optimizer = *model.optimizer();
    put_variables(tree, "optimizer", optimizer.name(), optimizer.variables());
    if (OptimizerBase* inner = optimizer.wrapped_optimizer()) put_variables(tree, "optimizer/inner_optimizer", inner->name(), inner->variables());
  }
  return tree;
}

void apply_weights(const Model& model, const Group& tree, const std::string& name, const ApplyOptions& options) {
  std::vector<std::string> failures;
  std::size_t matched = 0;
  for (const Saveable& s : walk(model)) {
    try {
      load_layer(s, tree);
      matched += !stored_variables(*s.layer).empty();
    } catch (const Error& e) {
      failures.emplace_back(e.what());
    }
  }
  if (!failures.empty()) {
    std::string text = fmt::format("{}: {} of {} layers with weights could not be loaded:", name, failures.size(), failures.size() + matched);
    for (std::size_t i = 0; i < failures.size() && i < 20; ++i) text += "\n  " + failures[i];
    if (failures.size() > 20) text += fmt::format("\n  and {} more", failures.size() - 20);
    GLIA_CHECK(options.skip_mismatch, "{}\nBuild the model that the file was saved from, or pass skip_mismatch = true.", text);
    log_warning(text);
  }
  if (options.optimizer) load_optimizer(model, tree, name);
}

// ---- vocabularies -----------------------------------------------------------------------------------------------------------

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n') lines.emplace_back();
    else lines.back() += text[i];
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string asset_path(const std::string& path) { return (path.empty() ? "assets" : "assets/" + path) + "/vocabulary.txt"; }

// Glia's own files keep what Keras keeps in its weights file beside the vocabulary, a number a line.
std::string idf_path(const std::string& path) { return (path.empty() ? "assets" : "assets/" + path) + "/idf_weights.txt"; }

Floats numbers_of(const std::string& text) {
  Floats r;
  for (const std::string& line : lines_of(text)) r.push_back(std::strtod(line.c_str(), nullptr));
  return r;
}

}  // namespace

Assets idf_assets_of(const Model& model) {
  Assets r;
  for (const Saveable& s : walk(model)) {
    auto* text = dynamic_cast<nn::HostLayer*>(s.layer.ptr().get());
    const nn::Vocabulary* v = text && !text->vocabulary_in_config() ? text->known_vocabulary() : nullptr;
    if (!v || v->output_mode != "tf_idf" || v->idf.empty()) continue;
    std::string lines;
    for (double w : v->idf) lines += fmt::format("{:.17g}\n", w);
    r.emplace_back(idf_path(s.paths[0]), lines);
  }
  return r;
}

Assets assets_of(const Model& model) {
  Assets r;
  for (const Saveable& s : walk(model)) {
    auto* text = dynamic_cast<nn::HostLayer*>(s.layer.ptr().get());
    const nn::Vocabulary* v = text && !text->vocabulary_in_config() ? text->known_vocabulary() : nullptr;
    if (!v) continue;
    std::string lines;
    const Strings all = v->all();
    for (std::size_t i = 0; i < all.size(); ++i) lines += (i ? "\n" : "") + all[i];
    r.emplace_back(asset_path(s.paths[0]), lines);
    if (s.layer->class_name() == "TextVectorization") r.emplace_back(asset_path(s.paths[0] + "/_lookup_layer"), lines);
  }
  return r;
}

void apply_assets(const Model& model, const Group& tree, const std::string& name,
                  const std::function<std::unique_ptr<std::string>(const std::string&)>& read) {
  for (const Saveable& s : walk(model)) {
    auto* text = dynamic_cast<nn::HostLayer*>(s.layer.ptr().get());
    nn::Vocabulary* v = text ? text->known_vocabulary() : nullptr;
    if (!v || text->vocabulary_in_config()) continue;
    std::unique_ptr<std::string> lines;
    for (const std::string& p : s.paths)
      if (!lines) lines = read(asset_path(p));
    if (!lines) continue;
    Floats idf;
    const Group* vars = variables_at(tree, s.paths);
    if (const Array* a = vars ? vars->find_array("idf_weights") : nullptr; a && !a->is_text)
      for (int64_t i = 0; i < a->tensor.size(); ++i) idf.push_back(a->tensor.item(i));
    else if (const std::unique_ptr<std::string> numbers = read(idf_path(s.paths[0]))) idf = numbers_of(*numbers);
    try {
      v->set(lines_of(*lines), idf);
    } catch (const Error& e) {
      throw_error("{}: the vocabulary of {}: {}", name, title_of(s), e.what());
    }
  }
}

}  // namespace glia::io::keras
