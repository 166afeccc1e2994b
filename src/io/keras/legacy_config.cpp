#include "io/keras/legacy_config.h"

#include <functional>
#include <map>
#include <string>

#include "base/error.h"

namespace glia::io::keras {
namespace {

using Names = std::map<std::string, std::string>;

bool is_spec(const json& v) { return v.is_object() && v.contains("class_name") && v["class_name"].is_string() && v.contains("config"); }

void rename(json& config, const char* from, const char* to) {
  if (!config.contains(from)) return;
  if (!config.contains(to)) config[to] = config[from];
  config.erase(from);
}

// What TensorFlow's functions are called in keras.ops, with the names of their further arguments.
struct TensorFlowOp {
  const char* module;
  const char* class_name;
  std::map<std::string, std::string> arguments;
};
const TensorFlowOp* tensorflow_op(const std::string& function) {
  static const std::map<std::string, TensorFlowOp> kOps = [] {
    const Names two{{"y", "x2"}, {"x", "x1"}};
    const Names reduce{{"axis", "axis"}, {"keepdims", "keepdims"}};
    std::map<std::string, TensorFlowOp> m;
    auto binary = [&](const char* class_name, std::initializer_list<const char*> names) {
      for (const char* n : names) m[n] = {"keras.src.ops.numpy", class_name, two};
    };
    binary("Add", {"__operators__.add", "math.add", "add"});
    binary("Subtract", {"__operators__.sub", "math.subtract", "subtract"});
    binary("Multiply", {"__operators__.mul", "math.multiply", "multiply"});
    binary("Divide", {"__operators__.truediv", "math.divide", "math.truediv", "realdiv", "divide"});
    binary("Power", {"__operators__.pow", "math.pow", "pow"});
    binary("Maximum", {"math.maximum", "maximum"});
    binary("Minimum", {"math.minimum", "minimum"});
    binary("Matmul", {"linalg.matmul", "matmul", "__operators__.matmul"});
    for (auto [name, c] : {std::pair{"math.reduce_mean", "Mean"}, {"math.reduce_sum", "Sum"}, {"math.reduce_max", "Max"}, {"math.reduce_min", "Min"}})
      m[name] = {"keras.src.ops.numpy", c, reduce};
    for (auto [name, c] : {std::pair{"math.exp", "Exp"}, {"math.log", "Log"}, {"math.sqrt", "Sqrt"}, {"math.square", "Square"}, {"math.abs", "Absolute"},
                           {"math.negative", "Negative"}, {"math.tanh", "Tanh"}, {"math.sin", "Sin"}, {"math.cos", "Cos"}})
      m[name] = {"keras.src.ops.numpy", c, {}};
    for (auto [name, c] : {std::pair{"nn.relu", "Relu"}, {"nn.relu6", "Relu6"}, {"math.sigmoid", "Sigmoid"}, {"nn.sigmoid", "Sigmoid"}, {"nn.softmax", "Softmax"},
                           {"nn.silu", "Silu"}, {"nn.swish", "Silu"}, {"nn.softplus", "Softplus"}})
      m[name] = {"keras.src.ops.nn", c, {{"axis", "axis"}}};
    m["reshape"] = {"keras.src.ops.numpy", "Reshape", {{"shape", "newshape"}}};
    m["expand_dims"] = {"keras.src.ops.numpy", "ExpandDims", {{"axis", "axis"}}};
    m["squeeze"] = {"keras.src.ops.numpy", "Squeeze", {{"axis", "axis"}}};
    m["compat.v1.squeeze"] = m["squeeze"];
    m["concat"] = {"keras.src.ops.numpy", "Concatenate", {{"axis", "axis"}}};
    m["stack"] = {"keras.src.ops.numpy", "Stack", {{"axis", "axis"}}};
    m["compat.v1.transpose"] = {"keras.src.ops.numpy", "Transpose", {{"perm", "axes"}}};
    m["transpose"] = m["compat.v1.transpose"];
    m["cast"] = {"keras.src.ops.core", "Cast", {{"dtype", "dtype"}}};
    m["clip_by_value"] = {"keras.src.ops.numpy", "Clip", {{"clip_value_min", "x_min"}, {"clip_value_max", "x_max"}}};
    return m;
  }();
  auto it = kOps.find(function);
  return it == kOps.end() ? nullptr : &it->second;
}

// A TFOpLambda becomes the op entry of keras.ops; its constants ride in the call's keyword arguments.
json modern_op(const json& spec) {
  const std::string function = spec.at("config").value("function", "");
  const TensorFlowOp* op = tensorflow_op(function);
  GLIA_CHECK(op, "'{}': the TensorFlow function tf.{} (a {}) is not supported.", spec.value("name", spec.at("config").value("name", "")), function,
             spec.at("class_name").get<std::string>());
  json r = spec;
  r["module"] = op->module;
  r["class_name"] = op->class_name;
  r["config"] = {{"name", spec["config"].value("name", "")}};
  for (json& node : r["inbound_nodes"]) {
    if (!node.is_array()) continue;
    json entries = !node.empty() && node[0].is_string() ? json::array({node}) : node;
    for (json& e : entries) {
      if (e.size() < 4 || !e[3].is_object()) continue;
      json renamed = json::object();
      for (const auto& [key, value] : e[3].items())
        if (key != "name" && op->arguments.count(key)) renamed[op->arguments.at(key)] = value;
      e[3] = renamed;
    }
    node = entries;
  }
  return r;
}

// Keras 1's options.
void rename_keras_1(const std::string& class_name, json& c) {
  rename(c, "init", "kernel_initializer");
  rename(c, "inner_init", "recurrent_initializer");
  rename(c, "inner_activation", "recurrent_activation");
  rename(c, "W_regularizer", "kernel_regularizer");
  rename(c, "b_regularizer", "bias_regularizer");
  rename(c, "U_regularizer", "recurrent_regularizer");
  rename(c, "W_constraint", "kernel_constraint");
  rename(c, "b_constraint", "bias_constraint");
  rename(c, "bias", "use_bias");
  rename(c, "nb_filter", "filters");
  rename(c, "border_mode", "padding");
  rename(c, "subsample", "strides");
  rename(c, "subsample_length", "strides");
  rename(c, "filter_length", "kernel_size");
  rename(c, "dropout_W", "dropout");
  rename(c, "dropout_U", "recurrent_dropout");
  if (!class_name.ends_with("Embedding")) rename(c, "output_dim", "units");
  if (c.contains("nb_row") && c.contains("nb_col")) c["kernel_size"] = {c["nb_row"], c["nb_col"]}, c.erase("nb_row"), c.erase("nb_col");
  if (c.contains("dim_ordering")) {
    const std::string order = c["dim_ordering"].is_string() ? c["dim_ordering"].get<std::string>() : "tf";
    c["data_format"] = order == "th" ? "channels_first" : "channels_last";
    c.erase("dim_ordering");
  }
  if (class_name == "Dropout" || class_name.rfind("Spatial", 0) == 0 || class_name.rfind("Gaussian", 0) == 0) rename(c, "p", "rate");
  if (class_name == "BatchNormalization" && c.contains("mode")) c.erase("mode"), c.erase("gamma_init"), c.erase("beta_init");
  if (class_name.find("Pooling1D") != std::string::npos) rename(c, "pool_length", "pool_size"), rename(c, "stride", "strides");
}

void modernize_layer_config(const std::string& class_name, json& c) {
  rename_keras_1(class_name, c);
  if (class_name == "LeakyReLU") rename(c, "alpha", "negative_slope");
  for (const char* key : {"max_value", "negative_slope", "threshold", "alpha"})
    if (c.contains(key) && c[key].is_array() && c[key].size() == 1 && class_name.find("ReLU") != std::string::npos) c[key] = json(c[key][0]);
  if (class_name == "GRU" || class_name == "GRUCell") {
    if (!c.contains("reset_after")) c["reset_after"] = false;  // Keras 2's default before it was written
  }
  for (const char* key : {"implementation", "input_length", "input_dim", "consume_less", "input_dtype", "time_major"})
    if (!(class_name.ends_with("Embedding") && std::string(key) == "input_dim")) c.erase(key);
  if (class_name == "MultiHeadAttention")
    for (const char* key : {"query_shape", "key_shape", "value_shape", "softmax_robust_masking"}) c.erase(key);
  if (class_name.rfind("DepthwiseConv", 0) == 0)
    for (const char* key : {"groups", "filters", "kernel_initializer", "kernel_regularizer", "kernel_constraint"}) c.erase(key);
  if (class_name.rfind("SeparableConv", 0) == 0)
    for (const char* key : {"groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint"}) c.erase(key);
  if (class_name.find("Conv") != std::string::npos && class_name.find("Transpose") != std::string::npos) c.erase("groups");
}

}  // namespace

json modern_config(const json& spec) {
  if (!is_spec(spec)) {  // lists and options: layers lie below
    if (!spec.is_structured()) return spec;
    json copy = spec;
    for (json& item : copy) item = modern_config(item);
    return copy;
  }
  std::string class_name = spec["class_name"];
  if (class_name == "TFOpLambda" || class_name == "TensorFlowOpLayer") return modern_op(spec);
  static const Names kClasses{{"CuDNNLSTM", "LSTM"}, {"CuDNNGRU", "GRU"}, {"BatchNormalizationV1", "BatchNormalization"},
                              {"Convolution1D", "Conv1D"}, {"Convolution2D", "Conv2D"}, {"Deconvolution2D", "Conv2DTranspose"},
                              {"GroupedQueryAttention", "GroupQueryAttention"}};  // the class behind the exported name
  const bool cudnn_gru = class_name == "CuDNNGRU";
  if (auto it = kClasses.find(class_name); it != kClasses.end()) class_name = it->second;
  json r = spec;
  r["class_name"] = class_name;
  for (auto& [key, value] : r.items())
    if (key != "class_name" && key != "inbound_nodes") value = modern_config(value);
  json& config = r["config"];
  if (config.is_object()) {
    if (cudnn_gru && !config.contains("reset_after")) config["reset_after"] = true;
    // Initializers and the like carry a dtype that has no meaning any more.
    if (!config.contains("name") && config.contains("dtype")) config.erase("dtype");
    if (class_name == "VarianceScaling" && config.value("distribution", "") == "normal") config["distribution"] = "truncated_normal";
    modernize_layer_config(class_name, config);
  }
  return r;
}

json modern_compile_config(const json& training) {
  json r = training;
  if (!r.contains("optimizer_config")) return nullptr;
  json optimizer = r["optimizer_config"];
  if (optimizer.is_object() && optimizer.contains("config") && optimizer["config"].is_object()) {
    json& c = optimizer["config"];
    rename(c, "lr", "learning_rate");
    for (const char* key : {"decay", "is_legacy_optimizer", "schedule_decay", "jit_compile"}) c.erase(key);
    if (c.contains("epsilon") && c["epsilon"].is_null()) c.erase("epsilon");
  }
  r["optimizer"] = optimizer;
  r.erase("optimizer_config");
  std::function<void(json&)> clean = [&](json& v) {
    if (is_spec(v) && v["config"].is_object()) {
      json& c = v["config"];
      if (c.value("reduction", "") == "auto") c["reduction"] = "sum_over_batch_size";
      if (c.contains("fn") && c["fn"].is_string() && v["class_name"] == "MeanMetricWrapper") {  // the metric by its function
        v = c["fn"];
        return;
      }
      if (c.contains("fn")) c.erase("fn");
    }
    if (v.is_structured())
      for (json& item : v) clean(item);
  };
  for (const char* key : {"loss", "metrics", "weighted_metrics"})
    if (r.contains(key)) clean(r[key]);
  return r;
}

}  // namespace glia::io::keras
