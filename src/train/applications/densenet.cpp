// DenseNet: within a block every layer sees the outputs of all before it.
#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

constexpr int64_t kGrowth = 32;

Value norm_relu(const Value& x, const std::string& name) { return activation(batch_norm(x, name + "_bn"), "relu", name + "_relu"); }

Value dense_layer(const Value& x, const std::string& name) {
  Value y = conv(norm_relu(x, name + "_0"), 4 * kGrowth, 1, {.use_bias = false, .name = name + "_1_conv"});
  y = conv(norm_relu(y, name + "_1"), kGrowth, 3, {.padding = "same", .use_bias = false, .name = name + "_2_conv"});
  return layers::Concatenate({.axis = 3, .name = name + "_concat"})({x, y});
}

Value transition(const Value& x, const std::string& name) {
  const Value y = conv(norm_relu(x, name), x.dim(-1) / 2, 1, {.use_bias = false, .name = name + "_conv"});
  return layers::AveragePooling2D({2, 2}, {.strides = {2, 2}, .name = name + "_pool"})(y);
}

Model densenet(const ApplicationOptions& o, const char* name, const std::vector<int>& depths) {
  const Value in = Input(image_shape(o, name, 224, 32));
  Value x = conv(pad(in, 3), 64, 7, {.strides = 2, .use_bias = false, .name = "conv1_conv"});
  x = pad(norm_relu(x, "conv1"), 1);
  x = layers::MaxPooling2D({3, 3}, {.strides = {2, 2}, .name = "pool1"})(x);
  for (int block = 0; block < 4; ++block) {
    for (int i = 1; i <= depths[block]; ++i) x = dense_layer(x, fmt::format("conv{}_block{}", block + 2, i));
    if (block < 3) x = transition(x, fmt::format("pool{}", block + 2));
  }
  return finish(o, name, in, classify(activation(batch_norm(x, "bn"), "relu", "relu"), o));
}

}  // namespace

Model DenseNet121(const ApplicationOptions& o) { return densenet(o, "densenet121", {6, 12, 24, 16}); }
Model DenseNet169(const ApplicationOptions& o) { return densenet(o, "densenet169", {6, 12, 32, 32}); }
Model DenseNet201(const ApplicationOptions& o) { return densenet(o, "densenet201", {6, 12, 48, 32}); }

}  // namespace glia::applications
