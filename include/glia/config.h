// Objects with a configuration: layers, initializers, losses, optimizers, ... Each lists its fields once, with Keras's
// names; get_config, JSON, equality and documentation derive from that list.
//
//   struct Scale : Layer {
//     double factor = 1;
//     std::string class_name() const override { return "Scale"; }
//     void fields(Fields& f) override { Layer::fields(f); f("factor", factor); }
//   };
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <glia/value.h>

namespace glia {

class Configurable;
using Ints = std::vector<int64_t>;
using Floats = std::vector<double>;
using Strings = std::vector<std::string>;
using Numbers = std::map<std::string, double>;

// An activation: a name of keras.activations, or a function of one's own. Empty means linear.
class Activation {
 public:
  Activation() = default;
  Activation(const char* name) : Activation(std::string(name)) {}  // NOLINT: names convert
  Activation(std::string name);                                    // NOLINT; throws Error for an unknown name
  Activation(std::function<Value(const Value&)> fn, std::string name = "custom") : name_(std::move(name)), fn_(std::move(fn)) {}
  Value operator()(const Value& x) const { return fn_ ? fn_(x) : x; }
  const std::string& name() const { return name_; }  // "linear" when empty
  bool is_linear() const { return name_ == "linear"; }

 private:
  std::string name_ = "linear";
  std::function<Value(const Value&)> fn_;
};

// What visits the fields: a JSON writer, a JSON reader, a comparer, a documenter. A reader changes the values.
class Fields {
 public:
  virtual ~Fields() = default;
  virtual void operator()(const char* name, bool& value) = 0;
  virtual void operator()(const char* name, int64_t& value) = 0;
  virtual void operator()(const char* name, double& value) = 0;
  virtual void operator()(const char* name, std::string& value) = 0;
  virtual void operator()(const char* name, Ints& value) = 0;       // tuples; a reader takes a single number as well
  virtual void operator()(const char* name, Floats& value) = 0;
  virtual void operator()(const char* name, Strings& value) = 0;
  virtual void operator()(const char* name, std::optional<bool>& value) = 0;   // null when empty
  virtual void operator()(const char* name, std::optional<int64_t>& value) = 0;
  virtual void operator()(const char* name, std::optional<double>& value) = 0;
  virtual void operator()(const char* name, std::optional<std::string>& value) = 0;
  virtual void operator()(const char* name, std::optional<Ints>& value) = 0;
  virtual void operator()(const char* name, std::optional<Floats>& value) = 0;
  virtual void operator()(const char* name, Activation& value) = 0;
  virtual void operator()(const char* name, Numbers& value) { (void)name, (void)value; }  // an object of numbers; a reader takes null as well
  virtual void operator()(const char* name, Tensor& value) = 0;     // nested lists; null when undefined
  // An object of kind `kind` ("layer", "initializer", "regularizer", "constraint", "loss", "metric", "optimizer",
  // "schedule"): {class_name, config}, or a name. Null when empty.
  virtual void object(const char* name, std::string_view kind, std::shared_ptr<Configurable>& value) = 0;
  virtual void objects(const char* name, std::string_view kind, std::vector<std::shared_ptr<Configurable>>& value) = 0;
  using NamedObjects = std::vector<std::pair<std::string, std::shared_ptr<Configurable>>>;
  virtual void named_objects(const char* name, std::string_view kind, NamedObjects& value) { (void)name, (void)kind, (void)value; }
  virtual bool reading() const = 0;
  // For fields of two kinds (a learning rate is a number or a schedule): whether the reader's value is an object.
  virtual bool has_object(const char* name) const { return (void)name, false; }
};

class Configurable {
 public:
  virtual ~Configurable() = default;
  virtual std::string class_name() const = 0;  // Keras's
  virtual void fields(Fields&) {}
};

// Handle to a shared object given by name or as object: Initializer("he_normal"), initializers::HeNormal({.seed = 1}).
// T::kind names the registry; resolve_object throws Error with "did you mean".
std::shared_ptr<Configurable> resolve_object(std::string_view kind, const std::string& name);

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT
  Ref(const char* name) : Ref(std::string(name)) {}  // NOLINT: names convert
  Ref(const std::string& name) {                     // NOLINT
    if (!name.empty()) ptr_ = std::static_pointer_cast<T>(resolve_object(T::kind, name));
  }
  template <class D, class = std::enable_if_t<std::is_convertible_v<D*, T*>>>
  Ref(std::shared_ptr<D> object) : ptr_(std::move(object)) {}  // NOLINT
  T* operator->() const { return ptr_.get(); }
  T& operator*() const { return *ptr_; }
  explicit operator bool() const { return ptr_ != nullptr; }
  const std::shared_ptr<T>& ptr() const { return ptr_; }
  void field(Fields& f, const char* name) {
    std::shared_ptr<Configurable> p = ptr_;
    f.object(name, T::kind, p);
    ptr_ = std::static_pointer_cast<T>(p);
  }

 private:
  std::shared_ptr<T> ptr_;
};

// Keras's serialisation: {"module": ..., "class_name": ..., "config": {...}, "registered_name": null} as JSON text.
std::string serialize(Configurable& object);
std::string get_config(Configurable& object);  // only the config
std::shared_ptr<Configurable> deserialize(std::string_view kind, const std::string& json);

// Registers a class of one's own under Keras's "package>name" or plain name, for names and files.
void register_class(std::string_view kind, const std::string& class_name, std::function<std::shared_ptr<Configurable>()> make);

}  // namespace glia
