// Residual networks of bottleneck blocks, with the normalisation after (version 1) or before (version 2) the convolutions.
#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

Value block_v1(const Value& x, int64_t filters, int64_t stride, bool convolve_shortcut, const std::string& name) {
  Value shortcut = x;
  if (convolve_shortcut) shortcut = batch_norm(conv(x, 4 * filters, 1, {.strides = stride, .name = name + "_0_conv"}), name + "_0_bn");
  Value y = conv(x, filters, 1, {.strides = stride, .name = name + "_1_conv"});
  y = activation(batch_norm(y, name + "_1_bn"), "relu", name + "_1_relu");
  y = conv(y, filters, 3, {.padding = "same", .name = name + "_2_conv"});
  y = activation(batch_norm(y, name + "_2_bn"), "relu", name + "_2_relu");
  y = batch_norm(conv(y, 4 * filters, 1, {.name = name + "_3_conv"}), name + "_3_bn");
  return activation(layers::Add({.name = name + "_add"})({shortcut, y}), "relu", name + "_out");
}

Value block_v2(const Value& x, int64_t filters, int64_t stride, bool convolve_shortcut, const std::string& name) {
  const Value before = activation(batch_norm(x, name + "_preact_bn"), "relu", name + "_preact_relu");
  Value shortcut = x;
  if (convolve_shortcut) shortcut = conv(before, 4 * filters, 1, {.strides = stride, .name = name + "_0_conv"});
  else if (stride > 1) shortcut = layers::MaxPooling2D({1, 1}, {.strides = {stride, stride}})(x);
  Value y = conv(before, filters, 1, {.use_bias = false, .name = name + "_1_conv"});
  y = activation(batch_norm(y, name + "_1_bn"), "relu", name + "_1_relu");
  y = conv(pad(y, 1, name + "_2_pad"), filters, 3, {.strides = stride, .use_bias = false, .name = name + "_2_conv"});
  y = activation(batch_norm(y, name + "_2_bn"), "relu", name + "_2_relu");
  return layers::Add({.name = name + "_out"})({shortcut, conv(y, 4 * filters, 1, {.name = name + "_3_conv"})});
}

Model resnet(const ApplicationOptions& o, const char* name, int version, const std::vector<int>& depths) {
  const Value in = Input(image_shape(o, name, 224, 32));
  Value x = conv(pad(in, 3, "conv1_pad"), 64, 7, {.strides = 2, .name = "conv1_conv"});
  if (version == 1) x = activation(batch_norm(x, "conv1_bn"), "relu", "conv1_relu");
  x = layers::MaxPooling2D({3, 3}, {.strides = {2, 2}, .name = "pool1_pool"})(pad(x, 1, "pool1_pad"));
  for (int stage = 0; stage < 4; ++stage)
    for (int i = 1; i <= depths[stage]; ++i) {
      const std::string block = fmt::format("conv{}_block{}", stage + 2, i);
      const int64_t filters = int64_t{64} << stage;
      // Version 1 halves the image at the beginning of a stage, version 2 at its end.
      if (version == 1) x = block_v1(x, filters, i == 1 && stage > 0 ? 2 : 1, i == 1, block);
      else x = block_v2(x, filters, i == depths[stage] && stage < 3 ? 2 : 1, i == 1, block);
    }
  if (version == 2) x = activation(batch_norm(x, "post_bn"), "relu", "post_relu");
  return finish(o, name, in, classify(x, o));
}

}  // namespace

Model ResNet50(const ApplicationOptions& o) { return resnet(o, "resnet50", 1, {3, 4, 6, 3}); }
Model ResNet101(const ApplicationOptions& o) { return resnet(o, "resnet101", 1, {3, 4, 23, 3}); }
Model ResNet152(const ApplicationOptions& o) { return resnet(o, "resnet152", 1, {3, 8, 36, 3}); }
Model ResNet50V2(const ApplicationOptions& o) { return resnet(o, "resnet50v2", 2, {3, 4, 6, 3}); }
Model ResNet101V2(const ApplicationOptions& o) { return resnet(o, "resnet101v2", 2, {3, 4, 23, 3}); }
Model ResNet152V2(const ApplicationOptions& o) { return resnet(o, "resnet152v2", 2, {3, 8, 36, 3}); }

}  // namespace glia::applications
