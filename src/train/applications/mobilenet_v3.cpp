// MobileNetV3: inverted residuals, some with squeeze and excitation, and hard_swish in the later ones.
#include <glia/ops.h>

#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

Value relu(const Value& x) { return layers::ReLU()(x); }
Value hard_swish(const Value& x) { return layers::Activation("hard_swish")(x); }
Value norm(const Value& x, const std::string& name) { return batch_norm(x, name, 1e-3, 0.999, -1); }
Value pointwise(const Value& x, int64_t filters, const std::string& name) {
  return conv(x, filters, 1, {.padding = "same", .use_bias = false, .name = name});
}

struct Block {
  double expansion;
  int64_t filters, size, stride;
  bool excites, late;  // late blocks use hard_swish
};
struct Variant {
  const char* name;
  int64_t last_filters;
  std::vector<Block> blocks;  // size 5 stands for the size that the minimalistic variants replace by 3
};

Value excite(const Value& in, int64_t filters, const std::string& prefix) {
  const std::string name = prefix + "squeeze_excite_";
  Value x = layers::GlobalAveragePooling2D({.keepdims = true, .name = name + "avg_pool"})(in);
  x = conv(x, multiple_of_8(static_cast<double>(filters) * 0.25), 1, {.padding = "same", .name = name + "conv"});
  x = layers::ReLU({.name = name + "relu"})(x);
  x = conv(x, filters, 1, {.padding = "same", .name = name + "conv_1"});
  x = layers::ReLU({.max_value = 6.0})(x + 3.0) * (1.0 / 6.0);
  return layers::Multiply({.name = name + "mul"})({in, x});
}

Value inverted_residual(const Value& in, const Block& b, int64_t filters, const MobileNetV3Options& m, int number) {
  const auto act = b.late && !m.minimalistic ? hard_swish : relu;
  const std::string prefix = number ? fmt::format("expanded_conv_{}_", number) : "expanded_conv_";
  const int64_t channels = in.dim(-1), wide = multiple_of_8(static_cast<double>(channels) * b.expansion), size = m.minimalistic ? 3 : b.size;
  Value x = in;
  if (number) x = act(norm(pointwise(x, wide, prefix + "expand"), prefix + "expand_bn"));
  if (b.stride == 2) x = pad_for_stride(x, size, prefix + "depthwise_pad");
  x = layers::DepthwiseConv2D({size, size}, {.strides = {b.stride, b.stride}, .padding = b.stride == 1 ? "same" : "valid", .use_bias = false,
                                             .name = prefix + "depthwise"})(x);
  x = act(norm(x, prefix + "depthwise_bn"));
  if (b.excites && !m.minimalistic) x = excite(x, wide, prefix);
  x = norm(pointwise(x, filters, prefix + "project"), prefix + "project_bn");
  return b.stride == 1 && channels == filters ? layers::Add({.name = prefix + "add"})({in, x}) : x;
}

Model mobilenet_v3(const MobileNetV3Options& m, const Variant& v) {
  const ApplicationOptions& o = m.common;
  const Value in = Input(image_shape(o, v.name, -1, 32));
  GLIA_CHECK(m.alpha > 0, "{}: alpha must be positive. Received {}.", v.name, m.alpha);
  const auto act = m.minimalistic ? relu : hard_swish;
  Value x = in;
  if (m.include_preprocessing) x = layers::Rescaling(1.0 / 127.5, -1.0)(x);
  x = act(norm(conv(x, 16, 3, {.strides = 2, .padding = "same", .use_bias = false, .name = "conv"}), "conv_bn"));
  int number = 0;
  for (const Block& b : v.blocks) x = inverted_residual(x, b, multiple_of_8(static_cast<double>(b.filters) * m.alpha), m, number++);
  x = act(norm(pointwise(x, multiple_of_8(static_cast<double>(x.dim(-1) * 6)), "conv_1"), "conv_1_bn"));
  if (!o.include_top) return finish(o, v.name, in, pooled(x, o, {"avg_pool", "max_pool"}));
  const int64_t last = m.alpha > 1 ? multiple_of_8(static_cast<double>(v.last_filters) * m.alpha) : v.last_filters;
  x = layers::GlobalAveragePooling2D({.keepdims = true})(x);
  x = act(conv(x, last, 1, {.padding = "same", .name = "conv_2"}));
  if (m.dropout_rate > 0) x = layers::Dropout(m.dropout_rate)(x);
  x = layers::Flatten()(conv(x, o.classes, 1, {.padding = "same", .name = "logits"}));
  return finish(o, v.name, in, activation(x, o.classifier_activation.c_str(), "predictions"));
}

}  // namespace

Model MobileNetV3Small(const MobileNetV3Options& options) {
  return mobilenet_v3(options, {"MobileNetV3Small", 1024,
                                {{1, 16, 3, 2, true, false}, {72.0 / 16, 24, 3, 2, false, false}, {88.0 / 24, 24, 3, 1, false, false},
                                 {4, 40, 5, 2, true, true}, {6, 40, 5, 1, true, true}, {6, 40, 5, 1, true, true}, {3, 48, 5, 1, true, true},
                                 {3, 48, 5, 1, true, true}, {6, 96, 5, 2, true, true}, {6, 96, 5, 1, true, true}, {6, 96, 5, 1, true, true}}});
}
Model MobileNetV3Large(const MobileNetV3Options& options) {
  return mobilenet_v3(options, {"MobileNetV3Large", 1280,
                                {{1, 16, 3, 1, false, false}, {4, 24, 3, 2, false, false}, {3, 24, 3, 1, false, false}, {3, 40, 5, 2, true, false},
                                 {3, 40, 5, 1, true, false}, {3, 40, 5, 1, true, false}, {6, 80, 3, 2, false, true}, {2.5, 80, 3, 1, false, true},
                                 {2.3, 80, 3, 1, false, true}, {2.3, 80, 3, 1, false, true}, {6, 112, 3, 1, true, true}, {6, 112, 3, 1, true, true},
                                 {6, 160, 5, 2, true, true}, {6, 160, 5, 1, true, true}, {6, 160, 5, 1, true, true}}});
}

}  // namespace glia::applications
