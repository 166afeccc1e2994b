// transformers::load: a folder of Hugging Face's.
#include <glia/pytorch.h>
#include <glia/safetensors.h>
#include <glia/transformers.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "io/file/byte_reader.h"
#include "io/file/json_text.h"
#include "io/file/path_name.h"
#include "io/pytorch/load_named.h"
#include "nn/weight_budget.h"

namespace glia::transformers {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

class Config {
 public:
  Config(const std::string& path, const LoadLimits& limits) : path_(path) {
    const std::string text = io::read_whole(path, uint64_t{16} << 20);
    for (auto& [key, value] : io::parse_json_entries(text, path, limits, 0)) json_[key] = value;
  }
  std::string model_type() const {
    auto it = json_.find("model_type");
    return it != json_.end() && it->is_string() ? it->get<std::string>() : "";
  }
  void read(const char* key, int64_t& v) const {
    if (const ordered_json* j = find(key)) {
      check(j->is_number_integer() && *j >= 0 && *j <= (int64_t{1} << 31), key, "a count");
      v = j->get<int64_t>();
    }
  }
  void read(const char* key, std::optional<int64_t>& v) const {
    int64_t n = -1;
    read(key, n);
    if (n >= 0) v = n;
  }
  void read(const char* key, double& v) const {
    if (const ordered_json* j = find(key)) {
      check(j->is_number(), key, "a number");
      v = j->get<double>();
    }
  }
  void read(const char* key, std::string& v) const {
    if (const ordered_json* j = find(key)) {
      check(j->is_string(), key, "a text");
      v = j->get<std::string>();
    }
  }
  // An option that would change the result, and the only value that is built here.
  void expect(const char* key, const ordered_json& value) const {
    const ordered_json* j = find(key);
    GLIA_CHECK(!j || *j == value, "{}: '{}' is {}. Only {} is supported.", path_, key, j ? j->dump() : "", value.dump());
  }

 private:
  const ordered_json* find(const char* key) const {
    auto it = json_.find(key);
    return it == json_.end() || it->is_null() ? nullptr : &*it;
  }
  void check(bool ok, const char* key, const char* what) const {
    GLIA_CHECK(ok, "{}: '{}' must be {}. Received {}.", path_, key, what, io::printable(json_.at(key).dump()));
  }
  std::string path_;
  ordered_json json_ = ordered_json::object();
};

Model gpt2_of(const Config& c, const LoadTransformerOptions& options) {
  GPT2Options o{.logits = options.logits};
  c.read("vocab_size", o.vocab_size);
  c.read("n_positions", o.n_positions);
  c.read("n_embd", o.n_embd);
  c.read("n_layer", o.n_layer);
  c.read("n_head", o.n_head);
  c.read("n_inner", o.n_inner);
  c.read("activation_function", o.activation_function);
  c.read("resid_pdrop", o.resid_pdrop);
  c.read("embd_pdrop", o.embd_pdrop);
  c.read("attn_pdrop", o.attn_pdrop);
  c.read("layer_norm_epsilon", o.layer_norm_epsilon);
  c.expect("scale_attn_weights", true);
  c.expect("scale_attn_by_inverse_layer_idx", false);
  c.expect("add_cross_attention", false);
  c.expect("tie_word_embeddings", true);
  return GPT2(o);
}

Model bert_of(const Config& c, bool pooler) {
  BERTOptions o{.pooler = pooler};
  c.read("vocab_size", o.vocab_size);
  c.read("hidden_size", o.hidden_size);
  c.read("num_hidden_layers", o.num_hidden_layers);
  c.read("num_attention_heads", o.num_attention_heads);
  c.read("intermediate_size", o.intermediate_size);
  c.read("hidden_act", o.hidden_act);
  c.read("hidden_dropout_prob", o.hidden_dropout_prob);
  c.read("attention_probs_dropout_prob", o.attention_probs_dropout_prob);
  c.read("max_position_embeddings", o.max_position_embeddings);
  c.read("type_vocab_size", o.type_vocab_size);
  c.read("layer_norm_eps", o.layer_norm_eps);
  c.expect("position_embedding_type", "absolute");
  c.expect("is_decoder", false);
  c.expect("add_cross_attention", false);
  return BERT(o);
}

// One file, or the files that an index lists.
NamedTensors weights_in(const fs::path& folder, const LoadOptions& options) {
  if (const fs::path p = folder / "model.safetensors"; fs::exists(p)) return read_safetensors(p.string(), options);
  if (const fs::path p = folder / "pytorch_model.bin"; fs::exists(p)) return read_pytorch(p.string(), options);
  for (const char* name : {"model.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    const std::string index = (folder / name).string();
    if (!fs::exists(index)) continue;
    const auto entries = io::parse_json_entries(io::read_whole(index, uint64_t{64} << 20), index, options.limits, 0);
    std::set<std::string> shards;
    for (auto& [key, value] : entries)
      if (key == "weight_map" && value.is_object())
        for (auto& file : value) {
          GLIA_CHECK(file.is_string(), "{}: 'weight_map' must give names of files. Received {}.", index, io::printable(file.dump()));
          shards.insert(file.get<std::string>());
        }
    GLIA_CHECK(!shards.empty(), "{}: there is no 'weight_map' with names of files.", index);
    NamedTensors all;
    LoadOptions left = options;
    for (const std::string& shard : shards) {
      const std::string path = io::safe_join(folder.string(), shard, index);
      NamedTensors part = path.ends_with(".safetensors") ? read_safetensors(path, left) : read_pytorch(path, left);
      for (auto& t : part) left.limits.max_bytes -= std::min<uint64_t>(left.limits.max_bytes, t.second.bytes());
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }
  throw_error("{}: there is neither model.safetensors nor pytorch_model.bin nor an index of either.", folder.string());
}

// Names inside the base model; what belongs to another task's head goes.
NamedTensors base_tensors(const NamedTensors& all, const std::string& prefix, const std::set<std::string>& heads) {
  bool prefixed = false;
  for (auto& t : all) prefixed |= t.first.starts_with(prefix);
  NamedTensors r;
  for (auto& [name, t] : all) {
    const bool inside = prefixed && name.starts_with(prefix);
    const std::string rest = inside ? name.substr(prefix.size()) : name;
    if (!inside && heads.count(rest.substr(0, rest.find('.')))) continue;
    r.emplace_back(rest, t);
  }
  return r;
}

}  // namespace

Model load(const std::string& folder, const LoadTransformerOptions& options) {
  const std::string path = (fs::path(folder) / "config.json").string();
  const Config config(path, options.load.limits);
  const std::string type = config.model_type();
  GLIA_CHECK(type == "gpt2" || type == "bert", "{}: 'model_type' is \"{}\". Expected \"gpt2\" or \"bert\".", path, io::printable(type));
  const NamedTensors all = weights_in(folder, options.load);
  uint64_t numbers = 1 << 18;
  for (auto& t : all) numbers += static_cast<uint64_t>(t.second.size());
  const WeightBudget budget(4 * numbers, path);  // the configuration may claim more than the file has
  NamedTensors tensors;
  Model model;
  const auto made = [&](auto&& make) {
    try {
      return make();
    } catch (const Error& e) {
      if (std::string_view(e.what()).starts_with(path)) throw;
      throw_error("{}: {}", path, e.what());
    }
  };
  if (type == "gpt2") {
    tensors = base_tensors(all, "transformer.", {"lm_head", "score", "classifier", "multiple_choice_head"});
    model = made([&] { return gpt2_of(config, options); });
  } else {
    tensors = base_tensors(all, "bert.", {"cls", "classifier", "qa_outputs"});
    bool has_pooler = false;
    for (auto& t : tensors) has_pooler |= t.first.starts_with("pooler.");
    if (!options.pooler) std::erase_if(tensors, [](auto& t) { return t.first.starts_with("pooler."); });
    model = made([&] { return bert_of(config, options.pooler && has_pooler); });
  }
  io::load_named(model, tensors, fmt::format("{}: '{}'", model.name(), folder), false, {});
  return model;
}

}  // namespace glia::transformers
