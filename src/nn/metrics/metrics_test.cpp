#include <glia/metrics.h>
#include <glia/ops.h>
#include <gtest/gtest.h>

#include "nn/trace.h"
#include "runtime/executable.h"

namespace glia {
namespace {

TEST(Metrics, AccuracyByShapes) {
  auto resolved = [](Shape t, Shape p) { return resolve_metric("acc", {DType::f32, t}, {DType::f32, p}); };
  EXPECT_EQ(resolved({8, 1}, {8, 1})->class_name(), "BinaryAccuracy");
  EXPECT_EQ(resolved({8}, {8, 3})->class_name(), "SparseCategoricalAccuracy");
  EXPECT_EQ(resolved({8, 1}, {8, 3})->class_name(), "SparseCategoricalAccuracy");
  EXPECT_EQ(resolved({8, 3}, {8, 3})->class_name(), "CategoricalAccuracy");
  EXPECT_EQ(resolved({8, 3}, {8, 3})->name, "acc");
  EXPECT_EQ(resolve_metric("mse", {}, {})->name, "mse");
}

TEST(Metrics, MeanWeighsAndResets) {
  Metric m = metrics::Mean();
  m->update(Tensor::from({2}, {1, 3}), {}, Tensor::from({2}, {3, 1}));
  EXPECT_NEAR(m->result().tensor().item(), 1.5, 1e-6);
  m->update(Tensor::scalar(10));
  EXPECT_NEAR(m->result().tensor().item(), 16.0 / 5, 1e-6);
  m->reset_state();
  EXPECT_EQ(m->result().tensor().item(), 0);
}

TEST(Metrics, MaskOfPredictionsWeighs) {
  Metric m = metrics::SparseCategoricalAccuracy();
  Value p = Value(Tensor::from({1, 3, 2}, {0.9, 0.1, 0.2, 0.8, 0.9, 0.1})).with_mask(Tensor::from({1, 3}, {1, 1, 0}, DType::bool_));
  m->update(Tensor::from({1, 3}, {0, 0, 1}), p);
  EXPECT_NEAR(m->result().tensor().item(), 0.5, 1e-6);
}

// Inside a traced step the update becomes part of it, with the same result.
TEST(Metrics, TracedEqualsImmediate) {
  Tensor t = Tensor::from({6}, {0, 1, 1, 0, 1, 0}), p = Tensor::from({6}, {0.1, 0.9, 0.4, 0.35, 0.8, 0.6});
  for (const char* name : {"AUC", "Precision", "Recall", "BinaryAccuracy", "MeanSquaredError", "PrecisionAtRecall"}) {
    Metric now(name), traced(name);
    now->update(t, p);
    now->update(t, p);
    traced->build(Value(t).type(), Value(p).type());
    std::shared_ptr<runtime::Executable> step;
    std::vector<Variable> from;
    {
      Trace trace(false);
      Value ti = trace.input({DType::f32, {6}}, "t"), pi = trace.input({DType::f32, {6}}, "p");
      traced->update_state(ti, pi, {});
      trace.finish({traced->result()});
      step = runtime::compile(*trace.graph);
      from = trace.input_variables;
    }
    Tensor result;
    for (int i = 0; i < 2; ++i) {
      std::vector<Tensor> in{t, p};
      for (size_t k = 2; k < from.size(); ++k) in.push_back(from[k].tensor());
      result = step->run(in)[0];
    }
    for (size_t k = 0; k < now->variables.size(); ++k)
      EXPECT_TRUE(traced->variables[k].tensor().equals(now->variables[k].tensor())) << name << " " << k;
    EXPECT_NEAR(result.item(), now->result().tensor().item(), 1e-6) << name;
  }
}

TEST(Metrics, EdgesAsInKeras) {  // keras.md section 5
  Metric top = metrics::TopKCategoricalAccuracy({.k = 2});
  top->update(Tensor::from({1, 4}, {0, 0, 0, 1}), Tensor::full({1, 4}, 0.25));
  EXPECT_EQ(top->result().tensor().item(), 1);  // ties are hits
  Metric binary = metrics::BinaryAccuracy();
  binary->update(Tensor::from({1, 1}, {0}), Tensor::from({1, 1}, {0.5}));
  EXPECT_EQ(binary->result().tensor().item(), 1);  // 0.5 counts as 0
  Metric roc = metrics::AUC(), pr = metrics::AUC({.curve = "PR"});
  roc->update(Tensor::from({2}, {1, 1}), Tensor::from({2}, {0.2, 0.7}));
  pr->update(Tensor::from({2}, {1, 1}), Tensor::from({2}, {0.2, 0.7}));
  EXPECT_EQ(roc->result().tensor().item(), 0);
  EXPECT_NEAR(pr->result().tensor().item(), 1, 1e-6);
}

}  // namespace
}  // namespace glia
