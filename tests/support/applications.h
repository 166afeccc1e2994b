// Application models by name, and whether they compute what Keras computes.
//
//   Model model = make_application("VGG16", {{"input_shape", {32, 32, 3}}, {"classes", 5}});
//   expect_forward(line);   // a line of tests/golden/applications_forward.jsonl.gz
#pragma once
#include <cmath>
#include <map>
#include <string>

#include <glia/applications.h>
#include <glia/layer.h>
#include <gtest/gtest.h>

#include "cli/parity/json_tensor.h"
#include "nn/weight_budget.h"

namespace glia::parity {

inline applications::ApplicationOptions common_options(const json& args) {
  applications::ApplicationOptions o;
  o.include_top = args.value("include_top", true);
  if (args.contains("input_shape")) o.input_shape = args["input_shape"].get<Shape>();
  o.pooling = args.value("pooling", "");
  o.classes = args.value("classes", 1000);
  o.classifier_activation = args.value("classifier_activation", "softmax");
  return o;
}

inline Model make_application(const std::string& name, const json& args) {
  namespace A = applications;
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

// As tools/golden/applications_forward.py.
inline Tensor application_weight(uint32_t i, const std::string& name, const Shape& shape, DType dtype) {
  if (name == "count") return Tensor::full(shape, 1, dtype);
  if (name == "variance" || name == "moving_variance") return golden_uniform(shape, i, 0.5, 1.5);
  if (name == "gamma") return golden_uniform(shape, i, 0.4, 1.2);
  if (name.find("kernel") == std::string::npos) return golden_uniform(shape, i, -0.2, 0.2);
  const bool depthwise = shape.size() == 4 && shape[3] == 1;
  int64_t fan_in = 1;
  for (size_t k = 0; k < (depthwise ? 2 : shape.size() - 1); ++k) fan_in *= shape[k];
  const double limit = std::sqrt(3.0 / static_cast<double>(fan_in));
  return golden_uniform(shape, i, -limit, limit);
}

inline void expect_forward(const json& line) {
  clear_session();
  Model model = [&] {
    WeightBudget no_numbers(uint64_t{1} << 32, "an application");
    return make_application(line["model"], line["args"]);
  }();
  std::vector<Tensor> weights;
  for (const Variable& v : model->weights())
    weights.push_back(application_weight(static_cast<uint32_t>(weights.size()), v.name(), v.shape(), v.dtype()));
  model.set_weights(weights);
  const double hi = line["hi"];
  const Tensor y = model.predict(golden_uniform(to_shape(line["input"]), 9000, hi > 1 ? 0 : -1, hi));
  ASSERT_EQ(y.shape(), to_shape(line["shape"]));
  const json &at = line["at"], &want = line["values"];
  double worst = 0;
  for (size_t k = 0; k < at.size(); ++k) worst = std::max(worst, std::abs(y.item(at[k]) - want[k].get<double>()));
  EXPECT_LE(worst, 2e-5 * line["max"].get<double>()) << line["model"] << line["args"];
}

}  // namespace glia::parity
