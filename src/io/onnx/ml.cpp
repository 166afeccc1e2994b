// ai.onnx.ml, as scikit-learn's models are written: linear models, scalers, encoders.
#include "io/onnx/interpreter.h"
#include "io/onnx/ml.h"

#include <glia/ops/numpy.h>

#include <cmath>

namespace glia::onnx {

Value feature_rows(const Node& n) {
  Value x = n.in(0);
  if (x.dtype() != DType::f64) x = ops::cast(x, DType::f32);
  if (x.rank() == 1) x = ops::reshape(x, {1, x.dim(0)});
  n.check(x.rank() == 2, fmt::format("the input must be rows of features. Received shape {}.", to_string(x.shape())));
  return x;
}

Value post_transformed(const Node& n, const Value& s, const std::string& name) {
  if (name == "NONE") return s;
  if (name == "SOFTMAX") return ops::softmax(s, -1);
  if (name == "LOGISTIC") return ops::sigmoid(s);
  if (name == "PROBIT") return ops::erfinv(s * 2.0 - 1.0) * std::sqrt(2.0);
  n.check(name == "SOFTMAX_ZERO", fmt::format("unknown post_transform '{}'.", name));
  // A softmax over the scores that are not zero.
  const Value some = ops::greater(ops::abs(s), scalar(1e-7, s.dtype())), none = scalar(0, s.dtype());
  const Value e = ops::where(some, ops::exp(s - ops::max(s, {-1}, true)), none);
  return ops::divide_no_nan(e, ops::sum(e, {-1}, true));
}

ClassLabels::ClassLabels(const Node& n) {
  for (const char* name : {"classlabels_ints", "classlabels_int64s"})
    if (n.has_attr(name)) values = n.ints(name);
  if (!n.has_attr("classlabels_strings")) return;
  const int64_t texts = static_cast<int64_t>(n.strings("classlabels_strings").size());
  if (!values.empty()) return;
  for (int64_t i = 0; i < texts; ++i) values.push_back(i);
}
Value ClassLabels::at(const Value& index) const {
  return ops::take(int64_tensor(values), index, 0);
}

namespace {

// Numbers of an attribute as an array of x's dtype.
Value numbers(const Node& n, const char* name, DType t) {
  const std::vector<double> v = n.floats(name);
  return ops::cast(Value(Tensor::from_vector<double>({static_cast<int64_t>(v.size())}, v)), t);
}
// coefficients (outputs, features) and intercepts of the attributes: x @ coefficients^T + intercepts.
Value linear_scores(const Node& n, const Value& x, int64_t outputs) {
  const std::vector<double> c = n.floats("coefficients");
  n.check(outputs > 0 && static_cast<int64_t>(c.size()) / outputs == x.dim(1) && static_cast<int64_t>(c.size()) % outputs == 0,
          fmt::format("{} coefficients do not fit {} outputs of {} features.", c.size(), outputs, x.dim(1)));
  Value y = ops::matmul(x, ops::reshape(numbers(n, "coefficients", x.dtype()), {outputs, x.dim(1)}), false, true);
  if (!n.has_attr("intercepts") || n.floats("intercepts").empty()) return y;
  const int64_t given = static_cast<int64_t>(n.floats("intercepts").size());
  n.check(given == outputs || given == 1, fmt::format("{} intercepts for {} outputs.", given, outputs));
  return y + numbers(n, "intercepts", x.dtype());
}

Operands import_linear_regressor(Node& n) {
  const Value x = feature_rows(n);
  return {ops::cast(post_transformed(n, linear_scores(n, x, n.i("targets", 1))), DType::f32)};
}
Operands import_linear_classifier(Node& n) {
  const Value x = feature_rows(n);
  const ClassLabels labels(n);
  n.check(labels.size() > 0, "there are no class labels.");
  const int64_t rows = n.has_attr("intercepts") && !n.floats("intercepts").empty()
                           ? static_cast<int64_t>(n.floats("intercepts").size())
                           : std::max<int64_t>(1, static_cast<int64_t>(n.floats("coefficients").size()) / std::max<int64_t>(1, x.dim(1)));
  Value s = linear_scores(n, x, rows);
  n.check(rows == labels.size() || (rows == 1 && labels.size() == 2), fmt::format("{} scores for {} classes.", rows, labels.size()));
  if (rows == 1 && labels.size() == 2) s = ops::concatenate({ops::negative(s), s}, 1);  // of the second class against the first
  return {labels.at(ops::argmax(s, 1)), ops::cast(post_transformed(n, s), DType::f32)};
}

Operands import_normalizer(Node& n) {
  const Value x = feature_rows(n);
  const std::string norm = n.s("norm", "MAX");
  Value by;
  if (norm == "MAX") by = ops::max(x, {1}, true);
  if (norm == "L1") by = ops::sum(ops::abs(x), {1}, true);
  if (norm == "L2") by = ops::sqrt(ops::sum(x * x, {1}, true));
  n.check(by.defined(), fmt::format("unknown norm '{}'.", norm));
  by = ops::where(ops::equal(by, scalar(0, x.dtype())), scalar(1, x.dtype()), by);
  return {ops::cast(x / by, DType::f32)};
}
Operands import_scaler(Node& n) {
  const Value x = feature_rows(n);
  for (const char* name : {"offset", "scale"}) {
    const int64_t k = static_cast<int64_t>(n.floats(name).size());
    n.check(k == 1 || k == x.dim(1), fmt::format("{} numbers of '{}' for {} features.", k, name, x.dim(1)));
  }
  return {ops::cast((x - numbers(n, "offset", x.dtype())) * numbers(n, "scale", x.dtype()), DType::f32)};
}
Operands import_binarizer(Node& n) {
  const Value x = n.in(0);
  return {ops::cast(ops::greater(x, scalar(n.f("threshold", 0), x.dtype())), x.dtype())};
}

// Columns by number along the last axis.
Operands import_array_feature_extractor(Node& n) {
  Value x = n.in(0);
  if (x.rank() <= 1) x = ops::reshape(x, {1, x.type().elements()});
  return {ops::take(x, ops::reshape(n.in(1), {-1}), x.rank() - 1)};
}
Operands import_imputer(Node& n) {
  const Value x = n.in(0);
  const bool integers = !is_float(x.dtype());
  Value to, replaced;
  if (integers) {
    const Ints v = n.ints("imputed_value_int64s");
    to = ops::cast(int64_tensor(v), x.dtype());
    replaced = ops::equal(x, ops::cast(int64_tensor({n.i("replaced_value_int64", 0)}), x.dtype()));
  } else {
    to = numbers(n, "imputed_value_floats", x.dtype());
    const double old = n.f("replaced_value_float", 0);
    replaced = std::isnan(old) ? ops::isnan(x) : ops::equal(x, scalar(old, x.dtype()));
  }
  n.check(x.rank() > 0 && (to.dim(0) == 1 || to.dim(0) == x.dim(-1)),
          fmt::format("{} imputed values for the shape {}.", to.dim(0), to_string(x.shape())));
  return {ops::where(replaced, to, x)};
}
Operands import_one_hot_encoder(Node& n) {
  const Value x = n.in(0);
  const Ints cats = n.ints("cats_int64s");
  n.check(!cats.empty(), "categories that are texts cannot be read; give numbers (cats_int64s).");
  return {ops::cast(ops::equal(ops::expand_dims(ops::cast(x, DType::i64), x.rank()), int64_tensor(cats)), DType::f32)};
}

// A table of numbers: keys_KIND, values_KIND, default_KIND, or as tensors.
Value table(const Node& n, const std::string& what) {
  if (const Attribute* a = n.attr(what + "_tensor"); a && a->t.defined()) return ops::reshape(Value(a->t), {-1});
  if (n.has_attr(what + "_int64s")) return int64_tensor(n.ints(what + "_int64s"));
  if (n.has_attr(what + "_floats")) return numbers(n, (what + "_floats").c_str(), DType::f32);
  n.fail(fmt::format("'{}' are texts, which cannot be read; only numbers are.", what));
}
Operands import_label_encoder(Node& n) {
  const Value x = n.in(0), keys = ops::cast(table(n, "keys"), x.dtype()), values = table(n, "values");
  n.check(keys.dim(0) == values.dim(0) && keys.dim(0) > 0, fmt::format("{} keys for {} values.", keys.dim(0), values.dim(0)));
  Value otherwise = is_float(values.dtype()) ? scalar(n.f("default_float", -0.0), values.dtype())
                                             : ops::reshape(ops::cast(int64_tensor({n.i("default_int64", -1)}), values.dtype()), {});
  if (const Attribute* a = n.attr("default_tensor"); a && a->t.defined() && a->t.size() == 1)
    otherwise = ops::reshape(ops::cast(Value(a->t), values.dtype()), {});
  const Value given = ops::expand_dims(x, x.rank());
  Value same = ops::equal(given, keys);
  if (is_float(x.dtype())) same = ops::logical_or(same, ops::logical_and(ops::isnan(given), ops::isnan(keys)));
  same = ops::cast(same, DType::i32);
  const Value found = ops::take(values, ops::argmax(same, -1), 0);
  return {ops::where(ops::greater(ops::max(same, {-1}), scalar(0, DType::i32)), found, otherwise)};
}
Operands import_feature_vectorizer(Node& n) {
  Values parts;
  for (size_t i = 0; i < n.count(); ++i) {
    const Value x = ops::cast(n.in(i), DType::f32);
    parts.push_back(x.rank() == 1 ? ops::reshape(x, {1, x.dim(0)}) : x);
  }
  n.check(!parts.empty(), "there are no inputs.");
  return {parts.size() == 1 ? parts[0] : ops::concatenate(parts, 1)};
}
// A list of {label: score}: here the array of scores, a column for each label.
Operands import_zip_map(Node& n) { return {n.operand(0)}; }

}  // namespace

OperatorList ml_operators() {
  const auto ml = [](const char* name, ImportFn f) { return Operator{.name = name, .since = 1, .import = f, .domain = "ai.onnx.ml"}; };
  return {ml("ArrayFeatureExtractor", import_array_feature_extractor),
          ml("Binarizer", import_binarizer),
          ml("FeatureVectorizer", import_feature_vectorizer),
          ml("Imputer", import_imputer),
          ml("LabelEncoder", import_label_encoder),
          ml("LinearClassifier", import_linear_classifier),
          ml("LinearRegressor", import_linear_regressor),
          ml("Normalizer", import_normalizer),
          ml("OneHotEncoder", import_one_hot_encoder),
          ml("Scaler", import_scaler),
          ml("ZipMap", import_zip_map)};
}

}  // namespace glia::onnx
