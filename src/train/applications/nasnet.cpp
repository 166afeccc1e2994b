// NASNet-A: normal and reduction cells over the outputs of the two cells before.
#include "base/error.h"
#include "train/applications/common.h"

namespace glia::applications {
namespace {

Value relu(const Value& x) { return layers::Activation("relu")(x); }
Value norm(const Value& x, const std::string& name) { return batch_norm(x, name, 1e-3, 0.9997, -1); }
Value pointwise(const Value& x, int64_t filters, const std::string& name) {
  return conv(x, filters, 1, {.padding = "same", .use_bias = false, .name = name, .initializer = "he_normal"});
}
Value average(const Value& x, int64_t size, int64_t stride, const char* padding, const std::string& name) {
  return layers::AveragePooling2D({size, size}, {.strides = {stride, stride}, .padding = padding, .name = name})(x);
}
Value add(const Value& a, const Value& b, const std::string& name = {}) { return layers::Add({.name = name})({a, b}); }

// Twice relu, separable convolution and normalization; the first may have a stride.
Value separable(const Value& in, int64_t filters, int64_t size, int64_t stride, const std::string& id) {
  Value x = relu(in);
  if (stride == 2) x = pad_for_stride(x, size, "separable_conv_1_pad_" + id);
  x = layers::SeparableConv2D(filters, {size, size}, {.strides = {stride, stride}, .padding = stride == 2 ? "valid" : "same", .use_bias = false,
                                                      .name = "separable_conv_1_" + id})(x);
  x = relu(norm(x, "separable_conv_1_bn_" + id));
  x = layers::SeparableConv2D(filters, {size, size}, {.padding = "same", .use_bias = false, .name = "separable_conv_2_" + id})(x);
  return norm(x, "separable_conv_2_bn_" + id);
}

// Brings the output of the cell before the last to the extents and filters of the last one's.
Value adjusted(const Value& previous, const Value& x, int64_t filters, const std::string& id) {
  if (!previous.defined()) return x;
  Value p = previous;
  if (p.dim(-2) != x.dim(-2)) {
    p = activation(p, "relu", "adjust_relu_1_" + id);
    const Value p1 = pointwise(average(p, 1, 2, "valid", "adjust_avg_pool_1_" + id), filters / 2, "adjust_conv_1_" + id);
    Value p2 = layers::ZeroPadding2D({{0, 1}, {0, 1}})(p);  // one pixel further
    p2 = average(layers::Cropping2D({{1, 0}, {1, 0}})(p2), 1, 2, "valid", "adjust_avg_pool_2_" + id);
    p2 = pointwise(p2, filters / 2, "adjust_conv_2_" + id);
    return norm(layers::Concatenate({.axis = -1})({p1, p2}), "adjust_bn_" + id);
  }
  if (p.dim(-1) == filters) return p;
  return norm(pointwise(relu(p), filters, "adjust_conv_projection_" + id), "adjust_bn_" + id);
}

Value normal_cell(const Value& in, const Value& previous, int64_t filters, const std::string& id) {
  const Value p = adjusted(previous, in, filters, id);
  const Value h = norm(pointwise(relu(in), filters, "normal_conv_1_" + id), "normal_bn_1_" + id);
  Value a = separable(h, filters, 5, 1, "normal_left1_" + id), b = separable(p, filters, 3, 1, "normal_right1_" + id);
  const Value x1 = add(a, b, "normal_add_1_" + id);
  a = separable(p, filters, 5, 1, "normal_left2_" + id), b = separable(p, filters, 3, 1, "normal_right2_" + id);
  const Value x2 = add(a, b, "normal_add_2_" + id);
  const Value x3 = add(average(h, 3, 1, "same", "normal_left3_" + id), p, "normal_add_3_" + id);
  a = average(p, 3, 1, "same", "normal_left4_" + id), b = average(p, 3, 1, "same", "normal_right4_" + id);
  const Value x4 = add(a, b, "normal_add_4_" + id);
  const Value x5 = add(separable(h, filters, 3, 1, "normal_left5_" + id), h, "normal_add_5_" + id);
  return layers::Concatenate({.axis = -1, .name = "normal_concat_" + id})({p, x1, x2, x3, x4, x5});
}

// The names of the layers are Keras's, unevenness included.
Value reduction_cell(const Value& in, const Value& previous, int64_t filters, const std::string& id) {
  const Value p = adjusted(previous, in, filters, id);
  const Value h = norm(pointwise(relu(in), filters, "reduction_conv_1_" + id), "reduction_bn_1_" + id);
  const Value h3 = pad_for_stride(h, 3, "reduction_pad_1_" + id);
  const auto largest = [&](const char* name) { return layers::MaxPooling2D({3, 3}, {.strides = {2, 2}, .name = name + id})(h3); };
  Value a = separable(h, filters, 5, 2, "reduction_left1_" + id), b = separable(p, filters, 7, 2, "reduction_right1_" + id);
  const Value x1 = add(a, b, "reduction_add_1_" + id);
  a = largest("reduction_left2_"), b = separable(p, filters, 7, 2, "reduction_right2_" + id);
  const Value x2 = add(a, b, "reduction_add_2_" + id);
  a = average(h3, 3, 2, "valid", "reduction_left3_" + id), b = separable(p, filters, 5, 2, "reduction_right3_" + id);
  const Value x3 = add(a, b, "reduction_add3_" + id);
  const Value x4 = add(x2, average(x1, 3, 1, "same", "reduction_left4_" + id));
  a = separable(x1, filters, 3, 1, "reduction_left4_" + id), b = largest("reduction_right5_");
  const Value x5 = add(a, b, "reduction_add4_" + id);
  return layers::Concatenate({.axis = -1, .name = "reduction_concat_" + id})({x2, x3, x4, x5});
}

struct Variant {
  const char* title;
  const char* name;
  int64_t size, filters, stem_filters;
  int blocks;
  bool skips_reduction;  // the cell after a reduction sees the one before it in place of its input
};

Model nasnet(const ApplicationOptions& o, const Variant& v) {
  const Value in = Input(image_shape(o, v.title, v.size, 32));
  Value x = conv(in, v.stem_filters, 3, {.strides = 2, .use_bias = false, .name = "stem_conv1", .initializer = "he_normal"});
  x = norm(x, "stem_bn1");
  Value previous;
  const auto step = [&](Value y, bool keep_previous = false) {  // y is the cell after x
    if (!keep_previous) previous = x;
    x = std::move(y);
  };
  step(reduction_cell(x, previous, v.filters / 4, "stem_1"));
  step(reduction_cell(x, previous, v.filters / 2, "stem_2"));
  int id = 0;
  for (int64_t filters = v.filters, stage = 0; stage < 3; ++stage, filters *= 2) {
    if (stage) step(reduction_cell(x, previous, filters, fmt::format("reduce_{}", stage * v.blocks)), v.skips_reduction);
    if (stage == 1) ++id;  // the first reduction counts as a block, the second does not
    for (int i = 0; i < v.blocks; ++i, ++id) step(normal_cell(x, previous, filters, std::to_string(id)));
  }
  x = relu(x);
  return finish(o, v.name, in, classify(x, o, {}));
}

}  // namespace

Model NASNetMobile(const ApplicationOptions& o) { return nasnet(o, {"NASNetMobile", "nasnet_mobile", 224, 44, 32, 4, false}); }
Model NASNetLarge(const ApplicationOptions& o) { return nasnet(o, {"NASNetLarge", "nasnet_large", 331, 168, 96, 6, true}); }

}  // namespace glia::applications
