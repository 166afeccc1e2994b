// What the application models share: their input, their classifier and the layers that occur in all of them.
//
//   Value x = start(options, 224, 32, "ResNet50");
//   x = relu(batch_norm(conv(x, 64, 7, {.strides = 2, .name = "conv1_conv"}), "conv1_bn"), "conv1_relu");
//   return finish(options, "resnet50", in, classify(x, options));
#pragma once
#include <glia/applications.h>
#include <glia/layers.h>

namespace glia::applications {

// Checks the options; shape of one image.
Shape image_shape(const ApplicationOptions& o, const char* model, int64_t published, int64_t smallest);

// The nearest multiple of 8, at least 8 and not more than a tenth less than v.
int64_t multiple_of_8(double v);

struct ConvArgs {
  int64_t strides = 1;
  const char* padding = "valid";
  bool use_bias = true;
  std::string name = {};
  const char* activation = "linear";
  Initializer initializer = "glorot_uniform";
};
Value conv(const Value& x, int64_t filters, int64_t size, const ConvArgs& args);
Value batch_norm(const Value& x, const std::string& name, double epsilon = 1.001e-5, double momentum = 0.99, int64_t axis = 3);
Value activation(const Value& x, const char* function, const std::string& name);
Value pad(const Value& x, int64_t all, const std::string& name = {});
// Zeros so that a convolution with stride 2 and padding "valid" sees what TensorFlow's "same" shows it.
Value pad_for_stride(const Value& x, int64_t size, const std::string& name);

struct TopNames {
  const char* average = "";  // of the pooling layers; empty: numbered
  const char* max = "";
};
// Global pooling and a Dense layer, or the pooling that the options ask for.
Value classify(const Value& x, const ApplicationOptions& o, const TopNames& names = {"avg_pool", "max_pool"}, double dropout = 0,
               const Initializer& initializer = "glorot_uniform");
// The pooling of a model without a top.
Value pooled(const Value& x, const ApplicationOptions& o, const TopNames& names);
Model finish(const ApplicationOptions& o, const std::string& name, const Value& input, const Value& output);

}  // namespace glia::applications
