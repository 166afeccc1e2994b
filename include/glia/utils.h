// Helpers to prepare data, with the names, argument order and defaults of keras.utils.
//
//   Tensor one_hot = utils::to_categorical(y, {.num_classes = 10});
//   Tensor ids = utils::pad_sequences({{1}, {2, 3}, {4, 5, 6}}, {.maxlen = 2});   // [[0 1] [2 3] [5 6]]
//   auto [left, right] = utils::split_dataset(Dataset::from_tensors(x, y), {.left_size = 0.8});
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <glia/dataset.h>
#include <glia/tensor.h>

namespace glia::utils {

struct ToCategoricalOptions {
  int64_t num_classes = 0;  // 0: the largest id + 1
  DType dtype = DType::f32;
};
// Class ids (any integer or float dtype, shape (...) or (..., 1)) to one-hot vectors (..., num_classes).
// Throws Error for an id outside 0 .. num_classes-1.
Tensor to_categorical(const Tensor& x, const ToCategoricalOptions& options = {});

struct PadSequencesOptions {
  int64_t maxlen = 0;  // 0: the longest sequence
  DType dtype = DType::i32;
  std::string padding = "pre";     // "pre" or "post": where the padding goes
  std::string truncating = "pre";  // "pre" or "post": which end of a longer sequence is cut
  double value = 0.0;
};
// Sequences of different lengths to one tensor (n, maxlen). Tensors may have further axes, equal for all.
Tensor pad_sequences(const std::vector<std::vector<int64_t>>& sequences, const PadSequencesOptions& options = {});
Tensor pad_sequences(const std::vector<Tensor>& sequences, const PadSequencesOptions& options = {});

struct NormalizeOptions {
  int axis = -1;
  double order = 2.0;  // >= 1, or infinity for the largest magnitude
};
// x divided by its norm along an axis; vectors of norm 0 stay 0. Floats keep their dtype, integers become float32.
// A vector of n numbers gives (1, n), as in Keras.
Tensor normalize(const Tensor& x, const NormalizeOptions& options = {});

// A fraction of the data (double, between 0 and 1) or a number of elements (int).
using SplitSize = std::variant<int64_t, double>;
struct SplitOptions {
  std::optional<SplitSize> left_size = {}, right_size = {};  // at least one; the other is the rest
  bool shuffle = false;
  uint64_t seed = 0;
};
// The first and the last part of a dataset, whose cardinality must be known.
std::pair<Dataset, Dataset> split_dataset(const Dataset& dataset, const SplitOptions& options);

struct TimeseriesOptions {
  int64_t sequence_length = 0;  // required
  int64_t sequence_stride = 1;  // between the starts of successive windows
  int64_t sampling_rate = 1;    // between the steps inside a window
  int64_t batch_size = 128;     // 0: not batched
  bool shuffle = false;         // the windows of a pass in random order
  uint64_t seed = 0;
  std::optional<int64_t> start_index = {}, end_index = {};  // use only data in [start_index, end_index)
};
// Sliding windows over data (time, ...): elements x (batch, sequence_length, ...) and, when targets are given, y: the row
// of targets where the window starts.
Dataset timeseries_dataset_from_array(const Tensor& data, const Tensor& targets, const TimeseriesOptions& options);

// "MaxPooling2D" -> "max_pooling2d": the default name of a class in models and files.
std::string to_snake_case(std::string_view name);

}  // namespace glia::utils
