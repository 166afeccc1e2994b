#include <glia/function.h>

#include <map>

#include "base/error.h"
#include "grad/grad.h"
#include "runtime/executable.h"

namespace glia {
namespace {

// Compiles f once per combination of input types and runs it.
struct Compiled {
  std::function<Values(const Values&)> f;
  std::map<std::string, std::shared_ptr<runtime::Executable>> cache;
  std::mutex mutex;

  Values operator()(const Values& args) {
    bool concrete = true;
    for (const Value& v : args) concrete &= v.is_concrete();
    if (!concrete) return f(args);  // inside another trace: inline
    std::string key;
    for (const Value& v : args) key += to_string(v.type());
    std::lock_guard<std::mutex> lock(mutex);
    auto& exe = cache[key];
    if (!exe) {
      auto g = std::make_shared<ir::Graph>();
      Values in;
      for (const Value& v : args) in.push_back(ir::add_input(g, v.type(), ""));
      g->set_outputs(f(in));
      exe = runtime::compile(*g);
    }
    std::vector<Tensor> tensors;
    for (const Value& v : args) tensors.push_back(v.tensor());
    Values out;
    for (Tensor& t : exe->run(tensors)) out.emplace_back(std::move(t));
    return out;
  }
};

}  // namespace

Function compile_function(Function f) {
  auto c = std::make_shared<Compiled>();
  c->f = std::move(f);
  return [c](const Values& args) { return (*c)(args); };
}

Function value_and_grad(std::function<Value(const Values&)> f) {
  return compile_function([f = std::move(f)](const Values& args) {
    Value y = f(args);
    GLIA_CHECK(y.defined() && y.shape().empty(), "value_and_grad: the function must return a scalar. Received {}. Reduce it, e.g. with ops::sum.",
               y.defined() ? to_string(y.type()) : "an undefined Value");
    Values wrt;
    for (const Value& a : args)
      if (is_float(a.dtype())) wrt.push_back(a);
    Values g = wrt.empty() ? Values{} : autodiff::gradients({y}, {}, wrt), out{y};
    for (size_t i = 0, k = 0; i < args.size(); ++i)
      out.push_back(is_float(args[i].dtype()) ? g[k++] : Value(Tensor::zeros(args[i].shape(), args[i].dtype())));
    return out;
  });
}

Function grad(std::function<Value(const Values&)> f) {
  Function both = value_and_grad(std::move(f));
  return [both](const Values& args) {
    Values r = both(args);
    r.erase(r.begin());
    return r;
  };
}

Values gradients(const Values& outputs, const Values& wrt, const Values& seeds) { return autodiff::gradients(outputs, seeds, wrt); }

}  // namespace glia
