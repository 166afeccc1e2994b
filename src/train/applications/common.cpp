#include "train/applications/common.h"

#include "base/error.h"

namespace glia::applications {

Shape image_shape(const ApplicationOptions& o, const char* model, int64_t published, int64_t smallest) {
  Shape s = o.input_shape.empty() ? Shape{published, published, 3} : o.input_shape;
  GLIA_CHECK(s.size() == 3, "{}: input_shape must be (height, width, channels). Received {}.", model, to_string(s));
  for (int i = 0; i < 2; ++i)
    GLIA_CHECK(s[i] < 0 || s[i] >= smallest, "{}: images must have at least {} rows and columns. Received {}.", model, smallest, to_string(s));
  GLIA_CHECK(s[2] > 0, "{}: the number of channels must be known. Received {}.", model, to_string(s));
  GLIA_CHECK(o.pooling.empty() || o.pooling == "avg" || o.pooling == "max", "{}: pooling must be empty, \"avg\" or \"max\". Received \"{}\".",
             model, o.pooling);
  GLIA_CHECK(o.classes > 0, "{}: classes must be positive. Received {}.", model, o.classes);
  return s;
}

int64_t multiple_of_8(double v) {
  const int64_t rounded = std::max<int64_t>(8, static_cast<int64_t>(v + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * v ? rounded + 8 : rounded;
}

Value conv(const Value& x, int64_t filters, int64_t size, const ConvArgs& a) {
  return layers::Conv2D(filters, {size, size}, {.strides = {a.strides, a.strides}, .padding = a.padding, .activation = a.activation,
                                                .use_bias = a.use_bias, .kernel_initializer = a.initializer, .name = a.name})(x);
}
Value batch_norm(const Value& x, const std::string& name, double epsilon, double momentum, int64_t axis) {
  return layers::BatchNormalization({.axis = {axis}, .momentum = momentum, .epsilon = epsilon, .name = name})(x);
}
Value activation(const Value& x, const char* function, const std::string& name) { return layers::Activation(function, {.name = name})(x); }
Value pad(const Value& x, int64_t all, const std::string& name) {
  return layers::ZeroPadding2D({{all, all}, {all, all}}, {.name = name})(x);
}
Value pad_for_stride(const Value& x, int64_t size, const std::string& name) {
  const int64_t after = size / 2, top = after - (x.dim(1) < 0 ? 1 : 1 - x.dim(1) % 2), left = after - (x.dim(1) < 0 ? 1 : 1 - x.dim(2) % 2);
  return layers::ZeroPadding2D({{top, after}, {left, after}}, {.name = name})(x);
}

Value pooled(const Value& x, const ApplicationOptions& o, const TopNames& names) {
  if (o.pooling == "avg") return layers::GlobalAveragePooling2D({.name = names.average})(x);
  if (o.pooling == "max") return layers::GlobalMaxPooling2D({.name = names.max})(x);
  return x;
}
Value classify(const Value& x, const ApplicationOptions& o, const TopNames& names, double dropout, const Initializer& initializer) {
  if (!o.include_top) return pooled(x, o, names);
  Value y = layers::GlobalAveragePooling2D({.name = names.average})(x);
  if (dropout > 0) y = layers::Dropout(dropout, {.name = "top_dropout"})(y);
  return layers::Dense(o.classes, {.activation = o.classifier_activation, .kernel_initializer = initializer, .name = "predictions"})(y);
}
Model finish(const ApplicationOptions& o, const std::string& name, const Value& input, const Value& output) {
  return Model({input}, {output}, {.name = o.name.empty() ? name : o.name});
}

Tensor preprocess_input(const Tensor& images, const std::string& mode) {
  GLIA_CHECK(mode == "tf" || mode == "torch" || mode == "caffe", "preprocess_input: mode must be \"tf\", \"torch\" or \"caffe\". Received \"{}\".", mode);
  GLIA_CHECK(mode == "tf" || (!images.shape().empty() && images.shape().back() == 3),
             "preprocess_input: mode \"{}\" takes images of shape (..., 3). Received shape {}.", mode, to_string(images.shape()));
  Tensor r = images.astype(DType::f32).clone();
  float* p = r.data<float>();
  static const float caffe[] = {103.939f, 116.779f, 123.68f}, mean[] = {0.485f, 0.456f, 0.406f}, deviation[] = {0.229f, 0.224f, 0.225f};
  if (mode == "tf")
    for (int64_t i = 0; i < r.size(); ++i) p[i] = p[i] / 127.5f - 1;
  else
    for (int64_t i = 0; i < r.size(); i += 3) {
      if (mode == "caffe") std::swap(p[i], p[i + 2]);
      for (int c = 0; c < 3; ++c) p[i + c] = mode == "caffe" ? p[i + c] - caffe[c] : (p[i + c] / 255 - mean[c]) / deviation[c];
    }
  return r;
}

}  // namespace glia::applications
