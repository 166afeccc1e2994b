// MobileNet: depthwise and pointwise convolutions; version 2 with inverted residual blocks.
#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

Value relu6(const Value& x, const std::string& name) { return layers::ReLU({.max_value = 6.0, .name = name})(x); }

Value depthwise(const Value& x, int64_t stride, int64_t multiplier, const std::string& name) {
  return layers::DepthwiseConv2D({3, 3}, {.strides = {stride, stride}, .padding = stride == 1 ? "same" : "valid",
                                          .depth_multiplier = multiplier, .use_bias = false, .name = name})(x);
}

Value separable_block(Value x, int64_t filters, int64_t stride, int64_t multiplier, int block) {
  if (stride == 2) x = layers::ZeroPadding2D({{0, 1}, {0, 1}}, {.name = fmt::format("conv_pad_{}", block)})(x);
  x = depthwise(x, stride, multiplier, fmt::format("conv_dw_{}", block));
  x = relu6(batch_norm(x, fmt::format("conv_dw_{}_bn", block), 1e-3, 0.99, -1), fmt::format("conv_dw_{}_relu", block));
  x = conv(x, filters, 1, {.padding = "same", .use_bias = false, .name = fmt::format("conv_pw_{}", block)});
  return relu6(batch_norm(x, fmt::format("conv_pw_{}_bn", block), 1e-3, 0.99, -1), fmt::format("conv_pw_{}_relu", block));
}

Value norm(const Value& x, const std::string& name) { return batch_norm(x, name, 1e-3, 0.999, -1); }

Value inverted_residual(const Value& in, int64_t wanted, double alpha, int64_t stride, int64_t expansion, int block) {
  const std::string prefix = block ? fmt::format("block_{}_", block) : "expanded_conv_";
  const int64_t channels = in.dim(-1);
  const int64_t filters = multiple_of_8(static_cast<double>(static_cast<int64_t>(static_cast<double>(wanted) * alpha)));
  Value x = in;
  if (block) {
    x = conv(x, expansion * channels, 1, {.padding = "same", .use_bias = false, .name = prefix + "expand"});
    x = relu6(norm(x, prefix + "expand_BN"), prefix + "expand_relu");
  }
  if (stride == 2) x = pad_for_stride(x, 3, prefix + "pad");
  x = relu6(norm(depthwise(x, stride, 1, prefix + "depthwise"), prefix + "depthwise_BN"), prefix + "depthwise_relu");
  x = norm(conv(x, filters, 1, {.padding = "same", .use_bias = false, .name = prefix + "project"}), prefix + "project_BN");
  return channels == filters && stride == 1 ? layers::Add({.name = prefix + "add"})({in, x}) : x;
}

}  // namespace

Model MobileNet(const MobileNetOptions& m) {
  const ApplicationOptions& o = m.common;
  const Shape image = image_shape(o, "MobileNet", 224, 32);
  GLIA_CHECK(m.alpha > 0 && m.depth_multiplier > 0, "MobileNet: alpha and depth_multiplier must be positive. Received {} and {}.", m.alpha, m.depth_multiplier);
  const Value in = Input(image);
  auto scaled = [&](int64_t filters) { return static_cast<int64_t>(static_cast<double>(filters) * m.alpha); };
  Value x = conv(in, scaled(32), 3, {.strides = 2, .padding = "same", .use_bias = false, .name = "conv1"});
  x = relu6(batch_norm(x, "conv1_bn", 1e-3, 0.99, -1), "conv1_relu");
  const int64_t filters[] = {64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024};
  for (int block = 1; block <= 13; ++block)
    x = separable_block(x, scaled(filters[block - 1]), block == 2 || block == 4 || block == 6 || block == 12 ? 2 : 1, m.depth_multiplier, block);
  const std::string name = fmt::format("mobilenet_{:.2f}_{}", m.alpha, image[0] < 0 ? "None" : std::to_string(image[0]));
  if (!o.include_top) return finish(o, name, in, pooled(x, o, {}));
  x = layers::Dropout(m.dropout, {.name = "dropout"})(layers::GlobalAveragePooling2D({.keepdims = true})(x));
  x = layers::Reshape({o.classes}, {.name = "reshape_2"})(conv(x, o.classes, 1, {.padding = "same", .name = "conv_preds"}));
  return finish(o, name, in, activation(x, o.classifier_activation.c_str(), "predictions"));
}

Model MobileNetV2(const MobileNetOptions& m) {
  const ApplicationOptions& o = m.common;
  const Shape image = image_shape(o, "MobileNetV2", 224, 32);
  GLIA_CHECK(m.alpha > 0, "MobileNetV2: alpha must be positive. Received {}.", m.alpha);
  const Value in = Input(image);
  Value x = conv(in, multiple_of_8(32 * m.alpha), 3, {.strides = 2, .padding = "same", .use_bias = false, .name = "Conv1"});
  x = relu6(norm(x, "bn_Conv1"), "Conv1_relu");
  struct Stage {
    int64_t filters, stride;
    int repeats;
  };
  int block = 0;
  for (const Stage& s : {Stage{16, 1, 1}, {24, 2, 2}, {32, 2, 3}, {64, 2, 4}, {96, 1, 3}, {160, 2, 3}, {320, 1, 1}})
    for (int i = 0; i < s.repeats; ++i, ++block) x = inverted_residual(x, s.filters, m.alpha, i == 0 ? s.stride : 1, block ? 6 : 1, block);
  x = conv(x, m.alpha > 1 ? multiple_of_8(1280 * m.alpha) : 1280, 1, {.use_bias = false, .name = "Conv_1"});
  x = relu6(norm(x, "Conv_1_bn"), "out_relu");
  return finish(o, fmt::format("mobilenetv2_{:.2f}_{}", m.alpha, image[0] < 0 ? "None" : std::to_string(image[0])), in, classify(x, o, {}));
}

}  // namespace glia::applications
