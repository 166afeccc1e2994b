// The files and numbers of tests/golden/images come from Pillow and Keras: tools/golden/images.py.
#include <glia/image.h>
#include <glia/npz.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include <unistd.h>

#include "base/error.h"
#include "io/image/codec.h"

namespace glia {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(GLIA_SOURCE_DIR) / "tests/golden/images";

double largest_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(to_string(a.shape()), to_string(b.shape()));
  double worst = 0;
  for (int64_t i = 0; i < std::min(a.size(), b.size()); ++i) worst = std::max(worst, std::abs(a.item(i) - b.item(i)));
  return worst;
}
std::string bytes_of(const fs::path& p) {
  std::ifstream f(p, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(f)), {});
}

class Image : public testing::Test {
 protected:
  void SetUp() override {
    if (!utils::images_available()) GTEST_SKIP() << "built without libpng and libjpeg";
    dir_ = fs::temp_directory_path() / ("glia_image_" + std::to_string(::getpid()));
    fs::create_directories(dir_);
  }
  void TearDown() override {
    if (!dir_.empty()) fs::remove_all(dir_);
  }
  fs::path dir_;
};

TEST_F(Image, ReadsWhatPillowReads) {
  const auto want = read_npz(kGolden / "pixels.npz");
  ASSERT_GE(want.size(), 12u);
  for (auto& [key, pixels] : want) {  // "rgb.png:grayscale"
    const size_t colon = key.find(':');
    if (colon == std::string::npos) continue;
    const std::string file = key.substr(0, colon), mode = key.substr(colon + 1);
    const Tensor got = utils::load_img(kGolden / file, {.color_mode = mode});
    EXPECT_EQ(got.dtype(), DType::u8);
    // Two releases of libjpeg may round differently.
    EXPECT_LE(largest_difference(got, pixels), file.find(".jpg") != std::string::npos ? 2 : 0) << key;
  }
}

TEST_F(Image, ResizesAsKeras) {
  const auto want = read_npz(kGolden / "resized.npz");
  const Tensor image = utils::load_img(kGolden / "rgb.png");
  for (auto& [key, pixels] : want) {  // "bilinear_7x20"
    const std::string how = key.substr(0, key.find('_'));
    const Tensor got = utils::resize_image(image, pixels.dim(0), pixels.dim(1), how);
    EXPECT_LE(largest_difference(got, pixels), 1e-3) << key;
  }
}

TEST_F(Image, WrittenImagesReadBack) {
  Tensor t({9, 14, 3}, DType::u8);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, static_cast<double>(i / 3 % 14 * 18 + i % 3));
  for (const char* ending : {".png", ".bmp", ".jpg"}) {
    const std::string path = dir_ / (std::string("t") + ending);
    utils::save_img(path, t, {.quality = 98});
    EXPECT_LE(largest_difference(utils::load_img(path), t), std::string(ending) == ".jpg" ? 8 : 0) << ending;
  }
  Tensor f = Tensor::from({2, 2}, {-1, 0, 1, 3});
  utils::save_img(dir_ / "f.png", f);
  EXPECT_EQ(utils::load_img(dir_ / "f.png", {.color_mode = "grayscale"}).to_vector(),
            (std::vector<float>{0, 63, 127, 255}));
  EXPECT_THROW(utils::save_img(dir_ / "f.tiff", f), Error);
  EXPECT_THROW(utils::save_img(dir_ / "f.png", Tensor::zeros({2, 2, 5})), Error);
}

// Every truncation and every flipped bit of a small file gives an image or an Error.
TEST_F(Image, DamagedFilesAreErrors) {
  int errors = 0;
  for (const char* name : {"grey.png", "rgb.jpg", "rgb.bmp"}) {
    const std::string good = bytes_of(kGolden / name);
    ASSERT_FALSE(good.empty());
    const auto attempt = [&](const std::string& b) {
      try {
        io::decode_image({reinterpret_cast<const uint8_t*>(b.data()), b.size()}, name, {.max_bytes = 1 << 24});
      } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find(name), std::string::npos);
        ++errors;
      }
    };
    for (size_t n = 0; n < good.size(); ++n) attempt(good.substr(0, n));
    for (size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string b = good;
      b[bit / 8] = static_cast<char>(b[bit / 8] ^ (1 << bit % 8));
      attempt(b);
    }
  }
  EXPECT_GT(errors, 1000);
}

TEST_F(Image, FoldersBecomeDatasets) {
  for (int c = 0; c < 3; ++c) {
    const fs::path folder = dir_ / std::string(1, static_cast<char>('c' - c));  // c, b, a
    fs::create_directories(folder);
    for (int i = 0; i < 4 + c; ++i)
      utils::save_img(folder / (std::to_string(i) + ".png"), Tensor::full({6, 5, 3}, 20 * c + i, DType::u8));
  }
  std::ofstream(dir_ / "a" / "notes.txt") << "no image";
  const auto all =
      utils::image_dataset_from_directory(dir_, {.batch_size = 4, .image_size = {3, 4}, .shuffle = false});
  EXPECT_EQ(all.class_names, (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(all.file_paths.size(), 15u);
  int64_t row = 0;
  for (const Batch& b : all.dataset) {
    EXPECT_EQ(b.x[0].shape(), (Shape{b.y[0].dim(0), 3, 4, 3}));
    EXPECT_EQ(b.x[0].dtype(), DType::f32);
    EXPECT_EQ(b.y[0].dtype(), DType::i32);
    for (int64_t i = 0; i < b.y[0].dim(0); ++i, ++row) {
      EXPECT_EQ(b.y[0].item(i), static_cast<double>(all.labels[static_cast<size_t>(row)]));
      EXPECT_EQ(static_cast<int>(b.x[0].item(i * 36)) / 20, 2 - static_cast<int>(b.y[0].item(i)));  // a holds the 40s
    }
  }
  EXPECT_EQ(row, 15);

  std::set<std::string> seen;
  for (const char* subset : {"training", "validation"}) {
    const auto part = utils::image_dataset_from_directory(
        dir_, {.label_mode = "categorical", .seed = 5, .validation_split = 0.2, .subset = subset});
    EXPECT_EQ(part.file_paths.size(), std::string(subset) == "training" ? 12u : 3u);
    seen.insert(part.file_paths.begin(), part.file_paths.end());
    for (const Batch& b : part.dataset)
      EXPECT_EQ(b.y[0].shape(), (Shape{static_cast<int64_t>(part.file_paths.size()), 3}));
  }
  EXPECT_EQ(seen.size(), 15u);

  EXPECT_THROW(utils::image_dataset_from_directory(dir_ / "a", {}), Error);
  EXPECT_THROW(utils::image_dataset_from_directory(dir_ / "none", {}), Error);
  EXPECT_THROW(utils::image_dataset_from_directory(dir_, {.validation_split = 0.2}), Error);
  EXPECT_THROW(utils::image_dataset_from_directory(dir_, {.label_mode = "binary"}), Error);
  EXPECT_EQ(utils::image_dataset_from_directory(dir_ / "a", {.labels = ""}).file_paths.size(), 6u);
}

}  // namespace
}  // namespace glia
