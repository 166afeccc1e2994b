// The application models are Keras's layer for layer: classes, names, configurations and connections.
// Golden file: tools/golden/applications.py (Keras 3.15).
#include <glia/applications.h>
#include <glia/layer.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/parity/json_tensor.h"
#include "nn/weight_budget.h"
#include "../support/applications.h"

namespace glia::parity {
namespace {

namespace A = applications;

void sources_of(const json& v, std::vector<std::string>& found) {
  if (v.is_object() && v.value("class_name", "") == "__keras_tensor__") return found.push_back(v["config"]["keras_history"][0]);
  if (v.is_structured())
    for (const json& x : v) sources_of(x, found);
}

// What Glia wrote must stand in Keras's configuration; Glia leaves defaults out.
void expect_within(const json& got, const json& want, const std::string& where) {
  if (got.is_number() && want.is_array() && want.size() == 1) {
    expect_within(got, want[0], where);  // an axis of a layer that was built
  } else if (got.is_object()) {
    for (const auto& [key, value] : got.items()) {
      if (value.is_null() || key == "seed" || key == "dtype" || key == "name" || key == "module" || key == "registered_name") continue;
      ASSERT_TRUE(want.is_object() && want.contains(key)) << where << "." << key << " = " << value;
      expect_within(value, want[key], where + "." + key);
    }
  } else if (got.is_array()) {
    ASSERT_TRUE(want.is_array() && want.size() == got.size()) << where << ": " << got << " want " << want;
    for (size_t i = 0; i < got.size(); ++i) expect_within(got[i], want[i], where);
  } else if (got.is_number()) {
    ASSERT_TRUE(want.is_number()) << where << ": " << got << " want " << want;
    EXPECT_NEAR(got.get<double>(), want.get<double>(), 1e-7 * std::max(1.0, std::abs(want.get<double>()))) << where;  // arrays are float32
  } else {
    EXPECT_EQ(got, want) << where;
  }
}

TEST(Applications, AreKerasLayerForLayer) {
  int models = 0;
  for_each_line(std::string(GLIA_SOURCE_DIR) + "/tests/golden/applications.jsonl.gz", [&](const json& line) {
    const std::string call = line["model"].get<std::string>() + line["args"].dump();
    SCOPED_TRACE(call);
    ++models;
    clear_session();
    WeightBudget no_numbers(uint64_t{1} << 32, call);  // the weights stay zero
    const Model model = make_application(line["model"], line["args"]);
    EXPECT_EQ(model->name(), line["name"]);
    EXPECT_EQ(model->count_params(), line["params"]);
    const json config = json::parse(models::to_json(model))["config"];
    const json &layers = config["layers"], &want = line["layers"];
    ASSERT_EQ(layers.size(), want.size());
    for (size_t i = 0; i < layers.size(); ++i) {
      const json &l = layers[i], &w = want[i];
      ASSERT_EQ(l["config"]["name"], w["name"]) << i;
      EXPECT_EQ(l["class_name"], w["class_name"]) << w["name"];
      expect_within(l["config"], w["config"], w["name"]);
      std::vector<std::string> inputs;
      sources_of(l["inbound_nodes"], inputs);
      EXPECT_EQ(json(inputs), w["inputs"]) << w["name"];
      if (testing::Test::HasFailure()) return;
    }
  });
  EXPECT_GT(models, 20);
}

TEST(Applications, Predict) {
  Model model = A::MobileNetV2({.alpha = 0.35, .common = {.input_shape = {32, 32, 3}, .classes = 4}});
  const Tensor p = model.predict(A::preprocess_input(golden_uniform({2, 32, 32, 3}, 1, 0, 255), "tf"));
  EXPECT_EQ(p.shape(), (Shape{2, 4}));
  EXPECT_NEAR(p.item(0) + p.item(1) + p.item(2) + p.item(3), 1.0, 1e-5);
}

// Numbers of keras.applications.imagenet_utils.preprocess_input for the pixels (10, 20, 30).
TEST(Applications, PreprocessInput) {
  const Tensor x = Tensor::from_vector<float>({1, 3}, {10, 20, 30});
  const std::map<std::string, std::vector<double>> want{
      {"tf", {-0.9215686, -0.8431373, -0.7647059}}, {"torch", {-1.9466564, -1.6855742, -1.2815686}}, {"caffe", {-73.939, -96.779, -113.68}}};
  for (const auto& [mode, values] : want)
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(A::preprocess_input(x, mode).item(i), values[i], 2e-5) << mode << i;
  EXPECT_THROW(A::preprocess_input(x, "keras"), Error);
}

TEST(Applications, RefuseWhatDoesNotFit) {
  EXPECT_THROW(A::ResNet50({.input_shape = {16, 16, 3}}), Error);
  EXPECT_THROW(A::VGG16({.input_shape = {64, 64}}), Error);
  EXPECT_THROW(A::Xception({.include_top = false, .input_shape = {71, 71, 3}, .pooling = "mean"}), Error);
  EXPECT_THROW(A::DenseNet121({.classes = 0}), Error);
}

}  // namespace
}  // namespace glia::parity
