// Convolutions: computed with channels last; the result only notes that ONNX wants them second.
#include "io/onnx/operator_util.h"
#include "ops/conv_family.h"

namespace glia::onnx {

ops::Pads conv_pads(const Node& n, const Shape& spatial, const Ints& window, const Ints& strides,
                    const Ints& dilations) {
  const size_t k = spatial.size();
  const std::string mode = n.s("auto_pad", "NOTSET");
  ops::Pads r(k, {0, 0});
  if (mode == "VALID") return r;
  const Ints pads = n.ints("pads");
  n.check(pads.empty() || pads.size() == 2 * k,
          fmt::format("{} pads for {} spatial axes. Two per axis are needed.", pads.size(), k));
  for (size_t i = 0; i < k; ++i) {
    if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
      const int64_t out = (spatial[i] + strides[i] - 1) / strides[i];
      const int64_t total =
          std::max<int64_t>(0, (out - 1) * strides[i] + (window[i] - 1) * dilations[i] + 1 - spatial[i]);
      r[i] = mode == "SAME_UPPER" ? std::pair{total / 2, total - total / 2} : std::pair{total - total / 2, total / 2};
    } else if (!pads.empty()) {
      r[i] = {pads[i], pads[i + k]};
      n.check(within(pads[i], 1 << 30) && within(pads[i + k], 1 << 30), "bad pads.");
    }
  }
  return r;
}

namespace {

// ONNX keeps kernels (filters, channels, spatial...), Glia (spatial..., channels, filters).
Ints kept_kernel(int rank) {
  Ints r{rank - 1, rank - 2};
  for (int64_t i = 0; i + 2 < rank; ++i) r.push_back(i);
  return r;
}

Ints per_axis(const Node& n, const char* name, size_t k) {
  const Ints r = n.ints(name, Ints(k, 1));
  n.check(r.size() == k,
          fmt::format("the attribute '{}' needs one number per spatial axis ({}). Received {}.", name, k, r.size()));
  for (int64_t v : r) n.check(v > 0 && v < (1 << 30), fmt::format("bad '{}'.", name));
  return r;
}

struct Geometry {
  size_t k;  // spatial axes
  Ints strides, dilations, window;
  Shape spatial;
};
Geometry geometry(const Node& n, const Operand& x, const Operand& w) {
  const Shape xs = x.shape(), ws = w.shape();
  n.check(xs.size() >= 3 && xs.size() <= 5 && ws.size() == xs.size(),
          fmt::format("expected 1 to 3 spatial axes. Received an input {} and a kernel {}.", to_string(xs),
                      to_string(ws)));
  Geometry g{.k = xs.size() - 2};
  g.strides = per_axis(n, "strides", g.k), g.dilations = per_axis(n, "dilations", g.k);
  g.window.assign(ws.begin() + 2, ws.end());
  g.spatial.assign(xs.begin() + 2, xs.end());
  const Ints said = n.ints("kernel_shape");
  n.check(said.empty() || said == g.window,
          fmt::format("kernel_shape is {}, but the kernel's shape is {}.", to_string(said), to_string(ws)));
  return g;
}
Value plus_bias(const Node& n, const Value& y, size_t slot) { return n.has(slot) ? y + n.in(slot) : y; }

Value conv(const Node& n, const Operand& x, const Operand& w) {
  const Geometry g = geometry(n, x, w);
  const int64_t groups = n.i("group", 1);
  n.check(groups >= 1 && x.shape()[1] == groups * w.shape()[1] && w.shape()[0] % groups == 0,
          fmt::format("an input {} and a kernel {} do not fit with group {}.", to_string(x.shape()),
                      to_string(w.shape()), groups));
  const ops::Pads pads = conv_pads(n, g.spatial, g.window, g.strides, g.dilations);
  return ops::conv(x.channels_last(), w.in_order(kept_kernel(w.rank())),
                   {.strides = g.strides, .dilation_rate = g.dilations, .pads = pads});
}
Operands import_conv(Node& n) {
  return {Operand::from_channels_last(plus_bias(n, conv(n, n.operand(0), n.operand(1)), 2))};
}

Operands import_conv_transpose(Node& n) {
  const Operand& x = n.operand(0);
  const Operand& w = n.operand(1);
  const Geometry g = geometry(n, x, w);
  const int64_t groups = n.i("group", 1);
  n.check(groups >= 1 && x.shape()[1] == w.shape()[0] && x.shape()[1] % groups == 0,
          "the input and the kernel do not fit.");
  const Ints extra = n.ints("output_padding", Ints(g.k, 0)), wanted = n.ints("output_shape");
  const std::string mode = n.s("auto_pad", "NOTSET");
  Ints pads = n.ints("pads", Ints(2 * g.k, 0)), flat;
  n.check(extra.size() == g.k && pads.size() == 2 * g.k && (wanted.empty() || wanted.size() >= g.k),
          "pads, output_padding or output_shape do not fit.");
  Shape out{x.shape()[0]};
  for (size_t i = 0; i < g.k; ++i) {
    const int64_t full = (g.spatial[i] - 1) * g.strides[i] + (g.window[i] - 1) * g.dilations[i] + 1;
    int64_t before = pads[i], after = pads[i + g.k], length = full + extra[i] - before - after;
    const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
    if (!wanted.empty() || same) {
      length = wanted.empty() ? g.spatial[i] * g.strides[i] : wanted[wanted.size() - g.k + i];
      const int64_t total = std::max<int64_t>(0, full + extra[i] - length);
      before = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
    } else if (mode == "VALID") {
      before = 0, length = full + extra[i];
    }
    n.check(length > 0 && length < (int64_t{1} << 40), "the output would be empty.");
    out.push_back(length);
    flat.insert(flat.end(), {before, full - length - before});
  }
  out.push_back(w.shape()[1] * groups);
  check_extents(n, out, x.stored().is_concrete());
  const Value y = ops::emit_conv_backprop_input({{"strides", g.strides}, {"pads", flat}, {"dilation", g.dilations}},
                                                x.channels_last(), w.in_order(kept_kernel(w.rank())), out);
  return {Operand::from_channels_last(plus_bias(n, y, 2))};
}

// (N, C, T) with k - 1 steps carried over from the call before.
Operands import_causal_conv(Node& n) {
  const Value x = n.in(0), w = n.in(1);
  n.check(x.rank() == 3 && w.rank() == 3 && w.dim(0) == x.dim(1) && w.dim(1) == 1,
          "expected (N, C, T) and a kernel (C, 1, k).");
  const int64_t carried = w.dim(2) - 1;
  const Value past = n.has(3) ? n.in(3) : ops::zeros({x.dim(0), x.dim(1), carried}, x.dtype());
  const Value all = ops::concatenate({past, x}, 2);
  Value y = ops::transpose(ops::conv(ops::transpose(all, {0, 2, 1}), ops::transpose(w, {2, 1, 0})), {0, 2, 1});
  if (n.has(2)) y = y + ops::reshape(n.in(2), {-1, 1});
  const std::string f = n.s("activation", "none");
  n.check(f == "none" || f == "silu" || f == "swish", fmt::format("unknown activation '{}'.", f));
  if (f != "none") y = ops::silu(y);
  return {y, ops::slice_axis(all, 2, all.dim(2) - carried)};
}

}  // namespace

OperatorList conv_operators() {
  return {{"CausalConvWithState", 27, import_causal_conv},
          {.name = "Conv", .since = 1, .import = import_conv, .kept = kept_kernel},
          {.name = "ConvTranspose", .since = 1, .import = import_conv_transpose, .kept = kept_kernel}};
}

}  // namespace glia::onnx
