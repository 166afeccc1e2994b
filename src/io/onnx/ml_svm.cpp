// Support vector machines as LIBSVM defines them (Chang and Lin 2011), in float64: SVMClassifier, SVMRegressor.
#include "io/onnx/interpreter.h"
#include "io/onnx/ml.h"

namespace glia::onnx {
namespace {

constexpr int64_t kMostClasses = 64, kRounds = 40;

Value row_of(const std::vector<double>& v) { return Value(Tensor::from_vector<double>({1, static_cast<int64_t>(v.size())}, v)); }

// (N, features) and (vectors, features) -> (N, vectors).
Value kernel_of(const Node& n, const Value& x, const Value& vectors) {
  const std::string type = n.s("kernel_type", "LINEAR");
  std::vector<double> p = n.floats("kernel_params", {0, 0, 3});
  n.check(p.size() == 3, fmt::format("{} kernel_params. Expected gamma, coef0 and degree.", p.size()));
  const Value dot = ops::matmul(x, vectors, false, true);
  if (type == "LINEAR") return dot;
  if (type == "POLY") return ops::power(dot * p[0] + p[1], scalar(p[2], DType::f64));
  if (type == "SIGMOID") return ops::tanh(dot * p[0] + p[1]);
  n.check(type == "RBF", fmt::format("unknown kernel_type '{}'.", type));
  const Value squares = ops::sum(x * x, {1}, true) + ops::reshape(ops::sum(vectors * vectors, {1}), {1, -1});
  return ops::exp(ops::maximum(squares - dot * 2.0, scalar(0, DType::f64)) * -p[0]);
}
Value support_vectors(const Node& n, int64_t count, int64_t features) {
  const std::vector<double> v = n.floats("support_vectors");
  n.check(count > 0 && static_cast<int64_t>(v.size()) % count == 0 && static_cast<int64_t>(v.size()) / count == features,
          fmt::format("{} numbers do not make {} support vectors of {} features.", v.size(), count, features));
  return Value(Tensor::from_vector<double>({count, features}, v));
}
std::vector<double> rho_of(const Node& n, size_t count) {
  const std::vector<double> rho = n.floats("rho");
  n.check(rho.size() >= count, fmt::format("{} numbers of 'rho'. Expected {}.", rho.size(), count));
  return {rho.begin(), rho.begin() + static_cast<std::ptrdiff_t>(count)};
}

Operands import_regressor(Node& n) {
  const Value x = ops::cast(feature_rows(n), DType::f64);
  const std::vector<double> c = n.floats("coefficients");
  const int64_t vectors = n.i("n_supports", 0), count = static_cast<int64_t>(c.size());
  n.check(vectors >= 0 && count == (vectors ? vectors : x.dim(1)), fmt::format("{} coefficients do not fit.", count));
  const Value features = vectors ? kernel_of(n, x, support_vectors(n, vectors, x.dim(1))) : x;
  const Value y = ops::sum(features * row_of(c), {1}, true) + row_of(rho_of(n, 1));
  if (!n.i("one_class", 0)) return {ops::cast(post_transformed(n, y), DType::f32)};
  return {ops::where(ops::greater(y, scalar(0, DType::f64)), scalar(1, DType::f32), scalar(-1, DType::f32))};
}

// Of every pair of classes (i < j) which one: positive speaks for i.
struct Pairs {
  int64_t classes = 0, count = 0;
  Value scores;  // (N, count)
};
Pairs pair_scores(const Node& n, const Value& x) {
  const Ints per_class = n.ints("vectors_per_class");
  const std::vector<double> c = n.floats("coefficients");
  int64_t vectors = 0;
  for (int64_t k : per_class) {
    n.check(k >= 0 && k <= static_cast<int64_t>(c.size()), fmt::format("{} support vectors of a class.", k));
    vectors += k;
  }
  Pairs p;
  p.classes = static_cast<int64_t>(per_class.size());
  n.check(p.classes >= 2 && p.classes <= kMostClasses && static_cast<int64_t>(c.size()) == (p.classes - 1) * vectors,
          fmt::format("{} coefficients for {} classes (at most {}) and {} support vectors.", c.size(), p.classes, kMostClasses, vectors));
  p.count = p.classes * (p.classes - 1) / 2;
  Tensor table = Tensor::zeros({vectors, p.count}, DType::f64);
  Ints start{0};
  for (int64_t k : per_class) start.push_back(start.back() + k);
  int64_t column = 0;
  const auto put = [&](int64_t own, int64_t row) {  // the vectors of class `own` with the row of coefficients against the other
    for (int64_t v = start[static_cast<size_t>(own)]; v < start[static_cast<size_t>(own) + 1]; ++v)
      table.data<double>()[v * p.count + column] = c[static_cast<size_t>(row * vectors + v)];
  };
  for (int64_t i = 0; i < p.classes; ++i)
    for (int64_t j = i + 1; j < p.classes; ++j, ++column) put(i, j - 1), put(j, i);
  const Value kernel = kernel_of(n, x, support_vectors(n, vectors, x.dim(1)));
  p.scores = ops::matmul(kernel, Value(table)) + row_of(rho_of(n, static_cast<size_t>(p.count)));
  return p;
}
Value column_of(const Value& x, int64_t k) { return ops::slice_axis(x, 1, k, k + 1); }

// (N, classes): how many pairs speak for each class.
Value votes_of(const Pairs& p) {
  Tensor first = Tensor::zeros({p.count, p.classes}, DType::f64), second = Tensor::zeros({p.count, p.classes}, DType::f64);
  int64_t k = 0;
  for (int64_t i = 0; i < p.classes; ++i)
    for (int64_t j = i + 1; j < p.classes; ++j, ++k) first.data<double>()[k * p.classes + i] = second.data<double>()[k * p.classes + j] = 1;
  const Value won = ops::cast(ops::greater(p.scores, scalar(0, DType::f64)), DType::f64);
  return ops::matmul(won, Value(first)) + ops::matmul(1.0 - won, Value(second));
}

// Probabilities of all classes from those of the pairs: Wu, Lin, Weng 2004, second method, with LIBSVM's rounds and end. A row that
// has come to its end stays as it is.
Value coupled(const Pairs& p, const Value& pairwise) {
  const int64_t k = p.classes;
  std::vector<Values> r(static_cast<size_t>(k), Values(static_cast<size_t>(k)));
  int64_t at = 0;
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = i + 1; j < k; ++j, ++at) {
      const Value v = ops::clip(column_of(pairwise, at), 1e-7, 1 - 1e-7);
      r[static_cast<size_t>(i)][static_cast<size_t>(j)] = v, r[static_cast<size_t>(j)][static_cast<size_t>(i)] = 1.0 - v;
    }
  Values rows, diagonal;  // of Q
  for (size_t t = 0; t < r.size(); ++t) {
    Values row(r.size());
    for (size_t j = 0; j < r.size(); ++j) {
      if (j == t) continue;
      row[j] = ops::negative(r[j][t] * r[t][j]);
      row[t] = row[t].defined() ? row[t] + r[j][t] * r[j][t] : r[j][t] * r[j][t];
    }
    diagonal.push_back(row[t]);
    rows.push_back(ops::concatenate(row, 1));
  }
  Value y = ops::zeros_like(rows[0]) + 1.0 / static_cast<double>(k);
  for (int64_t round = 0; round < kRounds; ++round) {
    Values products;
    for (const Value& row : rows) products.push_back(ops::sum(row * y, {1}, true));
    Value q = ops::concatenate(products, 1), all = ops::sum(q * y, {1}, true);
    const Value going = ops::cast(ops::greater_equal(ops::max(ops::abs(q - all), {1}, true), scalar(0.005 / static_cast<double>(k), DType::f64)), DType::f64);
    for (size_t t = 0; t < rows.size(); ++t) {
      Tensor here = Tensor::zeros({1, k}, DType::f64);
      here.data<double>()[t] = 1;
      const Value qt = column_of(q, static_cast<int64_t>(t)), step = going * (all - qt) / diagonal[t], grown = step + 1.0;
      all = (all + step * (step * diagonal[t] + qt * 2.0)) / (grown * grown);
      q = (q + step * rows[t]) / grown;
      y = (y + step * Value(here)) / grown;
    }
  }
  return y;
}

Operands import_classifier(Node& n) {
  const Value x = ops::cast(feature_rows(n), DType::f64);
  const ClassLabels labels(n);
  n.check(labels.size() > 0, "there are no class labels.");
  if (n.ints("vectors_per_class").empty()) {  // linear: a row of coefficients for each class
    const std::vector<double> c = n.floats("coefficients");
    n.check(static_cast<int64_t>(c.size()) % labels.size() == 0 && static_cast<int64_t>(c.size()) / labels.size() == x.dim(1),
            fmt::format("{} coefficients for {} classes of {} features.", c.size(), labels.size(), x.dim(1)));
    const Value s = ops::matmul(x, Value(Tensor::from_vector<double>({labels.size(), x.dim(1)}, c)), false, true) + row_of(rho_of(n, 1));
    return {labels.at(ops::argmax(s, 1)), ops::cast(post_transformed(n, s), DType::f32)};
  }
  const Pairs p = pair_scores(n, x);
  n.check(p.classes == labels.size(), fmt::format("{} labels for {} classes.", labels.size(), p.classes));
  const Value label = labels.at(ops::argmax(votes_of(p), 1));
  const std::vector<double> a = n.floats("prob_a"), b = n.floats("prob_b");
  if (a.empty()) {
    Value s = p.scores;
    if (p.count == 1) s = ops::concatenate({ops::negative(s), s}, 1);
    return {label, ops::cast(post_transformed(n, s), DType::f32)};
  }
  n.check(static_cast<int64_t>(a.size()) == p.count && a.size() == b.size(), fmt::format("{} numbers of prob_a and {} of prob_b for {} pairs.", a.size(), b.size(), p.count));
  const Value probability = coupled(p, ops::sigmoid(ops::negative(p.scores * row_of(a) + row_of(b))));
  return {label, ops::cast(post_transformed(n, probability), DType::f32)};
}

}  // namespace

OperatorList ml_svm_operators() {
  const auto ml = [](const char* name, ImportFn f) { return Operator{.name = name, .since = 1, .import = f, .domain = "ai.onnx.ml"}; };
  return {ml("SVMClassifier", import_classifier), ml("SVMRegressor", import_regressor)};
}

}  // namespace glia::onnx
