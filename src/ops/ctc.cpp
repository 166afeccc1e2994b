// Connectionist temporal classification: the loss by the forward recursion, unrolled over time, and decoding.
#include <glia/ops.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "ops/compose.h"

namespace glia::ops {
namespace {

constexpr double kNever = -1e30;  // log of zero that stays finite in differences

// result[:, s] = a[:, s - by], kNever where s < by.
Value shifted(const Value& a, int64_t by) {
  const int64_t rows = a.dim(0), n = a.dim(1);
  if (by >= n) return broadcast_to(scalar_like(a, kNever), a.shape());
  Value head = broadcast_to(scalar_like(a, kNever), {rows, by});
  return concatenate({head, slice(a, {0, 0}, {rows, n - by})}, 1);
}

int64_t blank_index(int64_t mask_index, int64_t classes, const char* op) {
  const int64_t blank = mask_index < 0 ? mask_index + classes : mask_index;
  GLIA_CHECK(blank >= 0 && blank < classes, "{}: mask_index {} does not exist among {} classes.", op, mask_index, classes);
  return blank;
}

}  // namespace

Value ctc_loss(const Value& target, const Value& given, const Value& target_length, const Value& output_length, int64_t mask_index) {
  GLIA_CHECK(target.rank() == 2, "ctc_loss: expected target of shape (batch, max_length) with integer labels. Received {}.", to_string(target.shape()));
  GLIA_CHECK(given.rank() == 3 && given.dim(0) == target.dim(0), "ctc_loss: expected logits output of shape (batch, time, classes). Received {} for target {}.",
             to_string(given.shape()), to_string(target.shape()));
  Value output = given.dtype() == DType::f64 ? given : cast(given, DType::f32);
  const int64_t batch = output.dim(0), time = output.dim(1), labels = target.dim(1), states = 2 * labels + 1;
  const int64_t blank = blank_index(mask_index, output.dim(2), "ctc_loss");
  Value y = cast(target, DType::i32);
  // Labels behind the length are never reached, whatever they are; make them valid indices.
  Value length = reshape(cast(target_length, DType::i32), {batch, 1});
  Value blanks = full({batch, labels}, static_cast<double>(blank), DType::i32);
  y = where(ramp_along(labels, 1, 2) < length, y, blanks);
  Value pairs = reshape(stack({blanks, y}, 2), {batch, 2 * labels});
  Value extended = concatenate({pairs, full({batch, 1}, static_cast<double>(blank), DType::i32)}, 1);  // blank, y1, blank, y2, ...
  // A label may be reached from the label before it unless both are the same.
  Value none = full({batch, std::min<int64_t>(2, states)}, static_cast<double>(blank), DType::i32);
  Value before = states > 2 ? concatenate({none, slice(extended, {0, 0}, {batch, states - 2})}, 1) : slice(none, {0, 0}, {batch, states});
  Value may_skip = logical_and(not_equal(extended, scalar_like(extended, static_cast<double>(blank))), not_equal(extended, before));
  Value index = broadcast_to(expand_dims(extended, 1), {batch, time, states});
  Value emission = take_along_axis(log_softmax(output, -1), index, 2);
  auto at = [&](int64_t t) { return reshape(slice(emission, {0, t, 0}, {batch, 1, states}), {batch, states}); };

  Value position = ramp_along(states, 1, 2), never = scalar_like(output, kNever), steps = reshape(cast(output_length, DType::i32), {batch, 1});
  Value alpha = where(position < 2.0, at(0), never);
  for (int64_t t = 1; t < time; ++t) {
    Value jump = where(may_skip, shifted(alpha, 2), never);
    Value next = logaddexp(logaddexp(alpha, shifted(alpha, 1)), jump) + at(t);
    alpha = where(steps > static_cast<double>(t), next, alpha);
  }
  Value last = length * 2.0, ends = logical_or(equal(position, last), equal(position, last - 1.0));
  return -logsumexp(where(ends, alpha, never), {1});
}

// ---- decoding ----

namespace {

Values greedy(const Value& x, const Value& steps, bool merge, int64_t blank) {
  const int64_t batch = x.dim(0), time = x.dim(1);
  Value label = argmax(x, -1), valid = ramp_along(time, 1, 2) < steps;
  Value before = time > 1 ? concatenate({full({batch, 1}, -1, DType::i32), slice(label, {0, 0}, {batch, time - 1})}, 1) : full({batch, 1}, -1, DType::i32);
  Value kept = logical_and(valid, not_equal(label, scalar_like(label, static_cast<double>(blank))));
  if (merge) kept = logical_and(kept, not_equal(label, before));
  // Kept labels move to the front; the others into a column that is cut off.
  Value place = where(kept, cumsum(cast(kept, DType::i32), 1) - 1.0, scalar_like(label, static_cast<double>(time)));
  place = place + ramp_along(batch, 0, 2) * static_cast<double>(time + 1);
  Value moved = segment_sum(reshape(where(kept, label + 1.0, zero_of(label)), {-1}), reshape(place, {-1}), batch * (time + 1));
  Value paths = slice(reshape(moved, {batch, time + 1}), {0, 0}, {batch, time}) - 1.0;
  Value scores = -sum(where(valid, max(x, {-1}), zero_of(x)), {1}, true);
  return {expand_dims(paths, 0), scores};
}

double add_logs(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == -std::numeric_limits<double>::infinity() ? a : a + std::log1p(std::exp(b - a));
}

using Path = std::vector<int32_t>;
struct Beam {
  double blank = -std::numeric_limits<double>::infinity(), label = -std::numeric_limits<double>::infinity();
  double total() const { return add_logs(blank, label); }
};

// The most probable label sequences of one sample, best first (Hannun et al. 2014, prefix beam search).
std::vector<std::pair<Path, double>> search(const Tensor& x, int64_t sample, int64_t steps, int64_t width, int64_t blank) {
  const int64_t time = x.dim(1), classes = x.dim(2);
  std::map<Path, Beam> beams;
  beams[{}].blank = 0;
  for (int64_t t = 0; t < std::min(steps, time); ++t) {
    std::vector<double> p(static_cast<std::size_t>(classes));
    double norm = -std::numeric_limits<double>::infinity();
    for (int64_t c = 0; c < classes; ++c) norm = add_logs(norm, p[static_cast<std::size_t>(c)] = x.item((sample * time + t) * classes + c));
    for (double& v : p) v -= norm;
    std::map<Path, Beam> next;
    for (const auto& [path, b] : beams) {
      const double total = b.total();
      Beam& same = next[path];
      same.blank = add_logs(same.blank, total + p[static_cast<std::size_t>(blank)]);
      if (!path.empty()) same.label = add_logs(same.label, b.label + p[static_cast<std::size_t>(path.back())]);
      for (int64_t c = 0; c < classes; ++c) {
        if (c == blank) continue;
        Path longer = path;
        longer.push_back(static_cast<int32_t>(c));
        Beam& grown = next[longer];
        grown.label = add_logs(grown.label, (!path.empty() && path.back() == c ? b.blank : total) + p[static_cast<std::size_t>(c)]);
      }
    }
    std::vector<std::pair<double, const Path*>> order;
    for (const auto& [path, b] : next) order.emplace_back(b.total(), &path);
    const std::size_t kept = std::min(order.size(), static_cast<std::size_t>(width));
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    beams.clear();
    for (std::size_t i = 0; i < kept; ++i) beams[*order[i].second] = next[*order[i].second];
  }
  std::vector<std::pair<Path, double>> best;
  for (const auto& [path, b] : beams) best.emplace_back(path, b.total());
  std::stable_sort(best.begin(), best.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return best;
}

Values beam_search(const Value& x, const Value& lengths, const CtcDecodeOptions& o, int64_t blank) {
  GLIA_CHECK(x.is_concrete() && lengths.is_concrete(), "ctc_decode: beam search runs on concrete values only; it cannot be traced.");
  const Tensor data = x.tensor().clone();
  const int64_t batch = data.dim(0), time = data.dim(1);
  Tensor paths = Tensor::full({o.top_paths, batch, time}, -1, DType::i32), scores({batch, o.top_paths}, data.dtype());
  for (int64_t b = 0; b < batch; ++b) {
    const auto best = search(data, b, static_cast<int64_t>(lengths.tensor().item(b)), o.beam_width, blank);
    GLIA_CHECK(static_cast<int64_t>(best.size()) >= o.top_paths, "ctc_decode: {} paths are wanted but there are {}.", o.top_paths, best.size());
    for (int64_t k = 0; k < o.top_paths; ++k) {
      const auto& [path, score] = best[static_cast<std::size_t>(k)];
      for (std::size_t i = 0; i < path.size(); ++i) paths.set_item((k * batch + b) * time + static_cast<int64_t>(i), path[i]);
      scores.set_item(b * o.top_paths + k, score);
    }
  }
  return {Value(paths), Value(scores)};
}

}  // namespace

Values ctc_decode(const Value& inputs, const Value& sequence_lengths, const CtcDecodeOptions& o) {
  GLIA_CHECK(inputs.rank() == 3, "ctc_decode: expected inputs (batch, time, classes). Received {}.", to_string(inputs.shape()));
  Value x = inputs.dtype() == DType::f64 ? inputs : cast(inputs, DType::f32);
  Value steps = reshape(cast(sequence_lengths, DType::i32), {x.dim(0), 1});
  const int64_t blank = blank_index(o.mask_index, x.dim(2), "ctc_decode");
  if (o.strategy == "greedy") return greedy(x, steps, o.merge_repeated, blank);
  GLIA_CHECK(o.strategy == "beam_search", "ctc_decode: unknown strategy \"{}\". Expected greedy or beam_search.", o.strategy);
  return beam_search(x, steps, o, blank);
}

}  // namespace glia::ops
