// StringLookup and IntegerLookup.
#include "base/error.h"
#include "nn/layers/preprocessing.h"
#include "nn/layers/text_util.h"
#include "nn/trace.h"

#include <glia/ops.h>

namespace glia::nn {
namespace {

std::string as_mode(const std::string& mode) { return mode == "binary" ? "multi_hot" : mode == "tf-idf" ? "tf_idf" : mode; }

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

// What both lookups have, in Keras's order.
template <class Options>
void common_fields(Fields& f, Options& o) {
  f("invert", o.invert);
  f("max_tokens", o.max_tokens);
  f("num_oov_indices", o.num_oov_indices);
  f("oov_token", o.oov_token);
  f("mask_token", o.mask_token);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
  f("pad_to_max_tokens", o.pad_to_max_tokens);
}

template <class Options, class F>
void vocabulary_fields(Fields& f, Options& o, const F& vocabulary, std::optional<int64_t>& promised) {
  list_field(f, "idf_weights", o.idf_weights);
  list_field(f, "vocabulary", o.vocabulary);
  std::optional<int64_t> size;
  if (!f.reading() && vocabulary().ready) size = vocabulary().size();
  f("vocabulary_size", size);
  if (f.reading()) promised = size;
  f("oov_method", o.oov_method);
  salt_field(f, o.salt);
}

}  // namespace

void StringLookup::fields(Fields& f) {
  Layer::fields(f);
  common_fields(f, o);
  vocabulary_fields(f, o, [this]() -> Vocabulary& { return vocabulary(); }, promised_);
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
Values StringLookup::call(const Values& inputs, const CallOptions& options) {
  if (!o.invert) return HostLayer::call(inputs, options);
  check_input_count(title(), inputs.size(), 1);
  const DType t = inputs[0].dtype();
  GLIA_CHECK(!is_float(t) && t != kStringDType, "{}: with invert the layer takes integers. Received {}.", title(), to_string(inputs[0].type()));
  return {ops::cast(inputs[0], DType::i64)};  // a Value holds no strings: decode and predict_text look them up
}
TensorType StringLookup::symbolic_type(const std::vector<TensorType>& in) {
  check_input_count(title(), in.size(), 1);
  return vocabulary().symbolic_type(in[0].shape);
}
void StringLookup::adapt_to(const StringTensor& data) { vocabulary().learn(documents_of(data)); }

void IntegerLookup::fields(Fields& f) {
  Layer::fields(f);
  common_fields(f, o);
  std::string dtype = "int64";
  f("vocabulary_dtype", dtype);
  vocabulary_fields(f, o, [this]() -> Vocabulary& { return vocabulary(); }, promised_);
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

}  // namespace glia::nn
