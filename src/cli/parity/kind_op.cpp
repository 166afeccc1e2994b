// kind "op": functions of keras.ops, forward and gradient.
#include <glia/function.h>
#include <glia/ops.h>

#include "base/error.h"
#include "cli/parity/kinds.h"
#include "io/keras_ops/op_tables.h"

namespace glia::parity {

using keras_ops::find_op;
using keras_ops::OpBinding;
using keras_ops::OpCall;

namespace {

// The gradient of sum(cotangent * output) for every input, undefined where there is none.
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

// Runs a binding forward and, where the line gives cotangents, backward; compares outputs and grad_args.
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

}  // namespace

void run_op(const json& line, Check& check) {
  const std::string name = line.at("op").get<std::string>();
  const OpBinding* binding = find_op(name);
  if (!binding) throw Unsupported("keras.ops." + name);
  run_call(*binding, line.at("args"), line.at("kwargs"), line, check);
}

}  // namespace glia::parity
