// Scaled dot-product attention.
#pragma once
#include <optional>

#include <glia/value.h>

namespace glia::ops {

struct DotProductAttention {
  Value bias;                   // added to the scores; broadcasts to (batch, heads, queries, keys)
  Value mask;                   // bool, true = may attend; broadcasts likewise
  std::optional<double> scale;  // on the scores; 1 / sqrt(size) when absent
  bool is_causal = false;       // query i sees keys up to i + causal_offset
  int64_t causal_offset = 0;    // number of keys before the first query, for a key/value cache
};

// softmax(scale * query key^T + bias) value, as keras.ops.dot_product_attention. query: (batch, queries, heads, size), key:
// (batch, keys, kv_heads, size), value: (batch, keys, kv_heads, any); kv_heads divides heads (grouped queries). Result:
// (batch, queries, heads, any). The score matrix is never held in memory. Masked scores become -1e9, so a query that may
// attend to nothing gets the mean of the values. Throws Error where shapes or dtypes do not fit.
Value dot_product_attention(const Value& query, const Value& key, const Value& value, const DotProductAttention& options = {});

}  // namespace glia::ops
