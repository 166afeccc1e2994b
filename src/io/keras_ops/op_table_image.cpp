// Bindings of keras.ops.image.
#include <glia/ops.h>

#include "base/error.h"
#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

Values one(Value v) { return {std::move(v)}; }
std::string layout(const OpCall& c) { return c.text("data_format", "channels_last"); }
template <Value (*F)(const Value&, const std::string&)>
Values plain(OpCall& c) {
  return one(F(c.value("images"), layout(c)));
}
std::vector<double> numbers(const OpCall& c, std::string_view name, std::vector<double> fallback) {
  const json* list = c.find(name);
  if (!list) return fallback;
  if (!list->is_array()) return {to_number(*list)};
  std::vector<double> v;
  for (const json& item : *list) v.push_back(to_number(item));
  return v;
}
Value array_of(OpCall& c, std::string_view name) {  // an array, a number or nested lists of numbers
  const json* j = c.find(name);
  GLIA_CHECK(j != nullptr, "the argument '{}' is missing.", name);
  if (!j->is_array()) return c.value(name);
  Shape shape;
  std::vector<double> v;
  std::function<void(const json&, std::size_t)> walk = [&](const json& item, std::size_t depth) {
    if (!item.is_array()) return v.push_back(to_number(item));
    if (shape.size() == depth) shape.push_back(static_cast<int64_t>(item.size()));
    for (const json& x : item) walk(x, depth + 1);
  };
  walk(*j, 0);
  return Value(Tensor::from_vector<double>(shape, v).astype(DType::f32));
}
ops::image::AffineOptions affine(const OpCall& c) {
  return {.interpolation = c.text("interpolation", "bilinear"), .fill_mode = c.text("fill_mode", "constant"), .fill_value = c.number("fill_value", 0)};
}
ops::image::PatchOptions patch(const OpCall& c) {
  std::vector<int64_t> rate = c.integers("dilation_rate");
  return {.strides = c.integers("strides"),
          .dilation_rate = rate.empty() ? std::vector<int64_t>{1} : rate,
          .padding = c.text("padding", "valid"),
          .data_format = layout(c)};
}
ops::image::Borders borders(const OpCall& c, const std::string& what) {
  return {.top = c.maybe_integer("top_" + what),
          .left = c.maybe_integer("left_" + what),
          .bottom = c.maybe_integer("bottom_" + what),
          .right = c.maybe_integer("right_" + what),
          .target_height = c.maybe_integer("target_height"),
          .target_width = c.maybe_integer("target_width"),
          .data_format = layout(c)};
}
Values resize(OpCall& c) {
  GLIA_CHECK(c.text("fill_mode", "constant") == "constant", "image.resize: fill_mode must be constant.");
  return one(ops::image::resize(c.value("images"), c.integers("size"),
                                {.interpolation = c.text("interpolation", "bilinear"),
                                 .antialias = c.flag("antialias", false),
                                 .crop_to_aspect_ratio = c.flag("crop_to_aspect_ratio", false),
                                 .pad_to_aspect_ratio = c.flag("pad_to_aspect_ratio", false),
                                 .fill_value = c.number("fill_value", 0),
                                 .data_format = layout(c)}));
}
Values blur(OpCall& c) {
  std::vector<int64_t> size = c.integers("kernel_size");
  return one(ops::image::gaussian_blur(c.value("images"), size.empty() ? std::vector<int64_t>{3, 3} : size, numbers(c, "sigma", {1, 1}), layout(c)));
}
Values scale(OpCall& c) {
  return one(ops::image::scale_and_translate(c.value("images"), c.integers("output_shape"), array_of(c, "scale"), array_of(c, "translation"),
                                             c.integers("spatial_dims"), c.text("method"), c.flag("antialias", true)));
}
Values ssim(OpCall& c) {
  return one(ops::image::ssim(c.value("image1"), c.value("image2"),
                              {.max_val = c.number("max_val", 1),
                               .filter_size = c.integer("filter_size", 11),
                               .filter_sigma = c.number("filter_sigma", 1.5),
                               .k1 = c.number("k1", 0.01),
                               .k2 = c.number("k2", 0.03),
                               .data_format = layout(c)}));
}

}  // namespace

void add_image_ops(std::vector<OpBinding>& list) {
  const char* border = "images top_{0} left_{0} bottom_{0} right_{0} target_height target_width data_format";
  static const std::string padding = fmt::format(fmt::runtime(border), "padding"), cropping = fmt::format(fmt::runtime(border), "cropping");
  const OpBinding rows[] = {
      {"image.resize", "images size interpolation antialias crop_to_aspect_ratio pad_to_aspect_ratio fill_mode fill_value data_format", resize},
      {"image.rgb_to_grayscale", "images data_format", plain<ops::image::rgb_to_grayscale>},
      {"image.rgb_to_hsv", "images data_format", plain<ops::image::rgb_to_hsv>},
      {"image.hsv_to_rgb", "images data_format", plain<ops::image::hsv_to_rgb>},
      {"image.sobel_edges", "images data_format", plain<ops::image::sobel_edges>},
      {"image.extract_patches", "images size strides dilation_rate padding data_format",
       [](OpCall& c) { return one(ops::image::extract_patches(c.value("images"), c.integers("size"), patch(c))); }},
      {"image.extract_patches_3d", "volumes size strides dilation_rate padding data_format",
       [](OpCall& c) { return one(ops::image::extract_patches_3d(c.value("volumes"), c.integers("size"), patch(c))); }},
      {"image.pad_images", padding, [](OpCall& c) { return one(ops::image::pad_images(c.value("images"), borders(c, "padding"))); }},
      {"image.crop_images", cropping, [](OpCall& c) { return one(ops::image::crop_images(c.value("images"), borders(c, "cropping"))); }},
      {"image.affine_transform", "images transform interpolation fill_mode fill_value data_format",
       [](OpCall& c) { return one(ops::image::affine_transform(c.value("images"), array_of(c, "transform"), affine(c), layout(c))); }},
      {"image.perspective_transform", "images start_points end_points interpolation fill_value data_format",
       [](OpCall& c) {
         return one(ops::image::perspective_transform(c.value("images"), array_of(c, "start_points"), array_of(c, "end_points"), affine(c), layout(c)));
       }},
      {"image.map_coordinates", "inputs coordinates order fill_mode fill_value",
       [](OpCall& c) {
         return one(ops::image::map_coordinates(c.value("inputs"), c.value("coordinates"), c.integer("order"), c.text("fill_mode", "constant"), c.number("fill_value", 0)));
       }},
      {"image.gaussian_blur", "images kernel_size sigma data_format", blur},
      {"image.scale_and_translate", "images output_shape scale translation spatial_dims method antialias", scale},
      {"image.ssim", "image1 image2 max_val filter_size filter_sigma k1 k2 data_format", ssim},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace glia::keras_ops
