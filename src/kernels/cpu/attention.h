// Scaled dot-product attention, forward and backward, without ever holding the score matrix: a block of queries meets
// the keys block by block, the softmax is kept up to date on the way (Dao et al. 2022, "FlashAttention"), and the
// backward pass makes the probabilities again from the log-sum-exp of each row.
//
//   AttentionParams p{.batch = 8, .heads = 6, .kv_heads = 6, .tq = 256, .tk = 256, .d = 64, .dv = 64};
//   p.scale = 0.125f, p.causal = true;
//   p.q = p.k = p.v = p.out = {256 * 384, 64, 384};      // [batch, time, head, d]: strides of batch, head, time
//   attention_forward(p, q, k, v, nullptr, out, lse);    // lse: [batch, heads, tq], dense
//
// Query i sees key j when j <= i + causal_offset (causal) and the mask allows it. A boolean mask puts -1e9 in place of the
// score, as Keras does, so a row that may see nothing averages over what it met. A row without any visible key (causal with a
// negative offset, or an additive mask of -inf) gives 0. f32; the last dimension is dense.
#pragma once
#include <cstdint>

#include "kernels/cpu/isa.h"

namespace glia::cpu {

struct AttnStride {
  int64_t b = 0, h = 0, t = 0;  // in elements
};

enum class AttnMask : uint8_t { none, boolean, additive };  // boolean: uint8, nonzero means visible; additive: float

struct AttentionParams {
  static constexpr int64_t kMaxDim = 512;
  int64_t batch = 1, heads = 1, kv_heads = 1;  // query head h reads key/value head h / (heads / kv_heads)
  int64_t tq = 0, tk = 0, d = 0, dv = 0;       // d: of queries and keys, dv: of values; both at most kMaxDim
  float scale = 1;
  bool causal = false;
  int64_t causal_offset = 0;
  AttnMask mask = AttnMask::none;
  int64_t mask_b = 0, mask_h = 0, mask_q = 0, mask_k = 0;  // strides; 0 broadcasts
  AttnStride q, k, v, out;
  AttnStride dout, dq, dk, dvalue;  // backward only
};

GLIA_ISA_DECLARE(void, attention_forward, (const AttentionParams&, const float* q, const float* k, const float* v,
                                           const void* mask, float* out, float* lse))
GLIA_ISA_DECLARE(void, attention_backward, (const AttentionParams&, const float* q, const float* k, const float* v,
                                            const void* mask, const float* out, const float* lse, const float* dout,
                                            float* dq, float* dk, float* dvalue))

}  // namespace glia::cpu
