// Resize and Upsample: one axis after the other, each by picking elements ("nearest") or by a product with a matrix
// of weights; and sampling at places given by a grid.
#include <cmath>
#include <functional>

#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

struct Resizing {
  std::string mode, coordinates, nearest;
  double cubic = -0.75, outside_value = 0;
  bool exclude_outside = false, antialias = false;
};
struct ResizedAxis {
  int64_t in, out;
  double scale;
  double from = 0, to = 1;  // of the region of interest
};

double source_place(const Resizing& r, const ResizedAxis& a, int64_t o) {
  const double x = static_cast<double>(o), in = static_cast<double>(a.in), length = a.scale * in;
  if (r.coordinates == "align_corners") return length == 1 ? 0 : x * (in - 1) / (length - 1);
  if (r.coordinates == "asymmetric") return x / a.scale;
  if (r.coordinates == "tf_half_pixel_for_nn") return (x + 0.5) / a.scale;
  if (r.coordinates == "pytorch_half_pixel") return length == 1 ? -0.5 : (x + 0.5) / a.scale - 0.5;
  if (r.coordinates == "half_pixel_symmetric")
    return in / 2 * (1 - static_cast<double>(a.out) / length) + (x + 0.5) / a.scale - 0.5;
  if (r.coordinates == "tf_crop_and_resize")
    return a.from * (in - 1) +
           (length == 1 ? (a.to - a.from) * (in - 1) / 2 : x * (a.to - a.from) * (in - 1) / (length - 1));
  return (x + 0.5) / a.scale - 0.5;  // half_pixel
}

int64_t nearest_place(const Resizing& r, double x) {
  if (r.nearest == "floor") return static_cast<int64_t>(std::floor(x));
  if (r.nearest == "ceil") return static_cast<int64_t>(std::ceil(x));
  if (r.nearest == "round_prefer_ceil") return static_cast<int64_t>(std::floor(x + 0.5));
  return static_cast<int64_t>(std::ceil(x - 0.5));
}

double triangle(double x) { return std::max(0.0, 1 - std::abs(x)); }
double keys_cubic(double x, double a) {  // Keys 1981
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

// Weights (out, in) of one axis.
Tensor weights(const Resizing& r, const ResizedAxis& a) {
  std::vector<double> w(static_cast<size_t>(a.out * a.in), 0);
  const double widen = r.antialias ? std::max(1.0, 1 / a.scale) : 1.0,
               radius = (r.mode == "cubic" ? 2.0 : 1.0) * widen;
  for (int64_t o = 0; o < a.out; ++o) {
    const double x = source_place(r, a, o);
    double sum = 0;
    const int64_t first = static_cast<int64_t>(std::floor(x - radius)),
                  last = static_cast<int64_t>(std::ceil(x + radius));
    for (int64_t i = first; i <= last; ++i) {
      const double d = (static_cast<double>(i) - x) / widen,
                   v = r.mode == "cubic" ? keys_cubic(d, r.cubic) : triangle(d);
      if (r.exclude_outside && (i < 0 || i >= a.in)) continue;
      sum += v;
      w[static_cast<size_t>(o * a.in + std::clamp<int64_t>(i, 0, a.in - 1))] += v;
    }
    if ((r.antialias || r.exclude_outside) && sum != 0)
      for (int64_t i = 0; i < a.in; ++i) w[static_cast<size_t>(o * a.in + i)] /= sum;
  }
  return Tensor::from_vector<double>({a.out, a.in}, w);
}

Value resize_axis(const Value& x, int64_t axis, const Resizing& r, const ResizedAxis& a) {
  if (r.mode == "nearest") {
    Ints at;
    for (int64_t o = 0; o < a.out; ++o)
      at.push_back(std::clamp<int64_t>(nearest_place(r, source_place(r, a, o)), 0, a.in - 1));
    return ops::take(x, int64_tensor(at), axis);
  }
  const Value w(weights(r, a).astype(x.dtype()));
  if (axis == x.rank() - 1) return ops::matmul(x, w, false, true);
  Shape flat{1, x.dim(static_cast<int>(axis)), 1}, to = x.shape();
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != axis) (i < axis ? flat[0] : flat[2]) *= x.dim(static_cast<int>(i));
  to[static_cast<size_t>(axis)] = a.out;
  return ops::reshape(ops::matmul(w, ops::reshape(x, flat)), to);
}

// Positions of an axis that read outside of the image.
Value outside(const ResizedAxis& a, const Resizing& r, int64_t axis, int rank) {
  Shape s(static_cast<size_t>(rank), 1);
  s[static_cast<size_t>(axis)] = a.out;
  Tensor t(s, DType::bool_);
  for (int64_t o = 0; o < a.out; ++o) {
    const double x = source_place(r, a, o);
    static_cast<uint8_t*>(t.raw())[o] = x < 0 || x > static_cast<double>(a.in - 1);
  }
  return Value(t);
}

// The axes with their new extents; roi, scales and sizes are those of the node.
Operands resize(Node& n, const Resizing& r, const std::vector<double>& scales, const Ints& sizes,
                const std::vector<double>& roi) {
  const Operand& x = n.operand(0);
  Ints axes = n.ints("axes");
  if (axes.empty())
    for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  const size_t k = axes.size();
  n.check((scales.size() == k) != (sizes.size() == k) || (scales.empty() && sizes.size() == k),
          "one scale or one size per axis is needed.");
  n.check(roi.empty() || roi.size() == 2 * k || r.coordinates != "tf_crop_and_resize",
          "roi needs two numbers per axis.");
  const Shape s = x.shape();
  double common = 0;
  const std::string policy = n.s("keep_aspect_ratio_policy", "stretch");
  for (size_t i = 0; i < k && !sizes.empty(); ++i) {
    const double f =
        static_cast<double>(sizes[i]) / static_cast<double>(s[static_cast<size_t>(n.axis(axes[i], x.rank()))]);
    common = i == 0 ? f : policy == "not_larger" ? std::min(common, f) : std::max(common, f);
  }
  Value y = x.stored(), out_of_image;
  const bool round_trip = !is_float(y.dtype()) && r.mode != "nearest";
  if (round_trip) y = ops::cast(y, DType::f32);
  for (size_t i = 0; i < k; ++i) {
    const int64_t axis = n.axis(axes[i], x.rank());
    ResizedAxis a{.in = s[static_cast<size_t>(axis)], .out = 0, .scale = 1};
    if (!sizes.empty()) {
      n.check(sizes[i] >= 0 && sizes[i] < (int64_t{1} << 31), "bad sizes.");
      a.scale = policy == "stretch" ? static_cast<double>(sizes[i]) / static_cast<double>(a.in) : common;
      a.out =
          policy == "stretch" ? sizes[i] : static_cast<int64_t>(std::floor(common * static_cast<double>(a.in) + 0.5));
    } else {
      n.check(scales[i] > 0 && scales[i] * static_cast<double>(a.in) < 2147483648.0, "bad scales.");
      a.scale = scales[i];
      a.out = static_cast<int64_t>(std::floor(a.scale * static_cast<double>(a.in)));
    }
    const bool crop = r.coordinates == "tf_crop_and_resize" && roi.size() == 2 * k;
    if (crop) a.from = roi[i], a.to = roi[k + i];
    if (a.out == a.in && a.scale == 1 && (!crop || (a.from == 0 && a.to == 1))) continue;
    n.check(a.in > 0 && a.out > 0 && a.out * a.in < (int64_t{1} << 28), "the result would be empty or too large.");
    y = resize_axis(y, x.stored_axis(axis), r, a);
    if (crop) {
      const Value o = outside(a, r, x.stored_axis(axis), x.rank());
      out_of_image = out_of_image.defined() ? ops::logical_or(out_of_image, o) : o;
    }
  }
  if (out_of_image.defined()) y = ops::where(out_of_image, ops::scalar_like(y, r.outside_value), y);
  if (round_trip) y = ops::cast(ops::round(y), x.dtype());
  return {Operand(y, x.axes())};
}

std::vector<double> numbers(const Node& n, size_t slot, const char* what) {
  std::vector<double> r;
  if (!n.has(slot)) return r;
  const Tensor t = n.known(slot, what);
  for (int64_t i = 0; i < t.size(); ++i) r.push_back(t.item(i));
  return r;
}

Operands import_resize(Node& n) {
  Resizing r{.mode = n.s("mode", "nearest"),
             .coordinates = n.s("coordinate_transformation_mode", n.opset() < 11 ? "asymmetric" : "half_pixel"),
             .nearest = n.s("nearest_mode", n.opset() < 11 ? "floor" : "round_prefer_floor"),
             .cubic = n.f("cubic_coeff_a", -0.75),
             .outside_value = n.f("extrapolation_value", 0),
             .exclude_outside = n.i("exclude_outside", 0) != 0,
             .antialias = n.i("antialias", 0) != 0};
  n.check(r.mode == "nearest" || r.mode == "linear" || r.mode == "cubic", fmt::format("unknown mode '{}'.", r.mode));
  if (n.opset() < 11) return resize(n, r, numbers(n, 1, "the scales"), {}, {});
  return resize(n, r, numbers(n, 2, "the scales"), n.has(3) ? n.known_ints(3, "the sizes") : Ints{},
                numbers(n, 1, "the region"));
}
Operands import_upsample(Node& n) {
  const std::string mode = n.s("mode", "nearest");
  const Resizing r{.mode = mode == "bilinear" || mode == "trilinear" ? "linear" : mode,
                   .coordinates = "asymmetric",
                   .nearest = "floor"};
  return resize(n, r, n.opset() < 9 ? n.floats("scales") : numbers(n, 1, "the scales"), {}, {});
}

// ---- sampling by a grid
// ------------------------------------------------------------------------------------------------------

struct Sampler {
  Value rows;    // (N * cells, C)
  Ints extents;  // of the spatial axes
  int64_t batch;
  std::string padding;  // zeros, border, reflection
  bool align;

  double low() const { return align ? 0.0 : -0.5; }
  double high(size_t axis) const { return static_cast<double>(extents[axis]) - (align ? 1.0 : 0.5); }
  // Mirrored at the borders until it lies inside.
  Value mirrored(const Value& x, size_t axis) const {
    const double a = low(), span = high(axis) - a;
    if (span <= 0) return x * 0.0;
    const Value t = ops::mod(ops::abs(x - a), ops::scalar_like(x, 2 * span));
    return ops::minimum(t, ops::negative(t) + 2 * span) + a;
  }
  // What a place outside of the image stands for.
  Value folded(const Value& x, size_t axis) const {
    if (padding == "border") return ops::clip(x, 0.0, static_cast<double>(extents[axis] - 1));
    if (padding == "reflection") return mirrored(x, axis);
    return x;
  }
  // Pixels (N, P, C) at whole-numbered places, one (N, P) per axis.
  Value pixels(const Values& places) const {
    Value flat, inside;
    for (size_t a = 0; a < extents.size(); ++a) {
      const double last = static_cast<double>(extents[a] - 1);
      const Value p = padding == "zeros" ? places[a] : ops::trunc(folded(places[a], a));
      const Value in = ops::logical_and(p >= 0.0, p <= last);
      inside = inside.defined() ? ops::logical_and(inside, in) : in;
      const Value index = ops::cast(ops::clip(p, 0.0, last), DType::i64);
      flat = flat.defined() ? flat * scalar(static_cast<double>(extents[a]), DType::i64) + index : index;
    }
    const int64_t cells = num_elements(extents);
    const Value image = ops::reshape(ops::arange(0, static_cast<double>(batch), 1, DType::i64), {batch, 1}) *
                        scalar(static_cast<double>(cells), DType::i64);
    const Value v = ops::take(rows, flat + image, 0);
    return padding == "zeros" ? ops::where(ops::expand_dims(inside, -1), v, ops::scalar_like(v, 0)) : v;
  }
};

Operands import_grid_sample(Node& n) {
  const Operand& x = n.operand(0);
  const Value grid = n.in(1);
  const int k = x.rank() - 2;
  n.check(k >= 1 && k <= 3 && grid.rank() == x.rank() && grid.dim(-1) == k && grid.dim(0) == x.shape()[0],
          "the grid does not fit the input.");
  std::string mode = n.s("mode", n.opset() < 20 ? "bilinear" : "linear");
  mode = mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode;
  n.check(mode == "linear" || mode == "cubic" || mode == "nearest", fmt::format("unknown mode '{}'.", mode));
  const Value last = x.channels_last();
  const Shape s = x.shape();
  Sampler g{.extents = Ints(s.begin() + 2, s.end()),
            .batch = s[0],
            .padding = n.s("padding_mode", "zeros"),
            .align = n.i("align_corners", 0) != 0};
  n.check(g.padding == "zeros" || g.padding == "border" || g.padding == "reflection",
          fmt::format("unknown padding_mode '{}'.", g.padding));
  g.rows = ops::reshape(last, {s[0] * num_elements(g.extents), s[1]});
  Shape out = extents_of(grid, 0, grid.rank() - 1);
  const int64_t points = num_elements(out) / std::max<int64_t>(out[0], 1);
  Values at, fraction;
  for (size_t a = 0; a < g.extents.size(); ++a) {
    const int64_t column = k - 1 - static_cast<int64_t>(a);  // the grid's numbers are (x, y, z)
    const Value v = ops::reshape(ops::slice_axis(grid, -1, column, column + 1), {s[0], points});
    const double extent = static_cast<double>(g.extents[a]);
    Value place = g.align ? (v + 1.0) * ((extent - 1) / 2) : ((v + 1.0) * extent - 1.0) / 2.0;
    if (mode == "nearest") place = ops::round(place);
    const Value outside = ops::logical_or(place<g.low(), place> g.high(a));
    if (g.padding != "zeros") place = ops::where(outside, g.folded(place, a), place);
    at.push_back(mode == "nearest" ? place : ops::floor(place));
    fraction.push_back(place - at.back());
  }
  Value y;
  if (mode == "nearest") {
    y = g.pixels(at);
  } else {
    const bool cubic = mode == "cubic";
    const int64_t first = cubic ? -1 : 0, taps = cubic ? 4 : 2;
    int64_t all = 1;
    for (int a = 0; a < k; ++a) all *= taps;
    for (int64_t c = 0; c < all; ++c) {
      Values places(static_cast<size_t>(k));
      Value w;
      int64_t rest = c;
      for (size_t a = 0; a < static_cast<size_t>(k); ++a, rest /= taps) {
        const int64_t step = first + rest % taps;
        places[a] = at[a] + static_cast<double>(step);
        const Value d = ops::abs(fraction[a] - static_cast<double>(step));
        const double q = -0.75;
        Value part = ops::negative(d) + 1.0;
        if (cubic)
          part =
              step == 0 || step == 1 ? (d * (q + 2) - (q + 3)) * d * d + 1.0 : (((d - 5.0) * d + 8.0) * d - 4.0) * q;
        w = w.defined() ? w * part : part;
      }
      const Value term = g.pixels(places) * ops::expand_dims(w, -1);
      y = y.defined() ? y + term : term;
    }
  }
  out.push_back(s[1]);
  return {Operand::from_channels_last(ops::cast(ops::reshape(y, out), x.dtype()))};
}

// theta (N, k, k + 1) applied to a regular grid over [-1, 1]: (N, spatial..., k).
Operands import_affine_grid(Node& n) {
  const Value theta = n.in(0);
  const Ints size = n.known_ints(1, "the size");
  const int64_t k = static_cast<int64_t>(size.size()) - 2;
  n.check((k == 2 || k == 3) && theta.rank() == 3 && theta.dim(1) == k && theta.dim(2) == k + 1,
          "theta and size do not fit.");
  const Shape spatial(size.begin() + 2, size.end());
  for (int64_t d : spatial) n.check(d > 0 && d < (1 << 20), "bad size.");
  const bool align = n.i("align_corners", 0) != 0;
  const int64_t points = num_elements(spatial);
  Tensor base({points, k + 1}, DType::f64);
  for (int64_t p = 0; p < points; ++p) {
    int64_t rest = p;
    for (int64_t a = k; a-- > 0; rest /= spatial[static_cast<size_t>(a)]) {
      const double extent = static_cast<double>(spatial[static_cast<size_t>(a)]),
                   i = static_cast<double>(rest % spatial[static_cast<size_t>(a)]);
      const double v = align ? (extent == 1 ? -1.0 : -1 + 2 * i / (extent - 1)) : -1 + (2 * i + 1) / extent;
      base.set_item(p * (k + 1) + (k - 1 - a), v);
    }
    base.set_item(p * (k + 1) + k, 1);
  }
  const Value grid = ops::matmul(Value(base.astype(theta.dtype())), theta, false, true);  // (N, points, k)
  Shape out{theta.dim(0)};
  out.insert(out.end(), spatial.begin(), spatial.end());
  out.push_back(k);
  return {ops::reshape(grid, out)};
}

}  // namespace

OperatorList resize_operators() {
  return {{"AffineGrid", 20, import_affine_grid, {1}},
          {"GridSample", 16, import_grid_sample},
          {"Resize", 10, import_resize, {1, 2, 3}},
          {"Upsample", 7, import_upsample, {1}}};
}

}  // namespace glia::onnx
