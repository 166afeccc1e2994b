// Xception: separable convolutions in blocks with residual connections.
#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

Value norm(const Value& x, const std::string& name = {}) { return batch_norm(x, name, 1e-3, 0.99, -1); }

Value separable(const Value& x, int64_t filters, const std::string& name) {
  return norm(layers::SeparableConv2D(filters, {3, 3}, {.padding = "same", .use_bias = false, .name = name})(x), name + "_bn");
}

// Two separable convolutions and a pooling beside a strided 1 x 1 convolution.
Value shrinking_block(const Value& in, int64_t first, int64_t second, int block) {
  const std::string name = fmt::format("block{}_", block);
  const Value shortcut = norm(conv(in, second, 1, {.strides = 2, .padding = "same", .use_bias = false}));
  Value x = block == 2 ? in : activation(in, "relu", name + "sepconv1_act");
  x = activation(separable(x, first, name + "sepconv1"), "relu", name + "sepconv2_act");
  x = separable(x, second, name + "sepconv2");
  x = layers::MaxPooling2D({3, 3}, {.strides = {2, 2}, .padding = "same", .name = name + "pool"})(x);
  return layers::Add()({x, shortcut});
}

}  // namespace

Model Xception(const ApplicationOptions& o) {
  const Value in = Input(image_shape(o, "Xception", 299, 71));
  Value x = conv(in, 32, 3, {.strides = 2, .use_bias = false, .name = "block1_conv1"});
  x = activation(norm(x, "block1_conv1_bn"), "relu", "block1_conv1_act");
  x = conv(x, 64, 3, {.use_bias = false, .name = "block1_conv2"});
  x = activation(norm(x, "block1_conv2_bn"), "relu", "block1_conv2_act");
  x = shrinking_block(x, 128, 128, 2);
  x = shrinking_block(x, 256, 256, 3);
  x = shrinking_block(x, 728, 728, 4);
  for (int block = 5; block < 13; ++block) {
    const Value before = x;
    for (int i = 1; i <= 3; ++i) {
      const std::string name = fmt::format("block{}_sepconv{}", block, i);
      x = separable(activation(x, "relu", name + "_act"), 728, name);
    }
    x = layers::Add()({x, before});
  }
  x = shrinking_block(x, 728, 1024, 13);
  x = activation(separable(x, 1536, "block14_sepconv1"), "relu", "block14_sepconv1_act");
  x = activation(separable(x, 2048, "block14_sepconv2"), "relu", "block14_sepconv2_act");
  return finish(o, "xception", in, o.include_top ? classify(x, o) : pooled(x, o, {}));
}

}  // namespace glia::applications
