// A function of keras.ops called by name with the arguments of a file: arrays are Values, everything else is read as a
// constant. One binding serves the op nodes of saved models and the parity vectors.
//
//   const OpBinding kSum = {"sum", "x axis keepdims", [](OpCall& c) -> Values {
//     return {ops::sum(c.value("x"), c.integers("axis"), c.flag("keepdims", false))}; }};
//   OpCall call(args, kwargs, kSum.parameters);      // JSON, arrays as {"dtype", "shape", "v"}
//   Values y = kSum.run(call);
#pragma once
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <glia/ops.h>
#include <glia/value.h>

#include "io/keras_ops/call_args.h"

namespace glia::keras_ops {

// What a number does beside an array. strong: it is an array itself, of int32, float32 or bool (most functions convert their operands
// before they promote). weak: it takes the array's dtype, whole numbers modulo its range, where the kinds agree. quotient: as weak,
// but what is not a float becomes one.
enum class Numbers { strong, weak, quotient };

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
  // Two operands as Keras converts them; see Numbers for one that is a number.
  std::pair<Value, Value> pair(std::string_view a, std::string_view b, Numbers numbers = Numbers::strong) const;
  Tensor tensor(std::string_view name) const;          // the data itself, for what must be known when tracing

  const json* find(std::string_view name) const { return args_->find(name); }
  bool has(std::string_view name) const { return args_->has(name); }
  bool is_null(std::string_view name) const { return args_->is_null(name); }
  std::vector<std::string> names() const { return args_->names(); }
  DType dtype(std::string_view name, DType fallback) const { return has(name) ? dtype_from_name(text(name)) : fallback; }
  double number(std::string_view name) const { return args_->number(name); }
  double number(std::string_view name, double fallback) const { return args_->number(name, fallback); }
  int64_t integer(std::string_view name) const { return args_->integer(name); }
  int64_t integer(std::string_view name, int64_t fallback) const { return args_->integer(name, fallback); }
  std::optional<int64_t> maybe_integer(std::string_view name) const { return args_->maybe_integer(name); }
  bool flag(std::string_view name, bool fallback) const { return args_->flag(name, fallback); }
  std::string text(std::string_view name, std::string_view fallback = "") const { return args_->text(name, fallback); }
  std::vector<int64_t> integers(std::string_view name) const { return args_->integers(name); }
  void finish(std::string_view function) const { args_->finish(function); }
  // F(x, axes, keepdims) of the arguments "x", "axis" and "keepdims". No axes at all, (), are not all of them: Keras then reduces
  // nothing, which is an axis of one entry here.
  template <class F>
  Value reduced(F&& f) const {
    const json* axis = find("axis");
    const bool keepdims = flag("keepdims", false);
    if (axis && axis->is_array() && axis->empty()) return f(ops::expand_dims(value("x"), 0), std::vector<int64_t>{0}, false);
    return f(value("x"), integers("axis"), keepdims);
  }

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

}  // namespace glia::keras_ops
