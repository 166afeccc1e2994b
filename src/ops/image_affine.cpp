// Projective maps of images as gathers of pixels.
#include <glia/ops.h>
#include <glia/ops/image.h>

#include "base/error.h"
#include "ir/op_def.h"
#include "ops/op_list.h"

namespace glia::ops::image {
namespace {

// Coordinates outside of 0 .. n-1 are folded back as TensorFlow's ImageProjectiveTransform does.
Value fold(const Value& c, int64_t n, const std::string& mode) {
  const double len = static_cast<double>(n), last = len - 1;
  if (mode == "constant") return c;
  if (mode == "nearest" || n <= 1) return clip(c, 0, last);
  if (mode == "reflect") {  // d c b a | a b c d | d c b a
    const double period = 2 * len;
    Value low = c + trunc(-c / period) * period;  // where c < -period
    low = where(c < -period, low, c);
    low = where(low < -len, low + period, -low - 1.0);
    Value high = c - trunc(c / period) * period;
    high = where(high >= len, period - high - 1.0, high);
    return clip(where(c < 0.0, low, where(c > last, high, c)), 0, last);
  }
  GLIA_CHECK(mode == "wrap", "image.affine_transform: unknown fill_mode \"{}\". Expected constant, reflect, wrap or nearest.", mode);
  Value low = c + (trunc(-c / last) + 1.0) * len, high = c - trunc(c / last) * len;
  return clip(where(c < 0.0, low, where(c > last, high, c)), 0, last);
}

struct Reader {
  Value rows, base;  // pixels (batch * height * width, channels); index of each image's first pixel
  int64_t height, width;
  double fill_value;

  Value at(const Value& y, const Value& x) const {
    Value inside = logical_and(logical_and(y >= 0.0, y <= static_cast<double>(height - 1)), logical_and(x >= 0.0, x <= static_cast<double>(width - 1)));
    Value index = cast(clip(y, 0, static_cast<double>(height - 1)), DType::i32) * Value(Tensor::scalar(static_cast<double>(width), DType::i32)) +
                  cast(clip(x, 0, static_cast<double>(width - 1)), DType::i32) + base;
    Value v = take(rows, index, 0);
    return where(expand_dims(inside, -1), v, scalar_like(v, fill_value));
  }
};

Value ramp(int64_t n, DType t, Shape shape) { return reshape(arange(0, static_cast<double>(n), 1, t), std::move(shape)); }

Value compose(const Value& images, const Value& transforms, const AffineOptions& o) {
  const int64_t b = images.dim(0), h = images.dim(1), w = images.dim(2), c = images.dim(3);
  const DType t = DType::f32;
  Value m = cast(transforms, t), gx = ramp(w, t, {1, 1, w}), gy = ramp(h, t, {1, h, 1});
  auto entry = [&](int64_t i) { return reshape(slice_axis(m, 1, i, i + 1), {m.dim(0), 1, 1}); };
  Value depth = entry(6) * gx + entry(7) * gy + 1.0;
  Value x = fold((entry(0) * gx + entry(1) * gy + entry(2)) / depth, w, o.fill_mode);
  Value y = fold((entry(3) * gx + entry(4) * gy + entry(5)) / depth, h, o.fill_mode);
  x = broadcast_to(x, {b, h, w});
  y = broadcast_to(y, {b, h, w});
  Value base = ramp(b, DType::i32, {b, 1, 1}) * Value(Tensor::scalar(static_cast<double>(h * w), DType::i32));
  Reader read{reshape(images, {b * h * w, c}), base, h, w, o.fill_value};
  auto half_away = [](const Value& v) { return sign(v) * floor(abs(v) + 0.5); };  // std::round
  if (o.interpolation == "nearest") return read.at(half_away(y), half_away(x));
  GLIA_CHECK(o.interpolation == "bilinear", "image_affine: unknown interpolation \"{}\". Expected bilinear or nearest.", o.interpolation);
  Value x0 = floor(x), y0 = floor(y), fx = expand_dims(x - x0, -1), fy = expand_dims(y - y0, -1);
  fx = cast(fx, images.dtype());
  fy = cast(fy, images.dtype());
  Value top = read.at(y0, x0) * (1.0 - fx) + read.at(y0, x0 + 1.0) * fx;
  Value bottom = read.at(y0 + 1.0, x0) * (1.0 - fx) + read.at(y0 + 1.0, x0 + 1.0) * fx;
  return top * (1.0 - fy) + bottom * fy;
}

// The inverse maps, (n, 8) as well: adjugates, scaled so that the last entry is 1.
Value inverse(const Value& m) {
  auto e = [&](int64_t i) { return slice_axis(m, 1, i, i + 1); };
  Value a0 = e(0), a1 = e(1), a2 = e(2), b0 = e(3), b1 = e(4), b2 = e(5), c0 = e(6), c1 = e(7), last = a0 * b1 - a1 * b0;
  Values rows{b1 - b2 * c1, a2 * c1 - a1, a1 * b2 - a2 * b1, b2 * c0 - b0, a0 - a2 * c0, a2 * b0 - a0 * b2, b0 * c1 - b1 * c0, a1 * c0 - a0 * c1};
  return concatenate(rows, 1) / last;
}

std::vector<TensorType> infer(const ir::InferContext& c) {
  const Shape &x = c.in[0].shape, &m = c.in[1].shape;
  GLIA_CHECK(is_float(c.in[0].dtype) && x.size() == 4 && m.size() == 2 && m[1] == 8 && (m[0] == 1 || m[0] == x[0]),
             "image_affine: expected floating point images (batch, height, width, channels) and transforms (batch, 8). Received {} and {}.",
             to_string(x), to_string(m));
  return {c.in[0]};
}

const ir::OpDef& affine_op() {
  static const ir::OpDef def{
      .name = "image_affine",
      .doc = "Images seen through projective maps. Its gradient is that of TensorFlow: the cotangent seen through the inverse maps.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"interpolation", std::string("bilinear"), "bilinear or nearest"},
                {"fill_mode", std::string("constant"), "constant, reflect, wrap or nearest"},
                {"fill_value", 0.0, "what lies outside, with fill_mode constant"}},
      .infer = infer,
      .vjp = [](const ir::VjpContext& c) -> Values {
        return {affine_transform(c.grads[0], inverse(c.inputs[1]), {c.attrs.s("interpolation"), c.attrs.s("fill_mode"), 0}), Value()};
      },
      .decompose = [](const ir::Attrs& a, const Values& in) -> Values {
        return {compose(in[0], in[1], {a.s("interpolation"), a.s("fill_mode"), a.f("fill_value")})};
      },
  };
  return def;
}

}  // namespace

Value affine_transform(const Value& images, const Value& transforms, const AffineOptions& o) {
  Value maps = transforms.rank() == 2 && transforms.dim(1) == 6 ? pad(transforms, {{0, 0}, {0, 2}}) : transforms;
  return ir::apply1(affine_op(), {{"interpolation", o.interpolation}, {"fill_mode", o.fill_mode}, {"fill_value", o.fill_value}}, {images, maps});
}

}  // namespace glia::ops::image

namespace glia::ops {
OpList image_ops() { return {&image::affine_op()}; }
}  // namespace glia::ops
