// Control flow over Values, named as in keras.ops. On concrete values the branches and loops run as in C++; while tracing, loops
// are unrolled and both branches of a condition become part of the graph, of which the result picks one.
//
//   Values y = ops::cond(ops::sum(x) > 0.0, [&] { return Values{x}; }, [&] { return Values{-x}; });
//   auto [last, all] = ops::scan([](const Values& carry, const Values& x) -> ops::ScanStep {
//     Value s = carry[0] + x[0];
//     return {{s}, {s}};
//   }, {ops::zeros({3})}, {xs});                                  // running sums over axis 0 of xs
#pragma once
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <glia/value.h>

namespace glia::ops {

// pred: a bool scalar. Both functions give the same number of values of the same types.
Values cond(const Value& pred, const std::function<Values()>& true_fn, const std::function<Values()>& false_fn);
// index: an integer scalar, clipped to the branches there are.
Values switch_(const Value& index, const std::vector<std::function<Values(const Values&)>>& branches, const Values& operands);

// While cond(vars) holds: vars = body(vars). With a symbolic condition maximum_iterations must be given.
Values while_loop(const std::function<Value(const Values&)>& cond, const std::function<Values(const Values&)>& body, Values vars,
                  std::optional<int64_t> maximum_iterations = {});
Values fori_loop(int64_t lower, int64_t upper, const std::function<Values(int64_t, const Values&)>& body, Values init);

struct ScanStep {
  Values carry, outputs;
};
// Runs over axis 0 of every array in xs (or `length` times without any); outputs are stacked.
ScanStep scan(const std::function<ScanStep(const Values& carry, const Values& x)>& f, Values init, const Values& xs,
              std::optional<int64_t> length = {}, bool reverse = false);
// The running results of an associative f along an axis, in log2(n) steps; f works on whole arrays.
Values associative_scan(const std::function<Values(const Values&, const Values&)>& f, Values elements, bool reverse = false, int64_t axis = 0);
// f of each entry along axis 0, stacked.
Values map(const std::function<Values(const Values&)>& f, const Values& xs);
Values vectorized_map(const std::function<Values(const Values&)>& f, const Values& xs);

// f(primals) and its derivative along tangents: {outputs, tangents of the outputs}.
std::pair<Values, Values> jvp(const std::function<Values(const Values&)>& f, const Values& primals, const Values& tangents);

}  // namespace glia::ops
