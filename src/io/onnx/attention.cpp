// Attention, linear attention and rotary position embeddings.
#include <cmath>
#include <limits>

#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

// (B, T, heads * size) -> (B, heads, T, size)
Value split_heads(const Node& n, const Value& x, int64_t heads) {
  if (x.rank() == 4) return x;
  n.check(x.rank() == 3 && heads > 0 && x.dim(2) % heads == 0,
          "inputs of rank 3 need q_num_heads and kv_num_heads that divide their last axis.");
  return ops::transpose(ops::reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
}

// Keys that a query may see, as a bias of 0 and -inf: (queries, keys), or (batch, 1, queries, keys) where offsets
// differ.
struct Bias {
  Value v;
  void add(const Value& more) { v = v.defined() ? v + more : more; }
  void allow(const Value& allowed, DType t) { add(ops::where(allowed, scalar(0, t), scalar(kMinusInfinity, t))); }
};

Operands import_attention(Node& n) {
  const bool flat = n.operand(0).rank() == 3;
  Value q = split_heads(n, n.in(0), n.i("q_num_heads", 0)), k = split_heads(n, n.in(1), n.i("kv_num_heads", 0)),
        v = split_heads(n, n.in(2), n.i("kv_num_heads", 0));
  n.check(q.rank() == 4 && k.rank() == 4 && v.rank() == 4, "Q, K and V must have rank 3 or 4.");
  const DType t = q.dtype();
  int64_t past = 0;
  if (n.has(4))
    past = n.operand(4).shape()[2], k = ops::concatenate({n.in(4), k}, 2), v = ops::concatenate({n.in(5), v}, 2);
  Operands out{Operand(), k, v};
  const int64_t queries = q.dim(2), keys = k.dim(2), heads = q.dim(1);
  n.check(queries <= 1 << 24 && keys <= 1 << 24, "sequences that long are not supported.");
  const Value valid = n.has(6) ? ops::reshape(ops::cast(n.in(6), DType::i64), {-1, 1, 1, 1}) : Value();

  Bias bias;
  if (n.has(3)) {
    Value m = n.in(3);
    if (m.rank() && m.dim(-1) < keys) {  // shorter masks hide what follows
      std::vector<std::pair<int64_t, int64_t>> widths(static_cast<size_t>(m.rank()), {0, 0});
      widths.back().second = keys - m.dim(-1);
      m = m.dtype() == DType::bool_ ? ops::cast(ops::pad(ops::cast(m, DType::u8), widths), DType::bool_)
                                    : ops::pad(m, widths, "constant", kMinusInfinity);
    }
    if (m.dtype() == DType::bool_)
      bias.allow(m, t);
    else
      bias.add(ops::cast(m, t));
  }
  const auto num = [](int64_t x) { return scalar(static_cast<double>(x), DType::i64); };
  const Value row = ops::reshape(ops::arange(0, static_cast<double>(queries), 1, DType::i64), {queries, 1});
  const Value column = ops::arange(0, static_cast<double>(keys), 1, DType::i64);
  const Value here =
      row + (valid.defined() && !n.has(4) ? valid - num(queries) : num(past));  // the absolute place of a query
  const int64_t left = n.i("left_window_size", -1), right = n.i("right_window_size", -1);
  const bool causal = n.i("is_causal", 0) != 0;
  if (causal) bias.allow(ops::less_equal(column, here), t);
  if (left >= 0) bias.allow(ops::greater_equal(column, here - num(left)), t);
  if (right >= 0) bias.allow(ops::less_equal(column, here + num(right)), t);
  if (valid.defined()) bias.allow(ops::less(column, valid), t);

  const double scale =
      n.has_attr("scale") ? n.f("scale", 1) : 1 / std::sqrt(static_cast<double>(std::max<int64_t>(q.dim(3), 1)));
  const double softcap = n.f("softcap", 0);
  const int64_t mode = n.i("qk_matmul_output_mode", 0);
  const auto join = [&](const Value& y) {
    return flat ? ops::reshape(ops::transpose(y, {0, 2, 1, 3}), {y.dim(0), y.dim(2), y.dim(1) * y.dim(3)}) : y;
  };
  if (!n.wants(3) && softcap == 0 &&
      (!bias.v.defined() || (causal && !n.has(3) && !valid.defined() && left < 0 && right < 0)) &&
      heads % k.dim(1) == 0) {
    const auto swap = [](const Value& x) { return ops::transpose(x, {0, 2, 1, 3}); };
    const Value y = ops::dot_product_attention(swap(q), swap(k), swap(v),
                                               {.scale = scale, .is_causal = causal, .causal_offset = past});
    out[0] = join(swap(y));
    return out;
  }
  if (k.dim(1) != heads) {
    n.check(k.dim(1) > 0 && heads % k.dim(1) == 0,
            "the number of query heads must be a multiple of that of key heads.");
    k = ops::repeat(k, heads / k.dim(1), 1), v = ops::repeat(v, heads / v.dim(1), 1);
  }
  Value scores = ops::matmul(q * std::sqrt(scale), k * std::sqrt(scale), false, true), shown = scores;
  if (softcap > 0) scores = ops::tanh(scores / softcap) * softcap;
  if (mode == 1) shown = scores;
  if (bias.v.defined()) scores = scores + bias.v;
  if (mode == 2) shown = scores;
  Value p = ops::softmax(
      n.has_attr("softmax_precision") ? ops::cast(scores, n.dtype_attr("softmax_precision", t)) : scores, -1);
  if (bias.v.defined()) {  // a query that sees no key gives zeros
    const Value blind = ops::equal(ops::max(bias.v, {-1}, true), scalar(kMinusInfinity, t));
    p = ops::where(blind, ops::scalar_like(p, 0), p);
  }
  p = ops::cast(p, t);
  if (mode == 3) shown = p;
  out[0] = join(ops::matmul(p, v));
  out.push_back(shown);
  return out;
}

Operands import_rotary_embedding(Node& n) {
  Value x = n.in(0);
  const Shape original = x.shape();
  const int64_t heads = n.i("num_heads", 0);
  if (x.rank() == 4)
    x = ops::transpose(x, {0, 2, 1, 3});
  else {
    n.check(x.rank() == 3 && heads > 0 && x.dim(2) % heads == 0, "inputs of rank 3 need num_heads.");
    x = ops::reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads});
  }
  const int64_t size = x.dim(3), turned = n.i("rotary_embedding_dim", 0) ? n.i("rotary_embedding_dim", 0) : size,
                half = turned / 2;
  n.check(turned > 0 && turned <= size && turned % 2 == 0, "bad rotary_embedding_dim.");
  const auto cache = [&](size_t slot) {
    const Value c = n.has(3) ? ops::take(n.in(slot), n.in(3), 0) : n.in(slot);
    n.check(c.rank() == 3 && c.dim(2) == half, "the caches do not fit.");
    return ops::expand_dims(c, 2);
  };
  const Value cosine = cache(1), sine = cache(2);
  const bool interleaved = n.i("interleaved", 0) != 0;
  const Value head = ops::slice_axis(x, 3, 0, turned);
  const Value a = interleaved ? ops::slice_axis(head, 3, 0, turned, 2) : ops::slice_axis(head, 3, 0, half);
  const Value b = interleaved ? ops::slice_axis(head, 3, 1, turned, 2) : ops::slice_axis(head, 3, half, turned);
  const Value real = cosine * a - sine * b, imaginary = sine * a + cosine * b;
  Value y = interleaved ? ops::reshape(ops::stack({real, imaginary}, 4), head.shape())
                        : ops::concatenate({real, imaginary}, 3);
  if (turned < size) y = ops::concatenate({y, ops::slice_axis(x, 3, turned)}, 3);
  return {original.size() == 4 ? ops::transpose(y, {0, 2, 1, 3}) : ops::reshape(y, original)};
}

// The recurrence over the steps of a sequence: the state (B, heads, keys, values) decays, learns and answers.
Operands import_linear_attention(Node& n) {
  const std::string rule = n.s("update_rule", "gated_delta");
  n.check(rule == "linear" || rule == "gated" || rule == "delta" || rule == "gated_delta",
          fmt::format("unknown update_rule '{}'.", rule));
  const bool gated = rule == "gated" || rule == "gated_delta", delta = rule == "delta" || rule == "gated_delta";
  const int64_t qh = n.i("q_num_heads"), kh = n.i("kv_num_heads");
  const Value q = split_heads(n, widened(n.in(0)), qh), k = split_heads(n, widened(n.in(1)), kh),
              v = split_heads(n, widened(n.in(2)), kh);
  n.check(qh % kh == 0, "q_num_heads must be a multiple of kv_num_heads.");
  const int64_t batch = q.dim(0), steps = q.dim(2), dk = k.dim(3), dv = v.dim(3);
  const DType t = q.dtype();
  Value state = n.has(3) ? ops::cast(n.in(3), t) : ops::zeros({batch, kh, dk, dv}, t);
  Value decay, beta;
  if (gated) {
    const Value g = ops::cast(n.in(4), t);
    decay = ops::exp(ops::transpose(ops::reshape(g, {batch, steps, kh, g.dim(2) / kh}),
                                    {0, 2, 1, 3}));  // (B, heads, T, keys or 1)
  }
  if (delta) beta = ops::transpose(ops::cast(n.in(5), t), {0, 2, 1});  // (B, heads or 1, T)
  double scale = n.f("scale", 0);
  if (scale == 0) scale = 1 / std::sqrt(static_cast<double>(dk));
  const auto at = [&](const Value& x, int64_t step) {
    return ops::squeeze(ops::slice_axis(x, 2, step, step + 1), {2});
  };
  Values answers;
  n.check(steps <= 1 << 14, "more than 16384 steps are not supported.");
  for (int64_t s = 0; s < steps; ++s) {
    const Value key = ops::expand_dims(at(k, s), 3);  // (B, heads, keys, 1)
    Value value = ops::expand_dims(at(v, s), 2);      // (B, heads, 1, values)
    if (gated) state = state * ops::expand_dims(at(decay, s), 3);
    if (delta)
      value = (value - ops::matmul(key, state, true, false)) *
              ops::reshape(ops::slice_axis(beta, 2, s, s + 1), {batch, beta.dim(1), 1, 1});
    state = state + key * value;
    const Value all = qh == kh ? state : ops::repeat(state, qh / kh, 1);
    answers.push_back(ops::matmul(ops::expand_dims(at(q, s), 2), all) * scale);  // (B, q heads, 1, values)
  }
  const Value y = ops::reshape(ops::transpose(ops::concatenate(answers, 2), {0, 2, 1, 3}), {batch, steps, qh * dv});
  return {ops::cast(y, n.operand(0).dtype()), ops::cast(state, n.operand(0).dtype())};
}

}  // namespace

OperatorList attention_operators() {
  return {{"Attention", 23, import_attention},
          {"LinearAttention", 27, import_linear_attention},
          {"RotaryEmbedding", 23, import_rotary_embedding}};
}

}  // namespace glia::onnx
