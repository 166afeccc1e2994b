// run_layer_test for the layers that layers_test.cpp does not name, low-rank adaptation, and a list that keeps all of them covered.
#include "nn/class_list.h"
#include "support/layer_test.h"

namespace glia {
namespace {

TEST(MoreLayers, Core) {
  run_layer_test([] { return layers::ReversibleEmbedding(7, 4); }, {{2, 3}},
                 {.output = {2, 3, 4}, .weights = 1, .params = 28, .low = 0, .high = 6.9, .input = DType::i32});
  run_layer_test([] { return layers::Rescaling(0.5, 1.0); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::Normalization({.mean = Tensor::from({3}, {0.1, 0.2, 0.3}), .variance = Tensor::from({3}, {1, 2, 3})}); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::Discretization({.bin_boundaries = Floats{-0.5, 0.5}}); }, {{2, 3}}, {.output = {2, 3}, .gradient = false});
  run_layer_test([] { return layers::CategoryEncoding(5, {.output_mode = "multi_hot"}); }, {{2, 3}},
                 {.output = {2, 5}, .gradient = false, .low = 0, .high = 4.9, .input = DType::i32});
  run_layer_test([] { return layers::ActivityRegularization({.l2 = 0.1}); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::Pipeline({layers::Rescaling(2.0), layers::Rescaling(0.5)}); }, {{2, 3}}, {.output = {2, 3}});
}

// Layers of the input pipeline work on data.
TEST(MoreLayers, OnTheHost) {
  const Tensor ids = Tensor::from({2, 3}, {10, 20, 77, 30, 10, 0}, DType::i64);
  auto again = [](const LayerRef& layer) {  // by its configuration
    return LayerRef(std::static_pointer_cast<Layer>(deserialize("layer", serialize(*layer))));
  };
  for (const LayerRef& layer : {layers::Hashing(5), layers::IntegerLookup({.vocabulary = {10, 20, 30}})}) {
    SCOPED_TRACE(layer->class_name());
    tested_layers().insert(layer->class_name());
    const Tensor out = encode(layer, ids);
    EXPECT_EQ(out.shape(), ids.shape());
    EXPECT_TRUE(encode(again(layer), ids).equals(out));
    EXPECT_EQ(out.item(0), out.item(4));  // equal inputs, equal bins
    for (int64_t i = 0; i < out.size(); ++i) EXPECT_TRUE(out.item(i) >= 0 && out.item(i) < 5) << i;
  }
  LayerRef crossing = layers::HashedCrossing(5);
  tested_layers().insert(crossing->class_name());
  EXPECT_EQ(serialize(*again(crossing)), serialize(*crossing));
}

TEST(MoreLayers, Shapes) {
  run_layer_test([] { return layers::ZeroPadding3D(1); }, {{1, 2, 3, 2, 1}}, {.output = {1, 4, 5, 4, 1}});
  run_layer_test([] { return layers::Cropping3D(1); }, {{1, 4, 3, 4, 2}}, {.output = {1, 2, 1, 2, 2}});
  run_layer_test([] { return layers::UpSampling3D({1, 2, 3}); }, {{1, 2, 2, 1, 2}}, {.output = {1, 2, 4, 3, 2}});
  run_layer_test([] { return layers::Resizing(3, 5); }, {{1, 4, 4, 2}}, {.output = {1, 3, 5, 2}});
  run_layer_test([] { return layers::CenterCrop(2, 3); }, {{1, 4, 5, 2}}, {.output = {1, 2, 3, 2}});
}

TEST(MoreLayers, Convolutions) {
  run_layer_test([] { return layers::Conv1DTranspose(3, {3}, {.strides = {2}}); }, {{2, 4, 2}}, {.output = {2, 9, 3}, .weights = 2, .params = 21});
  run_layer_test([] { return layers::Conv3DTranspose(2, {2}, {.strides = {2}}); }, {{1, 2, 2, 2, 1}},
                 {.output = {1, 4, 4, 4, 2}, .weights = 2, .params = 18});
  run_layer_test([] { return layers::DepthwiseConv1D({3}, {.depth_multiplier = 2}); }, {{2, 5, 2}}, {.output = {2, 3, 4}, .weights = 2, .params = 16});
  run_layer_test([] { return layers::SeparableConv1D(3, {2}); }, {{2, 5, 2}}, {.output = {2, 4, 3}, .weights = 3, .params = 13});
  run_layer_test([] { return layers::ConvLSTM1D(2, {2}); }, {{1, 2, 4, 1}}, {.output = {1, 3, 2}, .weights = 3, .params = 56});
  run_layer_test([] { return layers::ConvLSTM2D(1, {2}); }, {{1, 2, 3, 3, 1}}, {.output = {1, 2, 2, 1}, .weights = 3, .params = 36});
  run_layer_test([] { return layers::ConvLSTM3D(1, {2}); }, {{1, 2, 2, 2, 2, 1}}, {.output = {1, 1, 1, 1, 1}, .weights = 3, .params = 68});
}

TEST(MoreLayers, Pooling) {
  run_layer_test([] { return layers::MaxPooling1D({2}); }, {{2, 5, 2}}, {.output = {2, 2, 2}});
  run_layer_test([] { return layers::MaxPooling3D(); }, {{1, 4, 4, 4, 2}}, {.output = {1, 2, 2, 2, 2}});
  run_layer_test([] { return layers::AveragePooling2D({2, 3}); }, {{1, 4, 6, 2}}, {.output = {1, 2, 2, 2}});
  run_layer_test([] { return layers::AveragePooling3D(); }, {{1, 4, 4, 4, 2}}, {.output = {1, 2, 2, 2, 2}});
  run_layer_test([] { return layers::GlobalAveragePooling1D(); }, {{2, 4, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::GlobalAveragePooling3D(); }, {{1, 2, 3, 2, 2}}, {.output = {1, 2}});
  run_layer_test([] { return layers::GlobalMaxPooling2D(); }, {{2, 3, 4, 2}}, {.output = {2, 2}});
  run_layer_test([] { return layers::GlobalMaxPooling3D(); }, {{1, 2, 3, 2, 2}}, {.output = {1, 2}});
  run_layer_test([] { return layers::AdaptiveMaxPooling1D({3}); }, {{2, 7, 2}}, {.output = {2, 3, 2}});
  run_layer_test([] { return layers::AdaptiveMaxPooling2D({2, 3}); }, {{1, 5, 7, 2}}, {.output = {1, 2, 3, 2}});
  run_layer_test([] { return layers::AdaptiveMaxPooling3D({2, 1, 2}); }, {{1, 4, 3, 5, 2}}, {.output = {1, 2, 1, 2, 2}});
  run_layer_test([] { return layers::AdaptiveAveragePooling1D({3}); }, {{2, 7, 2}}, {.output = {2, 3, 2}});
  run_layer_test([] { return layers::AdaptiveAveragePooling3D({2, 1, 2}); }, {{1, 4, 3, 5, 2}}, {.output = {1, 2, 1, 2, 2}});
}

TEST(MoreLayers, Recurrent) {
  run_layer_test([] { return layers::RNN(layers::LSTMCell(3)); }, {{2, 4, 2}}, {.output = {2, 3}, .weights = 3, .params = 72});
  run_layer_test([] { return layers::SpectralNormalization(layers::Dense(3)); }, {{2, 4}}, {.output = {2, 3}, .weights = 3, .params = 18, .gradient = false});
}

TEST(MoreLayers, Sound) {
  run_layer_test([] { return layers::STFTSpectrogram({.mode = "magnitude", .frame_length = 8, .frame_step = 4}); }, {{1, 24, 1}},
                 {.output = {1, 5, 5}, .weights = 2, .params = 80});
  run_layer_test([] { return layers::MelSpectrogram({.fft_length = 32, .sequence_stride = 16, .num_mel_bins = 4}); }, {{1, 64}},
                 {.output = {1, 4, 5}, .gradient = false});
}

// Outside of training these leave the input as it is; their training mode is tested in random_layers_test.cpp.
TEST(MoreLayers, RandomOnes) {
  const std::vector<std::function<LayerRef()>> images{
      [] { return layers::RandomFlip(); },
      [] { return layers::RandomRotation(0.1); },
      [] { return layers::RandomZoom(0.1); },
      [] { return layers::RandomTranslation(0.1, 0.2); },
      [] { return layers::RandomShear(0.1, 0.2); },
      [] { return layers::RandomBrightness(0.2); },
      [] { return layers::RandomContrast(0.2); },
      [] { return layers::RandomGrayscale(0.2); },
      [] { return layers::RandomColorDegeneration(0.2); },
      [] { return layers::RandomSharpness(0.2); },
      [] { return layers::RandomInvert(0.2); },
      [] { return layers::RandomPosterization(4); },
      [] { return layers::Solarization(0.1, 0.2); },
      [] { return layers::RandomHue(0.2); },
      [] { return layers::RandomSaturation(0.2); },
      [] { return layers::RandomColorJitter({0, 255}, {.brightness_factor = {0.1}, .hue_factor = {0.1, 0.2}}); },
      [] { return layers::RandomGaussianBlur(0.5, {3, 5}); },
      [] { return layers::RandomErasing(0.5); },
      [] { return layers::RandomPerspective(0.5); },
      [] { return layers::RandomElasticTransform(0.5); },
      [] { return layers::MixUp(0.3); },
      [] { return layers::CutMix(0.5); },
      [] { return layers::RandAugment(3, 0.4); },
      [] { return layers::AugMix(0.2, {.num_chains = 2}); },
      [] { return layers::Equalization(); },
      [] { return layers::MaxNumBoundingBoxes(3); },
  };
  for (const auto& make : images) run_layer_test(make, {{2, 4, 5, 3}}, {.output = {2, 4, 5, 3}, .low = 0, .high = 255});
  run_layer_test([] { return layers::RandomCrop(2, 3); }, {{2, 4, 5, 3}}, {.output = {2, 4, 5, 3}});
  run_layer_test([] { return layers::AutoContrast(); }, {{2, 4, 5, 3}}, {.output = {2, 4, 5, 3}, .gradient = false, .low = 0, .high = 255});
  run_layer_test([] { return layers::ContrastLimitedAdaptiveHistogramEqualization({0, 255}, {.tile_grid_size = {2, 2}}); }, {{2, 4, 5, 3}},
                 {.output = {2, 4, 5, 3}, .gradient = false, .low = 0, .high = 255});
  for (const auto& make : std::vector<std::function<LayerRef()>>{
           [] { return layers::Dropout(0.3); }, [] { return layers::AlphaDropout(0.3); }, [] { return layers::SpatialDropout1D(0.3); },
           [] { return layers::GaussianNoise(0.3); }, [] { return layers::GaussianDropout(0.3); }})
    run_layer_test(make, {{2, 3, 4}}, {.output = {2, 3, 4}});
  run_layer_test([] { return layers::SpatialDropout2D(0.3); }, {{1, 2, 3, 2}}, {.output = {1, 2, 3, 2}});
  run_layer_test([] { return layers::SpatialDropout3D(0.3); }, {{1, 2, 2, 2, 2}}, {.output = {1, 2, 2, 2, 2}});
}

TEST(MoreLayers, AdaptByLowRank) {
  auto adapted = [] {
    LayerRef layer(std::static_pointer_cast<Layer>(deserialize("layer", R"({"class_name": "Dense", "config": {"units": 4, "lora_rank": 2, "lora_alpha": 6}})")));
    return layer;
  };
  // Keras lists the frozen kernel first: it was added as a trainable weight.
  run_layer_test(adapted, {{3, 5}}, {.output = {3, 4}, .weights = 4, .params = 24 + 10 + 8});
  LayerRef dense = layers::Dense(2, {.use_bias = false, .kernel_initializer = "ones"});
  EXPECT_EQ(error_of([&] { dense->enable_lora(1); }).substr(0, 5), "dense");
  Value x = Tensor::from({1, 2}, {1, 2});
  EXPECT_EQ(dense(x).tensor().to_vector(), (std::vector<float>{3, 3}));
  dense->enable_lora(1, 2);
  EXPECT_EQ(dense->trainable_weights().size(), 2u);
  EXPECT_EQ(dense(x).tensor().to_vector(), (std::vector<float>{3, 3}));  // b starts at zero
  dense->set_weights({Tensor::full({2, 2}, 1), Tensor::from({2, 1}, {1, 0}), Tensor::from({1, 2}, {10, 20})});
  EXPECT_EQ(dense(x).tensor().to_vector(), (std::vector<float>{3 + 2 * 10, 3 + 2 * 20}));
  EXPECT_THROW(dense->enable_lora(1), Error);
  LayerRef pool = layers::GlobalMaxPooling1D();
  pool(Value(Tensor::zeros({1, 2, 3})));
  EXPECT_THROW(pool->enable_lora(1), Error);
}

// A layer that nobody tests is found here, when all tests of the program have run.
class EveryLayerIsTested : public ::testing::Environment {
 public:
  void TearDown() override {
    if (GTEST_FLAG_GET(filter) != "*" || ::testing::UnitTest::GetInstance()->test_to_run_count() != ::testing::UnitTest::GetInstance()->total_test_count()) return;
    // Cells are tested inside of RNN; text layers by what they encode (layers_test.cpp), those of FeatureSpace in tests/golden.
    const std::set<std::string> elsewhere{"InputLayer", "Lambda", "StackedRNNCells", "SimpleRNNCell", "LSTMCell", "GRUCell", "StringLookup", "TextVectorization",
                                          "TFDConcat", "TFDIdentity"};
    for (const ClassEntry& entry : layer_list())
      EXPECT_TRUE(tested_layers().count(entry.class_name) > 0 || elsewhere.count(entry.class_name) > 0) << entry.class_name << " has no run_layer_test";
  }
};
[[maybe_unused]] const auto* const every_layer = ::testing::AddGlobalTestEnvironment(new EveryLayerIsTested);

}  // namespace
}  // namespace glia
