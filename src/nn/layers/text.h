// StringLookup, IntegerLookup, TextVectorization, Hashing, HashedCrossing: layers that run on the host.
#pragma once
#include <glia/layers/text.h>

#include <map>

#include "nn/layers/common.h"

namespace glia::nn {

struct Vocabulary;

// Input of a layer that takes strings: strings, or integers written as decimal numbers.
class HostLayer : public Layer {
 public:
  virtual Tensor run(const std::vector<StringTensor>& inputs) = 0;
  virtual void adapt_to(const StringTensor& data);  // throws Error unless overridden
  virtual bool takes_integers() const { return false; }
  virtual Vocabulary* known_vocabulary() { return nullptr; }      // of layers that look tokens up
  virtual bool vocabulary_in_config() const { return false; }     // given as option; else files keep it as an asset
  Value call(const Value& x) override;  // concrete integers only
};

// A vocabulary: tokens to indices. Integers are kept as decimal text.
struct Vocabulary {
  std::optional<int64_t> max_tokens;
  int64_t num_oov = 1;
  std::optional<std::string> mask_token;
  std::string oov_token;
  std::string output_mode = "int";
  bool pad_to_max_tokens = false, integers = false, farmhash = false;
  Ints salt;

  std::string title;  // for messages
  Strings tokens;     // without the special ones
  Floats idf;         // for all indices, special ones included

  int64_t oov_start() const { return mask_token && output_mode == "int" ? 1 : 0; }
  int64_t token_start() const { return oov_start() + num_oov; }
  int64_t size() const { return token_start() + static_cast<int64_t>(tokens.size()); }
  void set(const Strings& vocabulary, const Floats& idf_weights);
  void learn(const std::vector<Strings>& documents);
  Strings all() const;
  int64_t index(const std::string& token) const;
  // Rows of indices, as output_mode wants them. `shape` is the shape of the indices.
  Tensor encode(const std::vector<int64_t>& indices, const Shape& shape) const;

 private:
  void rebuild();
  std::map<std::string, int64_t, std::less<>> places_;
};

class StringLookup : public HostLayer {
 public:
  layers::StringLookupOptions o;
  std::string class_name() const override { return "StringLookup"; }
  void fields(Fields& f) override;
  Tensor run(const std::vector<StringTensor>& inputs) override;
  void adapt_to(const StringTensor& data) override;
  Vocabulary& vocabulary();
  Vocabulary* known_vocabulary() override { return &vocabulary(); }
  bool vocabulary_in_config() const override { return !o.vocabulary.empty(); }

 private:
  std::optional<Vocabulary> vocabulary_;
};

class IntegerLookup : public HostLayer {
 public:
  layers::IntegerLookupOptions o;
  std::string class_name() const override { return "IntegerLookup"; }
  void fields(Fields& f) override;
  bool takes_integers() const override { return true; }
  Tensor run(const std::vector<StringTensor>& inputs) override;
  Value call(const Value& x) override;  // inside models as well: by comparing with the whole vocabulary
  void adapt_to(const StringTensor& data) override;
  Vocabulary& vocabulary();
  Vocabulary* known_vocabulary() override { return &vocabulary(); }
  bool vocabulary_in_config() const override { return !o.vocabulary.empty(); }

 private:
  std::optional<Vocabulary> vocabulary_;
};

class TextVectorization : public HostLayer {
 public:
  layers::TextVectorizationOptions o;
  std::string class_name() const override { return "TextVectorization"; }
  void fields(Fields& f) override;
  Tensor run(const std::vector<StringTensor>& inputs) override;
  void adapt_to(const StringTensor& data) override;
  Vocabulary& vocabulary();
  Vocabulary* known_vocabulary() override { return &vocabulary(); }
  bool vocabulary_in_config() const override { return !o.vocabulary.empty(); }

 private:
  std::vector<Strings> tokens_of(const StringTensor& texts) const;
  std::optional<Vocabulary> vocabulary_;
};

class Hashing : public HostLayer {
 public:
  int64_t num_bins = 0;
  layers::HashingOptions o;
  std::string class_name() const override { return "Hashing"; }
  void fields(Fields& f) override;
  bool takes_integers() const override { return true; }
  Tensor run(const std::vector<StringTensor>& inputs) override;
};

class HashedCrossing : public HostLayer {
 public:
  int64_t num_bins = 0;
  layers::HashedCrossingOptions o;
  std::string class_name() const override { return "HashedCrossing"; }
  void fields(Fields& f) override;
  Tensor run(const std::vector<StringTensor>& inputs) override;  // integers: see run_mixed
  Tensor run_mixed(const std::vector<StringTensor>& inputs, const std::vector<bool>& integers);
};

StringTensor integers_as_text(const Tensor& t);

}  // namespace glia::nn
