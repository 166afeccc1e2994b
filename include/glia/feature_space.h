// FeatureSpace: how the columns of a table become the input of a model (keras.utils.FeatureSpace).
//
//   using F = utils::FeatureSpace;
//   F space({{"age", F::float_discretized(10)}, {"income", "float_normalized"}, {"job", "string_categorical"}},
//           {.crosses = {{{"job", "age"}}}, .crossing_dim = 64});
//   space.adapt({{"age", ages}, {"income", incomes}, {"job", jobs}});   // learns vocabularies, means and quantiles
//   Tensor x = space({{"age", ages}, {"income", incomes}, {"job", jobs}});   // float32 (rows, encoded width)
//
//   Model model(space.get_inputs(), {layers::Dense(1)(space.get_encoded_features())});   // one file that eats the raw table
//   model.fit({{"age", ages}, {"income", incomes}, {"job", jobs}}, y);
//
// The parts, their order (features by name, then crosses by name) and the layers' names are Keras's.
#pragma once
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <glia/model.h>

namespace glia::utils {

// What happens to a column: a layer of dtype `dtype` -> numbers, and how they enter the result: "int" and "float" as they are,
// "one_hot" as a vector with one entry per category.
struct Feature {
  Feature(const char* t) : type(t) {}         // NOLINT: "float", "float_rescaled", "float_normalized", "float_discretized",
  Feature(std::string t) : type(std::move(t)) {}  // NOLINT: "integer_categorical", "string_categorical", "integer_hashed", "string_hashed"
  Feature(InputDType input, LayerRef layer, std::string mode = "float")
      : dtype(input), preprocessor(std::move(layer)), output_mode(std::move(mode)) {}
  std::string type;  // stands for the factory of this name, with its defaults
  InputDType dtype = DType::f32;
  LayerRef preprocessor;
  std::string output_mode = "float";
};

// Features whose combinations are hashed into `crossing_dim` bins; 0: that of the FeatureSpace. They must be encoded as integers
// by their layers: categorical, hashed or discretized.
struct Cross {
  std::vector<std::string> feature_names;
  int64_t crossing_dim = 0;
  std::string output_mode = "one_hot";  // or "int"
};

struct FeatureSpaceOptions {
  std::string output_mode = "concat";  // one vector; "dict": one value per feature and cross
  std::vector<Cross> crosses = {};
  int64_t crossing_dim = 32;
  int64_t hashing_dim = 32;
  int64_t num_discretization_bins = 32;
};

// output_mode: "one_hot" or "int". name: of the layer, followed by "_preprocessor"; empty: a fresh one.
struct CategoricalOptions {
  std::optional<int64_t> max_tokens = {};
  int64_t num_oov_indices = 1;
  std::string output_mode = "one_hot";
  std::string name = {};
};
struct DiscretizedOptions {
  std::vector<double> bin_boundaries = {};  // given instead of learned
  std::string output_mode = "one_hot";
  std::string name = {};
};

class FeatureSpace {
 public:
  using Table = std::map<std::string, Array>;  // columns (rows,) or (rows, 1)

  static Feature plain_float(const std::string& name = "");
  static Feature float_rescaled(double scale = 1, double offset = 0, const std::string& name = "");
  static Feature float_normalized(const std::string& name = "");
  static Feature float_discretized(int64_t num_bins, DiscretizedOptions options = {});
  static Feature integer_categorical(CategoricalOptions options = {});
  static Feature string_categorical(CategoricalOptions options = {});
  static Feature integer_hashed(int64_t num_bins, const std::string& output_mode = "one_hot", const std::string& name = "");
  static Feature string_hashed(int64_t num_bins, const std::string& output_mode = "one_hot", const std::string& name = "");

  // Throws Error for no features, unknown types and modes, and crosses of unknown features.
  FeatureSpace(std::initializer_list<std::pair<std::string, Feature>> features, FeatureSpaceOptions options = {});
  explicit FeatureSpace(std::vector<std::pair<std::string, Feature>> features, FeatureSpaceOptions options = {});

  // Learns what the layers need from the columns of these names. Throws Error for a missing column.
  void adapt(const Table& table);
  // The features of rows: one tensor in output_mode "concat". Throws Error before adapt() where it is needed.
  Tensor operator()(const Table& table);
  std::map<std::string, Tensor> encode(const Table& table);  // output_mode "dict"
  // The same symbolically, for models: inputs named as the features, sorted by name.
  Values get_inputs();
  Value get_encoded_features();                        // output_mode "concat"
  std::map<std::string, Value> get_encoded_parts();    // output_mode "dict"

 private:
  struct Column {
    std::string name;
    Feature feature;
    Value input;
  };
  void build();
  Value encoded(const std::string& name, const Value& raw, const LayerRef& layer, const std::string& output_mode);
  std::vector<Tensor> run(const Table& table);
  bool learns(const Column& c) const;
  const Column& column(const std::string& name) const;

  std::vector<Column> columns_;  // by name
  FeatureSpaceOptions options_;
  std::vector<std::pair<std::string, Value>> parts_;
  Values outputs_;
  std::optional<Model> model_;  // for operator()
  bool adapted_ = false;
};

}  // namespace glia::utils
