// EfficientNet: mobile inverted bottlenecks with squeeze and excitation, scaled in width, depth and image size together.
#include <cmath>

#include <glia/initializers.h>

#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

struct Scale {
  double width, depth;
  int64_t size;
  double dropout;
};
struct Stage {
  int64_t kernel, in, out, expand, stride;
  int repeats;
};
const Stage kStages[] = {{3, 32, 16, 1, 1, 1}, {3, 16, 24, 6, 2, 2}, {5, 24, 40, 6, 2, 2}, {3, 40, 80, 6, 2, 3}, {5, 80, 112, 6, 1, 3}, {5, 112, 192, 6, 2, 4}, {3, 192, 320, 6, 1, 1}};

Initializer kernels() { return initializers::VarianceScaling({.scale = 2.0, .mode = "fan_out", .distribution = "truncated_normal"}); }
Value norm(const Value& x, const std::string& name) { return batch_norm(x, name, 1e-3); }

Value bottleneck(const Value& in, const Stage& s, double drop_rate, const std::string& name) {
  const int64_t filters = s.in * s.expand;
  auto pointwise = [&](const Value& x, int64_t n, const char* part) {
    return conv(x, n, 1, {.padding = "same", .use_bias = false, .name = name + part, .initializer = kernels()});
  };
  Value x = in;
  if (s.expand != 1) x = activation(norm(pointwise(x, filters, "expand_conv"), name + "expand_bn"), "silu", name + "expand_activation");
  if (s.stride == 2) x = pad_for_stride(x, s.kernel, name + "dwconv_pad");
  x = layers::DepthwiseConv2D({s.kernel, s.kernel}, {.strides = {s.stride, s.stride}, .padding = s.stride == 2 ? "valid" : "same",
                                                     .use_bias = false, .depthwise_initializer = kernels(), .name = name + "dwconv"})(x);
  x = activation(norm(x, name + "bn"), "silu", name + "activation");
  Value squeezed = layers::GlobalAveragePooling2D({.name = name + "se_squeeze"})(x);
  squeezed = layers::Reshape({1, 1, filters}, {.name = name + "se_reshape"})(squeezed);
  squeezed = conv(squeezed, std::max<int64_t>(1, s.in / 4), 1, {.padding = "same", .name = name + "se_reduce", .activation = "silu", .initializer = kernels()});
  squeezed = conv(squeezed, filters, 1, {.padding = "same", .name = name + "se_expand", .activation = "sigmoid", .initializer = kernels()});
  x = layers::Multiply({.name = name + "se_excite"})({x, squeezed});
  x = norm(pointwise(x, s.out, "project_conv"), name + "project_bn");
  if (s.stride != 1 || s.in != s.out) return x;
  if (drop_rate > 0) x = layers::Dropout(drop_rate, {.noise_shape = {-1, 1, 1, 1}, .name = name + "drop"})(x);
  return layers::Add({.name = name + "add"})({x, in});
}

Model efficientnet(const ApplicationOptions& o, const char* name, const Scale& scale) {
  auto width = [&](int64_t filters) {
    const double f = static_cast<double>(filters) * scale.width;
    const int64_t r = std::max<int64_t>(8, static_cast<int64_t>(f + 4) / 8 * 8);
    return static_cast<double>(r) < 0.9 * f ? r + 8 : r;
  };
  auto depth = [&](int repeats) { return static_cast<int>(std::ceil(scale.depth * repeats)); };
  const Value in = Input(image_shape(o, name, scale.size, 32));
  Value x = layers::Normalization({.axis = {3}})(layers::Rescaling(1.0 / 255.0)(in));
  x = conv(pad_for_stride(x, 3, "stem_conv_pad"), width(32), 3, {.strides = 2, .use_bias = false, .name = "stem_conv", .initializer = kernels()});
  x = activation(norm(x, "stem_bn"), "silu", "stem_activation");
  int blocks = 0, block = 0;
  for (const Stage& s : kStages) blocks += depth(s.repeats);
  for (int stage = 0; stage < 7; ++stage)
    for (int i = 0; i < depth(kStages[stage].repeats); ++i, ++block) {
      Stage s = kStages[stage];
      s.in = width(i == 0 ? s.in : s.out), s.out = width(s.out);
      if (i > 0) s.stride = 1;
      x = bottleneck(x, s, 0.2 * block / blocks, fmt::format("block{}{}_", stage + 1, static_cast<char>('a' + i)));
    }
  x = conv(x, width(1280), 1, {.padding = "same", .use_bias = false, .name = "top_conv", .initializer = kernels()});
  x = activation(norm(x, "top_bn"), "silu", "top_activation");
  return finish(o, name, in, classify(x, o, {"avg_pool", "max_pool"}, scale.dropout, initializers::VarianceScaling({.scale = 1.0 / 3.0, .mode = "fan_out", .distribution = "uniform"})));
}

}  // namespace

Model EfficientNetB0(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb0", {1.0, 1.0, 224, 0.2}); }
Model EfficientNetB1(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb1", {1.0, 1.1, 240, 0.2}); }
Model EfficientNetB2(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb2", {1.1, 1.2, 260, 0.3}); }
Model EfficientNetB3(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb3", {1.2, 1.4, 300, 0.3}); }
Model EfficientNetB4(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb4", {1.4, 1.8, 380, 0.4}); }
Model EfficientNetB5(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb5", {1.6, 2.2, 456, 0.4}); }
Model EfficientNetB6(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb6", {1.8, 2.6, 528, 0.5}); }
Model EfficientNetB7(const ApplicationOptions& o) { return efficientnet(o, "efficientnetb7", {2.0, 3.1, 600, 0.5}); }

}  // namespace glia::applications
