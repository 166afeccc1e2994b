// VGG: five blocks of 3 x 3 convolutions, each followed by a pooling that halves the image.
#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

Model vgg(const ApplicationOptions& o, const char* name, const std::vector<int>& depths) {
  const Value in = Input(image_shape(o, name, 224, 32));
  Value x = in;
  const int64_t filters[] = {64, 128, 256, 512, 512};
  for (int block = 0; block < 5; ++block) {
    for (int i = 1; i <= depths[block]; ++i)
      x = conv(x, filters[block], 3, {.padding = "same", .name = fmt::format("block{}_conv{}", block + 1, i), .activation = "relu"});
    x = layers::MaxPooling2D({2, 2}, {.strides = {2, 2}, .name = fmt::format("block{}_pool", block + 1)})(x);
  }
  if (!o.include_top) return finish(o, name, in, pooled(x, o, {}));
  x = layers::Flatten({.name = "flatten"})(x);
  for (const char* layer : {"fc1", "fc2"}) x = layers::Dense(4096, {.activation = "relu", .name = layer})(x);
  return finish(o, name, in, layers::Dense(o.classes, {.activation = o.classifier_activation, .name = "predictions"})(x));
}

}  // namespace

Model VGG16(const ApplicationOptions& o) { return vgg(o, "vgg16", {2, 2, 3, 3, 3}); }
Model VGG19(const ApplicationOptions& o) { return vgg(o, "vgg19", {2, 2, 4, 4, 4}); }

}  // namespace glia::applications
