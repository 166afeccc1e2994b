#include "nn/layers/text.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/layers/hash.h"
#include "nn/layers/preprocessing.h"
#include "nn/trace.h"

namespace glia::nn {
namespace {

constexpr int64_t kNowhere = INT64_MAX;  // an index that one_hot leaves out

int64_t to_integer(std::string_view s) { return std::strtoll(std::string(s).c_str(), nullptr, 10); }

uint64_t hash_of(std::string_view s, const Ints& salt) {
  if (salt.empty()) return farm_fingerprint64(s);
  return sip_hash(s, static_cast<uint64_t>(salt[0]), static_cast<uint64_t>(salt.back()));
}

// Ids as vectors of `depth` entries; ids outside leave zeros. Shapes as nn::encode_categories.
Tensor encode_ids(const std::vector<int64_t>& ids, Shape shape, const std::string& mode, int64_t depth, DType t) {
  if (shape.empty()) shape = {1};
  if (mode == "one_hot") {
    if (shape.size() > 1 && shape.back() == 1) shape.pop_back();
    shape.push_back(depth);
    Tensor r = Tensor::zeros(shape, t);
    for (size_t i = 0; i < ids.size(); ++i)
      if (ids[i] >= 0 && ids[i] < depth) r.set_item(static_cast<int64_t>(i) * depth + ids[i], 1);
    return r;
  }
  // The axis that is counted over: the second of several, or the only one.
  const size_t axis = shape.size() > 1 ? 1 : 0;
  int64_t inner = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  const int64_t n = shape[axis];
  Shape out = shape;
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(axis));
  out.push_back(depth);
  Tensor r = Tensor::zeros(out, t);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= depth) continue;
    const int64_t flat = static_cast<int64_t>(i), row = flat / (n * inner) * inner + flat % inner, at = row * depth + ids[i];
    r.set_item(at, mode == "count" ? r.item(at) + 1 : 1);
  }
  return r;
}

std::string as_mode(const std::string& mode) { return mode == "binary" ? "multi_hot" : mode == "tf-idf" ? "tf_idf" : mode; }

}  // namespace

StringTensor integers_as_text(const Tensor& t) {
  StringTensor s(t.shape(), {});
  Tensor wide = t.astype(DType::i64);
  for (int64_t v : wide.span<int64_t>()) s.values.push_back(std::to_string(v));
  return s;
}

void HostLayer::adapt_to(const StringTensor&) { throw_error("adapt: {} learns nothing from data.", title()); }
Tensor HostLayer::run_host(const std::vector<HostInput>& inputs) {
  std::vector<StringTensor> texts;
  for (const HostInput& i : inputs) texts.push_back(i.is_text() ? i.strings : integers_as_text(i.numbers));
  return run(texts);
}
Values HostLayer::call(const Values& inputs, const CallOptions&) { return call_on_host(inputs); }

Values HostLayer::call_on_host(const Values& inputs) {
  bool concrete = true;
  for (const Value& x : inputs) {
    const bool text = x.dtype() == kStringDType;
    const char* wanted = !takes_integers() ? "strings" : takes_text() ? "strings or integers" : "integers";
    const bool ok = text ? takes_text() : takes_integers() && !is_float(x.dtype());
    GLIA_CHECK(ok, "{}: the layer takes {}. Received {}.{}", title(), wanted, to_string(x.type()),
               takes_text() && !text ? " Make it the first layer, on an Input with .dtype = \"string\"." : "");
    concrete &= x.is_concrete();
  }
  if (concrete && !inputs.empty()) {
    std::vector<HostInput> arrays;
    for (const Value& x : inputs) arrays.push_back({{}, x.tensor()});
    return {run_host(arrays)};
  }
  Trace* t = Trace::current();
  if (t && t->probing) {
    std::vector<TensorType> types;
    for (const Value& x : inputs) types.push_back(x.type());
    return {ir::add_input(t->graph, symbolic_type(types), "")};
  }
  GLIA_CHECK(t && t->host,
             "{}: the layer runs on the host, before a model's compiled step: in fit, evaluate, predict and the like. To compile or "
             "export the rest, make a model of the layers behind it and call glia::encode(layer, data) before that.",
             title());
  return t->host->call(*this, inputs);
}

// ---- Vocabulary -----------------------------------------------------------------------------------------------------------

void Vocabulary::rebuild() {
  places_.clear();
  for (size_t i = 0; i < tokens.size(); ++i) {
    bool fresh = places_.emplace(tokens[i], static_cast<int64_t>(i) + token_start()).second;
    GLIA_CHECK(fresh, "{}: the vocabulary holds \"{}\" twice.", title, tokens[i]);
    GLIA_CHECK(!mask_token || tokens[i] != *mask_token, "{}: the vocabulary holds the mask token \"{}\".", title, tokens[i]);
  }
  GLIA_CHECK(!max_tokens || size() <= *max_tokens, "{}: the vocabulary has {} entries with the special ones, more than max_tokens ({}).",
             title, size(), max_tokens.value_or(0));
}

void Vocabulary::set(const Strings& given, const Floats& idf_weights) {
  Strings special;
  if (oov_start()) special.push_back(*mask_token);
  special.insert(special.end(), static_cast<size_t>(num_oov), oov_token);
  bool found = given.size() >= special.size() && std::equal(special.begin(), special.end(), given.begin());
  ready = true;
  tokens.assign(given.begin() + (found ? static_cast<std::ptrdiff_t>(special.size()) : 0), given.end());
  rebuild();
  if (output_mode != "tf_idf") return;
  GLIA_CHECK(idf_weights.size() == given.size(), "{}: output_mode \"tf_idf\" needs one of idf_weights per token ({}). Received {}.", title,
             given.size(), idf_weights.size());
  idf = idf_weights;
  if (!found) {
    double mean = std::accumulate(idf.begin(), idf.end(), 0.0) / static_cast<double>(std::max<size_t>(1, idf.size()));
    idf.insert(idf.begin(), static_cast<size_t>(token_start()), mean);
  }
  if (pad_to_max_tokens && max_tokens) idf.resize(static_cast<size_t>(*max_tokens), 0.0);
}

void Vocabulary::learn(const std::vector<Strings>& documents) {
  ready = true;
  struct Count {
    int64_t occurrences = 0, documents = 0;
    size_t last = SIZE_MAX;  // document seen in
  };
  std::unordered_map<std::string, Count> counts;
  for (size_t d = 0; d < documents.size(); ++d)
    for (const std::string& w : documents[d]) {
      Count& c = counts[w];
      ++c.occurrences;
      c.documents += c.last != d;
      c.last = d;
    }
  if (mask_token) counts.erase(*mask_token);
  counts.erase(oov_token);
  std::vector<std::pair<std::string, Count>> order(counts.begin(), counts.end());
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    if (a.second.occurrences != b.second.occurrences) return a.second.occurrences > b.second.occurrences;
    return integers ? to_integer(a.first) > to_integer(b.first) : a.first > b.first;
  });
  if (max_tokens) order.resize(std::min(order.size(), static_cast<size_t>(std::max<int64_t>(0, *max_tokens - token_start()))));
  tokens.clear();
  idf.clear();
  for (const auto& [word, n] : order) {
    tokens.push_back(word);
    idf.push_back(std::log(1 + static_cast<double>(documents.size()) / (1 + static_cast<double>(n.documents))));
  }
  rebuild();
  double mean = std::accumulate(idf.begin(), idf.end(), 0.0) / static_cast<double>(std::max<size_t>(1, idf.size()));
  idf.insert(idf.begin(), static_cast<size_t>(token_start()), mean);
  if (pad_to_max_tokens && max_tokens) idf.resize(static_cast<size_t>(*max_tokens), 0.0);
}

Strings Vocabulary::all() const {
  Strings r;
  if (oov_start()) r.push_back(*mask_token);
  r.insert(r.end(), static_cast<size_t>(num_oov), oov_token);
  r.insert(r.end(), tokens.begin(), tokens.end());
  return r;
}

int64_t Vocabulary::depth() const {
  if (pad_to_max_tokens && max_tokens) return *max_tokens;
  return ready ? size() : promised.value_or(-1);
}
void Vocabulary::check_ready() const {
  GLIA_CHECK(ready, "{}: the layer has no vocabulary yet. Call adapt(layer, data) before it is used, or give it .vocabulary.", title);
}
TensorType Vocabulary::symbolic_type(const Shape& indices) const {
  if (output_mode == "int") return {DType::i64, indices};
  GLIA_CHECK(depth() >= 0,
             "{}: with output_mode \"{}\" the size of the vocabulary must be known before the layer is called. Call adapt(layer, data) first, "
             "give it .vocabulary, or .max_tokens with .pad_to_max_tokens.",
             title, output_mode);
  Shape s = indices;
  if (!s.empty() && (output_mode != "one_hot" || (s.size() > 1 && s.back() == 1))) s.pop_back();
  s.push_back(depth());
  return {DType::f32, s};
}

int64_t Vocabulary::index(std::string_view token) const {
  if (mask_token && token == *mask_token) return output_mode == "int" ? 0 : kNowhere;
  auto it = places_.find(token);
  if (it != places_.end()) return it->second;
  GLIA_CHECK(num_oov > 0, "{}: \"{}\" is not in the vocabulary and num_oov_indices is 0. Set num_oov_indices to 1.", title, token);
  if (num_oov == 1) return oov_start();
  if (integers && !farmhash) return oov_start() + ((to_integer(token) % num_oov) + num_oov) % num_oov;
  return oov_start() + static_cast<int64_t>(hash_of(token, salt) % static_cast<uint64_t>(num_oov));
}

Tensor Vocabulary::encode(const std::vector<int64_t>& indices, const Shape& shape) const {
  if (output_mode == "int") return Tensor::from_vector<int64_t>(shape, indices);
  int64_t depth = pad_to_max_tokens && max_tokens ? *max_tokens : size();
  Tensor r = encode_ids(indices, shape, output_mode == "tf_idf" ? "count" : output_mode, depth, DType::i64);
  if (output_mode != "tf_idf") return r;
  Tensor weighted = r.astype(DType::f32);
  for (int64_t i = 0; i < weighted.size(); ++i) weighted.set_item(i, weighted.item(i) * static_cast<double>(static_cast<float>(idf[static_cast<size_t>(i % depth)])));
  return weighted;
}

// ---- lookups --------------------------------------------------------------------------------------------------------------

namespace {

void check_oov(const std::string& title, int64_t n) {
  GLIA_CHECK(n >= 0 && n < (int64_t{1} << 24), "{}: num_oov_indices must not be negative. Received {}.", title, n);
}

template <class O>
Vocabulary vocabulary_of(const std::string& title, const O& o) {
  Vocabulary v;
  v.title = title;
  v.max_tokens = o.max_tokens;
  v.output_mode = as_mode(o.output_mode);
  check_one_of(title, "output_mode", v.output_mode, {"int", "one_hot", "multi_hot", "count", "tf_idf"});
  GLIA_CHECK(!o.pad_to_max_tokens || o.max_tokens, "{}: pad_to_max_tokens needs max_tokens.", title);
  v.pad_to_max_tokens = o.pad_to_max_tokens;
  return v;
}

template <class V>
void list_field(Fields& f, const char* name, V& v) {  // null when empty
  std::optional<V> value;
  if (!v.empty()) value = v;
  f(name, value);
  v = value.value_or(V{});
}
void list_field(Fields& f, const char* name, Strings& v) {  // Fields has no optional list of strings
  if (f.reading() || !v.empty()) return f(name, v);
  std::optional<std::string> none;
  f(name, none);
}
void salt_field(Fields& f, Ints& salt) { list_field(f, "salt", salt); }

std::vector<int64_t> look_up(const Vocabulary& v, const Strings& values) {
  std::vector<int64_t> r;
  for (const std::string& s : values) r.push_back(v.index(s));
  return r;
}
// adapt() takes each row of a matrix, and each element of a list, as one document.
std::vector<Strings> documents_of(const StringTensor& data) {
  std::vector<Strings> r;
  int64_t rows = data.shape.empty() ? 1 : data.shape[0], width = rows ? static_cast<int64_t>(data.values.size()) / rows : 0;
  for (int64_t i = 0; i < rows; ++i) r.emplace_back(data.values.begin() + i * width, data.values.begin() + (i + 1) * width);
  return r;
}

}  // namespace

void StringLookup::fields(Fields& f) {
  Layer::fields(f);
  f("invert", o.invert);
  f("max_tokens", o.max_tokens);
  f("num_oov_indices", o.num_oov_indices);
  f("oov_token", o.oov_token);
  f("mask_token", o.mask_token);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
  f("pad_to_max_tokens", o.pad_to_max_tokens);
  list_field(f, "idf_weights", o.idf_weights);
  list_field(f, "vocabulary", o.vocabulary);
  std::optional<int64_t> size;
  if (!f.reading() && vocabulary().ready) size = vocabulary().size();
  f("vocabulary_size", size);
  if (f.reading()) promised_ = size;
  f("oov_method", o.oov_method);
  salt_field(f, o.salt);
  f("encoding", o.encoding);
  if (f.reading()) vocabulary_.reset();
}
Vocabulary& StringLookup::vocabulary() {
  if (!vocabulary_) {
    Vocabulary v = vocabulary_of(title(), o);
    check_oov(title(), o.num_oov_indices);
    v.num_oov = o.num_oov_indices, v.mask_token = o.mask_token, v.oov_token = o.oov_token, v.salt = o.salt;
    v.promised = promised_;
    if (!o.vocabulary.empty()) v.set(o.vocabulary, o.idf_weights);
    vocabulary_ = std::move(v);
  }
  return *vocabulary_;
}
Tensor StringLookup::run(const std::vector<StringTensor>& inputs) {
  check_input_count(title(), inputs.size(), 1);
  GLIA_CHECK(!o.invert, "{}: the layer maps indices to strings. Use glia::decode(layer, indices).", title());
  check_ready();
  return vocabulary().encode(look_up(vocabulary(), inputs[0].values), inputs[0].shape);
}
TensorType StringLookup::symbolic_type(const std::vector<TensorType>& in) {
  check_input_count(title(), in.size(), 1);
  GLIA_CHECK(!o.invert, "{}: the layer maps indices to strings, which no model of Glia gives. Use glia::decode(layer, indices) behind it.", title());
  return vocabulary().symbolic_type(in[0].shape);
}
void StringLookup::adapt_to(const StringTensor& data) { vocabulary().learn(documents_of(data)); }

void IntegerLookup::fields(Fields& f) {
  Layer::fields(f);
  f("invert", o.invert);
  f("max_tokens", o.max_tokens);
  f("num_oov_indices", o.num_oov_indices);
  f("oov_token", o.oov_token);
  f("mask_token", o.mask_token);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
  f("pad_to_max_tokens", o.pad_to_max_tokens);
  std::string dtype = "int64";
  f("vocabulary_dtype", dtype);
  list_field(f, "idf_weights", o.idf_weights);
  list_field(f, "vocabulary", o.vocabulary);
  std::optional<int64_t> size;
  if (!f.reading() && vocabulary().ready) size = vocabulary().size();
  f("vocabulary_size", size);
  if (f.reading()) promised_ = size;
  f("oov_method", o.oov_method);
  salt_field(f, o.salt);
  if (f.reading()) vocabulary_.reset();
}
Vocabulary& IntegerLookup::vocabulary() {
  if (!vocabulary_) {
    Vocabulary v = vocabulary_of(title(), o);
    v.integers = true, v.farmhash = o.oov_method == "farmhash", v.salt = o.salt;
    check_oov(title(), o.num_oov_indices);
    v.num_oov = o.num_oov_indices, v.oov_token = std::to_string(o.oov_token);
    if (o.mask_token) v.mask_token = std::to_string(*o.mask_token);
    v.promised = promised_;
    Strings words;
    for (int64_t i : o.vocabulary) words.push_back(std::to_string(i));
    if (!words.empty()) v.set(words, o.idf_weights);
    vocabulary_ = std::move(v);
  }
  return *vocabulary_;
}
Tensor IntegerLookup::run(const std::vector<StringTensor>& inputs) {
  check_input_count(title(), inputs.size(), 1);
  check_ready();
  if (!o.invert) return vocabulary().encode(look_up(vocabulary(), inputs[0].values), inputs[0].shape);
  Strings all = vocabulary().all();
  std::vector<int64_t> r;
  for (const std::string& s : inputs[0].values) {
    int64_t i = to_integer(s);
    r.push_back(i >= 0 && i < static_cast<int64_t>(all.size()) ? to_integer(all[static_cast<size_t>(i)]) : o.oov_token);
  }
  return Tensor::from_vector<int64_t>(inputs[0].shape, r);
}
TensorType IntegerLookup::symbolic_type(const std::vector<TensorType>& in) {
  check_input_count(title(), in.size(), 1);
  return o.invert ? TensorType{DType::i64, in[0].shape} : vocabulary().symbolic_type(in[0].shape);
}
Values IntegerLookup::call(const Values& inputs, const CallOptions&) {
  check_input_count(title(), inputs.size(), 1);
  Trace* t = Trace::current();
  const Value& x = inputs[0];
  const bool on_host = x.is_concrete() || (t && (t->probing || (t->host && t->host->knows(x))));
  if (on_host) return call_on_host(inputs);
  GLIA_CHECK(!o.invert && !is_float(x.dtype()) && x.dtype() != kStringDType,
             "{}: on what other layers compute, the layer maps integers to indices. Received {}{}.", title(), to_string(x.type()),
             o.invert ? " and invert = true" : "");
  check_ready();
  const Vocabulary& v = vocabulary();
  const Value index = index_of(x);
  if (v.output_mode == "int") return {index};
  const int64_t depth = v.depth();
  Value r = encode_categories(title(), index, v.output_mode == "tf_idf" ? "count" : v.output_mode, depth, v.output_mode == "tf_idf" ? DType::f32 : DType::i64);
  if (v.output_mode != "tf_idf") return {r};
  std::vector<float> idf(v.idf.begin(), v.idf.end());
  idf.resize(static_cast<size_t>(depth), 0.f);
  return {r * Value(Tensor::from_vector<float>({depth}, idf))};
}
Value IntegerLookup::index_of(const Value& x) {
  const Vocabulary& v = vocabulary();
  GLIA_CHECK(v.num_oov <= 1 || (!v.farmhash && v.salt.empty()),
             "{}: on what other layers compute, several oov indices go with oov_method \"floormod\".", title());
  std::vector<int64_t> tokens;
  for (const std::string& t : v.tokens) tokens.push_back(to_integer(t));
  Value ids = ops::cast(x, DType::i64), zero = ops::scalar_like(ids, 0);
  Value index = v.num_oov > 1 ? ops::mod(ids, ops::scalar_like(ids, static_cast<double>(v.num_oov))) + static_cast<double>(v.oov_start())
                              : ops::zeros_like(ids) + static_cast<double>(v.num_oov ? v.oov_start() : -1);
  if (!tokens.empty()) {
    Value equal = ops::equal(ops::expand_dims(ids, -1), Value(Tensor::from_vector<int64_t>({static_cast<int64_t>(tokens.size())}, tokens)));
    Value place = ops::cast(ops::argmax(ops::cast(equal, DType::i32), -1), DType::i64) + static_cast<double>(v.token_start());
    index = ops::where(ops::any(equal, {-1}), place, index);
  }
  if (v.mask_token)
    index = ops::where(ops::equal(ids, ops::scalar_like(ids, static_cast<double>(to_integer(*v.mask_token)))), v.output_mode == "int" ? zero : zero - 1.0,
                       index);
  return index;
}
void IntegerLookup::adapt_to(const StringTensor& data) { vocabulary().learn(documents_of(data)); }

// ---- hashing --------------------------------------------------------------------------------------------------------------

void Hashing::fields(Fields& f) {
  Layer::fields(f);
  if (std::string ids = "int64"; !f.reading() && o.output_mode == "int" && dtype_policy_ == "float32") f("dtype", ids);  // of the output
  f("num_bins", num_bins);
  salt_field(f, o.salt);
  std::optional<int64_t> number;  // the mask of integers is a number in Keras
  if (!f.reading() && o.mask_value && std::to_string(to_integer(*o.mask_value)) == *o.mask_value) number = to_integer(*o.mask_value);
  if (number) f("mask_value", number);
  else f("mask_value", o.mask_value);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
}
Tensor Hashing::run(const std::vector<StringTensor>& inputs) {
  check_input_count(title(), inputs.size(), 1);
  GLIA_CHECK(num_bins > 0, "{}: num_bins must be positive. Received {}.", title(), num_bins);
  check_one_of(title(), "output_mode", o.output_mode, {"int", "one_hot", "multi_hot", "count"});
  const bool masked = o.mask_value && num_bins > 1;
  const auto bins = static_cast<uint64_t>(masked ? num_bins - 1 : num_bins);
  std::vector<int64_t> r;
  for (const std::string& s : inputs[0].values) {
    int64_t bin = static_cast<int64_t>(hash_of(s, o.salt) % bins);
    r.push_back(!masked ? bin : s == *o.mask_value ? 0 : bin + 1);
  }
  if (o.output_mode == "int") return Tensor::from_vector<int64_t>(inputs[0].shape, r);
  return encode_ids(r, inputs[0].shape, o.output_mode, num_bins, compute_dtype());
}

TensorType Hashing::symbolic_type(const std::vector<TensorType>& in) {
  check_input_count(title(), in.size(), 1);
  Shape s = in[0].shape;
  if (o.output_mode == "int") return {DType::i64, s};
  if (!s.empty()) s.pop_back();
  s.push_back(num_bins);
  return {compute_dtype(), s};
}

void HashedCrossing::fields(Fields& f) {
  f("num_bins", num_bins);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
  f("name", name_);
  std::string dtype = o.output_mode == "int" ? "int64" : "float32";  // of the output
  std::optional<std::string> plain = dtype;                          // Keras writes no policy here
  if (f.reading()) f("dtype", dtype);
  else f("dtype", plain);
  if (f.reading()) f("trainable", trainable_);
}
Tensor HashedCrossing::run_host(const std::vector<HostInput>& inputs) {
  std::vector<StringTensor> texts;
  std::vector<bool> integers;
  for (const HostInput& i : inputs) {
    integers.push_back(!i.is_text());
    texts.push_back(i.is_text() ? i.strings : integers_as_text(i.numbers));
  }
  return run_mixed(texts, integers);
}
TensorType HashedCrossing::symbolic_type(const std::vector<TensorType>& in) {
  GLIA_CHECK(in.size() >= 2, "{}: expected two features or more. Received {}.", title(), in.size());
  for (const TensorType& t : in)
    GLIA_CHECK(t.shape == in[0].shape, "{}: the features must have equal shapes. Received {} and {}.", title(), to_string(in[0].shape),
               to_string(t.shape));
  Shape s = in[0].shape;
  if (o.output_mode == "int") return {DType::i64, s};
  if (s.size() > 1 && s.back() == 1) s.pop_back();
  s.push_back(num_bins);
  return {DType::f32, s};
}
Tensor HashedCrossing::run(const std::vector<StringTensor>& inputs) { return run_mixed(inputs, std::vector<bool>(inputs.size(), false)); }
Tensor HashedCrossing::run_mixed(const std::vector<StringTensor>& inputs, const std::vector<bool>& integers) {
  GLIA_CHECK(inputs.size() >= 2, "{}: expected two features or more. Received {}.", title(), inputs.size());
  GLIA_CHECK(num_bins > 0, "{}: num_bins must be positive. Received {}.", title(), num_bins);
  std::vector<int64_t> r;
  for (size_t i = 0; i < inputs[0].values.size(); ++i) {
    uint64_t h = 0xDECAFCAFFEu;  // TensorFlow's default key
    for (size_t k = 0; k < inputs.size(); ++k) {
      GLIA_CHECK(inputs[k].shape == inputs[0].shape, "{}: the features must have equal shapes. Received {} and {}.", title(),
                 to_string(inputs[0].shape), to_string(inputs[k].shape));
      const std::string& s = inputs[k].values[i];
      h = fingerprint_cat(h, integers[k] ? static_cast<uint64_t>(to_integer(s)) : farm_fingerprint64(s));
    }
    r.push_back(static_cast<int64_t>(h % static_cast<uint64_t>(num_bins)));
  }
  if (o.output_mode == "int") return Tensor::from_vector<int64_t>(inputs[0].shape, r);
  return encode_ids(r, inputs[0].shape, o.output_mode, num_bins, DType::f32);
}

}  // namespace glia::nn

namespace glia {
namespace {

nn::HostLayer& host(const char* what, const LayerRef& layer) {
  auto* h = dynamic_cast<nn::HostLayer*>(&*layer);
  GLIA_CHECK(h, "{}: {} ({}) takes no strings.", what, layer->name(), layer->class_name());
  return *h;
}
nn::Vocabulary& vocabulary_of_layer(const char* what, const LayerRef& layer) {
  if (auto* l = dynamic_cast<nn::StringLookup*>(&*layer)) return l->vocabulary();
  if (auto* l = dynamic_cast<nn::IntegerLookup*>(&*layer)) return l->vocabulary();
  if (auto* l = dynamic_cast<nn::TextVectorization*>(&*layer)) return l->vocabulary();
  throw_error("{}: {} ({}) has no vocabulary.", what, layer->name(), layer->class_name());
}

}  // namespace

void adapt(const LayerRef& layer, const StringTensor& data) { host("adapt", layer).adapt_to(data); }
Tensor encode(const LayerRef& layer, const StringTensor& data) { return host("encode", layer).run({data}); }
Tensor encode(const LayerRef& layer, const Tensor& data) { return host("encode", layer).run({nn::integers_as_text(data)}); }
Tensor encode(const LayerRef& layer, const std::vector<StringTensor>& features) { return host("encode", layer).run(features); }
StringTensor decode(const LayerRef& layer, const Tensor& indices) {
  nn::Vocabulary& v = vocabulary_of_layer("decode", layer);
  Strings all = v.all();
  StringTensor r(indices.shape(), {});
  for (int64_t i = 0; i < indices.size(); ++i) {
    auto k = static_cast<int64_t>(indices.item(i));
    r.values.push_back(k >= 0 && k < static_cast<int64_t>(all.size()) ? all[static_cast<size_t>(k)] : v.oov_token);
  }
  return r;
}
Strings get_vocabulary(const LayerRef& layer) { return vocabulary_of_layer("get_vocabulary", layer).all(); }

namespace layers {

LayerRef StringLookup(StringLookupOptions options) { return LayerRef(nn::make_with<nn::StringLookup>(std::move(options))); }
LayerRef IntegerLookup(IntegerLookupOptions options) { return LayerRef(nn::make_with<nn::IntegerLookup>(std::move(options))); }
LayerRef TextVectorization(TextVectorizationOptions options) {
  return LayerRef(nn::make_with<nn::TextVectorization>(std::move(options)));
}
LayerRef Hashing(int64_t num_bins, HashingOptions options) {
  auto l = nn::make_with<nn::Hashing>(std::move(options));
  l->num_bins = num_bins;
  return LayerRef(l);
}
LayerRef HashedCrossing(int64_t num_bins, HashedCrossingOptions options) {
  auto l = nn::make_with<nn::HashedCrossing>(std::move(options));
  l->num_bins = num_bins;
  return LayerRef(l);
}

}  // namespace layers
}  // namespace glia
