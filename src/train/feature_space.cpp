#include <glia/feature_space.h>
#include <glia/layers.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "nn/layers/core.h"
#include "nn/layers/merge.h"
#include "nn/layers/preprocessing.h"
#include "nn/layers/text.h"

namespace glia::utils {

namespace {

std::string layer_name(const std::string& name, const char* type) { return (name.empty() ? unique_layer_name(type) : name) + "_preprocessor"; }

Feature standard(const std::string& name, const Feature& f, const FeatureSpaceOptions& o) {
  using S = FeatureSpace;
  static const std::vector<std::string> kTypes{"float",          "float_rescaled",      "float_normalized",   "float_discretized",
                                               "integer_hashed", "integer_categorical", "string_categorical", "string_hashed"};
  if (f.type == "float") return S::plain_float(name);
  if (f.type == "float_rescaled") return S::float_rescaled(1, 0, name);
  if (f.type == "float_normalized") return S::float_normalized(name);
  if (f.type == "float_discretized") return S::float_discretized(o.num_discretization_bins, {.name = name});
  if (f.type == "integer_categorical") return S::integer_categorical({.name = name});
  if (f.type == "string_categorical") return S::string_categorical({.name = name});
  if (f.type == "integer_hashed") return S::integer_hashed(o.hashing_dim, "one_hot", name);
  if (f.type == "string_hashed") return S::string_hashed(o.hashing_dim, "one_hot", name);
  throw_error("FeatureSpace: the feature '{}' has the unknown type '{}'.{}", name, f.type, did_you_mean(f.type, kTypes));
}

std::string name_of(const Cross& c) {
  std::string r;
  for (const std::string& n : c.feature_names) r += (r.empty() ? "" : "_X_") + n;
  return r;
}

// Entries of the one-hot vector behind a layer that gives integers.
int64_t categories_of(const std::string& name, Layer& layer) {
  if (auto* h = dynamic_cast<nn::HostLayer*>(&layer)) {
    if (nn::Vocabulary* v = h->known_vocabulary(); v && layer.class_name() != "TextVectorization") return v->size();
  }
  if (auto* h = dynamic_cast<nn::Hashing*>(&layer)) return h->num_bins;
  if (auto* h = dynamic_cast<nn::HashedCrossing*>(&layer)) return h->num_bins;
  if (auto* c = dynamic_cast<nn::CategoryEncoding*>(&layer)) return c->num_tokens;
  if (auto* d = dynamic_cast<nn::Discretization*>(&layer)) return d->o.num_bins.value_or(static_cast<int64_t>(d->o.bin_boundaries.size()) + 1);
  throw_error("FeatureSpace: the feature '{}' has output_mode \"one_hot\", but how many categories a {} gives is not known. Use \"int\".", name,
              layer.class_name());
}

Array as_column(const std::string& name, const Array& a) {
  Array r = a;
  const Shape& s = a.strings.defined() ? a.strings.shape : a.numbers.shape();
  GLIA_CHECK(s.size() == 1 || s.size() == 2, "FeatureSpace: the column '{}' has shape {}. Expected (rows,) or (rows, 1).", name, to_string(s));
  if (s.size() == 2) return r;
  if (a.strings.defined()) r.strings.shape.push_back(1);
  else r.numbers = a.numbers.reshape({s[0], 1});
  return r;
}

const Array& pick(const FeatureSpace::Table& table, const std::string& name) {
  auto it = table.find(name);
  if (it != table.end()) return it->second;
  std::vector<std::string> known;
  for (const auto& [n, a] : table) known.push_back(n);
  throw_error("FeatureSpace: the table has no column '{}'.{}", name, did_you_mean(name, known));
}

}  // namespace

Feature FeatureSpace::plain_float(const std::string& name) {
  auto l = std::make_shared<nn::FeatureIdentity>();
  l->configure({.name = layer_name(name, "float")});
  return {DType::f32, LayerRef(l), "float"};
}
Feature FeatureSpace::float_rescaled(double scale, double offset, const std::string& name) {
  return {DType::f32, layers::Rescaling(scale, offset, {.name = layer_name(name, "float_rescaled")}), "float"};
}
Feature FeatureSpace::float_normalized(const std::string& name) {
  return {DType::f32, layers::Normalization({.name = layer_name(name, "float_normalized")}), "float"};
}
Feature FeatureSpace::float_discretized(int64_t num_bins, DiscretizedOptions o) {
  layers::DiscretizationOptions d;
  d.name = layer_name(o.name, "float_discretized");
  if (o.bin_boundaries.empty()) d.num_bins = num_bins;
  d.bin_boundaries = o.bin_boundaries;
  return {DType::f32, layers::Discretization(std::move(d)), o.output_mode};
}
Feature FeatureSpace::integer_categorical(CategoricalOptions o) {
  layers::IntegerLookupOptions l;
  l.max_tokens = o.max_tokens, l.num_oov_indices = o.num_oov_indices;
  l.name = layer_name(o.name, "integer_categorical");
  return {DType::i32, layers::IntegerLookup(std::move(l)), o.output_mode};
}
Feature FeatureSpace::string_categorical(CategoricalOptions o) {
  layers::StringLookupOptions l;
  l.max_tokens = o.max_tokens, l.num_oov_indices = o.num_oov_indices;
  l.name = layer_name(o.name, "string_categorical");
  return {"string", layers::StringLookup(std::move(l)), o.output_mode};
}
Feature FeatureSpace::integer_hashed(int64_t num_bins, const std::string& output_mode, const std::string& name) {
  return {DType::i32, layers::Hashing(num_bins, {.name = layer_name(name, "integer_hashed")}), output_mode};
}
Feature FeatureSpace::string_hashed(int64_t num_bins, const std::string& output_mode, const std::string& name) {
  return {"string", layers::Hashing(num_bins, {.name = layer_name(name, "string_hashed")}), output_mode};
}

FeatureSpace::FeatureSpace(std::initializer_list<std::pair<std::string, Feature>> features, FeatureSpaceOptions options)
    : FeatureSpace(std::vector<std::pair<std::string, Feature>>(features), std::move(options)) {}
FeatureSpace::FeatureSpace(std::vector<std::pair<std::string, Feature>> features, FeatureSpaceOptions options) : options_(std::move(options)) {
  GLIA_CHECK(!features.empty(), "FeatureSpace: there are no features.");
  GLIA_CHECK(options_.output_mode == "concat" || options_.output_mode == "dict",
             "FeatureSpace: output_mode must be \"concat\" or \"dict\". Received \"{}\".", options_.output_mode);
  for (auto& [name, f] : features) {
    Feature full = f.preprocessor ? f : standard(name, f, options_);
    const std::string& mode = full.output_mode;
    GLIA_CHECK(mode == "int" || mode == "one_hot" || mode == "float",
               "FeatureSpace: the output_mode of '{}' must be \"int\", \"one_hot\" or \"float\". Received \"{}\".", name, mode);
    columns_.push_back({name, std::move(full), {}});
  }
  std::sort(columns_.begin(), columns_.end(), [](const Column& a, const Column& b) { return a.name < b.name; });
  for (size_t i = 1; i < columns_.size(); ++i)
    GLIA_CHECK(columns_[i - 1].name != columns_[i].name, "FeatureSpace: the feature '{}' is there twice.", columns_[i].name);
  for (Cross& c : options_.crosses) {
    if (c.crossing_dim == 0) c.crossing_dim = options_.crossing_dim;
    GLIA_CHECK(c.feature_names.size() >= 2, "FeatureSpace: a cross needs two features or more. Received {}.", c.feature_names.size());
    GLIA_CHECK(c.output_mode == "int" || c.output_mode == "one_hot", "FeatureSpace: the output_mode of a cross must be \"int\" or \"one_hot\". Received \"{}\".",
               c.output_mode);
    for (const std::string& n : c.feature_names) column(n);
  }
}

const FeatureSpace::Column& FeatureSpace::column(const std::string& name) const {
  std::vector<std::string> known;
  for (const Column& c : columns_) {
    if (c.name == name) return c;
    known.push_back(c.name);
  }
  throw_error("FeatureSpace: a cross needs the feature '{}', which is not there.{}", name, did_you_mean(name, known));
}

bool FeatureSpace::learns(const Column& c) const {
  Layer* l = &*c.feature.preprocessor;
  if (auto* n = dynamic_cast<nn::Normalization*>(l)) return !n->o.mean.defined();
  if (auto* d = dynamic_cast<nn::Discretization*>(l)) return d->o.bin_boundaries.empty() || d->o.num_bins;
  if (auto* h = dynamic_cast<nn::HostLayer*>(l)) return h->known_vocabulary() && !h->vocabulary_in_config();
  return false;
}

void FeatureSpace::adapt(const Table& table) {
  for (const Column& c : columns_) {
    if (!learns(c)) continue;
    const Array a = as_column(c.name, pick(table, c.name));
    if (a.strings.defined()) glia::adapt(c.feature.preprocessor, a.strings);
    else glia::adapt(c.feature.preprocessor, a.numbers);
  }
  adapted_ = true;
  outputs_.clear();  // vocabularies may have another size now
  build();
}

Value FeatureSpace::encoded(const std::string& name, const Value& raw, const LayerRef& layer, const std::string& output_mode) {
  Value v = raw;
  if (output_mode == "one_hot") {
    GLIA_CHECK(!is_float(v.dtype()), "FeatureSpace: '{}' has output_mode \"one_hot\", so its layer must give integers. It gives {}.", name,
               dtype_name(v.dtype()));
    v = layers::CategoryEncoding(categories_of(name, *layer))(v);
  }
  GLIA_CHECK(options_.output_mode == "dict" || is_float(v.dtype()),
             "FeatureSpace: '{}' is {} and cannot be joined with the others. Use output_mode \"one_hot\" for it, or \"dict\" for all.", name,
             dtype_name(v.dtype()));
  return v;
}

void FeatureSpace::build() {
  if (!outputs_.empty()) return;
  if (!adapted_)
    for (const Column& c : columns_) GLIA_CHECK(!learns(c), "FeatureSpace: '{}' learns from data. Call adapt(table) first.", c.name);
  std::map<std::string, Value> raw;
  for (Column& c : columns_) {
    c.input = Input({1}, {.name = c.name, .dtype = c.feature.dtype});
    raw[c.name] = c.feature.preprocessor(c.input);
  }
  std::map<std::string, std::tuple<Value, LayerRef, std::string>> crossed;
  for (const Cross& cross : options_.crosses) {
    Values from;
    for (const std::string& n : cross.feature_names) from.push_back(raw.at(n));
    LayerRef crosser = layers::HashedCrossing(cross.crossing_dim, {.name = name_of(cross)});
    crossed[name_of(cross)] = {crosser(from), crosser, cross.output_mode};
  }
  parts_.clear();
  for (const Column& c : columns_) parts_.emplace_back(c.name, encoded(c.name, raw.at(c.name), c.feature.preprocessor, c.feature.output_mode));
  for (auto& [name, one] : crossed) parts_.emplace_back(name, encoded(name, std::get<0>(one), std::get<1>(one), std::get<2>(one)));
  for (const auto& [name, v] : parts_) outputs_.push_back(v);
  if (options_.output_mode == "concat") {
    auto concat = std::make_shared<nn::FeatureConcat>();
    concat->configure({.name = unique_layer_name("tfd_concat")});
    outputs_ = {LayerRef(concat)(outputs_)};
  }
  model_.reset();
}

Values FeatureSpace::get_inputs() {
  build();
  Values r;
  for (const Column& c : columns_) r.push_back(c.input);
  return r;
}
Value FeatureSpace::get_encoded_features() {
  GLIA_CHECK(options_.output_mode == "concat", "FeatureSpace: with output_mode \"dict\" the features are get_encoded_parts().");
  build();
  return outputs_[0];
}
std::map<std::string, Value> FeatureSpace::get_encoded_parts() {
  GLIA_CHECK(options_.output_mode == "dict", "FeatureSpace: with output_mode \"concat\" the features are get_encoded_features().");
  build();
  return {parts_.begin(), parts_.end()};
}

std::vector<Tensor> FeatureSpace::run(const Table& table) {
  build();
  if (!model_) model_.emplace(get_inputs(), outputs_);
  std::vector<Array> in;
  for (const Column& c : columns_) in.push_back(as_column(c.name, pick(table, c.name)));
  return model_->predict_on_batch(Data(std::move(in)));
}
Tensor FeatureSpace::operator()(const Table& table) {
  GLIA_CHECK(options_.output_mode == "concat", "FeatureSpace: with output_mode \"dict\" call encode(table).");
  return run(table)[0];
}
std::map<std::string, Tensor> FeatureSpace::encode(const Table& table) {
  GLIA_CHECK(options_.output_mode == "dict", "FeatureSpace: with output_mode \"concat\" the space itself is called.");
  const std::vector<Tensor> all = run(table);
  std::map<std::string, Tensor> r;
  for (size_t i = 0; i < all.size(); ++i) r.emplace(parts_[i].first, all[i]);
  return r;
}

}  // namespace glia::utils
