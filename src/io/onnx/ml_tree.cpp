// Forests of decision trees: TreeEnsembleClassifier, TreeEnsembleRegressor, TreeEnsemble. All trees of all rows go down one
// level at a time: a table look-up for the feature, the threshold and the child each.
#include <cmath>
#include <map>
#include <set>

#include "io/onnx/interpreter.h"
#include "io/onnx/ml.h"

namespace glia::onnx {
namespace {

constexpr int kMostLevels = 1000;

enum Mode : int32_t { leq, lt, gte, gt, eq, neq, member };

struct Forest {
  std::vector<int32_t> feature, mode, yes, no;  // a leaf goes to itself
  std::vector<float> threshold;
  std::vector<int32_t> missing;  // 1: NaN goes to yes
  std::vector<int32_t> roots;
  size_t size() const { return feature.size(); }
  int32_t add(int64_t f, int32_t m, double t, bool nan) {
    const int32_t self = static_cast<int32_t>(size());
    feature.push_back(f >= 0 && f <= INT32_MAX ? static_cast<int32_t>(f) : -1), mode.push_back(m), threshold.push_back(static_cast<float>(t));
    missing.push_back(nan), yes.push_back(self), no.push_back(self);
    return self;
  }
  bool leaf(size_t i) const { return yes[i] == static_cast<int32_t>(i) && no[i] == static_cast<int32_t>(i); }
};

template <class T>
Value constant(const std::vector<T>& v) {
  return Value(Tensor::from_vector<T>({static_cast<int64_t>(v.size())}, v));
}

// Levels below a node; a node that leads to itself is refused. 0: not seen yet, -1: on the way.
int levels_below(const Node& n, const Forest& f, int32_t at, std::vector<int32_t>& seen, int depth) {
  const size_t i = static_cast<size_t>(at);
  if (f.leaf(i)) return 0;
  n.check(seen[i] >= 0 && depth < kMostLevels,
          seen[i] < 0 ? fmt::format("tree node {} leads to itself.", at) : fmt::format("a tree of more than {} levels.", kMostLevels));
  if (seen[i] > 0) return seen[i];
  seen[i] = -1;
  const int below = 1 + std::max(levels_below(n, f, f.yes[i], seen, depth + 1), levels_below(n, f, f.no[i], seen, depth + 1));
  return seen[i] = below;
}

// (N, trees): the leaf that each row reaches.
Value leaves_of(const Node& n, const Forest& f, const Value& x) {
  std::vector<int32_t> seen(f.size(), 0), children;
  int levels = 0;
  for (int32_t r : f.roots) levels = std::max(levels, levels_below(n, f, r, seen, 0));
  bool one_mode = true, any_missing = false;
  int32_t common = -1;
  for (size_t i = 0; i < f.size(); ++i) {
    children.push_back(f.no[i]), children.push_back(f.yes[i]);
    if (f.leaf(i)) continue;
    n.check(f.feature[i] >= 0 && f.feature[i] < x.dim(1), fmt::format("feature {} of {}.", f.feature[i], x.dim(1)));
    if (common < 0) common = f.mode[i];
    one_mode &= f.mode[i] == common;
    any_missing |= f.missing[i] != 0;
  }
  std::vector<int32_t> features = f.feature;
  for (size_t i = 0; i < f.size(); ++i)
    if (f.leaf(i)) features[i] = 0;  // files say anything there
  const Value feature = constant(features), threshold = ops::cast(constant(f.threshold), x.dtype()), mode = constant(f.mode),
              missing = constant(f.missing), next = constant(children);
  const auto decide = [&](int32_t m, const Value& v, const Value& t) {
    switch (m) {
      case lt: return ops::less(v, t);
      case gte: return ops::greater_equal(v, t);
      case gt: return ops::greater(v, t);
      case eq: return ops::equal(v, t);
      case neq: return ops::not_equal(v, t);
      default: return ops::less_equal(v, t);
    }
  };
  const std::set<int32_t> modes(f.mode.begin(), f.mode.end());
  Value at = ops::broadcast_to(ops::reshape(constant(f.roots), {1, -1}), {x.dim(0), static_cast<int64_t>(f.roots.size())});
  for (int level = 0; level < levels; ++level) {
    const Value v = ops::take_along_axis(x, ops::take(feature, at, 0), 1), t = ops::take(threshold, at, 0);
    Value go = decide(common, v, t);
    if (!one_mode) {
      const Value m = ops::take(mode, at, 0);
      for (int32_t k : modes) go = ops::where(ops::equal(m, scalar(k, DType::i32)), decide(k, v, t), go);
    }
    if (any_missing) go = ops::logical_or(go, ops::logical_and(ops::isnan(v), ops::equal(ops::take(missing, at, 0), scalar(1, DType::i32))));
    at = ops::take(next, at * scalar(2, DType::i32) + ops::cast(go, DType::i32), 0);
  }
  return at;
}

struct Weight {
  int32_t node;
  int64_t target;
  double value;
};
enum class Aggregate { sum, average, min, max };

// (N, targets): what the leaves say together.
Value scores_of(const Node& n, const Forest& f, const Value& x, const std::vector<Weight>& weights, int64_t targets, Aggregate how) {
  n.check(targets > 0 && static_cast<double>(targets) * static_cast<double>(f.size()) <= 4e6 + 64.0 * static_cast<double>(weights.size()),
          fmt::format("{} targets for {} nodes and {} weights.", targets, f.size(), weights.size()));
  std::vector<int32_t> row(f.size(), 0);
  int32_t rows = 0;
  for (size_t i = 0; i < f.size(); ++i)
    if (f.leaf(i)) row[i] = rows++;
  const double nothing = how == Aggregate::min ? HUGE_VAL : how == Aggregate::max ? -HUGE_VAL : 0;
  Tensor table = Tensor::full({std::max(rows, 1), targets}, nothing, DType::f32);
  std::vector<bool> given(static_cast<size_t>(table.size()));
  for (const Weight& w : weights) {
    n.check(w.target >= 0 && w.target < targets, fmt::format("target {} of {}.", w.target, targets));
    if (!f.leaf(static_cast<size_t>(w.node))) continue;
    const size_t at = static_cast<size_t>(row[static_cast<size_t>(w.node)] * targets + w.target);
    float& to = table.data<float>()[at];
    to = given[at] ? to + static_cast<float>(w.value) : static_cast<float>(w.value);
    given[at] = true;
  }
  const Value said = ops::take(Value(table), ops::take(constant(row), leaves_of(n, f, x), 0), 0);
  if (how == Aggregate::sum) return ops::sum(said, {1});
  if (how == Aggregate::average) return ops::sum(said, {1}) / static_cast<double>(f.roots.size());
  const Value y = how == Aggregate::min ? ops::min(said, {1}) : ops::max(said, {1});
  return ops::where(ops::equal(y, scalar(nothing, DType::f32)), scalar(0, DType::f32), y);
}

using Places = std::map<std::pair<int64_t, int64_t>, int32_t>;  // (tree, node) -> place

Forest read_forest(const Node& n, Places& places) {
  const Ints trees = n.ints("nodes_treeids"), ids = n.ints("nodes_nodeids"), features = n.ints("nodes_featureids"),
             yes = n.ints("nodes_truenodeids"), no = n.ints("nodes_falsenodeids"), nan = n.ints("nodes_missing_value_tracks_true");
  std::vector<double> values = n.floats("nodes_values");
  if (const Attribute* a = n.attr("nodes_values_as_tensor"); a && a->t.defined() && values.empty())
    for (int64_t i = 0; i < a->t.size(); ++i) values.push_back(a->t.item(i));
  const std::vector<std::string> modes = n.strings("nodes_modes");
  const size_t k = ids.size();
  n.check(k > 0 && trees.size() == k && features.size() == k && yes.size() == k && no.size() == k && values.size() == k && modes.size() == k,
          "the lists of the nodes have different lengths.");
  static const std::map<std::string, int32_t> names = {{"BRANCH_LEQ", leq}, {"BRANCH_LT", lt}, {"BRANCH_GTE", gte}, {"BRANCH_GT", gt},
                                                       {"BRANCH_EQ", eq},   {"BRANCH_NEQ", neq}, {"LEAF", -1}};
  Forest f;
  std::vector<bool> child(k);
  for (size_t i = 0; i < k; ++i) {
    const auto mode = names.find(modes[i]);
    n.check(mode != names.end(), "an unknown mode of a node; BRANCH_LEQ, LT, GTE, GT, EQ, NEQ and LEAF are known.");
    n.check(places.emplace(std::pair(trees[i], ids[i]), f.add(features[i], std::max(mode->second, 0), values[i], i < nan.size() && nan[i])).second,
            fmt::format("node {} of tree {} is listed twice.", ids[i], trees[i]));
  }
  for (size_t i = 0; i < k; ++i) {
    if (modes[i] == "LEAF") continue;
    for (auto [list, to] : {std::pair(&yes, &f.yes), std::pair(&no, &f.no)}) {
      const auto at = places.find({trees[i], (*list)[i]});
      n.check(at != places.end(), fmt::format("node {} of tree {} leads to node {}, which is missing.", ids[i], trees[i], (*list)[i]));
      (*to)[i] = at->second;
      child[static_cast<size_t>(at->second)] = true;
    }
  }
  std::set<int64_t> rooted;
  for (size_t i = 0; i < k; ++i)
    if (!child[i] && rooted.insert(trees[i]).second) f.roots.push_back(static_cast<int32_t>(i));
  n.check(!f.roots.empty(), "no tree has a root.");
  return f;
}
std::vector<Weight> read_weights(const Node& n, const Places& places, const std::string& prefix) {
  const Ints trees = n.ints(prefix + "treeids"), nodes = n.ints(prefix + "nodeids"), ids = n.ints(prefix + "ids");
  std::vector<double> values = n.floats(prefix + "weights");
  if (const Attribute* a = n.attr(prefix + "weights_as_tensor"); a && a->t.defined() && values.empty())
    for (int64_t i = 0; i < a->t.size(); ++i) values.push_back(a->t.item(i));
  n.check(trees.size() == ids.size() && nodes.size() == ids.size() && values.size() == ids.size(), "the lists of the weights have different lengths.");
  std::vector<Weight> r;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto at = places.find({trees[i], nodes[i]});
    n.check(at != places.end(), fmt::format("a weight of node {} of tree {}, which is missing.", nodes[i], trees[i]));
    r.push_back({at->second, ids[i], values[i]});
  }
  return r;
}
Value with_base(const Node& n, const Value& scores) {
  std::vector<double> base = n.floats("base_values");
  if (const Attribute* a = n.attr("base_values_as_tensor"); a && a->t.defined() && base.empty())
    for (int64_t i = 0; i < a->t.size(); ++i) base.push_back(a->t.item(i));
  if (base.empty()) return scores;
  const int64_t k = static_cast<int64_t>(base.size()), c = scores.dim(1);
  n.check(k == 1 || k == c || c == 1, fmt::format("{} base values for {} scores.", k, c));
  if (k > c) base.erase(base.begin(), base.end() - 1);  // of two classes with one score: the second's
  return scores + ops::cast(constant(base), scores.dtype());
}
Aggregate aggregate_of(const Node& n) {
  const std::string s = n.s("aggregate_function", "SUM");
  n.check(s == "SUM" || s == "AVERAGE" || s == "MIN" || s == "MAX", fmt::format("unknown aggregate_function '{}'.", s));
  return s == "SUM" ? Aggregate::sum : s == "AVERAGE" ? Aggregate::average : s == "MIN" ? Aggregate::min : Aggregate::max;
}

Operands import_regressor(Node& n) {
  Places places;
  const Forest f = read_forest(n, places);
  const Value s = scores_of(n, f, feature_rows(n), read_weights(n, places, "target_"), n.i("n_targets", 1), aggregate_of(n));
  return {post_transformed(n, with_base(n, s))};
}

Operands import_classifier(Node& n) {
  Places places;
  const Forest f = read_forest(n, places);
  std::vector<Weight> weights = read_weights(n, places, "class_");
  const ClassLabels labels(n);
  n.check(labels.size() > 0, "there are no class labels.");
  std::set<int64_t> targets;
  bool positive = true;
  for (const Weight& w : weights) targets.insert(w.target), positive &= w.value >= 0;
  if (labels.size() > 2 || targets.size() != 1) {
    const Value s = with_base(n, scores_of(n, f, feature_rows(n), weights, labels.size(), Aggregate::sum));
    return {labels.at(ops::argmax(s, 1)), post_transformed(n, s)};
  }
  // Two classes and one score, that of the second: a probability where no weight is negative, else a margin.
  for (Weight& w : weights) w.target = 0;
  const Value s = with_base(n, scores_of(n, f, feature_rows(n), weights, 1, Aggregate::sum));
  const Value second = ops::greater(ops::squeeze(s, {1}), scalar(positive ? 0.5 : 0.0, DType::f32));
  Value both = ops::concatenate({positive ? 1.0 - s : ops::negative(s), s}, 1);
  if (!positive && n.s("post_transform", "NONE") == "LOGISTIC") both = ops::sigmoid(both);
  const Value index = ops::cast(second, DType::i32);
  return {labels.size() == 2 ? labels.at(index) : ops::cast(index, DType::i64), both};
}

std::vector<double> numbers_of(const Node& n, const char* name) {
  std::vector<double> r;
  if (const Attribute* a = n.attr(name); a && a->t.defined())
    for (int64_t i = 0; i < a->t.size(); ++i) r.push_back(a->t.item(i));
  return r;
}

// Operator TreeEnsemble of ai.onnx.ml 5: inner nodes and leaves are numbered apart, a node may ask for membership in a set.
Operands import_ensemble(Node& n) {
  const Ints features = n.ints("nodes_featureids"), yes = n.ints("nodes_truenodeids"), no = n.ints("nodes_falsenodeids"),
             yes_leaf = n.ints("nodes_trueleafs"), no_leaf = n.ints("nodes_falseleafs"), nan = n.ints("nodes_missing_value_tracks_true"),
             targets = n.ints("leaf_targetids"), roots = n.ints("tree_roots");
  const std::vector<double> splits = numbers_of(n, "nodes_splits"), modes = numbers_of(n, "nodes_modes"), values = numbers_of(n, "leaf_weights"),
                            sets = numbers_of(n, "membership_values");
  const size_t k = features.size();
  n.check(k > 0 && yes.size() == k && no.size() == k && yes_leaf.size() == k && no_leaf.size() == k && splits.size() == k && modes.size() == k &&
              values.size() == targets.size() && !roots.empty(),
          "the lists of the nodes have different lengths.");
  Forest f;
  for (size_t i = 0; i < k; ++i) {
    n.check(modes[i] >= 0 && modes[i] <= 6, fmt::format("unknown mode {} of a node.", modes[i]));
    f.add(features[i], static_cast<int32_t>(modes[i]), splits[i], i < nan.size() && nan[i]);
  }
  std::vector<Weight> weights;
  for (size_t i = 0; i < values.size(); ++i) weights.push_back({f.add(0, leq, 0, false), targets[i], values[i]});
  const auto child = [&](int64_t id, bool leaf) {
    const int64_t most = static_cast<int64_t>(leaf ? values.size() : k);
    n.check(id >= 0 && id < most, fmt::format("a node leads to {} {} of {}.", leaf ? "leaf" : "node", id, most));
    return static_cast<int32_t>(leaf ? static_cast<int64_t>(k) + id : id);
  };
  size_t next = 0;  // of the sets, which NaN ends
  for (size_t i = 0; i < k; ++i) {
    f.yes[i] = child(yes[i], yes_leaf[i] != 0), f.no[i] = child(no[i], no_leaf[i] != 0);
    n.check(!f.leaf(i), fmt::format("tree node {} leads to itself.", i));
    if (f.mode[i] != member) continue;
    // x == a ? yes : x == b ? yes : ... : no
    const int32_t to = f.yes[i], otherwise = f.no[i];
    int32_t at = static_cast<int32_t>(i);
    f.mode[i] = eq, f.threshold[i] = NAN;
    for (bool first = true; next < sets.size() && !std::isnan(sets[next]); ++next, first = false) {
      if (!first) {
        const int32_t more = f.add(features[i], eq, 0, false);
        f.no[static_cast<size_t>(at)] = more;
        at = more;
      }
      f.threshold[static_cast<size_t>(at)] = static_cast<float>(sets[next]);
      f.yes[static_cast<size_t>(at)] = to, f.no[static_cast<size_t>(at)] = otherwise;
    }
    ++next;
  }
  for (int64_t r : roots) f.roots.push_back(child(r, false));
  static constexpr Aggregate kinds[] = {Aggregate::average, Aggregate::sum, Aggregate::min, Aggregate::max};
  const int64_t how = n.i("aggregate_function", 1), post = n.i("post_transform", 0);
  n.check(how >= 0 && how < 4 && post >= 0 && post < 5, fmt::format("unknown aggregate_function {} or post_transform {}.", how, post));
  static constexpr const char* names[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
  const Value x = feature_rows(n);
  return {ops::cast(post_transformed(n, scores_of(n, f, x, weights, n.i("n_targets", 1), kinds[how]), names[post]), n.operand(0).dtype())};
}

}  // namespace

OperatorList ml_tree_operators() {
  const auto ml = [](const char* name, ImportFn f) { return Operator{.name = name, .since = 1, .import = f, .domain = "ai.onnx.ml"}; };
  return {ml("TreeEnsemble", import_ensemble), ml("TreeEnsembleClassifier", import_classifier), ml("TreeEnsembleRegressor", import_regressor)};
}

}  // namespace glia::onnx
