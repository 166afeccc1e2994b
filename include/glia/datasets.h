// Real datasets, ready for fit().
//
//   auto [train, test] = datasets::mnist();          // train.x float32 (60000, 28, 28, 1) in [0, 1], train.y int32
//   model.fit(train.x, train.y, {.epochs = 10});
//   auto [a, b] = datasets::digits({.size = 28});    // 1,797 embedded digits: needs no file and no network
//
// Where files are looked for, in this order (each with the folder of the dataset below it, e.g. mnist/):
//   1. GLIA_DATA_DIR, when set
//   2. shared/data beside the working directory or beside any folder above it (so ../shared/data of a checkout)
//   3. the cache: $XDG_CACHE_HOME/glia, else ~/.cache/glia
//   4. a download into the cache by libcurl, checked by SHA-256; GLIA_OFFLINE=1 forbids it
// When all fail, the Error names every place that was looked at.
#pragma once
#include <string>
#include <vector>

#include <glia/tensor.h>

namespace glia::datasets {

struct Split {
  Tensor x = {}, y = {};
};
struct TrainTest {
  Split train = {}, test = {};
};

struct Options {
  bool raw = false;      // x as stored: uint8 in 0..255 and, for grey images, without the channel axis (as Keras returns it)
  bool download = true;  // false: only local files
  std::string dir = {};       // look only here
};

// 60,000 + 10,000 grey 28x28 images of ten classes. x float32 (n, 28, 28, 1) in [0, 1]; y int32 (n,).
TrainTest mnist(const Options& options = {});
TrainTest fashion_mnist(const Options& options = {});

// 50,000 + 10,000 colour images of ten classes. x float32 (n, 32, 32, 3) in [0, 1]; y int32 (n,).
// When the whole set is not found but the class-balanced subset cifar10_train_10k.bin + cifar10_test_2k.bin is, that is
// returned (10,000 + 2,000): look at x.dim(0) when it matters.
TrainTest cifar10(const Options& options = {});

struct DigitsOptions {
  int64_t size = 8;  // height and width; other than 8: resized bilinearly, pixel centres aligned at half pixels
  bool raw = false;  // x uint8 (n, 8, 8) in 0..16
};
// 1,797 handwritten digits, 8x8 grey, embedded in the library (UCI "Optical Recognition of Handwritten Digits", test part,
// CC BY 4.0; E. Alpaydin and C. Kaynak, 1998). x float32 (n, size, size, 1) in [0, 1]; y int32 (n,).
// The first 1,437 are the train split, the last 360 the test split.
TrainTest digits(const DigitsOptions& options = {});

struct SequenceSplit {
  Tensor x = {};        // float32 (n, 29, 12), padded with 0 at the end
  Tensor y = {};        // int32 (n,): speaker 0..8
  Tensor lengths = {};  // int32 (n,): 7 to 29
};
struct SequenceTrainTest {
  SequenceSplit train = {}, test = {};
};
// Japanese Vowels (UCI / UEA archive): 270 + 370 utterances of nine speakers, twelve LPC coefficients a step. Local only.
SequenceTrainTest japanese_vowels(const Options& options = {});

// 1,115,394 characters of Shakespeare (A. Karpathy, char-rnn).
std::string tiny_shakespeare(const Options& options = {});

// Whether a dataset ("mnist", "fashion_mnist", "cifar10", "digits", "japanese_vowels", "tiny_shakespeare") can be loaded
// without a download.
bool available(const std::string& name, const Options& options = {});

}  // namespace glia::datasets
