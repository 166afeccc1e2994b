#include <algorithm>

#include "nn/layers/text.h"

namespace glia::nn {
namespace {

// ASCII letters to lower case, as TensorFlow does without an encoding; other bytes stay.
std::string lower(const std::string& s) {
  std::string r;
  for (char c : s) r += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return r;
}
std::string strip_punctuation(const std::string& s) {
  static const std::string marks = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'";
  std::string r;
  for (char c : s)
    if (marks.find(c) == std::string::npos) r += c;
  return r;
}
Strings on_whitespace(const std::string& s) {
  Strings r;
  std::string word;
  for (char c : s + " ") {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      if (!word.empty()) r.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  return r;
}
Strings characters(const std::string& s) {  // of UTF-8
  Strings r;
  for (char c : s) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80 && !r.empty()) r.back() += c;
    else r.emplace_back(1, c);
  }
  return r;
}
Strings ngrams_of(const Strings& words, const Ints& widths) {
  Strings r;
  for (int64_t n : widths)
    for (size_t i = 0; i + static_cast<size_t>(n) <= words.size(); ++i) {
      std::string g = words[i];
      for (size_t k = 1; k < static_cast<size_t>(n); ++k) g += " " + words[i + k];
      r.push_back(std::move(g));
    }
  return r;
}

}  // namespace

void TextVectorization::fields(Fields& f) {
  Layer::fields(f);
  f("max_tokens", o.max_tokens);
  f("standardize", o.standardize);
  f("split", o.split);
  std::optional<Ints> ngrams;
  if (!o.ngrams.empty()) ngrams = o.ngrams;
  if (!f.reading() && ngrams && ngrams->size() == 1) f("ngrams", (*ngrams)[0]);  // a number means 1 to n, a list just those
  else f("ngrams", ngrams);
  o.ngrams = ngrams.value_or(Ints{});
  f("output_mode", o.output_mode);
  f("output_sequence_length", o.output_sequence_length);
  f("pad_to_max_tokens", o.pad_to_max_tokens);
  f("sparse", o.sparse);
  f("ragged", o.ragged);
  if (f.reading() || !o.vocabulary.empty()) {
    f("vocabulary", o.vocabulary);
  } else {
    std::optional<std::string> none;
    f("vocabulary", none);
  }
  std::optional<Floats> idf;
  if (!o.idf_weights.empty()) idf = o.idf_weights;
  f("idf_weights", idf);
  o.idf_weights = idf.value_or(Floats{});
  f("encoding", o.encoding);
  std::optional<int64_t> size;
  if (!f.reading() && vocabulary_) size = vocabulary_->size();
  f("vocabulary_size", size);
  if (f.reading()) vocabulary_.reset();
}

Vocabulary& TextVectorization::vocabulary() {
  if (vocabulary_) return *vocabulary_;
  Vocabulary v;
  v.title = title();
  v.max_tokens = o.max_tokens;
  v.output_mode = o.output_mode == "binary" ? "multi_hot" : o.output_mode == "tf-idf" ? "tf_idf" : o.output_mode;
  check_one_of(title(), "output_mode", v.output_mode, {"int", "one_hot", "multi_hot", "count", "tf_idf"});
  GLIA_CHECK(!o.pad_to_max_tokens || o.max_tokens, "{}: pad_to_max_tokens needs max_tokens.", title());
  GLIA_CHECK(v.output_mode == "int" || !o.output_sequence_length, "{}: output_sequence_length goes with output_mode \"int\".", title());
  v.pad_to_max_tokens = o.pad_to_max_tokens;
  v.mask_token = "";
  v.oov_token = "[UNK]";
  if (!o.vocabulary.empty()) v.set(o.vocabulary, o.idf_weights);
  vocabulary_ = std::move(v);
  return *vocabulary_;
}

std::vector<Strings> TextVectorization::tokens_of(const StringTensor& texts) const {
  if (o.standardize) check_one_of(title(), "standardize", *o.standardize, {"lower_and_strip_punctuation", "lower", "strip_punctuation"});
  if (o.split) check_one_of(title(), "split", *o.split, {"whitespace", "character"});
  const bool lowers = o.standardize && o.standardize->rfind("lower", 0) == 0;
  const bool strips = o.standardize && o.standardize->find("strip_punctuation") != std::string::npos;
  Ints widths = o.ngrams;
  if (widths.size() == 1) {
    int64_t n = widths[0];
    widths.clear();
    for (int64_t i = 1; i <= n; ++i) widths.push_back(i);
  }
  std::vector<Strings> r;
  for (std::string s : texts.values) {
    if (lowers) s = lower(s);
    if (strips) s = strip_punctuation(s);
    Strings words = !o.split ? Strings{s} : *o.split == "whitespace" ? on_whitespace(s) : characters(s);
    r.push_back(widths.empty() ? words : ngrams_of(words, widths));
  }
  return r;
}

void TextVectorization::adapt_to(const StringTensor& data) { vocabulary().learn(tokens_of(data)); }

Tensor TextVectorization::run(const std::vector<StringTensor>& inputs) {
  check_input_count(title(), inputs.size(), 1);
  const StringTensor& x = inputs[0];
  GLIA_CHECK(!o.split || x.shape.size() <= 1 || x.shape.back() == 1, "{}: expected texts (batch) or (batch, 1). Received shape {}.", title(),
             to_string(x.shape));
  Vocabulary& v = vocabulary();
  std::vector<Strings> words = tokens_of(x);
  int64_t rows = static_cast<int64_t>(words.size()), width = 0;
  for (const Strings& w : words) width = std::max(width, static_cast<int64_t>(w.size()));
  if (v.output_mode == "int" && o.output_sequence_length) width = *o.output_sequence_length;
  std::vector<int64_t> ids(static_cast<size_t>(rows * width), v.output_mode == "int" ? 0 : INT64_MAX);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < std::min(width, static_cast<int64_t>(words[r].size())); ++k) ids[r * width + k] = v.index(words[r][k]);
  return v.encode(ids, {rows, width});
}

}  // namespace glia::nn
