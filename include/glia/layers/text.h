// Layers over text and categories, inside models or before them. Inside, they run on the host, on the model's inputs: their
// results are what the compiled step takes.
//
//   LayerRef text = layers::TextVectorization({.output_sequence_length = 8});
//   adapt(text, {"the cat sat", "a dog"});
//   Value in = Input({1}, {.dtype = "string"});
//   Model model({in}, {layers::Dense(1)(layers::GlobalAveragePooling1D()(layers::Embedding(100, 16)(text(in))))});
//   Tensor ids = encode(text, {"the dog"});            // or by itself: int64 (1, 8)
//   Strings words = get_vocabulary(text);
#pragma once
#include <initializer_list>

#include <glia/layers/options.h>
#include <glia/string_tensor.h>

namespace glia {

// Learns a vocabulary from data: the most frequent first, equal counts in descending order.
void adapt(const LayerRef& layer, const StringTensor& data);
// The layer's output for strings. Throws Error for a layer that takes none.
Tensor encode(const LayerRef& layer, const StringTensor& data);
// The same for integers.
Tensor encode(const LayerRef& layer, const Tensor& data);
// For a layer that combines several features of equal shapes: HashedCrossing.
Tensor encode(const LayerRef& layer, const std::vector<StringTensor>& features);
// Indices back to strings by a StringLookup with invert.
StringTensor decode(const LayerRef& layer, const Tensor& indices);
Strings get_vocabulary(const LayerRef& layer);

namespace layers {

struct StringLookupOptions {
  std::optional<int64_t> max_tokens = {};
  int64_t num_oov_indices = 1;
  std::optional<std::string> mask_token = {};
  std::string oov_token = "[UNK]";
  Strings vocabulary = {};  // given, or learned by adapt()
  Floats idf_weights = {};
  bool invert = false;
  std::string output_mode = "int";  // "int", "one_hot", "multi_hot", "count", "tf_idf"
  bool pad_to_max_tokens = false;
  bool sparse = false;
  std::string encoding = "utf-8";
  std::string oov_method = "floormod";
  Ints salt = {};
  GLIA_LAYER_OPTIONS
};
// Strings to their places in a vocabulary; unknown ones share num_oov_indices places in front.
LayerRef StringLookup(StringLookupOptions options = {});  // StringLookup({.vocabulary = {"cat", "dog"}}): text (4) -> (4)

struct IntegerLookupOptions {
  std::optional<int64_t> max_tokens = {};
  int64_t num_oov_indices = 1;
  std::optional<int64_t> mask_token = {};
  int64_t oov_token = -1;
  Ints vocabulary = {};
  Floats idf_weights = {};
  bool invert = false;
  std::string output_mode = "int";
  bool pad_to_max_tokens = false;
  bool sparse = false;
  std::string oov_method = "floormod";
  Ints salt = {};
  GLIA_LAYER_OPTIONS
};
LayerRef IntegerLookup(IntegerLookupOptions options = {});  // IntegerLookup({.vocabulary = {10, 20}}): int (4) -> (4)

struct TextVectorizationOptions {
  std::optional<int64_t> max_tokens = {};
  std::optional<std::string> standardize = "lower_and_strip_punctuation";  // "lower", "strip_punctuation", or empty
  std::optional<std::string> split = "whitespace";                        // "character", or empty
  Ints ngrams = {};  // {n}: 1 to n; more numbers: these
  std::string output_mode = "int";
  std::optional<int64_t> output_sequence_length = {};
  bool pad_to_max_tokens = false;
  Strings vocabulary = {};
  Floats idf_weights = {};
  bool sparse = false;
  bool ragged = false;
  std::string encoding = "utf-8";
  GLIA_LAYER_OPTIONS
};
// Standardises, splits and looks up texts: int64 ids padded with 0 to the longest, or bags of words.
LayerRef TextVectorization(TextVectorizationOptions options = {});  // TextVectorization({.output_sequence_length = 6, .vocabulary = {"hello", "world"}}): text (4) -> (4, 6)

struct HashingOptions {
  std::optional<std::string> mask_value = {};  // goes to bin 0, which nothing else uses
  Ints salt = {};                              // one or two numbers: SipHash with this key, else FarmHash
  std::string output_mode = "int";
  bool sparse = false;
  GLIA_LAYER_OPTIONS
};
// Strings or integers to one of num_bins by their hash.
LayerRef Hashing(int64_t num_bins, HashingOptions options = {});  // Hashing(16): text (4) -> (4)

struct HashedCrossingOptions {
  std::string output_mode = "int";  // or "one_hot"
  bool sparse = false;
  GLIA_LAYER_OPTIONS
};
// Combinations of several features to one of num_bins by their hash. HashedCrossing(16): text (4), text (4) -> (4)
LayerRef HashedCrossing(int64_t num_bins, HashedCrossingOptions options = {});

}  // namespace layers
}  // namespace glia
