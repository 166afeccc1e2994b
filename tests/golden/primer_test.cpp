// The three programs of the primer train to Keras's numbers: 50 Adam steps from the same weights over the same batches.
// Numbers: tools/golden/primer.py (Keras on TensorFlow), in float32 and float64.
#include <glia/layers.h>
#include <glia/model.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "cli/parity/check.h"

namespace glia::parity {
namespace {

namespace L = layers;

json read_golden(const std::string& id) {
  json found;
  for_each_line(std::string(GLIA_SOURCE_DIR) + "/tests/golden/primer.jsonl.gz", [&](const json& line) {
    if (line.at("id") == id) found = line;
  });
  return found;
}

// Half the pattern of its class, half noise; the rows behind a sequence's length are zero.
Tensor make_inputs(const json& data, const Tensor& y) {
  const Shape shape = to_shape(data["shape"]);
  const auto seed = data["seed"].get<uint32_t>();
  const int64_t rows = data["rows"].get<int64_t>(), classes = data["classes"].get<int64_t>();
  const bool per_step = data["kind"] == "class_per_step";
  Shape noise_shape = shape, pattern_shape = per_step ? Shape(shape.begin() + 1, shape.end()) : shape;
  noise_shape.insert(noise_shape.begin(), rows);
  pattern_shape.insert(pattern_shape.begin(), classes);
  const Tensor pattern = golden_uniform(pattern_shape, seed + 12), noise = golden_uniform(noise_shape, seed + 13);
  Tensor x(noise_shape);
  const int64_t part = pattern.size() / classes;
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t label = y.data<int32_t>()[i / part];
    x.data<float>()[i] = 0.5f * pattern.data<float>()[label * part + i % part] + 0.5f * noise.data<float>()[i];
  }
  if (!data.contains("lengths")) return x;
  const json& lengths = data["lengths"];
  const int64_t lo = lengths["min"].get<int64_t>(), hi = lengths["max"].get<int64_t>();
  const Tensor extra = golden_integers({rows}, lengths["seed"].get<uint32_t>(), static_cast<uint64_t>(hi - lo + 1));
  const int64_t width = shape[1];
  for (int64_t n = 0; n < rows; ++n)
    for (int64_t i = (lo + extra.data<int32_t>()[n]) * width; i < shape[0] * width; ++i)
      x.data<float>()[n * shape[0] * width + i] = 0.0f;
  return x;
}

Tensor initial_weight(const json& spec) {
  const Shape shape = to_shape(spec["shape"]);
  if (spec["fill"] == "uniform") {
    const double limit = spec["limit"].get<double>();
    return golden_uniform(shape, spec["seed"].get<uint32_t>(), -limit, limit);
  }
  Tensor t = Tensor::zeros(shape);
  if (spec["fill"] == "forget_bias")
    for (int64_t i = shape[0] / 4; i < shape[0] / 2; ++i) t.data<float>()[i] = 1.0f;
  return t;
}

void expect_close(double got, double want, double rtol, double atol, const std::string& what) {
  EXPECT_LE(std::fabs(got - want), atol + rtol * std::fabs(want)) << what << ": got " << got << " want " << want;
}

void check_weights(const json& golden, const std::vector<Tensor>& weights, const char* key, const char* norm, double rtol, double atol) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const json &spec = golden["weights"][i], &final = spec["final"];
    const std::string path = spec["path"].get<std::string>();
    const Tensor want = to_tensor(final[key]);
    double squares = 0;
    for (int64_t k = 0; k < weights[i].size(); ++k) squares += weights[i].item(k) * weights[i].item(k);
    expect_close(std::sqrt(squares), final[norm].get<double>(), rtol, atol, path + " norm");
    for (int64_t k = 0; k < want.size(); ++k)
      expect_close(weights[i].item(final["index"][static_cast<std::size_t>(k)].get<int64_t>()), want.item(k), rtol, atol,
                   fmt::format("{} sample {}", path, k));
  }
}

// Trains `model` (built with the global policy) as the generator did and compares. float64 runs prove the formulas.
void run_golden(const std::string& id, Model model, bool f64) {
  const json golden = read_golden(id);
  ASSERT_FALSE(golden.is_null()) << id;
  const char* key = f64 ? "f64" : "f32";
  const char* norm = f64 ? "norm_f64" : "norm_f32";
  const double rtol = f64 ? 1e-7 : 1e-4, atol = f64 ? 1e-9 : 1e-5;
  const json& data = golden["data"];
  const int64_t rows = data["rows"].get<int64_t>(), batch = data["batch"].get<int64_t>();
  Shape label_shape = {rows};
  if (data["kind"] == "class_per_step") label_shape.push_back(data["shape"][0].get<int64_t>());
  const Tensor y = golden_integers(label_shape, data["seed"].get<uint32_t>() + 11, data["classes"].get<uint64_t>());
  Tensor x = make_inputs(data, y);
  if (f64) x = x.astype(DType::f64);
  std::vector<Tensor> initial;
  for (const json& spec : golden["weights"]) initial.push_back(initial_weight(spec));
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  model.set_weights(initial);

  const Tensor losses = to_tensor(golden["loss"][key]);
  for (int64_t step = 0; step < golden["steps"].get<int64_t>(); ++step) {
    const int64_t at = step * batch % rows;
    model.reset_metrics();
    Logs logs = model.train_on_batch(x.slice(at, at + batch), y.slice(at, at + batch));
    expect_close(logs["loss"], losses.item(step), f64 ? 1e-6 : 1e-4, 0, fmt::format("{} loss of step {}", id, step));
  }
  check_weights(golden, model.get_weights(), key, norm, rtol, atol);
  Logs evaluated = model.evaluate(x, y, {.batch_size = batch, .verbose = 0});
  for (const auto& [name, want] : golden["evaluate"][key].items())
    expect_close(evaluated[name], want.get<double>(), 1e-4, 1e-6, id + " evaluate " + name);
  Check check;
  check.tensor("predict", model.predict(x.slice(0, 4)), golden["predict"][key], {rtol, atol});
  EXPECT_TRUE(check.passed()) << id << ": " << check.report();
}

Model cnn() {
  return Sequential({L::Conv2D(32, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}}), L::MaxPooling2D({2, 2}),
                     L::Conv2D(64, {3, 3}, {.activation = "relu"}), L::MaxPooling2D({2, 2}), L::Flatten(),
                     L::Dense(64, {.activation = "relu"}), L::Dense(10, {.activation = "softmax"})});
}
Model lstm(bool masked) {
  Sequential model;
  if (masked) model.add(L::Masking({.mask_value = 0.0, .input_shape = {29, 12}}));
  model.add(L::LSTM(64, {.return_sequences = true, .input_shape = {29, 12}}));
  model.add(L::LSTM(64, {.return_sequences = true}));
  model.add(L::LSTM(64));
  model.add(L::Dense(9, {.activation = "softmax"}));
  return model;
}
Model self_attention() {
  Value inputs = Input({16, 64}, {.dtype = dtype_policy() == "float64" ? DType::f64 : DType::f32});
  Value hidden = L::LSTM(64, {.return_sequences = true})(inputs);
  Value attended = L::Attention()({hidden, inputs});
  return Model({inputs}, {L::Dense(20, {.activation = "softmax"})(attended)});
}

class Primer : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override { set_dtype_policy(GetParam() ? "float64" : "float32"); }
  void TearDown() override { set_dtype_policy("float32"); }
};

TEST_P(Primer, Cnn) { run_golden("primer/cnn", cnn(), GetParam()); }
TEST_P(Primer, Lstm) { run_golden("primer/lstm", lstm(false), GetParam()); }
TEST_P(Primer, LstmMasked) { run_golden("primer/lstm_masked", lstm(true), GetParam()); }
TEST_P(Primer, SelfAttention) { run_golden("primer/self_attention", self_attention(), GetParam()); }

INSTANTIATE_TEST_SUITE_P(Dtype, Primer, testing::Bool(), [](const auto& info) { return info.param ? "float64" : "float32"; });

}  // namespace
}  // namespace glia::parity
