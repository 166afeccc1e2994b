// How a parity line calls a function over Values: arrays become inputs of a traced function, everything else is read as
// a constant. The same binding serves the forward run and the gradient.
//
//   const OpBinding kSum = {"sum", "x axis keepdims", [](OpCall& c) -> Values {
//     return {ops::sum(c.value("x"), c.integers("axis"), c.flag("keepdims", false))}; }};
//   run_call(kSum, line["args"], line["kwargs"], line, check);
#pragma once
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <glia/value.h>

#include "cli/parity/call_args.h"
#include "cli/parity/check.h"

namespace glia::parity {

// A CallArgs whose arrays are Values.
class OpCall {
 public:
  OpCall(const json& args, const json& kwargs, std::string_view parameters);

  const std::vector<Tensor>& arrays() const { return arrays_; }           // of args, then of kwargs
  std::size_t positional_arrays() const { return positional_arrays_; }
  void bind(Values values) { bound_ = std::move(values); }                // one per array

  Value value(std::string_view name) const;            // an array, or a number as a scalar
  Value maybe_value(std::string_view name) const;      // undefined Value when absent
  Values values(std::string_view name) const;          // a list of arrays or numbers
  // Two operands as Keras promotes them: a number takes the array's dtype (a float beside integers makes float32).
  std::pair<Value, Value> pair(std::string_view a, std::string_view b) const;
  Tensor tensor(std::string_view name) const;          // the data itself, for what must be known when tracing

  const json* find(std::string_view name) const { return args_->find(name); }
  bool has(std::string_view name) const { return args_->has(name); }
  double number(std::string_view name) const { return args_->number(name); }
  double number(std::string_view name, double fallback) const { return args_->number(name, fallback); }
  int64_t integer(std::string_view name) const { return args_->integer(name); }
  int64_t integer(std::string_view name, int64_t fallback) const { return args_->integer(name, fallback); }
  std::optional<int64_t> maybe_integer(std::string_view name) const { return args_->maybe_integer(name); }
  bool flag(std::string_view name, bool fallback) const { return args_->flag(name, fallback); }
  std::string text(std::string_view name, std::string_view fallback = "") const { return args_->text(name, fallback); }
  std::vector<int64_t> integers(std::string_view name) const { return args_->integers(name); }
  void finish(std::string_view function) const { args_->finish(function); }

 private:
  json mark(const json& value);  // replaces each array by {"array": index}
  Value as_value(const json& item) const;
  json marked_args_, marked_kwargs_;
  std::vector<Tensor> arrays_;
  std::size_t positional_arrays_ = 0;
  Values bound_;
  std::unique_ptr<CallArgs> args_;
};

using OpFn = Values (*)(OpCall& call);
struct OpBinding {
  std::string_view name;        // the name under keras.ops
  std::string_view parameters;  // Keras's parameter names in order
  OpFn run;
  bool concrete = false;        // runs on concrete values only (the output shape depends on the data)
};

// Runs a binding forward and, where the line gives cotangents, backward; compares outputs and grad_args.
void run_call(const OpBinding& binding, const json& args, const json& kwargs, const json& line, Check& check);

// The gradient of sum(cotangent * output) for every input, undefined where there is none. Shared with other kinds.
std::vector<Tensor> run_gradients(const std::function<Values(const Values&)>& f, const std::vector<Tensor>& inputs,
                                  const json& cotangents, const std::vector<bool>& wanted);

}  // namespace glia::parity
