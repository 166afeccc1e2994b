// Inception version 3: parallel branches of small convolutions, joined along the channels.
#include "base/error.h"
#include "train/applications/inception.h"

namespace glia::applications {

Value unit(const Value& x, const Step& s, const char* padding, const std::string& name) {
  auto part = [&](const char* suffix) { return name.empty() ? name : name + suffix; };
  Value y = layers::Conv2D(s.filters, {s.rows, s.columns}, {.strides = {s.stride, s.stride}, .padding = padding, .use_bias = false, .name = name})(x);
  y = layers::BatchNormalization({.axis = {3}, .scale = false, .name = part("_bn")})(y);
  return layers::Activation("relu", {.name = part("_ac")})(y);
}
Value branch(Value x, const std::vector<Step>& steps) {
  for (const Step& s : steps) x = unit(x, s, s.stride == 1 ? "same" : "valid");
  return x;
}
Value shrink(const Value& x) { return layers::MaxPooling2D({3, 3}, {.strides = {2, 2}})(x); }
Value join(const Values& branches, const std::string& name) { return layers::Concatenate({.axis = 3, .name = name})(branches); }
Value inception_stem(const Value& image) {
  Value x = unit(image, {32, 3, 3, 2}, "valid");
  x = unit(unit(x, {32, 3, 3}, "valid"), {64, 3, 3});
  x = unit(shrink(x), {80, 1, 1}, "valid");
  return shrink(unit(x, {192, 3, 3}, "valid"));
}

namespace {

Value pool_branch(const Value& x, int64_t filters) {
  return unit(layers::AveragePooling2D({3, 3}, {.strides = {1, 1}, .padding = "same"})(x), {filters, 1, 1});
}
Value block_35(const Value& x, int64_t pool_filters, int number) {
  const Value a = unit(x, {64, 1, 1});
  const Value b = branch(x, {{48, 1, 1}, {64, 5, 5}});
  const Value c = branch(x, {{64, 1, 1}, {96, 3, 3}, {96, 3, 3}});
  return join({a, b, c, pool_branch(x, pool_filters)}, fmt::format("mixed{}", number));
}
Value block_17(const Value& x, int64_t n, int number) {
  const Value a = unit(x, {192, 1, 1});
  const Value b = branch(x, {{n, 1, 1}, {n, 1, 7}, {192, 7, 1}});
  const Value c = branch(x, {{n, 1, 1}, {n, 7, 1}, {n, 1, 7}, {n, 7, 1}, {192, 1, 7}});
  return join({a, b, c, pool_branch(x, 192)}, fmt::format("mixed{}", number));
}
Value block_8(const Value& x, int i) {
  const Value a = unit(x, {320, 1, 1});
  Value b = unit(x, {384, 1, 1});
  const Value b1 = unit(b, {384, 1, 3}), b2 = unit(b, {384, 3, 1});
  b = join({b1, b2}, fmt::format("mixed9_{}", i));
  Value c = branch(x, {{448, 1, 1}, {384, 3, 3}});
  const Value c1 = unit(c, {384, 1, 3}), c2 = unit(c, {384, 3, 1});
  c = join({c1, c2});
  return join({a, b, c, pool_branch(x, 192)}, fmt::format("mixed{}", 9 + i));
}

}  // namespace

Model InceptionV3(const ApplicationOptions& o) {
  const Value in = Input(image_shape(o, "InceptionV3", 299, 75));
  Value x = inception_stem(in);
  x = block_35(x, 32, 0);
  x = block_35(x, 64, 1);
  x = block_35(x, 64, 2);
  Value a = branch(x, {{384, 3, 3, 2}}), b = branch(x, {{64, 1, 1}, {96, 3, 3}, {96, 3, 3, 2}});
  x = join({a, b, shrink(x)}, "mixed3");
  x = block_17(x, 128, 4);
  x = block_17(x, 160, 5);
  x = block_17(x, 160, 6);
  x = block_17(x, 192, 7);
  a = branch(x, {{192, 1, 1}, {320, 3, 3, 2}}), b = branch(x, {{192, 1, 1}, {192, 1, 7}, {192, 7, 1}, {192, 3, 3, 2}});
  x = join({a, b, shrink(x)}, "mixed8");
  for (int i = 0; i < 2; ++i) x = block_8(x, i);
  return finish(o, "inception_v3", in, o.include_top ? classify(x, o) : pooled(x, o, {}));
}

}  // namespace glia::applications
