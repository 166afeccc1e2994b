// keras.utils against what Keras 3.15.1 computed (shared/parity/util.jsonl.gz), and what Keras does not say.
#include <glia/utils.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/file/byte_reader.h"
#include "data/test_files.h"

namespace glia {
using nlohmann::json;
using test::error_of;

static Tensor tensor_of(const json& j) {
  if (j.is_null()) return {};
  Tensor t(j.at("shape").get<Shape>(), dtype_from_name(j.at("dtype").get<std::string>()));
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, j.at("v")[static_cast<std::size_t>(i)].get<double>());
  return t;
}

static void expect_equal(const Tensor& got, const json& want, const json& tol, const std::string& id) {
  ASSERT_EQ(got.shape(), want.at("shape").get<Shape>()) << id;
  for (int64_t i = 0; i < got.size(); ++i) {
    double w = want.at("v")[static_cast<std::size_t>(i)].get<double>();
    ASSERT_NEAR(got.item(i), w, tol.at("atol").get<double>() + tol.at("rtol").get<double>() * std::abs(w)) << id << " " << i;
  }
}

static void run_pad_sequences(const json& line, const json& kw) {
  utils::PadSequencesOptions o{.padding = kw.at("padding"), .truncating = kw.at("truncating")};
  if (!kw.at("maxlen").is_null()) o.maxlen = kw.at("maxlen");
  Tensor got = utils::pad_sequences(line.at("args")[0].get<std::vector<std::vector<int64_t>>>(), o);
  EXPECT_EQ(dtype_name(got.dtype()), line.at("result").at("dtype").get<std::string>());
  expect_equal(got, line.at("result"), line.at("tol"), line.at("id"));
}

static void run_timeseries(const json& line, const json& kw) {
  utils::TimeseriesOptions o{.sequence_length = kw.at("sequence_length")};
  for (auto& [key, value] : kw.items()) {
    if (key == "sampling_rate") o.sampling_rate = value;
    else if (key == "sequence_stride") o.sequence_stride = value;
    else if (key == "batch_size") o.batch_size = value.is_null() ? 0 : value.get<int64_t>();
    else ASSERT_EQ(key, "sequence_length") << line.at("id");
  }
  Dataset d = utils::timeseries_dataset_from_array(tensor_of(line.at("args")[0]), tensor_of(line.at("args")[1]), o);
  std::size_t n = 0;
  for (const Batch& b : d) {
    ASSERT_LT(n, line.at("result").size());
    const json& want = line.at("result")[n++];
    expect_equal(b.x[0], want[0], line.at("tol"), line.at("id"));
    ASSERT_EQ(b.y.size() + 1, want.size());
    if (!b.y.empty()) expect_equal(b.y[0], want[1], line.at("tol"), line.at("id"));
  }
  EXPECT_EQ(n, line.at("result").size());
  EXPECT_EQ(d.cardinality(), static_cast<int64_t>(n));
}

static void run_split(const json& line, const json& kw) {
  utils::SplitOptions o;
  auto size = [](const json& j) -> utils::SplitSize {
    if (j.is_number_integer()) return j.get<int64_t>();
    return j.get<double>();
  };
  if (kw.contains("left_size")) o.left_size = size(kw["left_size"]);
  if (kw.contains("right_size")) o.right_size = size(kw["right_size"]);
  auto [left, right] = utils::split_dataset(Dataset::from_tensors(tensor_of(line.at("args")[0])), o);
  Batch b;
  ASSERT_TRUE(left.batch(1000).open(0)(b));
  expect_equal(b.x[0], line.at("result")[0], line.at("tol"), line.at("id"));
  ASSERT_TRUE(right.batch(1000).open(0)(b));
  expect_equal(b.x[0], line.at("result")[1], line.at("tol"), line.at("id"));
}

TEST(Utils, AgreeWithKeras) {
  std::string path = std::string(GLIA_SHARED_DIR) + "/parity/util.jsonl.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not on this machine";
  std::istringstream lines(io::read_whole(path));
  int ran = 0;
  for (std::string text; std::getline(lines, text); ++ran) {
    json line = json::parse(text);
    std::string fn = line.at("fn"), id = line.at("id");
    const json& kw = line.at("kwargs");
    if (fn == "to_categorical") {
      utils::ToCategoricalOptions o{.dtype = DType::f64};
      if (!kw.at("num_classes").is_null()) o.num_classes = kw.at("num_classes");
      expect_equal(utils::to_categorical(tensor_of(line.at("args")[0]), o), line.at("result"), line.at("tol"), id);
    } else if (fn == "normalize") {
      expect_equal(utils::normalize(tensor_of(line.at("args")[0]), {.axis = kw.at("axis"), .order = kw.at("order")}),
                   line.at("result"), line.at("tol"), id);
    } else if (fn == "pad_sequences") {
      run_pad_sequences(line, kw);
    } else if (fn == "timeseries_dataset_from_array") {
      run_timeseries(line, kw);
    } else if (fn == "split_dataset") {
      run_split(line, kw);
    } else {
      ASSERT_EQ(fn, "to_snake_case");
      EXPECT_EQ(utils::to_snake_case(line.at("args")[0].get<std::string>()), line.at("result")) << id;
    }
  }
  EXPECT_GE(ran, 27);
}

TEST(Utils, ToCategoricalChecksIds) {
  Tensor y = Tensor::from({3}, {0, 2, 1}, DType::u8);
  EXPECT_EQ(utils::to_categorical(y).dtype(), DType::f32);
  EXPECT_HAS(error_of([&] { utils::to_categorical(y, {.num_classes = 2}); }), "the id 2 at position 1 is outside 0 to 1");
  EXPECT_HAS(error_of([] { utils::to_categorical(Tensor::from({1}, {-1}, DType::i32)); }), "the id -1");
  EXPECT_HAS(error_of([] { utils::to_categorical(Tensor::zeros({0})); }), "Give num_classes");
  EXPECT_EQ(utils::to_categorical(Tensor::zeros({0}), {.num_classes = 4}).shape(), (Shape{0, 4}));
}

TEST(Utils, PadSequencesTakesTensorsWithMoreAxes) {
  Tensor a = Tensor::from({1, 2}, {1, 2}), b = Tensor::from({3, 2}, {3, 4, 5, 6, 7, 8});
  Tensor out = utils::pad_sequences({a, b}, {.maxlen = 2, .dtype = DType::f32, .padding = "post", .value = -1});
  EXPECT_EQ(out.shape(), (Shape{2, 2, 2}));
  EXPECT_EQ(out.to_vector(), (std::vector<float>{1, 2, -1, -1, 5, 6, 7, 8}));
  EXPECT_EQ(utils::pad_sequences({{1, 2, 3}, {4}}, {.maxlen = 2, .truncating = "post"}).to_vector(),
            (std::vector<float>{1, 2, 0, 4}));
  EXPECT_HAS(error_of([&] { utils::pad_sequences({a, Tensor::zeros({2, 3})}); }), "sequence 1 has shape (2, 3)");
  EXPECT_HAS(error_of([&] { utils::pad_sequences({a}, {.padding = "left"}); }), "Received \"left\"");
}

TEST(Utils, NormalizeKeepsZerosAndKnowsInfinity) {
  Tensor x = Tensor::from({2, 2}, {3, -4, 0, 0});
  EXPECT_EQ(utils::normalize(x).to_vector(), (std::vector<float>{0.6f, -0.8f, 0, 0}));
  EXPECT_EQ(utils::normalize(x, {.axis = 0}).to_vector(), (std::vector<float>{1, -1, 0, 0}));
  EXPECT_EQ(utils::normalize(x, {.order = std::numeric_limits<double>::infinity()}).item(0), 0.75);
  EXPECT_HAS(error_of([&] { utils::normalize(x, {.axis = 2}); }), "axis 2 does not exist in shape (2, 2)");
}

TEST(Utils, SplitDatasetShufflesOnceAndDisjoint) {
  Tensor x({10});
  for (int64_t i = 0; i < 10; ++i) x.set_item(i, static_cast<double>(i));
  auto [left, right] = utils::split_dataset(Dataset::from_tensors(x), {.left_size = 7, .shuffle = true, .seed = 3});
  std::set<double> seen;
  std::vector<double> first;
  for (auto* part : {&left, &right}) {
    for (const Batch& b : *part) seen.insert(b.x[0].item()), first.push_back(b.x[0].item());
  }
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  Dataset d = Dataset::from_tensors(x);
  EXPECT_HAS(error_of([&] { utils::split_dataset(d, {}); }), "give left_size or right_size");
  EXPECT_HAS(error_of([&] { utils::split_dataset(d, {.left_size = 10}); }), "between 1 and 9. Received 10");
  EXPECT_HAS(error_of([&] { utils::split_dataset(d, {.left_size = 1.5}); }), "between 0 and 1. Received 1.5");
  EXPECT_HAS(error_of([&] { utils::split_dataset(d, {.left_size = 6, .right_size = 5}); }), "exceed the 10 elements");
  EXPECT_HAS(error_of([&] { utils::split_dataset(d.repeat(), {.left_size = 6}); }), "infinite");
}

TEST(Utils, TimeseriesWindowsShuffleAndSelect) {
  Tensor data({12, 2});
  for (int64_t i = 0; i < 24; ++i) data.set_item(i, static_cast<double>(i));
  Dataset d = utils::timeseries_dataset_from_array(
      data, data, {.sequence_length = 3, .sequence_stride = 2, .batch_size = 2, .start_index = 1, .end_index = 10});
  EXPECT_EQ(d.cardinality(), 2);  // windows at 1, 3, 5, 7
  Batch b;
  auto next = d.open(0);
  ASSERT_TRUE(next(b) && next(b));
  EXPECT_EQ(b.x[0].shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(b.x[0].item(0), 10);
  EXPECT_EQ(b.y[0].to_vector(), (std::vector<float>{10, 11, 14, 15}));
  EXPECT_FALSE(next(b));
  auto starts = [&](uint64_t epoch) {
    std::vector<float> out;
    auto n = utils::timeseries_dataset_from_array(data, {}, {.sequence_length = 2, .shuffle = true, .seed = 1}).open(epoch);
    n(b);
    for (int64_t i = 0; i < b.x[0].dim(0); ++i) out.push_back(static_cast<float>(b.x[0].item(i * 4)));
    return out;
  };
  EXPECT_EQ(starts(0), starts(0));
  EXPECT_NE(starts(0), starts(1));
  EXPECT_EQ(starts(0).size(), 11u);
  EXPECT_HAS(error_of([&] { utils::timeseries_dataset_from_array(data, {}, {}); }), "sequence_length must be given");
  EXPECT_HAS(error_of([&] { utils::timeseries_dataset_from_array(data, {}, {.sequence_length = 2, .start_index = 12}); }),
             "start_index must lie between 0 and 11");
}

}  // namespace glia
