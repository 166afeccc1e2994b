// What the layers over strings share: integers written as text, hashes, ids as vectors, lists in configurations.
//
//   int64_t bin = hash_of("cat", salt) % bins;
//   Tensor hot = encode_ids(ids, {2, 3}, "multi_hot", 10, DType::f32);   // (2, 10)
#pragma once
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nn/layers/hash.h"
#include "nn/layers/text.h"

namespace glia::nn {

inline int64_t to_integer(std::string_view s) { return std::strtoll(std::string(s).c_str(), nullptr, 10); }

inline uint64_t hash_of(std::string_view s, const Ints& salt) {
  if (salt.empty()) return farm_fingerprint64(s);
  return sip_hash(s, static_cast<uint64_t>(salt[0]), static_cast<uint64_t>(salt.back()));
}

// Ids as vectors of `depth` entries; ids outside leave zeros. Shapes as nn::encode_categories.
Tensor encode_ids(const std::vector<int64_t>& ids, Shape shape, const std::string& mode, int64_t depth, DType t);

template <class V>
void list_field(Fields& f, const char* name, V& v) {  // null when empty
  std::optional<V> value;
  if (!v.empty()) value = v;
  f(name, value);
  v = value.value_or(V{});
}
inline void list_field(Fields& f, const char* name, Strings& v) {  // Fields has no optional list of strings
  if (f.reading() || !v.empty()) return f(name, v);
  std::optional<std::string> none;
  f(name, none);
}
inline void salt_field(Fields& f, Ints& salt) { list_field(f, "salt", salt); }


}  // namespace glia::nn
