#include "nn/config_json.h"

#include <glia/layer.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/class_list.h"
#include "nn/policy.h"

namespace glia::config {
namespace {

// ---- writing ----------------------------------------------------------------------------------------------------------

json policy_json(const std::string& name) {
  if (const std::string mode = nn::quantization_mode(name); !mode.empty())
    return {{"module", "keras.dtype_policies"}, {"class_name", "QuantizedDTypePolicy"},
            {"config", {{"mode", mode}, {"source_name", nn::source_policy(name)}}}, {"registered_name", nullptr}};
  return {{"module", "keras"}, {"class_name", "DTypePolicy"}, {"config", {{"name", name}}}, {"registered_name", nullptr}};
}

bool names_a_shape(std::string_view name) {  // in shapes an unknown extent is null; elsewhere -1 is a number
  return name.size() > 6 && name.substr(name.size() - 6) == "_shape" && name != "target_shape";
}

json tensor_json(const Tensor& t, int axis = 0, int64_t offset = 0) {
  if (axis == t.rank()) return is_float(t.dtype()) ? json(t.item(offset)) : json(static_cast<int64_t>(t.item(offset)));
  int64_t stride = 1;
  for (int i = axis + 1; i < t.rank(); ++i) stride *= t.dim(i);
  json list = json::array();
  for (int64_t i = 0; i < t.dim(axis); ++i) list.push_back(tensor_json(t, axis + 1, offset + i * stride));
  return list;
}

class Writer : public Fields {
 public:
  explicit Writer(std::string_view kind) : kind_(kind) {}
  json out = json::object();

  void operator()(const char* n, bool& v) override { out[n] = v; }
  void operator()(const char* n, int64_t& v) override { out[n] = v; }
  void operator()(const char* n, double& v) override { out[n] = v; }
  void operator()(const char* n, std::string& v) override {
    const std::string_view name = n;
    if (name == "fn") out[n] = {{"module", "builtins"}, {"class_name", "function"}, {"config", v}, {"registered_name", "function"}};
    else out[n] = kind_ == "layer" && name == "dtype" ? policy_json(v) : json(v);
  }
  void operator()(const char* n, Ints& v) override {
    json list = json::array();
    for (int64_t i : v) list.push_back(i == -1 && names_a_shape(n) ? json() : json(i));
    out[n] = list;
  }
  void operator()(const char* n, Floats& v) override {
    const bool factor = std::string_view(n).find("factor") != std::string_view::npos;  // Keras refuses [0.2] there
    out[n] = factor && v.size() == 1 ? json(v[0]) : json(v);
  }
  void operator()(const char* n, Strings& v) override { out[n] = v; }
  void operator()(const char* n, std::optional<bool>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<int64_t>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<double>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<std::string>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<Ints>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<Floats>& v) override { optional(n, v); }
  void operator()(const char* n, Activation& v) override {
    if (!v.name().empty() && v.name()[0] == '{') out[n] = json::parse(v.name());
    else if (std::string_view(n) == "function") out[n] = {{"module", "builtins"}, {"class_name", "function"}, {"config", v.name()}, {"registered_name", "function"}};
    else out[n] = v.name();
  }
  void operator()(const char* n, Numbers& v) override { out[n] = v.empty() ? json() : json(v); }
  void operator()(const char* n, Tensor& v) override { out[n] = v.defined() ? tensor_json(v) : json(); }
  void object(const char* n, std::string_view, std::shared_ptr<Configurable>& v) override { out[n] = v ? to_json(*v) : json(); }
  void objects(const char* n, std::string_view, std::vector<std::shared_ptr<Configurable>>& v) override {
    json list = json::array();
    for (auto& o : v) list.push_back(to_json(*o));
    out[n] = list;
  }
  void named_objects(const char* n, std::string_view, NamedObjects& v) override {
    out[n] = json::object();
    for (auto& [key, o] : v) out[n][key] = to_json(*o);
  }
  bool reading() const override { return false; }

 private:
  template <class T>
  void optional(const char* n, std::optional<T>& v) {
    if (v) (*this)(n, *v);
    else out[n] = nullptr;
  }
  std::string_view kind_;
};

// ---- reading ----------------------------------------------------------------------------------------------------------

std::string shown(const json& v) {
  std::string s = v.dump();
  return s.size() > 80 ? s.substr(0, 77) + "..." : s;
}

double number(const json& v) {  // JSON has no infinities: Python writes Infinity, some files hold text
  if (v.is_string()) {
    const std::string s = v.get<std::string>();
    if (s == "inf" || s == "Infinity") return INFINITY;
    if (s == "-inf" || s == "-Infinity") return -INFINITY;
    if (s == "nan" || s == "NaN") return NAN;
  }
  return v.get<double>();
}

void flatten(const json& v, size_t axis, Shape& shape, std::vector<double>& flat) {
  if (!v.is_array()) {
    GLIA_CHECK(v.is_number() || v.is_boolean() || v.is_string(), "expected numbers. Received {}.", shown(v));
    flat.push_back(v.is_boolean() ? static_cast<double>(v.get<bool>()) : number(v));
    return;
  }
  if (shape.size() == axis) shape.push_back(static_cast<int64_t>(v.size()));
  GLIA_CHECK(shape[axis] == static_cast<int64_t>(v.size()), "the nested lists have different lengths.");
  for (const json& e : v) flatten(e, axis + 1, shape, flat);
}

}  // namespace

Tensor tensor_from_json(const json& v) {
  DType dtype = DType::f32;
  const json* data = &v;
  if (v.is_object()) {  // {"class_name": "__numpy__", "config": {"value": ..., "dtype": ...}}
    GLIA_CHECK(v.contains("config") && v["config"].contains("value"), "expected nested lists. Received {}.", shown(v));
    data = &v["config"]["value"];
    if (v["config"].contains("dtype")) dtype = dtype_from_name(v["config"]["dtype"].get<std::string>());
  }
  Shape shape;
  std::vector<double> flat;
  flatten(*data, 0, shape, flat);
  GLIA_CHECK(num_elements(shape) == static_cast<int64_t>(flat.size()), "the nested lists have different depths.");
  Tensor t(shape, dtype);
  for (size_t i = 0; i < flat.size(); ++i) t.set_item(static_cast<int64_t>(i), flat[i]);
  return t;
}

std::string dtype_policy_from_json(const json& v) {
  if (v.is_string()) return v.get<std::string>();
  const json& config = v.at("config");
  if (config.contains("default_policy")) return dtype_policy_from_json(config["default_policy"]);  // DTypePolicyMap
  if (config.contains("mode")) {
    GLIA_CHECK(config["mode"] == "int8", "quantized weights of mode {} are not supported; \"int8\" is.", config["mode"].dump());
    return "int8_from_" + config.value("source_name", "float32");
  }
  return config.at("name").get<std::string>();
}

namespace {

struct ModelHooks {
  std::shared_ptr<Layer> (*read)(const json&) = nullptr;
  bool (*is_model)(const std::string&) = nullptr;
  json (*write)(Layer&) = nullptr;
};
ModelHooks& model_hooks() {
  static ModelHooks hooks;
  return hooks;
}

Activation read_activation(const json& v) {
  if (v.is_null()) return {};
  if (v.is_string()) return Activation(v.get<std::string>());
  GLIA_CHECK(v.is_object(), "a Python function kept as code is never run. Save it as a registered class or a named function.");
  const std::string name = v.value("class_name", "");
  if (name == "function" && v["config"].is_string()) return Activation(v["config"].get<std::string>());
  auto layer = std::static_pointer_cast<Layer>(from_json("layer", v));  // activation=layers.ReLU(...)
  // Its name is the layer's configuration, so that it is written as it was read.
  return Activation([layer](const Value& x) { return LayerRef(layer)(x); }, to_json(*layer).dump());
}

// Keys of older or other versions that change nothing here.
const std::vector<std::string>& ignorable() {
  static const std::vector<std::string> keys{"batch_input_shape", "dynamic", "time_major", "is_legacy_optimizer",
                                             "jit_compile", "decay", "shared_object_id", "quantization_config", "ragged",
                                             "synchronized", "renorm", "use_gate", "rms_scaling"};
  return keys;
}

class Reader : public Fields {
 public:
  Reader(const json& in, std::string where) : in_(in), where_(std::move(where)) {}

  void operator()(const char* n, bool& v) override {
    read(n, "true or false", [&](const json& j) { v = j.is_number() ? j.get<double>() != 0 : j.get<bool>(); });
  }
  void operator()(const char* n, int64_t& v) override { read(n, "an integer", [&](const json& j) { v = integer(j); }); }
  void operator()(const char* n, double& v) override { read(n, "a number", [&](const json& j) { v = number(j); }); }
  void operator()(const char* n, std::string& v) override { read(n, "a string", [&](const json& j) { v = text(n, j); }); }
  void operator()(const char* n, Ints& v) override { read(n, "integers", [&](const json& j) { v = integers(j); }); }
  void operator()(const char* n, Floats& v) override { read(n, "numbers", [&](const json& j) { v = numbers(j); }); }
  void operator()(const char* n, Strings& v) override {
    read(n, "strings", [&](const json& j) { v = j.is_array() ? j.get<Strings>() : Strings{j.get<std::string>()}; });
  }
  void operator()(const char* n, std::optional<bool>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<int64_t>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<double>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<std::string>& v) override {
    auto it = in_.find(n);  // an integer among values that may be strings or integers (a mask, a token)
    if (it == in_.end() || !it->is_number_integer()) return optional(n, v);
    read(n, "a string", [&](const json& j) { v = j.dump(); });
  }
  void operator()(const char* n, std::optional<Ints>& v) override { optional(n, v); }
  void operator()(const char* n, std::optional<Floats>& v) override { optional(n, v); }
  void operator()(const char* n, Activation& v) override {
    read(n, "an activation", [&](const json& j) { v = read_activation(j); }, true);
  }
  void operator()(const char* n, Numbers& v) override {
    read(n, "an object of numbers", [&](const json& j) {
      v.clear();
      for (auto it = j.begin(); it != j.end(); ++it) v[it.key()] = number(it.value());
    });
  }
  void operator()(const char* n, Tensor& v) override {
    read(n, "nested lists of numbers", [&](const json& j) { v = j.is_null() ? Tensor() : tensor_from_json(j); }, true);
  }
  void object(const char* n, std::string_view kind, std::shared_ptr<Configurable>& v) override {
    read(n, "an object", [&](const json& j) { v = from_json(kind, j); }, true);
  }
  void objects(const char* n, std::string_view kind, std::vector<std::shared_ptr<Configurable>>& v) override {
    read(n, "a list of objects", [&](const json& j) {
      v.clear();
      for (const json& e : j) v.push_back(from_json(kind, e));
    });
  }
  void named_objects(const char* n, std::string_view kind, NamedObjects& v) override {
    read(n, "an object of objects", [&](const json& j) {
      v.clear();
      for (auto it = j.begin(); it != j.end(); ++it) v.emplace_back(it.key(), from_json(kind, it.value()));
    });
  }
  bool reading() const override { return true; }
  bool has_object(const char* n) const override {
    auto it = in_.find(n);
    return it != in_.end() && it->is_object() && it->contains("class_name");
  }

  void refuse_unknown(const std::vector<std::string>& skip) const {
    auto in_list = [](const std::vector<std::string>& list, const std::string& k) {
      return std::find(list.begin(), list.end(), k) != list.end();
    };
    for (auto it = in_.begin(); it != in_.end(); ++it) {
      const bool nothing = it.value().is_null() || (it.value().is_structured() && it.value().empty());
      if (nothing || in_list(seen_, it.key()) || in_list(skip, it.key()) || in_list(ignorable(), it.key())) continue;
      throw_error("{}: unknown configuration key '{}' with value {}.{}", where_, it.key(), shown(it.value()),
                  did_you_mean(it.key(), seen_));
    }
  }

 private:
  static int64_t integer(const json& j) {
    if (j.is_array() && j.size() == 1) return integer(j[0]);  // axis: [3]
    const double d = j.get<double>();
    if (j.is_number_float() && d != std::floor(d)) throw std::invalid_argument("fraction");
    if (!(std::abs(d) < 9.2e18)) throw std::invalid_argument("beyond 64 bits");
    return j.is_number_float() ? static_cast<int64_t>(d) : j.get<int64_t>();
  }
  static Ints integers(const json& j) {
    if (!j.is_array()) return {integer(j)};
    Ints r;
    for (const json& e : j) r.push_back(e.is_null() ? -1 : integer(e));
    return r;
  }
  static Floats numbers(const json& j) {
    if (j.is_object()) return numbers(j.at("config").at("value"));  // a tensor that Python serialised
    if (!j.is_array()) return {number(j)};
    Floats r;
    for (const json& e : j) r.push_back(number(e));
    return r;
  }
  static std::string text(std::string_view name, const json& j) {
    if (name == "dtype" && j.is_object()) return dtype_policy_from_json(j);
    if (name == "fn" && j.is_object()) return j.at("config").get<std::string>();  // a function of Keras
    return j.get<std::string>();
  }

  template <class F>
  void read(const char* n, const char* expected, F&& f, bool null_counts = false) {
    seen_.emplace_back(n);
    auto it = in_.find(n);
    if (it == in_.end() || (it->is_null() && !null_counts)) return;
    try {
      f(*it);
    } catch (const Error& e) {
      throw Error(where_ + ", '" + n + "': " + e.what());
    } catch (const std::exception&) {
      throw_error("{}: '{}' must be {}. Received {}.", where_, n, expected, shown(*it));
    }
  }
  template <class T>
  void optional(const char* n, std::optional<T>& v) {
    auto it = in_.find(n);
    if (it != in_.end() && it->is_null()) {
      seen_.emplace_back(n);
      v.reset();
      return;
    }
    T value = v.value_or(T{});
    (*this)(n, value);
    if (it != in_.end()) v = std::move(value);
  }

  const json& in_;
  std::string where_;
  std::vector<std::string> seen_;
};

}  // namespace

json config_of(Configurable& object) {
  Writer w(kind_of(object));
  object.fields(w);
  return w.out;
}

static thread_local bool lenient = false;
LenientScope::LenientScope() : before_(lenient) { lenient = true; }
LenientScope::~LenientScope() { lenient = before_; }
bool LenientScope::active() { return lenient; }

void set_model_reader(std::shared_ptr<Layer> (*read)(const json&), bool (*is_model)(const std::string&), json (*write)(Layer&)) {
  model_hooks() = {read, is_model, write};
}

json to_json(Configurable& object) {
  if (auto* layer = dynamic_cast<Layer*>(&object); layer && model_hooks().is_model && model_hooks().is_model(layer->class_name()))
    return model_hooks().write(*layer);
  const std::string name = object.class_name();
  const ClassEntry* e = find_class(kind_of(object), name);
  json j;
  j["module"] = e && !e->module.empty() ? json(e->module) : json();
  j["class_name"] = name;
  j["config"] = config_of(object);
  j["registered_name"] = e && !e->registered_name.empty() ? json(e->registered_name) : json();
  return j;
}

void read_config(Configurable& object, const json& config, const std::vector<std::string>& skip) {
  const std::string where = "config of " + object.class_name();
  GLIA_CHECK(config.is_object() || config.is_null(), "{}: expected a JSON object. Received {}.", where, shown(config));
  const json empty = json::object();
  Reader r(config.is_null() ? empty : config, where);
  object.fields(r);
  if (!LenientScope::active()) r.refuse_unknown(skip);
}

std::shared_ptr<Configurable> from_json(std::string_view kind, const json& value) {
  if (value.is_null()) return nullptr;
  if (value.is_string()) return resolve_object(kind, value.get<std::string>());
  GLIA_CHECK(value.is_object() && value.contains("class_name") && value["class_name"].is_string(),
             "A {} is written as {{\"class_name\": ..., \"config\": ...}} or as a name. Received {}.", kind, shown(value));
  const std::string name = value["class_name"].get<std::string>();
  if (name == "function" && value.contains("config") && value["config"].is_string())  // a plain function, by its name
    return resolve_object(kind, value["config"].get<std::string>());
  GLIA_CHECK(name != "__lambda__", "The {} is a pickled Python lambda, which cannot be loaded. Save it as a registered class.", kind);
  if (kind == Layer::kind && model_hooks().is_model && model_hooks().is_model(name)) return model_hooks().read(value);
  const ClassEntry* e = nullptr;
  if (value.contains("registered_name") && value["registered_name"].is_string())
    e = find_class(kind, value["registered_name"].get<std::string>());
  if (!e) e = find_class(kind, name);
  if (!e) throw_error("Unknown {} class '{}'.{} A class of your own is made known by register_class().", kind, name,
                      did_you_mean(name, known_classes(kind)));
  std::shared_ptr<Configurable> object = e->make();
  read_config(*object, value.contains("config") ? value["config"] : json());
  return object;
}

}  // namespace glia::config

namespace glia {

std::string serialize(Configurable& object) { return config::to_json(object).dump(); }
std::string get_config(Configurable& object) { return config::config_of(object).dump(); }
std::shared_ptr<Configurable> deserialize(std::string_view kind, const std::string& text) {
  auto j = config::json::parse(text, nullptr, false);
  GLIA_CHECK(!j.is_discarded(), "deserialize: not valid JSON: {}.", text.substr(0, 80));
  return config::from_json(kind, j);
}

}  // namespace glia
