// kind "util": functions of keras.utils on plain data.
#include <glia/utils.h>

#include <map>

#include "base/error.h"
#include "cli/parity/kinds.h"

namespace glia::parity {
namespace {

void to_categorical(const json& line, Check& check) {
  CallArgs a(line["args"], line["kwargs"], "x num_classes");
  utils::ToCategoricalOptions options{.num_classes = a.integer("num_classes", 0)};
  const Tensor x = a.tensor("x");
  a.finish("to_categorical");
  // NumPy gives float64 where Glia gives float32; the numbers are 0 and 1.
  check.tensor("result", utils::to_categorical(x, options), line["result"], tolerance(line), false);
}

void pad_sequences(const json& line, Check& check) {
  CallArgs a(line["args"], line["kwargs"], "sequences maxlen dtype padding truncating value");
  utils::PadSequencesOptions options{.maxlen = a.integer("maxlen", 0),
                                     .dtype = dtype_from_name(a.text("dtype", "int32")),
                                     .padding = a.text("padding", "pre"),
                                     .truncating = a.text("truncating", "pre"),
                                     .value = a.number("value", 0.0)};
  const auto sequences = a.at("sequences").get<std::vector<std::vector<int64_t>>>();
  a.finish("pad_sequences");
  check.tensor("result", utils::pad_sequences(sequences, options), line["result"], tolerance(line));
}

void normalize(const json& line, Check& check) {
  CallArgs a(line["args"], line["kwargs"], "x axis order");
  utils::NormalizeOptions options{.axis = static_cast<int>(a.integer("axis", -1)), .order = a.number("order", 2.0)};
  const Tensor x = a.tensor("x");
  a.finish("normalize");
  check.tensor("result", utils::normalize(x, options), line["result"], tolerance(line));
}

void timeseries_dataset_from_array(const json& line, Check& check) {
  CallArgs a(line["args"], line["kwargs"],
             "data targets sequence_length sequence_stride sampling_rate batch_size shuffle seed start_index end_index");
  const bool batched = !line["kwargs"].contains("batch_size") || a.has("batch_size");
  utils::TimeseriesOptions options{.sequence_length = a.integer("sequence_length"),
                                   .sequence_stride = a.integer("sequence_stride", 1),
                                   .sampling_rate = a.integer("sampling_rate", 1),
                                   .batch_size = batched ? a.integer("batch_size", 128) : 0,
                                   .start_index = a.maybe_integer("start_index"),
                                   .end_index = a.maybe_integer("end_index")};
  const Tensor data = a.tensor("data");
  const Tensor targets = a.has("targets") ? a.tensor("targets") : Tensor();
  GLIA_CHECK(!a.flag("shuffle", false), "timeseries_dataset_from_array: shuffled vectors cannot be compared.");
  a.finish("timeseries_dataset_from_array");
  const json& want = line["result"];
  std::size_t i = 0;
  for (const Batch& batch : utils::timeseries_dataset_from_array(data, targets, options)) {
    if (i >= want.size()) break;
    check.that(batch.y.size() + 1 == want[i].size(), "targets", "one side has targets, the other has none");
    check.tensor(fmt::format("batch {} data", i), batch.x.at(0), want[i][0], tolerance(line));
    if (want[i].size() > 1 && !batch.y.empty())
      check.tensor(fmt::format("batch {} targets", i), batch.y[0], want[i][1], tolerance(line));
    ++i;
  }
  check.that(i == want.size(), "batches", fmt::format("got at least {} want {}", i, want.size()));
}

Tensor stacked(const Dataset& dataset) {
  std::vector<Tensor> rows;
  for (const Batch& one : dataset) rows.push_back(one.x.at(0));
  Shape shape = rows.empty() ? Shape{} : rows[0].shape();
  shape.insert(shape.begin(), static_cast<int64_t>(rows.size()));
  Tensor all(shape, rows.empty() ? DType::f32 : rows[0].dtype());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    all.slice(at, at + 1).reshape(rows[i].shape()).copy_from(rows[i]);
  }
  return all;
}

std::optional<utils::SplitSize> split_size(const CallArgs& a, std::string_view name) {
  const json* value = a.find(name);
  if (!value) return std::nullopt;
  if (value->is_number_integer()) return utils::SplitSize(value->get<int64_t>());
  return utils::SplitSize(value->get<double>());
}

void split_dataset(const json& line, Check& check) {
  CallArgs a(line["args"], line["kwargs"], "dataset left_size right_size shuffle seed");
  utils::SplitOptions options{.left_size = split_size(a, "left_size"), .right_size = split_size(a, "right_size")};
  GLIA_CHECK(!a.flag("shuffle", false), "split_dataset: shuffled vectors cannot be compared.");
  const Dataset all = Dataset::from_tensors(a.tensor("dataset"));
  a.finish("split_dataset");
  auto [left, right] = utils::split_dataset(all, options);
  check.tensor("left", stacked(left), line["result"][0], tolerance(line));
  check.tensor("right", stacked(right), line["result"][1], tolerance(line));
}

void to_snake_case(const json& line, Check& check) {
  CallArgs a(line["args"], line["kwargs"], "name");
  check.text("result", utils::to_snake_case(a.text("name")), line["result"].get<std::string>());
}

}  // namespace

void run_util(const json& line, Check& check) {
  static const std::map<std::string, KindFn> functions = {
      {"to_categorical", to_categorical},
      {"pad_sequences", pad_sequences},
      {"normalize", normalize},
      {"timeseries_dataset_from_array", timeseries_dataset_from_array},
      {"split_dataset", split_dataset},
      {"to_snake_case", to_snake_case},
  };
  const std::string name = line.at("fn").get<std::string>();
  const auto found = functions.find(name);
  if (found == functions.end()) throw Unsupported("keras.utils." + name);
  found->second(line, check);
}

}  // namespace glia::parity
