// The workloads of `glia-bench train` and `predict`, the same models as bench/peers/workloads.py.
//
//   const Workload& w = find_workload("cnn32");
//   Model m = w.build();
//   Tensor x = make_input(w, w.batch), y = make_labels(w, w.batch);
#pragma once
#include <glia/model.h>

#include <functional>
#include <string>
#include <vector>

namespace glia::bench {

struct Workload {
  std::string name;
  int64_t batch;
  Shape input;             // of one example
  int64_t classes;
  int64_t tokens = 0;      // above 0: the input is token ids below this
  bool label_per_step = false;
  std::function<Model()> build;
  // Multiply-adds of one example: forward, and those of the backward pass that need not be done because nothing asks for
  // the gradient of the model's input.
  double forward_macs = 0;
  double saved_macs = 0;

  double train_flops(int64_t rows) const { return 2.0 * static_cast<double>(rows) * (3.0 * forward_macs - saved_macs); }
  double predict_flops(int64_t rows) const { return 2.0 * static_cast<double>(rows) * forward_macs; }
};

const std::vector<Workload>& workloads();
const Workload& find_workload(const std::string& name);  // throws Error with "did you mean"
Tensor make_input(const Workload& w, int64_t rows);      // seeded
Tensor make_labels(const Workload& w, int64_t rows);

}  // namespace glia::bench
