// run_layer_test: what every layer must do, in one call.
//
//   run_layer_test([] { return layers::Dense(4, {.activation = "tanh"}); }, {{3, 5}}, {.output = {3, 4}, .weights = 2, .params = 24});
//
// Checks: configuration round trip; the shape that a functional model predicts is the one that results; weight counts; a fresh
// layer with the same configuration and weights gives the same output; gradients of a scalar loss in float64 against central differences, for inputs and weights; ten steps of gradient descent
// lower a loss.
#pragma once
#include <glia/function.h>
#include <glia/layers.h>
#include <glia/model.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>

#include "nn/trace.h"
#include "runtime/executable.h"

namespace glia {

struct LayerExpectation {
  Shape output;                 // of the first output
  size_t weights = 0;           // arrays
  int64_t params = 0;           // numbers
  bool gradient = true;         // false: not differentiable by its input
  double low = -1, high = 1;    // range of the inputs
  DType input = DType::f64;
  bool random = false;          // output differs from call to call in training
};

// The classes that were tested; more_layers_test.cpp compares them with the list of layers.
inline std::set<std::string>& tested_layers() {
  static std::set<std::string> names;
  return names;
}

inline Tensor wave_tensor(const Shape& shape, DType dtype, double low, double high, double phase) {
  Tensor t(shape, dtype);
  for (int64_t i = 0; i < t.size(); ++i) {
    double u = 0.5 + 0.5 * std::sin(12.9898 * static_cast<double>(i + 1) + phase);
    t.set_item(i, is_float(dtype) ? low + (high - low) * u : std::floor(low + (high - low) * u));
  }
  return t;
}

// Runs the layer on arrays as a traced step; returns {loss, gradients of the float inputs, gradients of the weights}.
inline std::vector<Tensor> loss_and_gradients(const LayerRef& layer, const std::vector<Tensor>& inputs) {
  Trace trace(false);
  Values in, wrt;
  for (const Tensor& t : inputs) {
    in.push_back(trace.input({t.dtype(), t.shape()}, "x"));
    if (is_float(t.dtype())) wrt.push_back(in.back());
  }
  layer->build_once([&] {
    std::vector<Shape> shapes;
    for (const Tensor& t : inputs) shapes.push_back(t.shape());
    return shapes;
  }());
  Values weights;  // before a call assigns new ones
  for (const Variable& v : layer->trainable_weights()) weights.push_back(trace.read(v));
  Value y = layer->apply(in)[0];
  Value w = wave_tensor(y.shape(), DType::f64, -1, 1, 3.0);
  Value loss = ops::sum(ops::square(ops::cast(y, DType::f64) - w));
  wrt.insert(wrt.end(), weights.begin(), weights.end());
  Values results{loss}, g = wrt.empty() ? Values{} : gradients({loss}, wrt);
  results.insert(results.end(), g.begin(), g.end());
  trace.finish(results);
  auto exe = runtime::compile(*trace.graph);
  std::vector<Tensor> feed;
  size_t next = 0;
  for (const Variable& v : trace.input_variables) feed.push_back(v.defined() ? v.tensor() : inputs[next++]);
  return exe->run(feed);
}

inline void check_gradients(const LayerRef& layer, std::vector<Tensor> inputs) {
  std::vector<Tensor> r = loss_and_gradients(layer, inputs), arrays;
  for (const Tensor& t : inputs)
    if (is_float(t.dtype())) arrays.push_back(t);
  for (const Variable& v : layer->trainable_weights()) arrays.push_back(v.tensor());
  ASSERT_EQ(r.size(), arrays.size() + 1);
  for (size_t a = 0; a < arrays.size(); ++a) {  // one random direction per array
    Tensor direction = wave_tensor(arrays[a].shape(), DType::f64, -1, 1, 0.7 + static_cast<double>(a)), start = arrays[a].clone();
    double analytic = 0;
    for (int64_t i = 0; i < direction.size(); ++i) analytic += direction.item(i) * r[a + 1].item(i);
    auto at = [&](double h) {
      for (int64_t i = 0; i < start.size(); ++i) arrays[a].set_item(i, start.item(i) + h * direction.item(i));
      double loss = loss_and_gradients(layer, inputs)[0].item();
      arrays[a].copy_from(start);
      return loss;
    };
    double h = 1e-6, numeric = (at(h) - at(-h)) / (2 * h);
    EXPECT_NEAR(analytic, numeric, 1e-5 * (1 + std::fabs(numeric))) << layer->class_name() << ", array " << a;
  }
}

inline void run_layer_test(const std::function<LayerRef()>& make, const std::vector<Shape>& shapes, const LayerExpectation& want) {
  LayerRef layer = make();
  const std::string name = layer->class_name();
  SCOPED_TRACE(name);
  tested_layers().insert(name);

  // Configuration round trip.
  std::string config = serialize(*layer);
  LayerRef again(std::static_pointer_cast<Layer>(deserialize("layer", config)));
  EXPECT_EQ(serialize(*again), config);

  // The predicted shape, the batch unknown, and the weights.
  Values symbolic;
  for (const Shape& s : shapes) symbolic.push_back(Input(Shape(s.begin() + 1, s.end()), {.dtype = want.input == DType::f64 ? DType::f32 : want.input}));
  Shape predicted = layer(symbolic).shape(), expected = want.output;
  expected[0] = -1;
  EXPECT_EQ(predicted, expected) << "predicted " << to_string(predicted);
  EXPECT_EQ(layer->weights().size(), want.weights);
  EXPECT_EQ(layer->count_params(), want.params);

  // The real shape, and gradients in float64.
  set_dtype_policy("float64");
  LayerRef wide = make();
  set_dtype_policy("float32");
  std::vector<Tensor> inputs;
  Values concrete;
  for (size_t i = 0; i < shapes.size(); ++i) {
    inputs.push_back(wave_tensor(shapes[i], want.input, want.low, want.high, static_cast<double>(i)));
    concrete.emplace_back(inputs.back());
  }
  EXPECT_EQ(wide(concrete).shape(), want.output);
  set_dtype_policy("float64");
  LayerRef copy(std::static_pointer_cast<Layer>(deserialize("layer", serialize(*wide))));
  set_dtype_policy("float32");
  copy(concrete);  // builds it with weights of its own
  copy->set_weights(wide->get_weights());
  const Tensor original = wide(concrete).tensor().clone();
  EXPECT_TRUE(copy(concrete).tensor().equals(original)) << "weights or configuration got lost";
  if (!want.gradient) return;
  check_gradients(wide, inputs);

  // Gradient descent lowers the loss.
  if (wide->trainable_weights().empty()) return;
  double before = loss_and_gradients(wide, inputs)[0].item(), after = before;
  for (int step = 0; step < 10; ++step) {
    std::vector<Tensor> r = loss_and_gradients(wide, inputs);
    std::vector<Variable> weights = wide->trainable_weights();
    size_t first = r.size() - weights.size();
    double norm = 0;
    for (size_t k = 0; k < weights.size(); ++k)
      for (int64_t i = 0; i < r[first + k].size(); ++i) norm += r[first + k].item(i) * r[first + k].item(i);
    double rate = 1e-2 / std::max(1.0, std::sqrt(norm));
    for (size_t k = 0; k < weights.size(); ++k)
      for (int64_t i = 0; i < r[first + k].size(); ++i)
        weights[k].tensor().set_item(i, weights[k].tensor().item(i) - rate * r[first + k].item(i));
  }
  after = loss_and_gradients(wide, inputs)[0].item();
  EXPECT_LT(after, before);
}

// The message of the Error that f throws; empty when it throws none.
inline std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace glia
