// StringLookup, IntegerLookup, TextVectorization, Hashing, HashedCrossing: layers that run on the host.
#pragma once
#include <glia/layers/text.h>

#include <string_view>
#include <unordered_map>

#include "nn/layers/common.h"

namespace glia::nn {

struct Vocabulary;

// One input of a call: strings or numbers.
struct HostInput {
  StringTensor strings;
  Tensor numbers;
  bool is_text() const { return !numbers.defined(); }
};

// What a trace can send to the host when it is called on inputs of the model.
class HostRunnable {
 public:
  virtual ~HostRunnable() = default;
  virtual Tensor run_host(const std::vector<HostInput>& inputs) = 0;
  // True when every row of the output depends on its row of the input alone, its extents included.
  virtual bool row_by_row() const { return true; }
};

// A layer that takes strings, or integers written as decimal numbers. It runs on the host: inside a model, before the compiled
// step (train/host_prefix.h).
class HostLayer : public Layer, public HostRunnable {
 public:
  virtual Tensor run(const std::vector<StringTensor>& inputs) = 0;
  Tensor run_host(const std::vector<HostInput>& inputs) override;  // integers as text
  virtual void adapt_to(const StringTensor& data);  // throws Error unless overridden
  virtual bool takes_text() const { return true; }
  virtual bool takes_integers() const { return false; }
  virtual Vocabulary* known_vocabulary() { return nullptr; }      // of layers that look tokens up
  virtual bool vocabulary_in_config() const { return false; }     // given as option; else files keep it as an asset
  // The output as Keras predicts it before there is data; -1 for unknown extents.
  virtual TensorType symbolic_type(const std::vector<TensorType>& in) = 0;
  virtual void check_ready() {}                     // throws Error while there is no vocabulary
  bool autocast_inputs() const override { return false; }
  Values call(const Values& inputs, const CallOptions& options) override;

 protected:
  Values call_on_host(const Values& inputs);
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
  bool ready = false;               // set or learned, though it may be empty
  std::optional<int64_t> promised;  // size() that the file gives before its assets are read
  int64_t depth() const;            // entries of an encoded vector; -1: not known yet
  void check_ready() const;
  // Extents and dtype of the encoded indices, as Keras predicts them.
  TensorType symbolic_type(const Shape& indices) const;
  int64_t size() const { return token_start() + static_cast<int64_t>(tokens.size()); }
  void set(const Strings& vocabulary, const Floats& idf_weights);
  void learn(const std::vector<Strings>& documents);
  Strings all() const;
  int64_t index(std::string_view token) const;
  // Rows of indices, as output_mode wants them. `shape` is the shape of the indices.
  Tensor encode(const std::vector<int64_t>& indices, const Shape& shape) const;

 private:
  void rebuild();
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> places_;
};

class StringLookup : public HostLayer {
 public:
  layers::StringLookupOptions o;
  std::string class_name() const override { return "StringLookup"; }
  void fields(Fields& f) override;
  Values call(const Values& inputs, const CallOptions& options) override;  // inverted: indices, see glia/predict_text.h
  Tensor run(const std::vector<StringTensor>& inputs) override;
  void adapt_to(const StringTensor& data) override;
  Vocabulary& vocabulary();
  Vocabulary* known_vocabulary() override { return &vocabulary(); }
  TensorType symbolic_type(const std::vector<TensorType>& in) override;
  void check_ready() override { vocabulary().check_ready(); }
  bool vocabulary_in_config() const override { return !o.vocabulary.empty(); }

 private:
  std::optional<Vocabulary> vocabulary_;
  std::optional<int64_t> promised_;
};

class IntegerLookup : public HostLayer {
 public:
  layers::IntegerLookupOptions o;
  std::string class_name() const override { return "IntegerLookup"; }
  void fields(Fields& f) override;
  bool takes_integers() const override { return true; }
  Tensor run(const std::vector<StringTensor>& inputs) override;
  bool takes_text() const override { return false; }
  // Inside models as well: on ids that layers compute, by comparing with the whole vocabulary.
  Values call(const Values& inputs, const CallOptions& options) override;
  void adapt_to(const StringTensor& data) override;
  Vocabulary& vocabulary();
  Vocabulary* known_vocabulary() override { return &vocabulary(); }
  TensorType symbolic_type(const std::vector<TensorType>& in) override;
  void check_ready() override { vocabulary().check_ready(); }
  bool vocabulary_in_config() const override { return !o.vocabulary.empty(); }

 private:
  Value index_of(const Value& x);
  std::optional<Vocabulary> vocabulary_;
  std::optional<int64_t> promised_;
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
  TensorType symbolic_type(const std::vector<TensorType>& in) override;
  void check_ready() override { vocabulary().check_ready(); }
  bool vocabulary_in_config() const override { return !o.vocabulary.empty(); }
  bool row_by_row() const override { return o.output_mode != "int" || o.output_sequence_length.has_value(); }

 private:
  void check_options() const;
  std::vector<Strings> tokens_of(const StringTensor& texts) const;
  std::optional<Vocabulary> vocabulary_;
  std::optional<int64_t> promised_;
};

class Hashing : public HostLayer {
 public:
  int64_t num_bins = 0;
  layers::HashingOptions o;
  std::string class_name() const override { return "Hashing"; }
  void fields(Fields& f) override;
  bool takes_integers() const override { return true; }
  Tensor run(const std::vector<StringTensor>& inputs) override;
  TensorType symbolic_type(const std::vector<TensorType>& in) override;
};

class HashedCrossing : public HostLayer {
 public:
  int64_t num_bins = 0;
  layers::HashedCrossingOptions o;
  std::string class_name() const override { return "HashedCrossing"; }
  void fields(Fields& f) override;
  bool takes_integers() const override { return true; }
  Tensor run(const std::vector<StringTensor>& inputs) override;  // integers: see run_mixed
  Tensor run_host(const std::vector<HostInput>& inputs) override;
  TensorType symbolic_type(const std::vector<TensorType>& in) override;
  Tensor run_mixed(const std::vector<StringTensor>& inputs, const std::vector<bool>& integers);
};

StringTensor integers_as_text(const Tensor& t);

}  // namespace glia::nn
