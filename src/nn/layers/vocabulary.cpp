// Vocabulary: what StringLookup, IntegerLookup and TextVectorization know about their tokens.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "nn/layers/text_util.h"

namespace glia::nn {

static constexpr int64_t kNowhere = INT64_MAX;  // an index that one_hot leaves out

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

}  // namespace glia::nn
