// Calls recorded in the graph of a functional model.
#include "nn/layer_call.h"

#include <glia/layers.h>
#include <glia/model.h>
#include <gtest/gtest.h>

namespace glia {
namespace {

// States and masks are values of the graph that records the call: were they kept with the call, graph and layers would hold
// each other for ever.
TEST(LayerCall, GraphAndLayersAreFreed) {
  std::weak_ptr<Layer> layer;
  std::weak_ptr<ir::Graph> graph, absorbed;
  {
    Value x = Input({4, 3}), h = Input({2}), c = Input({2});
    graph = x.graph(), absorbed = h.graph();
    LayerRef lstm = layers::LSTM(2), attention = layers::MultiHeadAttention(1, 2);
    layer = lstm.ptr();
    Value masked = layers::Masking()(x);
    Value y = lstm(masked, {.initial_state = {h, c}});
    Value z = attention({masked, masked}, {.attention_mask = layers::Dense(4)(x)});
    Model m({x, h, c}, {y, z});
    EXPECT_EQ(m.predict_all(std::vector<Tensor>{Tensor::zeros({1, 4, 3}), Tensor::zeros({1, 2}), Tensor::zeros({1, 2})}).size(), 2u);
  }
  EXPECT_TRUE(layer.expired());
  EXPECT_TRUE(graph.expired());
  EXPECT_TRUE(absorbed.expired());
}

}  // namespace
}  // namespace glia
