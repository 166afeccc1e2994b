#include <glia/datasets.h>

#include "data/locate.h"
#include "data/sha256.h"
#include "data/test_files.h"

namespace glia {
using test::Env;
using test::error_of;
using test::Scratch;

static double total(const Tensor& t) {
  double s = 0;
  for (int64_t i = 0; i < t.size(); ++i) s += t.item(i);
  return s;
}

TEST(Datasets, DigitsAreEmbedded) {
  auto [train, test] = datasets::digits({.raw = true});
  EXPECT_EQ(train.x.shape(), (Shape{1437, 8, 8}));
  EXPECT_EQ(test.x.shape(), (Shape{360, 8, 8}));
  EXPECT_EQ(total(train.x) + total(test.x), 561718);  // numpy on the csv
  EXPECT_EQ(total(test.x.slice(0, 1)), 347);
  EXPECT_EQ(test.y.slice(0, 5).to_vector(), (std::vector<float>{2, 3, 4, 5, 6}));
  auto scaled = datasets::digits();
  EXPECT_EQ(scaled.train.x.shape(), (Shape{1437, 8, 8, 1}));
  EXPECT_EQ(total(scaled.train.x) * 16, total(train.x));
}

TEST(Datasets, DigitsResizeAsTensorFlowDoes) {
  auto [train, test] = datasets::digits({.size = 28});
  EXPECT_EQ(train.x.shape(), (Shape{1437, 28, 28, 1}));
  const float* image = train.x.data<float>();
  // tf.image.resize(image / 16, (28, 28)), TensorFlow 2.21
  const float row7[] = {0.6540177f, 0.5175381f, 0.40146667f, 0.34661976f, 0.29177275f, 0.23692587f};
  const float row14[] = {0.f, 0.f, 0.06218113f, 0.1450893f, 0.2279975f, 0.3115434f};
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(image[7 * 28 + 10 + i], row7[i], 2e-6f);
    EXPECT_NEAR(image[14 * 28 + i], row14[i], 2e-6f);
  }
  EXPECT_NEAR(total(train.x.slice(0, 1)), 225.09373, 1e-3);
  EXPECT_THROW(datasets::digits({.size = 0}), Error);
  EXPECT_THROW(datasets::digits({.size = 28, .raw = true}), Error);
}

TEST(Datasets, MnistIsScaledWithAChannelAxis) {
  GLIA_REAL_FILE(path, "mnist/train-images-idx3-ubyte.gz");
  auto [train, test] = datasets::mnist({.dir = path.substr(0, path.rfind("/mnist/"))});
  EXPECT_EQ(train.x.shape(), (Shape{60000, 28, 28, 1}));
  EXPECT_EQ(train.x.dtype(), DType::f32);
  EXPECT_EQ(test.y.shape(), (Shape{10000}));
  EXPECT_EQ(train.y.dtype(), DType::i32);
  EXPECT_EQ(train.y.slice(0, 10).to_vector(), (std::vector<float>{5, 0, 4, 1, 9, 2, 1, 3, 1, 4}));
  const float* first = train.x.data<float>() + 5 * 28 + 12;
  for (int v : {3, 18, 18, 18, 126, 136}) EXPECT_EQ(*first++, static_cast<float>(v) / 255.0f);
  EXPECT_NEAR(total(train.x), 1567298545 / 255.0, 1.0);  // numpy
}

TEST(Datasets, CifarFindsTheSubset) {
  GLIA_REAL_FILE(path, "cifar10/cifar10_test_2k.bin");
  auto [train, test] = datasets::cifar10({.raw = true, .dir = path.substr(0, path.rfind("/cifar10/"))});
  EXPECT_EQ(train.x.shape(), (Shape{10000, 32, 32, 3}));
  EXPECT_EQ(test.x.dim(0), 2000);
  EXPECT_EQ(total(test.x), 739896568);  // numpy
}

TEST(Datasets, CifarReadsTheWholeSetFromItsFiles) {
  Scratch dir;
  std::string record = '\3' + std::string(1024, '\1') + std::string(1024, '\2') + std::string(1024, '\xff');
  for (int i = 1; i <= 5; ++i) dir.write("cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin", record);
  dir.write("cifar-10-batches-bin/test_batch.bin", record + record);
  auto [train, test] = datasets::cifar10({.dir = dir.path("")});
  EXPECT_EQ(train.x.shape(), (Shape{5, 32, 32, 3}));
  EXPECT_EQ(test.x.shape(), (Shape{2, 32, 32, 3}));
  EXPECT_EQ(test.x.item(0), static_cast<float>(1) / 255.0f);
  EXPECT_EQ(test.x.item(2), 1);
  EXPECT_EQ(test.y.to_vector(), (std::vector<float>{3, 3}));
}

TEST(Datasets, SequencesShareOneLength) {
  GLIA_REAL_FILE(path, "series_tab/uea_ucr/JapaneseVowels_TRAIN.ts");
  auto [train, test] = datasets::japanese_vowels({.dir = path.substr(0, path.rfind("/series_tab/"))});
  EXPECT_EQ(train.x.shape(), (Shape{270, 29, 12}));
  EXPECT_EQ(test.x.shape(), (Shape{370, 29, 12}));
  EXPECT_NEAR(total(test.x), -2146.513430, 1e-3);
}

TEST(Datasets, SearchGoesThroughTheEnvironmentFirst) {
  Scratch dir;
  Env data("GLIA_DATA_DIR", dir.path(""));
  dir.write("tinyshakespeare/input.txt", "short");
  EXPECT_EQ(datasets::tiny_shakespeare(), "short");
  EXPECT_TRUE(datasets::available("tiny_shakespeare"));
  EXPECT_TRUE(datasets::available("digits"));
  EXPECT_HAS(error_of([] { datasets::available("minst"); }), "Did you mean 'mnist'?");
}

TEST(Datasets, TheErrorNamesEveryPlace) {
  Scratch dir;
  Env data("GLIA_DATA_DIR", dir.path("data")), cache("XDG_CACHE_HOME", dir.path("cache")), offline("GLIA_OFFLINE", "1");
  std::string message = error_of([] { datasets::fashion_mnist(); });
  EXPECT_HAS(message, "Fashion-MNIST was not found");
  EXPECT_HAS(message, "train-images-idx3-ubyte.gz");
  EXPECT_HAS(message, dir.path("data/fashion_mnist"));
  EXPECT_HAS(message, dir.path("cache/glia/fashion_mnist"));
  EXPECT_HAS(message, "GLIA_OFFLINE is set");
  EXPECT_HAS(error_of([] { datasets::fashion_mnist({.download = false}); }), "Options::download is false");
}

TEST(Datasets, DownloadsIntoTheCacheAndChecksTheSum) {
  Scratch dir;
  if (data::download("file:///dev/null", dir.path("x"), "") == "Glia was built without libcurl") {
    GTEST_SKIP() << "built without libcurl";
  }
  std::string body = "some data";
  std::string url = "file://" + dir.write("origin/a.txt", body);
  Env nowhere("GLIA_DATA_DIR", dir.path("nothing")), cache("XDG_CACHE_HOME", dir.path("cache")), on("GLIA_OFFLINE", "0");
  data::FileSet set{"Thing", {"glia_test_thing"}, {{{"a.txt"}, {url}, "00"}}};
  EXPECT_HAS(error_of([&] { data::locate(set, {}); }), "expected 00; it was thrown away");
  EXPECT_FALSE(std::filesystem::exists(dir.path("cache/glia/glia_test_thing/a.txt")));
  set.files[0].sha256 = data::sha256_hex(body.data(), body.size());
  EXPECT_EQ(data::locate(set, {})[0].string(), dir.path("cache/glia/glia_test_thing/a.txt"));
  std::filesystem::remove(dir.path("origin/a.txt"));
  EXPECT_EQ(data::locate(set, {}).size(), 1u);  // from the cache now
  set.files[0].names = {"b.txt"};
  EXPECT_HAS(error_of([&] { data::locate(set, {}); }), "origin/a.txt: ");
}

}  // namespace glia
