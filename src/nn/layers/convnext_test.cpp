#include "nn/layers/convnext.h"

#include "support/layer_test.h"

namespace glia {
namespace {

LayerRef from_text(const std::string& class_name, const std::string& config) {
  return LayerRef(std::static_pointer_cast<Layer>(
      deserialize("layer", "{\"class_name\": \"" + class_name + "\", \"config\": " + config + "}")));
}

TEST(ConvNeXtLayers, DoWhatEveryLayerMust) {
  run_layer_test([] { return from_text("LayerScale", R"({"init_values": 0.5, "projection_dim": 3})"); }, {{2, 4, 3}},
                 {.output = {2, 4, 3}, .weights = 1, .params = 3});
  run_layer_test([] { return from_text("StochasticDepth", R"({"drop_path_rate": 0.0})"); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return from_text("CustomScaleLayer", R"({"scale": 0.25})"); }, {{2, 3}, {2, 3}}, {.output = {2, 3}});
}

TEST(ApplicationLayers, ScaleAddsAPartOfTheResidual) {
  LayerRef add = from_text("CustomScaleLayer", R"({"scale": 0.25})");
  const Tensor y = add({Value(Tensor::from({1, 2}, {1, 2})), Value(Tensor::from({1, 2}, {4, -8}))}).tensor();
  EXPECT_EQ(y.item(0), 2);
  EXPECT_EQ(y.item(1), 0);
}

TEST(ConvNeXtLayers, DepthDropsWholeExamples) {
  LayerRef drop = from_text("StochasticDepth", R"({"drop_path_rate": 0.5})");
  const Tensor x = Tensor::full({64, 3}, 1.0);
  const Tensor y = drop(Value(x), {.training = true}).tensor();
  int kept = 0;
  for (int64_t i = 0; i < 64; ++i) {
    EXPECT_TRUE(y.item(3 * i) == 0 || y.item(3 * i) == 2);
    EXPECT_EQ(y.item(3 * i), y.item(3 * i + 2));
    kept += y.item(3 * i) > 0;
  }
  EXPECT_GT(kept, 15);
  EXPECT_LT(kept, 49);
  EXPECT_TRUE(drop(Value(x)).tensor().equals(x));
}

}  // namespace
}  // namespace glia
