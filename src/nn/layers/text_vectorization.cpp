#include <algorithm>
#include <array>

#include "nn/layers/text.h"

namespace glia::nn {
namespace {

// ASCII letters to lower case, as TensorFlow does without an encoding; other bytes stay.
void standardize(std::string& s, bool lowers, bool strips) {
  static const auto is_mark = [] {
    std::array<bool, 256> r{};
    for (char c : std::string_view("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'")) r[static_cast<unsigned char>(c)] = true;
    return r;
  }();
  size_t n = 0;
  for (char c : s) {
    if (strips && is_mark[static_cast<unsigned char>(c)]) continue;
    s[n++] = lowers && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  s.resize(n);
}

// The tokens of a text, one after the other, as views of it.
template <class F>
void for_each_word(std::string_view s, F&& f) {
  size_t begin = 0;
  for (size_t i = 0; i <= s.size(); ++i) {
    if (i < s.size() && s[i] != ' ' && !(s[i] >= '\t' && s[i] <= '\r')) continue;
    if (i > begin) f(s.substr(begin, i - begin));
    begin = i + 1;
  }
}
template <class F>
void for_each_character(std::string_view s, F&& f) {  // of UTF-8
  for (size_t i = 0; i < s.size();) {
    size_t end = i + 1;
    while (end < s.size() && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80) ++end;
    f(s.substr(i, end - i));
    i = end;
  }
}
template <class F>
void for_each_token(const std::optional<std::string>& split, std::string_view s, F&& f) {
  if (!split) f(s);
  else if (*split == "whitespace") for_each_word(s, f);
  else for_each_character(s, f);
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
  if (!f.reading()) size = vocabulary().size();
  f("vocabulary_size", size);
  if (f.reading()) promised_ = size;
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
  v.promised = promised_;
  if (!o.vocabulary.empty()) v.set(o.vocabulary, o.idf_weights);
  vocabulary_ = std::move(v);
  return *vocabulary_;
}

void TextVectorization::check_options() const {
  if (o.standardize) check_one_of(title(), "standardize", *o.standardize, {"lower_and_strip_punctuation", "lower", "strip_punctuation"});
  if (o.split) check_one_of(title(), "split", *o.split, {"whitespace", "character"});
  for (int64_t n : o.ngrams) GLIA_CHECK(n > 0, "{}: ngrams must be positive. Received {}.", title(), n);
  GLIA_CHECK(!o.output_sequence_length || (*o.output_sequence_length > 0 && *o.output_sequence_length < (int64_t{1} << 31)),
             "{}: output_sequence_length must be positive. Received {}.", title(), o.output_sequence_length.value_or(0));
}

std::vector<Strings> TextVectorization::tokens_of(const StringTensor& texts) const {
  check_options();
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
    standardize(s, lowers, strips);
    Strings words;
    for_each_token(o.split, s, [&](std::string_view w) { words.emplace_back(w); });
    r.push_back(widths.empty() ? std::move(words) : ngrams_of(words, widths));
  }
  return r;
}

void TextVectorization::adapt_to(const StringTensor& data) { vocabulary().learn(tokens_of(data)); }

Tensor TextVectorization::run(const std::vector<StringTensor>& inputs) {
  check_input_count(title(), inputs.size(), 1);
  const StringTensor& x = inputs[0];
  GLIA_CHECK(!o.split || x.shape.size() <= 1 || x.shape.back() == 1, "{}: expected texts (batch) or (batch, 1). Received shape {}.", title(),
             to_string(x.shape));
  check_options();
  check_ready();
  const Vocabulary& v = vocabulary();
  const bool ints = v.output_mode == "int";
  const int64_t longest = ints ? o.output_sequence_length.value_or(INT64_MAX) : INT64_MAX;
  std::vector<std::vector<int64_t>> lines;  // ids of each text
  lines.reserve(x.values.size());
  if (o.ngrams.empty()) {
    const bool lowers = o.standardize && o.standardize->rfind("lower", 0) == 0;
    const bool strips = o.standardize && o.standardize->find("strip_punctuation") != std::string::npos;
    std::string text;
    for (const std::string& s : x.values) {
      text = s;
      standardize(text, lowers, strips);
      std::vector<int64_t>& ids = lines.emplace_back();
      for_each_token(o.split, text, [&](std::string_view w) {
        if (static_cast<int64_t>(ids.size()) < longest) ids.push_back(v.index(w));
      });
    }
  } else {
    for (const Strings& words : tokens_of(x)) {
      std::vector<int64_t>& ids = lines.emplace_back();
      for (const std::string& w : words) ids.push_back(v.index(w));
    }
  }
  const int64_t rows = static_cast<int64_t>(lines.size());
  int64_t width = 0;
  for (const auto& ids : lines) width = std::max(width, static_cast<int64_t>(ids.size()));
  if (ints && o.output_sequence_length) width = *o.output_sequence_length;
  std::vector<int64_t> all(static_cast<size_t>(rows * width), ints ? 0 : INT64_MAX);
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(lines[static_cast<size_t>(r)].begin(), std::min<size_t>(static_cast<size_t>(width), lines[static_cast<size_t>(r)].size()), all.begin() + r * width);
  return v.encode(all, {rows, width});
}

TensorType TextVectorization::symbolic_type(const std::vector<TensorType>& in) {
  check_input_count(title(), in.size(), 1);
  Shape s = in[0].shape;
  GLIA_CHECK(!s.empty(), "{}: expected texts (batch) or (batch, 1). Received a scalar.", title());
  if (vocabulary().output_mode == "int") return {DType::i64, {s[0], o.output_sequence_length.value_or(-1)}};
  if (o.split || s.size() <= 1) s.push_back(o.split ? -1 : 1);
  return vocabulary().symbolic_type(s);
}

}  // namespace glia::nn
