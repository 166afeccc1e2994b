// Inception-ResNet version 2: inception branches whose joined result is scaled and added to the input.
#include "base/error.h"
#include "nn/layers/convnext.h"
#include "train/applications/inception.h"

namespace glia::applications {
namespace {

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
  Value x = inception_stem(in);
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
