// Attention layers.
#pragma once
#include <glia/layers/attention.h>

#include "nn/layers/common.h"

namespace glia::nn {

class Attention : public Layer {  // and AdditiveAttention
 public:
  explicit Attention(bool additive = false) : additive_(additive) { o.use_scale = additive; }
  layers::AttentionOptions o;
  std::string class_name() const override { return additive_ ? "AdditiveAttention" : "Attention"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;

 private:
  Value scores(const Value& q, const Value& k) const;
  bool additive_;
  Variable scale_, concat_score_weight_;
};

// What MultiHeadAttention and GroupQueryAttention share: masks, scores and the fused product.
class HeadAttention : public Layer {
 public:
  bool supports_masking() const override { return true; }
  Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs) override;

 protected:
  struct Plan {
    double dropout = 0;
    std::optional<int64_t> seed;
    std::optional<int64_t> window;
    Ints axes;          // attention axes
    double scale = 1;
  };
  void check_call(const std::vector<Shape>& in) const;
  static Value combined_mask(const Values& inputs, const Value& query_mask, const CallOptions& options, const std::optional<int64_t>& window);
  // {output, scores}; query (batch, ..., heads, size). Scores are undefined on the fused path.
  Values attend(const Plan& plan, const Value& q, const Value& k, const Value& v, const Value& mask, const CallOptions& options) const;
};

class MultiHeadAttention : public HeadAttention {
 public:
  int64_t num_heads = 1, key_dim = 1;
  layers::MultiHeadAttentionOptions o;
  std::string class_name() const override { return "MultiHeadAttention"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  LayerRef projection(const char* name, size_t rank, int64_t bound, Shape last, const char* activation = "linear");
  int64_t value_dim() const { return o.value_dim.value_or(key_dim); }
  LayerRef query_, key_, value_, gate_, output_;
};

class GroupQueryAttention : public HeadAttention {
 public:
  int64_t head_dim = 1, num_query_heads = 1, num_key_value_heads = 1;
  layers::GroupQueryAttentionOptions o;
  std::string class_name() const override { return "GroupQueryAttention"; }
  void fields(Fields& f) override;
  void build(const std::vector<Shape>& in) override;
  Values call(const Values& inputs, const CallOptions& options) override;

 private:
  LayerRef projection(const char* name, const char* equation, Shape output, const char* bias, const char* activation = "linear");
  LayerRef query_, key_, value_, gate_, output_;
};

}  // namespace glia::nn
