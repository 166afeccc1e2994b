// FeatureSpace against Keras's. Golden file: tools/golden/strings.py (Keras 3.15).
#include <glia/feature_space.h>
#include <glia/layers.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/parity/json_tensor.h"

namespace glia::parity {
namespace {

using F = utils::FeatureSpace;

json line_of(const std::string& id) {
  json found;
  for_each_line(std::string(GLIA_SOURCE_DIR) + "/tests/golden/feature_space.jsonl.gz", [&](const json& line) {
    if (line["id"] == id) found = line;
  });
  return found;
}
F::Table table_of(const json& line) {
  F::Table t;
  for (const auto& [name, a] : line["table"].items())
    t[name] = is_string_array(a) ? Array(StringTensor(to_shape(a["shape"]), a["v"].get<Strings>())) : Array(to_tensor(a));
  return t;
}
void expect_equal(const Tensor& got, const json& want, const std::string& where) {
  const Tensor w = to_tensor(want);
  ASSERT_EQ(got.shape(), w.shape()) << where;
  for (int64_t i = 0; i < w.size(); ++i) ASSERT_NEAR(got.item(i), w.item(i), 1e-5) << where << " element " << i;
}

F by_type() {
  return F({{"age", "float_discretized"}, {"rent", "float_normalized"}, {"job", "string_categorical"}, {"city", "string_hashed"}, {"rooms", "integer_categorical"}},
           {.crosses = {{{"job", "age"}}, {{"city", "rooms"}}}, .crossing_dim = 9, .hashing_dim = 5, .num_discretization_bins = 4});
}

TEST(FeatureSpace, JoinsFeaturesAsKeras) {
  const json line = line_of("by_type");
  F space = by_type();
  space.adapt(table_of(line));
  expect_equal(space(table_of(line)), line["encoded"], "encoded");
}

TEST(FeatureSpace, KeepsThemApartAsKeras) {
  const json line = line_of("by_factory");
  F space({{"age", F::float_rescaled(0.1, -1)},
           {"rent", F::plain_float()},
           {"rooms", F::integer_hashed(6)},
           {"job", F::string_categorical({.max_tokens = 5, .num_oov_indices = 2})},
           {"city", F::string_categorical({.output_mode = "int"})}},
          {.output_mode = "dict", .crosses = {{{"job", "city"}, 12}, {{"rooms", "job"}, 7, "int"}}});
  space.adapt(table_of(line));
  const std::map<std::string, Tensor> got = space.encode(table_of(line));
  ASSERT_EQ(got.size(), line["encoded"].size());
  for (const auto& [name, t] : got) expect_equal(t, line["encoded"].at(name), name);
}

TEST(FeatureSpace, BeginsModelsThatEatTables) {
  const json line = line_of("by_type");
  F space = by_type();
  F::Table table = table_of(line);
  space.adapt(table);
  Model model(space.get_inputs(), {layers::Dense(1, {.activation = "sigmoid"})(space.get_encoded_features())});
  model.compile({.optimizer = "adam", .loss = "binary_crossentropy"});
  Tensor y = Tensor::zeros({22, 1});
  for (int64_t i = 0; i < 22; i += 2) y.set_item(i, 1);
  const History h = model.fit(table, y, {.batch_size = 8, .epochs = 30, .verbose = 0});
  EXPECT_LT(h["loss"].back(), h["loss"].front());
  EXPECT_EQ(model.input_names(), (std::vector<std::string>{"age", "city", "job", "rent", "rooms"}));
}

template <class Fn>
std::string message(Fn&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(FeatureSpace, ErrorsSayWhatToDo) {
  EXPECT_NE(message([] { F({{"a", "flot"}}); }).find("unknown type 'flot'. Did you mean 'float'"), std::string::npos);
  EXPECT_NE(message([] { F({{"a", "float"}}, {.crosses = {{{"a", "b"}}}}); }).find("'b', which is not there"), std::string::npos);
  EXPECT_NE(message([] { F({{"a", "string_categorical"}}).get_inputs(); }).find("Call adapt(table) first"), std::string::npos);
  F space({{"a", F::string_categorical({.output_mode = "int"})}});
  EXPECT_NE(message([&] { space.adapt({{"a", StringTensor{"x"}}}); }).find("cannot be joined"), std::string::npos);
  EXPECT_NE(message([&] { space.adapt({{"b", StringTensor{"x"}}}); }).find("no column 'a'"), std::string::npos);
}

}  // namespace
}  // namespace glia::parity
