// Random layers: the statistics of what they do with a fixed seed, and the same bits for any number of threads.
#include <gtest/gtest.h>

#include <cmath>

#include <glia/layers.h>
#include <glia/ops.h>

#include "base/thread_pool.h"

namespace glia {
namespace {

Tensor ramp_images(int64_t n, int64_t h, int64_t w) {
  Tensor t({n, h, w, 3});
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, static_cast<double>((i * 37 + i / 7) % 256));
  return t;
}
Tensor train(const LayerRef& layer, const Value& x) {
  set_random_seed(11);
  return layer(x, {.training = true}).tensor().clone();
}
double mean_of(const Tensor& t) { return ops::mean(Value(t)).tensor().item(); }

const std::vector<std::function<LayerRef()>>& image_layers() {
  static const std::vector<std::function<LayerRef()>> all{
      [] { return layers::RandomFlip(); },          [] { return layers::RandomCrop(5, 6); },
      [] { return layers::RandomRotation(0.2); },   [] { return layers::RandomZoom(0.3); },
      [] { return layers::RandomTranslation(0.2, 0.2); }, [] { return layers::RandomShear(0.3, 0.3); },
      [] { return layers::RandomBrightness(0.4); }, [] { return layers::RandomContrast(0.4); },
      [] { return layers::RandomGrayscale(0.5); },  [] { return layers::RandomColorDegeneration(0.5); },
      [] { return layers::RandomSharpness(0.6); },  [] { return layers::RandomInvert(0.9); },
      [] { return layers::RandomPosterization(3); }, [] { return layers::Solarization(0.2, 0.5); },
      [] { return layers::RandomHue(0.5); },        [] { return layers::RandomSaturation(0.4, {.value_range = {0, 1}}); },
      [] { return layers::RandomColorJitter({0, 255}, {.brightness_factor = {0.3}, .contrast_factor = {0.3}, .hue_factor = {0.2}}); },
      [] { return layers::RandomGaussianBlur(1.0, {3, 5}); }, [] { return layers::RandomErasing(1.0); },
      [] { return layers::RandomPerspective(1.0, 0.4); },     [] { return layers::RandomElasticTransform(1.0); },
      [] { return layers::MixUp(0.4); },            [] { return layers::CutMix(1.0); },
      [] { return layers::RandAugment(2, 0.5); },   [] { return layers::AugMix(0.4, {.num_chains = 2, .chain_depth = 2}); },
  };
  return all;
}

TEST(RandomLayers, GiveTheSameForAnyNumberOfThreadsAndChangeImages) {
  const Value x = ramp_images(4, 8, 9);
  const int before = num_threads();
  for (const auto& make : image_layers()) {
    LayerRef layer = make();
    SCOPED_TRACE(layer->class_name());
    set_num_threads(1);
    const Tensor one = train(layer, x);
    for (int threads : {2, 4}) {
      set_num_threads(threads);
      EXPECT_TRUE(train(layer, x).equals(one)) << threads << " threads";
    }
    for (int64_t i = 0; i < one.size(); ++i) ASSERT_TRUE(std::isfinite(one.item(i))) << i;
    if (layer->class_name() != "RandomCrop") {
      EXPECT_EQ(one.shape(), x.shape());
      EXPECT_FALSE(one.equals(x.tensor())) << "nothing changed";
    }
    set_num_threads(before);
  }
}

// Mean and spread of what is drawn, over many images.
TEST(RandomLayers, DrawWithTheRightStatistics) {
  const int64_t n = 4000;
  const Tensor grey = Tensor::full({n, 1, 2, 3}, 100);
  Tensor y = train(layers::RandomBrightness({-0.2, 0.2}), grey);
  double low = 1e9, high = -1e9;
  for (int64_t i = 0; i < y.size(); ++i) low = std::min(low, y.item(i)), high = std::max(high, y.item(i));
  EXPECT_NEAR(mean_of(y), 100, 255 * 0.4 / std::sqrt(12.0 * static_cast<double>(n)) * 5);  // uniform in +-51
  EXPECT_GE(low, 100 - 51.001);
  EXPECT_LE(high, 100 + 51.001);
  EXPECT_LT(low, 52);
  EXPECT_GT(high, 148);

  auto share_changed = [&](const LayerRef& layer, const Tensor& x) {
    const Tensor z = train(layer, x);
    const int64_t size = x.size() / x.dim(0);
    int64_t changed = 0;
    for (int64_t i = 0; i < x.dim(0); ++i) {
      bool differs = false;
      for (int64_t k = 0; k < size; ++k) differs |= z.item(i * size + k) != x.item(i * size + k);
      changed += differs;
    }
    return static_cast<double>(changed) / static_cast<double>(x.dim(0));
  };
  const double sigma = 5 * 0.5 / std::sqrt(static_cast<double>(n));
  const Tensor images = ramp_images(n, 2, 3);
  EXPECT_NEAR(share_changed(layers::RandomFlip("horizontal"), images), 0.5, sigma);
  EXPECT_NEAR(share_changed(layers::RandomGrayscale(0.3), images), 0.3, sigma);
  EXPECT_NEAR(share_changed(layers::RandomInvert({0.6, 0.6}), grey), 0.6, sigma);
  EXPECT_NEAR(share_changed(layers::RandomErasing(layers::Factor{0.4, 0.4}, layers::Factor{0.9, 1.0}, {.fill_value = {7}}), Tensor::full({n, 4, 4, 1}, 100)), 0.4, sigma);
}

TEST(RandomLayers, EraseTheShareOfTheImageThatIsAsked) {
  const int64_t n = 500, side = 40;
  const Tensor ones = Tensor::full({n, side, side, 1}, 1);
  const Tensor y = train(layers::RandomErasing(layers::Factor{1, 1}, layers::Factor{0.25, 0.25}, {.fill_value = {0}}), ones);
  EXPECT_NEAR(1 - mean_of(y), 0.25, 0.01);  // sides of half the length
}

TEST(RandomLayers, MixImagesAndLabelsInTheSameShares) {
  const int64_t n = 300;
  Tensor x({n, 4, 4, 1}), labels = Tensor::zeros({n, 2});
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < 16; ++k) x.set_item(i * 16 + k, i % 2 ? 1.0 : 0.0);
    labels.set_item(i * 2 + i % 2, 1);
  }
  for (const LayerRef& layer : {layers::MixUp(0.5), layers::CutMix(1.0)}) {
    SCOPED_TRACE(layer->class_name());
    set_random_seed(3);
    const Values out = layer.outputs({Value(x), Value(labels)}, {.training = true});
    double between = 0;
    for (int64_t i = 0; i < n; ++i) {
      double share = 0;
      for (int64_t k = 0; k < 16; ++k) share += out[0].tensor().item(i * 16 + k) / 16;
      ASSERT_NEAR(out[1].tensor().item(i * 2 + 1), share, 1e-5) << i;
      ASSERT_NEAR(out[1].tensor().item(i * 2), 1 - share, 1e-5) << i;
      between += share > 0.02 && share < 0.98;
    }
    EXPECT_GT(between / static_cast<double>(n), 0.1);
  }
}

TEST(RandomLayers, GammaAndBetaHaveTheirMoments) {
  const Value seed(Tensor::from_vector<int64_t>({2}, {5, 0}));
  const int64_t n = 40000;
  for (double alpha : {0.3, 1.0, 4.5}) {
    const Value g = ops::random_gamma(seed, 0, {n}, Value(Tensor::scalar(alpha)));
    const double deviation = 5 * std::sqrt(alpha / static_cast<double>(n));
    EXPECT_NEAR(mean_of(g.tensor()), alpha, deviation) << alpha;
    EXPECT_NEAR(ops::var(g).tensor().item(), alpha, 12 * deviation) << alpha;
    const Value b = ops::random_beta(seed, 8, {n}, Value(Tensor::scalar(alpha)), Value(Tensor::scalar(2 * alpha)));
    EXPECT_NEAR(mean_of(b.tensor()), 1.0 / 3, 0.01) << alpha;
    EXPECT_NEAR(ops::var(b).tensor().item(), 2.0 / 9 / (3 * alpha + 1), 0.01) << alpha;
  }
  EXPECT_NEAR(mean_of(ops::random_binomial(seed, 20, {n}, 10, 0.3).tensor()), 3, 0.05);
}

}  // namespace
}  // namespace glia
