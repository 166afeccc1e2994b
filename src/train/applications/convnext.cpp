// ConvNeXt: residual blocks of a wide depthwise convolution and two Dense layers, with layer normalization.
#include "nn/layers/convnext.h"

#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

struct Variant {
  const char* name;
  int depths[4];
  int64_t filters[4];
};

LayerRef layer_norm(const std::string& name = {}) { return layers::LayerNormalization({.epsilon = 1e-6, .name = name}); }
LayerRef patches(int64_t filters, int64_t size, const std::string& name) {
  return layers::Conv2D(filters, {size, size}, {.strides = {size, size}, .name = name});
}

Value block(const Value& in, int64_t filters, const std::string& name) {
  Value x = layers::Conv2D(filters, {7, 7}, {.padding = "same", .groups = filters, .name = name + "_depthwise_conv"})(in);
  x = layer_norm(name + "_layernorm")(x);
  x = layers::Dense(4 * filters, {.name = name + "_pointwise_conv_1"})(x);
  x = activation(x, "gelu", name + "_gelu");
  x = layers::Dense(filters, {.name = name + "_pointwise_conv_2"})(x);
  auto scale = std::make_shared<nn::LayerScale>();
  scale->configure({.name = name + "_layer_scale"});
  scale->init_values = 1e-6, scale->projection_dim = filters;
  x = LayerRef(scale)(x);
  return in + activation(x, "linear", name + "_identity");
}

Model convnext(const ConvNeXtOptions& c, const Variant& v) {
  const ApplicationOptions& o = c.common;
  const Shape image = image_shape(o, v.name, 224, 32);
  const std::string name = o.name.empty() ? v.name : o.name;  // Keras's layers carry the name of the model
  const Value in = Input(image);
  Value x = in;
  if (c.include_preprocessing && image[2] == 3) {
    Tensor mean({3}, DType::f32), variance({3}, DType::f32);
    const double means[] = {0.485, 0.456, 0.406}, deviations[] = {0.229, 0.224, 0.225};
    for (int i = 0; i < 3; ++i) mean.set_item(i, means[i] * 255), variance.set_item(i, deviations[i] * 255 * deviations[i] * 255);
    x = layers::Normalization({.mean = mean, .variance = variance, .name = name + "_prestem_normalization"})(x);
  }
  std::vector<Sequential> reductions;
  reductions.push_back(Sequential({patches(v.filters[0], 4, name + "_stem_conv"), layer_norm(name + "_stem_layernorm")}, {.name = name + "_stem"}));
  for (int i = 0; i < 3; ++i)
    reductions.push_back(Sequential({layer_norm(fmt::format("{}_downsampling_layernorm_{}", name, i)),
                                     patches(v.filters[i + 1], 2, fmt::format("{}_downsampling_conv_{}", name, i))},
                                    {.name = fmt::format("{}_downsampling_block_{}", name, i)}));
  for (int stage = 0; stage < 4; ++stage) {
    x = reductions[static_cast<size_t>(stage)](x);
    for (int i = 0; i < v.depths[stage]; ++i) x = block(x, v.filters[stage], fmt::format("{}_stage_{}_block_{}", name, stage, i));
  }
  if (!o.include_top) return finish(o, name, in, layer_norm()(pooled(x, o, {})));
  x = layers::GlobalAveragePooling2D({.name = name + "_head_gap"})(x);
  x = layer_norm(name + "_head_layernorm")(x);
  x = layers::Dense(o.classes, {.activation = o.classifier_activation, .name = name + "_head_dense"})(x);
  return finish(o, name, in, x);
}

}  // namespace

Model ConvNeXtTiny(const ConvNeXtOptions& o) { return convnext(o, {"convnext_tiny", {3, 3, 9, 3}, {96, 192, 384, 768}}); }
Model ConvNeXtSmall(const ConvNeXtOptions& o) { return convnext(o, {"convnext_small", {3, 3, 27, 3}, {96, 192, 384, 768}}); }
Model ConvNeXtBase(const ConvNeXtOptions& o) { return convnext(o, {"convnext_base", {3, 3, 27, 3}, {128, 256, 512, 1024}}); }
Model ConvNeXtLarge(const ConvNeXtOptions& o) { return convnext(o, {"convnext_large", {3, 3, 27, 3}, {192, 384, 768, 1536}}); }
Model ConvNeXtXLarge(const ConvNeXtOptions& o) { return convnext(o, {"convnext_xlarge", {3, 3, 27, 3}, {256, 512, 1024, 2048}}); }

}  // namespace glia::applications
