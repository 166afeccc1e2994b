// Inception-ResNet version 2: inception branches whose joined result is scaled and added to the input.
#include "base/error.h"
#include "nn/layers/convnext.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

struct Step {
  int64_t filters, rows, columns, stride = 1;
};
Value unit(const Value& x, const Step& s, const char* padding = "same", const std::string& name = {}) {
  auto part = [&](const char* suffix) { return name.empty() ? name : name + suffix; };
  Value y = layers::Conv2D(s.filters, {s.rows, s.columns}, {.strides = {s.stride, s.stride}, .padding = padding, .use_bias = false, .name = name})(x);
  y = layers::BatchNormalization({.axis = {3}, .scale = false, .name = part("_bn")})(y);
  return layers::Activation("relu", {.name = part("_ac")})(y);
}
// One convolution after the other; those with a stride see no padding.
Value branch(Value x, const std::vector<Step>& steps) {
  for (const Step& s : steps) x = unit(x, s, s.stride == 1 ? "same" : "valid");
  return x;
}
Value shrink(const Value& x) { return layers::MaxPooling2D({3, 3}, {.strides = {2, 2}})(x); }
Value join(const Values& branches, const std::string& name) { return layers::Concatenate({.axis = 3, .name = name})(branches); }

// x + scale * (the branches, joined and brought back to the channels of x).
Value residual(const Value& x, const std::vector<std::vector<Step>>& steps, double factor, const std::string& name, bool relu = true) {
  Values branches;
  for (const auto& s : steps) branches.push_back(branch(x, s));
  const Value up = conv(join(branches, name + "_mixed"), x.dim(3), 1, {.padding = "same", .name = name + "_conv"});
  auto scale = std::make_shared<nn::CustomScaleLayer>();
  scale->scale = factor;
  const Value y = LayerRef(scale)({x, up});
  return relu ? activation(y, "relu", name + "_ac") : y;
}

}  // namespace

Model InceptionResNetV2(const ApplicationOptions& o) {
  const Value in = Input(image_shape(o, "InceptionResNetV2", 299, 75));
  Value x = unit(in, {32, 3, 3, 2}, "valid");
  x = unit(unit(x, {32, 3, 3}, "valid"), {64, 3, 3});
  x = unit(shrink(x), {80, 1, 1}, "valid");
  x = shrink(unit(x, {192, 3, 3}, "valid"));
  Value a = branch(x, {{96, 1, 1}}), b = branch(x, {{48, 1, 1}, {64, 5, 5}}), c = branch(x, {{64, 1, 1}, {96, 3, 3}, {96, 3, 3}});
  Value d = unit(layers::AveragePooling2D({3, 3}, {.strides = {1, 1}, .padding = "same"})(x), {64, 1, 1});
  x = join({a, b, c, d}, "mixed_5b");
  for (int i = 1; i <= 10; ++i)
    x = residual(x, {{{32, 1, 1}}, {{32, 1, 1}, {32, 3, 3}}, {{32, 1, 1}, {48, 3, 3}, {64, 3, 3}}}, 0.17, fmt::format("block35_{}", i));
  a = branch(x, {{384, 3, 3, 2}}), b = branch(x, {{256, 1, 1}, {256, 3, 3}, {384, 3, 3, 2}});
  x = join({a, b, shrink(x)}, "mixed_6a");
  for (int i = 1; i <= 20; ++i)
    x = residual(x, {{{192, 1, 1}}, {{128, 1, 1}, {160, 1, 7}, {192, 7, 1}}}, 0.1, fmt::format("block17_{}", i));
  a = branch(x, {{256, 1, 1}, {384, 3, 3, 2}}), b = branch(x, {{256, 1, 1}, {288, 3, 3, 2}});
  c = branch(x, {{256, 1, 1}, {288, 3, 3}, {320, 3, 3, 2}});
  x = join({a, b, c, shrink(x)}, "mixed_7a");
  for (int i = 1; i <= 10; ++i)
    x = residual(x, {{{192, 1, 1}}, {{192, 1, 1}, {224, 1, 3}, {256, 3, 1}}}, i < 10 ? 0.2 : 1.0, fmt::format("block8_{}", i), i < 10);
  x = unit(x, {1536, 1, 1}, "same", "conv_7b");
  return finish(o, "inception_resnet_v2", in, o.include_top ? classify(x, o) : pooled(x, o, {}));
}

}  // namespace glia::applications
