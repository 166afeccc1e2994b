#include "cli/parity/op_call.h"

#include <glia/function.h>
#include <glia/ops.h>

#include "base/error.h"

namespace glia::parity {

json OpCall::mark(const json& value) {
  if (is_array(value) && !is_string_array(value)) {
    arrays_.push_back(to_tensor(value));
    return {{"array", arrays_.size() - 1}};
  }
  if (!value.is_structured()) return value;
  json copy = value;
  for (auto& item : copy) item = mark(item);
  return copy;
}

OpCall::OpCall(const json& args, const json& kwargs, std::string_view parameters) {
  marked_args_ = mark(args);
  positional_arrays_ = arrays_.size();
  marked_kwargs_ = mark(kwargs);
  args_ = std::make_unique<CallArgs>(marked_args_, marked_kwargs_, parameters);
  for (const Tensor& t : arrays_) bound_.emplace_back(t);
}

namespace {
bool is_marked(const json& item) { return item.is_object() && item.contains("array"); }
bool is_integer_like(const json& item) { return item.is_number_integer() || item.is_boolean(); }
}  // namespace

Value OpCall::as_value(const json& item) const {
  if (is_marked(item)) return bound_.at(item["array"].get<std::size_t>());
  const DType dtype = item.is_boolean() ? DType::bool_ : item.is_number_integer() ? DType::i32 : DType::f32;
  return Value(Tensor::scalar(to_number(item), dtype));
}

Value OpCall::value(std::string_view name) const { return as_value(args_->at(name)); }

Value OpCall::maybe_value(std::string_view name) const { return has(name) ? value(name) : Value(); }

Values OpCall::values(std::string_view name) const {
  Values list;
  for (const json& item : args_->at(name)) list.push_back(as_value(item));
  return list;
}

Tensor OpCall::tensor(std::string_view name) const {
  const json& item = args_->at(name);
  if (is_marked(item)) return arrays_.at(item["array"].get<std::size_t>());
  return as_value(item).tensor();
}

std::pair<Value, Value> OpCall::pair(std::string_view a, std::string_view b) const {
  const json &ja = args_->at(a), &jb = args_->at(b);
  Value va = as_value(ja), vb = as_value(jb);
  auto weak = [](const json& number, const Value& other) {
    const bool keeps = is_float(other.dtype()) || (is_integer_like(number) && other.dtype() != DType::bool_);
    return keeps ? Value(Tensor::scalar(to_number(number), other.dtype())) : Value(Tensor::scalar(to_number(number)));
  };
  if (!is_marked(ja) && is_marked(jb)) va = weak(ja, vb);
  if (!is_marked(jb) && is_marked(ja)) vb = weak(jb, va);
  return {va, vb};
}

std::vector<Tensor> run_gradients(const std::function<Values(const Values&)>& f, const std::vector<Tensor>& inputs,
                                  const json& cotangents, const std::vector<bool>& wanted) {
  std::vector<Tensor> seeds;
  std::vector<std::size_t> seeded;
  for (std::size_t i = 0; i < cotangents.size(); ++i) {
    if (cotangents[i].is_null()) continue;
    seeds.push_back(to_tensor(cotangents[i]));
    seeded.push_back(i);
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (wanted[i]) order.push_back(i);
  if (order.empty()) return std::vector<Tensor>(inputs.size());
  Function backward = compile_function([&](const Values& all) {
    const auto split = all.begin() + static_cast<std::ptrdiff_t>(inputs.size());
    const Values x(all.begin(), split), seed_values(split, all.end());
    const Values outputs = f(x);
    Values targets, wrt;
    for (std::size_t i : seeded) targets.push_back(outputs.at(i));
    for (std::size_t i : order) wrt.push_back(x[i]);
    return gradients(targets, wrt, seed_values);
  });
  Values arguments(inputs.begin(), inputs.end());
  arguments.insert(arguments.end(), seeds.begin(), seeds.end());
  const Values got = backward(arguments);
  std::vector<Tensor> result(inputs.size());
  for (std::size_t k = 0; k < order.size(); ++k) result[order[k]] = got.at(k).tensor();
  return result;
}

namespace {

void compare_gradients(const OpBinding& binding, OpCall& call, const json& line, Check& check) {
  const json& want = line["grad_args"];
  std::vector<bool> wanted(call.arrays().size(), false);
  for (std::size_t i = 0; i < want.size() && i < wanted.size(); ++i) wanted[i] = !want[i].is_null();
  auto f = [&](const Values& x) {
    call.bind(x);
    return binding.run(call);
  };
  const std::vector<Tensor> got = run_gradients(f, call.arrays(), line.at("cotangents"), wanted);
  for (std::size_t i = 0; i < want.size(); ++i)
    if (!want[i].is_null())
      check.tensor(fmt::format("gradient of argument {}", i), got.at(i), want[i], gradient_tolerance(line));
}

}  // namespace

void run_call(const OpBinding& binding, const json& args, const json& kwargs, const json& line, Check& check) {
  OpCall call(args, kwargs, binding.parameters);
  Values outputs;
  if (binding.concrete) {
    outputs = binding.run(call);
  } else {
    Function forward = compile_function([&](const Values& x) {
      call.bind(x);
      return binding.run(call);
    });
    outputs = forward(Values(call.arrays().begin(), call.arrays().end()));
  }
  call.finish(binding.name);
  const json& want = line.at("outputs");
  check.that(outputs.size() == want.size(), "outputs", fmt::format("got {} want {}", outputs.size(), want.size()));
  for (std::size_t i = 0; i < std::min(outputs.size(), want.size()); ++i)
    check.tensor(fmt::format("output {}", i), outputs[i].tensor(), want[i], tolerance(line));
  if (line.contains("grad_args") && !line["grad_args"].is_null() && !binding.concrete)
    compare_gradients(binding, call, line, check);
}

}  // namespace glia::parity
