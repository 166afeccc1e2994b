// The application models are Keras's layer for layer: classes, names, configurations and connections.
// Golden file: tools/golden/applications.py (Keras 3.15).
#include <glia/applications.h>
#include <glia/layer.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/parity/json_tensor.h"
#include "nn/weight_budget.h"

namespace glia::parity {
namespace {

namespace A = applications;

A::ApplicationOptions common_options(const json& args) {
  A::ApplicationOptions o;
  o.include_top = args.value("include_top", true);
  if (args.contains("input_shape")) o.input_shape = args["input_shape"].get<Shape>();
  o.pooling = args.value("pooling", "");
  o.classes = args.value("classes", 1000);
  o.classifier_activation = args.value("classifier_activation", "softmax");
  return o;
}

Model make_application(const std::string& name, const json& args) {
  using Maker = Model (*)(const A::ApplicationOptions&);
  static const std::map<std::string, Maker> makers{
      {"VGG16", A::VGG16}, {"VGG19", A::VGG19}, {"ResNet50", A::ResNet50}, {"ResNet101", A::ResNet101}, {"ResNet152", A::ResNet152},
      {"ResNet50V2", A::ResNet50V2}, {"ResNet101V2", A::ResNet101V2}, {"ResNet152V2", A::ResNet152V2}, {"DenseNet121", A::DenseNet121},
      {"DenseNet169", A::DenseNet169}, {"DenseNet201", A::DenseNet201}, {"Xception", A::Xception}, {"InceptionV3", A::InceptionV3}, {"EfficientNetB0", A::EfficientNetB0},
      {"EfficientNetB1", A::EfficientNetB1}, {"EfficientNetB2", A::EfficientNetB2}, {"EfficientNetB3", A::EfficientNetB3},
      {"EfficientNetB4", A::EfficientNetB4}, {"EfficientNetB5", A::EfficientNetB5}, {"EfficientNetB6", A::EfficientNetB6},
      {"EfficientNetB7", A::EfficientNetB7}, {"EfficientNetV2B0", A::EfficientNetV2B0},
      {"EfficientNetV2B1", A::EfficientNetV2B1}, {"EfficientNetV2B2", A::EfficientNetV2B2}, {"EfficientNetV2B3", A::EfficientNetV2B3},
      {"InceptionResNetV2", A::InceptionResNetV2}, {"NASNetMobile", A::NASNetMobile}, {"NASNetLarge", A::NASNetLarge},
      {"EfficientNetV2S", A::EfficientNetV2S}, {"EfficientNetV2M", A::EfficientNetV2M}, {"EfficientNetV2L", A::EfficientNetV2L}};
  if (auto it = makers.find(name); it != makers.end()) return it->second(common_options(args));
  if (name.starts_with("MobileNetV3")) {
    const A::MobileNetV3Options o{.alpha = args.value("alpha", 1.0), .minimalistic = args.value("minimalistic", false),
                                  .dropout_rate = args.value("dropout_rate", 0.2), .include_preprocessing = args.value("include_preprocessing", true),
                                  .common = common_options(args)};
    return name.ends_with("Small") ? A::MobileNetV3Small(o) : A::MobileNetV3Large(o);
  }
  if (name.starts_with("ConvNeXt")) {
    using ConvNeXt = Model (*)(const A::ConvNeXtOptions&);
    const std::map<std::string, ConvNeXt> sizes{{"Tiny", A::ConvNeXtTiny}, {"Small", A::ConvNeXtSmall}, {"Base", A::ConvNeXtBase},
                                                {"Large", A::ConvNeXtLarge}, {"XLarge", A::ConvNeXtXLarge}};
    return sizes.at(name.substr(8))({.include_preprocessing = args.value("include_preprocessing", true), .common = common_options(args)});
  }
  A::MobileNetOptions o{.alpha = args.value("alpha", 1.0), .depth_multiplier = args.value("depth_multiplier", 1), .common = common_options(args)};
  return name == "MobileNet" ? A::MobileNet(o) : A::MobileNetV2(o);
}

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
