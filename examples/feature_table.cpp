// A table with words and numbers as it comes: the age of abalones from their sex and measures. The FeatureSpace learns how to
// encode the columns and becomes the front of the model, whose one file then takes raw rows.
//   build/release/bin/feature_table [epochs] [path of abalone.csv]
#include <glia/glia.h>

#include <cstdlib>
#include <iostream>
using namespace glia;

int main(int argc, char** argv) {
  const CsvTable csv = read_csv(argc > 2 ? argv[2] : "../shared/data/series_tab/jbrownlee/abalone.csv", {.header = false});
  using F = utils::FeatureSpace;
  const Strings measures{"length", "diameter", "height", "whole", "shucked", "viscera", "shell"};
  F::Table table{{"sex", StringTensor(csv.strings("0"))}};
  for (size_t i = 0; i < measures.size(); ++i) table[measures[i]] = csv.floats({std::to_string(i + 1)});
  const Tensor rings = csv.floats({"8"});

  std::vector<std::pair<std::string, utils::Feature>> features{{"sex", "string_categorical"}};
  for (const std::string& m : measures) features.emplace_back(m, m == "length" ? F::float_discretized(8, {.name = m}) : F::float_normalized(m));
  F space(features, {.crosses = {{{"sex", "length"}}}, .crossing_dim = 32});
  space.adapt(table);

  set_random_seed(1);
  Value h = layers::Dense(32, {.activation = "relu"})(space.get_encoded_features());
  Model model(space.get_inputs(), {layers::Dense(1)(layers::Dense(16, {.activation = "relu"})(h))});
  model.compile({.optimizer = optimizers::Adam({.learning_rate = 3e-3}), .loss = "mse", .metrics = {"mae"}});
  model.summary();
  model.fit(table, rings, {.batch_size = 64, .epochs = argc > 1 ? std::atoi(argv[1]) : 20, .validation_split = 0.2});
  model.save("abalone.keras");
}
