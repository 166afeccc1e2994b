// Variable: a named tensor that a layer, metric or optimizer owns. Copies share it.
#pragma once
#include <memory>
#include <string>

#include <glia/config.h>
#include <glia/tensor.h>
#include <glia/value.h>

namespace glia {

// Fills new variables. Subclass it, or name one: "glorot_uniform".
class InitializerBase : public Configurable {
 public:
  static constexpr std::string_view kind = "initializer";
  virtual Tensor operator()(const Shape& shape, DType dtype) = 0;
};
using Initializer = Ref<InitializerBase>;

// Adds a term to the loss.
class RegularizerBase : public Configurable {
 public:
  static constexpr std::string_view kind = "regularizer";
  virtual Value operator()(const Value& x) = 0;  // scalar
};
using Regularizer = Ref<RegularizerBase>;

// Projects a weight after each update.
class ConstraintBase : public Configurable {
 public:
  static constexpr std::string_view kind = "constraint";
  virtual Value operator()(const Value& w) = 0;  // same shape
};
using Constraint = Ref<ConstraintBase>;

struct VariableOptions {
  std::string name = "variable";
  bool trainable = true;
  DType dtype = DType::f32;
  Regularizer regularizer;
  Constraint constraint;
  bool autocast = true;  // read in the layer's compute dtype inside its call; false for statistics
};

class Variable {
 public:
  Variable() = default;
  Variable(const Shape& shape, const Initializer& initializer, VariableOptions options = {});
  Variable(Tensor initial, VariableOptions options = {});

  bool defined() const { return state_ != nullptr; }
  const std::string& name() const;
  const std::string& path() const;        // "dense/kernel"; set by the layer that owns it
  const Shape& shape() const;
  DType dtype() const;
  bool trainable() const;
  void set_trainable(bool trainable) const;
  const Regularizer& regularizer() const;
  const Constraint& constraint() const;

  const Tensor& tensor() const;           // the stored data, always at the same address
  Value value() const;                    // in a traced step: the current value there; else the tensor
  void assign(const Value& v) const;      // in a traced step: the value after the step; else copies now
  bool same_as(const Variable& o) const { return state_ == o.state_; }

  struct State;
  State* state() const { return state_.get(); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace glia
