// EfficientNetV2: in the first stages the bottlenecks use one plain convolution in place of a pointwise and a depthwise one.
#include <cmath>

#include <glia/initializers.h>

#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

struct Stage {
  int64_t in, out, expand, stride;
  int repeats;
  bool fused;  // fused stages have no squeeze and excitation
};
struct Variant {
  const char* name;
  double width, depth;
  int64_t size;
  bool imagenet_scaling;  // mean and deviation per channel, else -1 to 1
  std::vector<Stage> stages;
};

std::vector<Stage> b_stages() {
  return {{32, 16, 1, 1, 1, true}, {16, 32, 4, 2, 2, true}, {32, 48, 4, 2, 2, true}, {48, 96, 4, 2, 3, false}, {96, 112, 6, 1, 5, false}, {112, 192, 6, 2, 8, false}};
}

Initializer kernels() { return initializers::VarianceScaling({.scale = 2.0, .mode = "fan_out", .distribution = "truncated_normal"}); }
Value norm(const Value& x, const std::string& name) { return batch_norm(x, name, 1e-3, 0.9); }

Value excite(const Value& x, int64_t squeezed, const std::string& name) {
  const int64_t filters = x.dim(-1);
  Value se = layers::GlobalAveragePooling2D({.name = name + "se_squeeze"})(x);
  se = layers::Reshape({1, 1, filters}, {.name = name + "se_reshape"})(se);
  se = conv(se, squeezed, 1, {.padding = "same", .name = name + "se_reduce", .activation = "silu", .initializer = kernels()});
  se = conv(se, filters, 1, {.padding = "same", .name = name + "se_expand", .activation = "sigmoid", .initializer = kernels()});
  return layers::Multiply({.name = name + "se_excite"})({x, se});
}

Value bottleneck(const Value& in, const Stage& s, double drop_rate, const std::string& name) {
  auto plain = [&](const Value& x, int64_t n, int64_t size, int64_t stride, const char* part) {
    return conv(x, n, size, {.strides = stride, .padding = "same", .use_bias = false, .name = name + part, .initializer = kernels()});
  };
  const bool expands = s.expand != 1;
  Value x = in;
  if (expands) {
    x = plain(x, s.in * s.expand, s.fused ? 3 : 1, s.fused ? s.stride : 1, "expand_conv");
    x = activation(norm(x, name + "expand_bn"), "silu", name + "expand_activation");
  }
  if (!s.fused) {
    x = layers::DepthwiseConv2D({3, 3}, {.strides = {s.stride, s.stride}, .padding = "same", .use_bias = false,
                                         .depthwise_initializer = kernels(), .name = name + "dwconv2"})(x);
    x = activation(norm(x, name + "bn"), "silu", name + "activation");
    x = excite(x, std::max<int64_t>(1, s.in / 4), name);
  }
  const bool last_is_wide = s.fused && !expands;
  x = norm(plain(x, s.out, last_is_wide ? 3 : 1, last_is_wide ? s.stride : 1, "project_conv"), name + "project_bn");
  if (last_is_wide) x = activation(x, "silu", name + "project_activation");
  if (s.stride != 1 || s.in != s.out) return x;
  if (drop_rate > 0) x = layers::Dropout(drop_rate, {.noise_shape = {-1, 1, 1, 1}, .name = name + "drop"})(x);
  return layers::Add({.name = name + "add"})({x, in});
}

Model efficientnet_v2(const ApplicationOptions& o, const Variant& v) {
  auto width = [&](int64_t filters) { return std::max<int64_t>(8, static_cast<int64_t>(static_cast<double>(filters) * v.width + 4) / 8 * 8); };
  const Shape image = image_shape(o, v.name, v.size, 32);
  const Value in = Input(image);
  Value x;
  if (v.imagenet_scaling && image[2] == 3) {
    const Tensor mean = Tensor::from_vector<float>({3}, {0.485f, 0.456f, 0.406f});
    const Tensor variance = Tensor::from_vector<float>({3}, {0.229f * 0.229f, 0.224f * 0.224f, 0.225f * 0.225f});
    x = layers::Normalization({.axis = {3}, .mean = mean, .variance = variance})(layers::Rescaling(1.0 / 255)(in));
  } else {
    x = layers::Rescaling(1.0 / 128.0, -1.0)(in);
  }
  x = conv(x, width(v.stages[0].in), 3, {.strides = 2, .padding = "same", .use_bias = false, .name = "stem_conv", .initializer = kernels()});
  x = activation(norm(x, "stem_bn"), "silu", "stem_activation");
  int blocks = 0, block = 0;
  for (const Stage& s : v.stages) blocks += s.repeats;
  for (size_t stage = 0; stage < v.stages.size(); ++stage) {
    const int repeats = static_cast<int>(std::ceil(v.depth * v.stages[stage].repeats));
    for (int i = 0; i < repeats; ++i, ++block) {
      Stage s = v.stages[stage];
      s.in = width(i == 0 ? s.in : s.out), s.out = width(s.out);
      if (i > 0) s.stride = 1;
      x = bottleneck(x, s, 0.2 * block / blocks, fmt::format("block{}{}_", stage + 1, static_cast<char>('a' + i)));
    }
  }
  x = conv(x, width(1280), 1, {.padding = "same", .use_bias = false, .name = "top_conv", .initializer = kernels()});
  x = activation(norm(x, "top_bn"), "silu", "top_activation");
  if (!o.include_top) return finish(o, v.name, in, pooled(x, o, {"avg_pool", "max_pool"}));
  x = layers::Dropout(0.2, {.name = "top_dropout"})(layers::GlobalAveragePooling2D({.name = "avg_pool"})(x));
  const Initializer kernel = initializers::VarianceScaling({.scale = 1.0 / 3.0, .mode = "fan_out", .distribution = "uniform"});
  x = layers::Dense(o.classes, {.activation = o.classifier_activation, .kernel_initializer = kernel, .bias_initializer = initializers::Constant(0.0),
                                .name = "predictions"})(x);
  return finish(o, v.name, in, x);
}

}  // namespace

Model EfficientNetV2B0(const ApplicationOptions& o) { return efficientnet_v2(o, {"efficientnetv2-b0", 1.0, 1.0, 224, true, b_stages()}); }
Model EfficientNetV2B1(const ApplicationOptions& o) { return efficientnet_v2(o, {"efficientnetv2-b1", 1.0, 1.1, 240, true, b_stages()}); }
Model EfficientNetV2B2(const ApplicationOptions& o) { return efficientnet_v2(o, {"efficientnetv2-b2", 1.1, 1.2, 260, true, b_stages()}); }
Model EfficientNetV2B3(const ApplicationOptions& o) { return efficientnet_v2(o, {"efficientnetv2-b3", 1.2, 1.4, 300, true, b_stages()}); }
Model EfficientNetV2S(const ApplicationOptions& o) {
  return efficientnet_v2(o, {"efficientnetv2-s", 1.0, 1.0, 384, false, {{24, 24, 1, 1, 2, true}, {24, 48, 4, 2, 4, true}, {48, 64, 4, 2, 4, true},
      {64, 128, 4, 2, 6, false}, {128, 160, 6, 1, 9, false}, {160, 256, 6, 2, 15, false}}});
}
Model EfficientNetV2M(const ApplicationOptions& o) {
  return efficientnet_v2(o, {"efficientnetv2-m", 1.0, 1.0, 480, false, {{24, 24, 1, 1, 3, true}, {24, 48, 4, 2, 5, true}, {48, 80, 4, 2, 5, true},
      {80, 160, 4, 2, 7, false}, {160, 176, 6, 1, 14, false}, {176, 304, 6, 2, 18, false}, {304, 512, 6, 1, 5, false}}});
}
Model EfficientNetV2L(const ApplicationOptions& o) {
  return efficientnet_v2(o, {"efficientnetv2-l", 1.0, 1.0, 480, false, {{32, 32, 1, 1, 4, true}, {32, 64, 4, 2, 7, true}, {64, 96, 4, 2, 7, true},
      {96, 192, 4, 2, 10, false}, {192, 224, 6, 1, 19, false}, {224, 384, 6, 2, 25, false}, {384, 640, 6, 1, 7, false}}});
}

}  // namespace glia::applications
