// Operators that read images at computed places: RoiAlign, DeformConv; and Col2Im, which lays patches over one
// another.
#include "io/onnx/interpreter.h"
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

int64_t product_of(const Ints& v) {
  int64_t r = 1;
  for (int64_t x : v) r *= x;
  return r;
}

// Columns (N, C * block, L) -> images (N, C, image...): each patch is added at its place; the inverse walk of im2col.
Operands import_col2im(Node& n) {
  const Value x = n.in(0);
  const Ints image = n.known_ints(1, "the image shape"), block = n.known_ints(2, "the block shape");
  const size_t k = image.size();
  n.check(x.rank() == 3 && k >= 1 && k <= 4 && block.size() == k,
          "expected columns (N, C * block, L) and shapes of 1 to 4 axes.");
  const Ints dilations = n.ints("dilations", Ints(k, 1)), strides = n.ints("strides", Ints(k, 1)),
             pads = n.ints("pads", Ints(2 * k, 0));
  n.check(dilations.size() == k && strides.size() == k && pads.size() == 2 * k,
          "dilations, strides and pads do not fit the image shape.");
  Ints padded, steps;
  for (size_t i = 0; i < k; ++i) {
    n.check(image[i] > 0 && block[i] > 0 && dilations[i] > 0 && strides[i] > 0 && pads[i] >= 0 && pads[k + i] >= 0 &&
                image[i] < (1 << 24) && block[i] < (1 << 24) && dilations[i] < (1 << 24),
            "extents, strides and dilations must be positive, pads not negative.");
    padded.push_back(image[i] + pads[i] + pads[k + i]);
    const int64_t reach = padded[i] - (dilations[i] * (block[i] - 1) + 1);
    n.check(reach >= 0, "a block is larger than the padded image.");
    steps.push_back(reach / strides[i] + 1);
  }
  check_extents(n, padded, true);
  check_extents(n, block, true);
  const int64_t cells = product_of(block), places = product_of(steps);
  n.check(x.dim(1) % cells == 0 && x.dim(2) == places,
          fmt::format("columns of shape {} do not fit {} cells at {} places.", to_string(x.shape()), cells, places));
  check_extents(n, {cells, places}, true);
  Tensor at({cells, places}, DType::i64);
  for (int64_t c = 0; c < cells; ++c)
    for (int64_t p = 0; p < places; ++p) {
      int64_t flat = 0, rest_c = c, rest_p = p, cell = cells, place = places;
      for (size_t i = 0; i < k; ++i) {
        cell /= block[i], place /= steps[i];
        flat = flat * padded[i] + rest_p / place * strides[i] + rest_c / cell * dilations[i];
        rest_c %= cell, rest_p %= place;
      }
      at.data<int64_t>()[c * places + p] = flat;
    }
  const int64_t batch = x.dim(0), channels = x.dim(1) / cells;
  // (cells, places) first, as segment_sum wants the axes of the indices.
  const Value cols = ops::transpose(ops::reshape(x, {batch * channels, cells, places}), {1, 2, 0});
  Value y = ops::transpose(ops::segment_sum(cols, Value(at), product_of(padded)), {1, 0});
  Shape whole{batch, channels}, begin{0, 0}, size{batch, channels};
  whole.insert(whole.end(), padded.begin(), padded.end());
  for (size_t i = 0; i < k; ++i) begin.push_back(pads[i]), size.push_back(image[i]);
  return {Operand(ops::cast(ops::slice(ops::reshape(y, whole), begin, size), x.dtype()))};
}

// The four pixels round each (row, column) and their weights, from rows (pixels, channels) whose image starts at
// `base`.
struct Corners {
  Value value[4], weight[4];  // value: (places..., channels); weight: (places..., 1)
};
Corners corners(const Value& pixels, const Value& base, const Value& row, const Value& column, int64_t h, int64_t w,
                bool zero_outside) {
  const auto whole = [](const Value& v) { return ops::cast(v, DType::i64); };
  const auto inside = [](const Value& v, int64_t n) { return ops::clip(v, 0, static_cast<double>(n - 1)); };
  const Value r0 = ops::floor(row), c0 = ops::floor(column), dr = row - r0, dc = column - c0;
  Corners out;
  for (int i = 0; i < 4; ++i) {
    const Value r = i < 2 ? r0 : r0 + 1.0, c = i % 2 ? c0 + 1.0 : c0;
    Value weight = (i < 2 ? 1.0 - dr : dr) * (i % 2 ? dc : 1.0 - dc);
    if (zero_outside) {
      const Value there = ops::logical_and(ops::logical_and(r >= 0.0, r <= static_cast<double>(h - 1)),
                                           ops::logical_and(c >= 0.0, c <= static_cast<double>(w - 1)));
      weight = ops::where(there, weight, ops::scalar_like(weight, 0));
    }
    const Value at = base + whole(inside(r, h)) * Value(Tensor::from_vector<int64_t>({}, {w})) + whole(inside(c, w));
    out.value[i] = ops::take(pixels, at, 0);
    out.weight[i] = ops::expand_dims(weight, -1);
  }
  return out;
}
Value ramp(int64_t count, double start, double step) {
  Tensor t({count});
  for (int64_t i = 0; i < count; ++i) t.data<float>()[i] = static_cast<float>(start + step * static_cast<double>(i));
  return Value(t);
}

// He et al. 2017: regions of interest (R, 4) as x1, y1, x2, y2, each pooled to output_height x output_width.
Operands import_roi_align(Node& n) {
  const Value x = n.in(0), rois = ops::cast(n.in(1), DType::f32), batch = ops::cast(n.in(2), DType::i64);
  n.check(x.rank() == 4 && rois.rank() == 2 && rois.dim(1) == 4 && batch.rank() == 1,
          "expected an image batch (N, C, H, W), regions (R, 4) and batch indices (R).");
  const int64_t oh = n.i("output_height", 1), ow = n.i("output_width", 1), samples = n.i("sampling_ratio", 0);
  n.check(oh > 0 && ow > 0 && oh < 4096 && ow < 4096, "the output must have positive extents.");
  n.check(samples > 0 && samples < 256,
          "sampling_ratio 0, a number of samples that depends on the regions, is not supported.");
  const std::string mode = n.s("mode", "avg"),
                    coordinates =
                        n.s("coordinate_transformation_mode", n.opset() >= 16 ? "half_pixel" : "output_half_pixel");
  n.check(mode == "avg" || mode == "max", "the attribute 'mode' must be avg or max.");
  const bool half = coordinates == "half_pixel";
  const int64_t c = x.dim(1), h = x.dim(2), w = x.dim(3), r = rois.dim(0);
  const double scale = n.f("spatial_scale", 1), shift = half ? -0.5 : 0;
  const auto edge = [&](int64_t i) { return ops::slice_axis(rois, 1, i, i + 1) * scale + shift; };  // (R, 1)
  // Coordinates of all samples along one side (R, out * samples), and which lie in the image.
  const auto side = [&](const Value& from, const Value& to, int64_t out, int64_t extent, Value* outside) {
    Value length = to - from;
    if (!half) length = ops::maximum(length, ops::scalar_like(length, 1));
    const Value at = from + length * ramp(out * samples, 0.5 / static_cast<double>(out * samples),
                                          1.0 / static_cast<double>(out * samples));
    *outside = ops::logical_or(at<-1.0, at> static_cast<double>(extent));
    return ops::clip(at, 0, static_cast<double>(extent - 1));
  };
  Value row_out, column_out;
  const int64_t hs = oh * samples, ws = ow * samples;
  const Value rows = side(edge(1), edge(3), oh, h, &row_out), columns = side(edge(0), edge(2), ow, w, &column_out);
  const auto grid = [&](const Value& v, bool is_row) {
    return ops::broadcast_to(ops::expand_dims(v, is_row ? 2 : 1), {r, hs, ws});
  };
  const Value base = ops::reshape(batch * Value(Tensor::from_vector<int64_t>({}, {h * w})), {r, 1, 1});
  const Value pixels = ops::reshape(n.operand(0).channels_last(), {x.dim(0) * h * w, c});
  const Corners k = corners(pixels, base, grid(rows, true), grid(columns, false), h, w, false);
  const Value dropped = ops::expand_dims(ops::logical_or(grid(row_out, true), grid(column_out, false)), -1);
  Value y;
  for (int i = 0; i < 4; ++i) {
    const Value part = ops::cast(k.value[i], DType::f32) * k.weight[i];
    y = i == 0 ? part : mode == "max" ? ops::maximum(y, part) : y + part;
  }
  y = ops::reshape(ops::where(dropped, ops::scalar_like(y, 0), y), {r, oh, samples, ow, samples, c});
  y = mode == "max" ? ops::max(y, {2, 4}) : ops::mean(y, {2, 4});
  return {Operand::from_channels_last(ops::cast(y, x.dtype()))};
}

// Dai et al. 2017, with the mask of version 2: a convolution whose taps are moved by offsets.
Operands import_deform_conv(Node& n) {
  const Value x = n.in(0), weight = n.in(1), offset = n.in(2);
  n.check(x.rank() == 4 && weight.rank() == 4 && offset.rank() == 4, "expected two spatial axes.");
  const int64_t batch = x.dim(0), c = x.dim(1), h = x.dim(2), w = x.dim(3), groups = n.i("group", 1),
                shifts = n.i("offset_group", 1);
  const int64_t m = weight.dim(0), kh = weight.dim(2), kw = weight.dim(3), taps = kh * kw, oh = offset.dim(2),
                ow = offset.dim(3);
  const Ints dilations = n.ints("dilations", {1, 1}), strides = n.ints("strides", {1, 1}),
             pads = n.ints("pads", {0, 0, 0, 0});
  n.check(groups > 0 && shifts > 0 && c % shifts == 0 && c % groups == 0 && m % groups == 0 &&
              weight.dim(1) == c / groups && offset.dim(1) == shifts * taps * 2 && dilations.size() == 2 &&
              strides.size() == 2 && pads.size() == 4,
          "the input, the kernel, the offsets and the attributes do not fit.");
  check_extents(n, {taps, oh, ow}, true);
  check_extents(n, {batch, shifts}, true);
  // Places before the shift: (taps, oh, ow).
  Tensor rows({1, 1, taps, oh, ow}), columns({1, 1, taps, oh, ow});
  for (int64_t t = 0, i = 0; t < taps; ++t)
    for (int64_t a = 0; a < oh; ++a)
      for (int64_t b = 0; b < ow; ++b, ++i) {
        rows.data<float>()[i] = static_cast<float>(a * strides[0] - pads[0] + t / kw * dilations[0]);
        columns.data<float>()[i] = static_cast<float>(b * strides[1] - pads[1] + t % kw * dilations[1]);
      }
  const Value moved = ops::cast(ops::reshape(offset, {batch, shifts, taps, 2, oh, ow}), DType::f32);
  const auto part = [&](int64_t i) { return ops::squeeze(ops::slice_axis(moved, 3, i, i + 1), {3}); };
  // Pixels of each offset group: rows (N, group, H, W) of c / shifts numbers.
  const Value pixels =
      ops::reshape(ops::transpose(ops::reshape(x, {batch, shifts, c / shifts, h, w}), {0, 1, 3, 4, 2}),
                   {batch * shifts * h * w, c / shifts});
  Tensor starts({batch, shifts, 1, 1, 1}, DType::i64);
  for (int64_t i = 0; i < starts.size(); ++i) starts.data<int64_t>()[i] = i * h * w;
  const Corners k = corners(pixels, Value(starts), part(0) + Value(rows), part(1) + Value(columns), h, w, true);
  Value sampled;  // (N, shifts, taps, oh, ow, c / shifts)
  for (int i = 0; i < 4; ++i) {
    const Value v = ops::cast(k.value[i], DType::f32) * k.weight[i];
    sampled = i == 0 ? v : sampled + v;
  }
  if (n.has(4)) sampled = sampled * ops::cast(ops::reshape(n.in(4), {batch, shifts, taps, oh, ow, 1}), DType::f32);
  // Channels are (shift, channel of the group); convolution groups cut the same axis.
  const Value columns_of =
      ops::reshape(ops::transpose(sampled, {0, 3, 4, 1, 5, 2}), {batch * oh * ow, groups, c / groups * taps});
  const Value kernel = ops::cast(ops::reshape(weight, {groups, m / groups, c / groups * taps}), DType::f32);
  Value y = ops::reshape(ops::einsum("pgk,gmk->pgm", {columns_of, kernel}), {batch, oh, ow, m});
  if (n.has(3)) y = y + ops::cast(n.in(3), DType::f32);
  return {Operand::from_channels_last(ops::cast(y, x.dtype()))};
}

}  // namespace

OperatorList vision_operators() {
  return {{"Col2Im", 18, import_col2im, {1, 2}},
          {"DeformConv", 19, import_deform_conv},
          {"RoiAlign", 10, import_roi_align}};
}

}  // namespace glia::onnx
