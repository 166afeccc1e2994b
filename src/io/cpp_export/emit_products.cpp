// matmul, conv and transposed conv.
#include <algorithm>

#include "base/error.h"
#include "io/cpp_export/emitter.h"
#include "io/cpp_export/pack.h"
#include "ops/conv_geometry.h"

namespace glia::io::cpp_export {
using namespace ir;

namespace {

// Bias, residual and activation that the register tile did not do itself.
struct Tail {
  int bias = -1, residual = -1;  // operands
  std::string activation;
  bool relu_in_tile() const { return residual < 0 && activation == "relu"; }
};
Tail tail_of(const Attrs& a) {
  Tail t;
  int next = 2;
  if (a.b("bias")) t.bias = next++;
  if (a.b("residual")) t.residual = next++;
  t.activation = a.s("activation");
  return t;
}

std::string offset(const std::string& pointer, int64_t by) {
  return by ? fmt::format("{} + {}", pointer, by) : pointer;
}

void finish(Emitter& e, const Tail& t, bool bias_done, bool relu_done) {
  const int64_t n = e.out_type().shape.empty() ? 1 : e.out_type().shape.back(),
                rows = e.out_type().elements() / std::max<int64_t>(n, 1);
  if ((t.bias >= 0 && !bias_done) || t.residual >= 0) {
    e.needs("finish");
    e.add(fmt::format("detail::add_bias_and_residual({}, {}, {}, {}, {});", e.out(), rows, n,
                      t.bias >= 0 && !bias_done ? e.in(static_cast<size_t>(t.bias)) : "nullptr",
                      t.residual >= 0 ? e.in(static_cast<size_t>(t.residual)) : "nullptr"));
  }
  if (t.activation.empty() || relu_done) return;
  e.needs("activate");
  e.add(fmt::format("detail::each({}, {}, [](float v) {{ return detail::{}(v); }});", e.out(),
                    e.out_type().elements(), t.activation));
}

// The bias of a tail as a padded array, if it is a weight; then the tile adds it.
std::string padded_bias(Emitter& e, const Tail& t) {
  if (t.bias < 0 || !e.constant(static_cast<size_t>(t.bias))) return "nullptr";
  return e.prepared(static_cast<size_t>(t.bias), "padded", pad_to_panel);
}

// ---- matmul ----

void emit_dense(Emitter& e, const Tail& t, int64_t m, int64_t k, int64_t n) {
  const bool transposed = e.node().attrs.b("transpose_b");
  const std::string w = e.prepared(1, transposed ? "packed_t" : "packed", [&](const Tensor& b) {
    return pack_panels(transposed ? transposed_2d(b.reshape({n, k})) : b.reshape({k, n}));
  });
  const std::string bias = padded_bias(e, t);
  e.needs("dense");
  const bool relu = t.relu_in_tile() && (t.bias < 0 || bias != "nullptr");
  e.add(fmt::format("detail::dense({}, {}, {{{}, {}, {}, {}}}, {}{});", e.in(0), m, w, bias, k, n, e.out(),
                    relu ? ", true" : ""));
  finish(e, t, bias != "nullptr", relu);
}

void emit_matmul(Emitter& e) {
  e.require_f32();
  const Attrs& attrs = e.node().attrs;
  const Shape &a = e.in_type(0).shape, &b = e.in_type(1).shape, &y = e.out_type().shape;
  if (e.out_type().dtype != DType::f32) e.refuse("matmul is exported for float32 only.");
  const bool ta = attrs.b("transpose_a"), tb = attrs.b("transpose_b");
  const int64_t m = y[y.size() - 2], n = y.back(), k = ta ? a[a.size() - 2] : a.back();
  const Tail t = tail_of(attrs);
  const int64_t b_batches = num_elements(b) / std::max<int64_t>(1, k * n);
  if (e.constant(1) && b_batches == 1 && (!ta || m == 1)) {
    emit_dense(e, t, e.out_type().elements() / n, k, n);
    return;
  }
  // Batches: leading axes broadcast.
  const Shape lead(y.begin(), y.end() - 2);
  std::vector<std::vector<int64_t>> strides;
  for (const Shape* s : {&a, &b}) {
    std::vector<int64_t> st = broadcast_strides(Shape(s->begin(), s->end() - 2), lead);
    for (int64_t& v : st) v *= (*s)[s->size() - 2] * s->back();
    strides.push_back(st);
  }
  strides.push_back(dense_strides(lead));
  for (int64_t& v : strides.back()) v *= m * n;
  const Loops l = loops(lead, strides);
  e.needs("matmul");
  e.add(fmt::format("{}{}detail::matmul({} + {}, {}, {}, {} + {}, {}, {}, {}, {}, {} + {});", l.open, l.indent,
                    e.in(0), l.index[0], ta ? 1 : k, ta ? m : 1, e.in(1), l.index[1], tb ? "true" : "false", m, n, k,
                    e.out(), l.index[2]));
  finish(e, t, false, false);
}

// ---- convolutions ----

std::string window_text(const cpu::ConvShape& s, const int64_t (&in)[3]) {
  const auto three = [](const int64_t(&v)[3]) { return fmt::format("{{{}, {}, {}}}", v[0], v[1], v[2]); };
  return fmt::format("{{{}, {}, {}, {}, {}, {}, {}, {}, {}}}", s.batch, three(in), s.cin, three(s.out), s.cout,
                     three(s.kernel), three(s.stride), three(s.pad), three(s.dilation));
}

// Offsets of the runs that one output reads, in an input of extents `in`, and the length of a run.
std::vector<int64_t> tap_offsets(const cpu::ConvShape& s, const int64_t (&in)[3], bool whole_rows) {
  std::vector<int64_t> r;
  for (int64_t d = 0; d < s.kernel[0]; ++d)
    for (int64_t h = 0; h < s.kernel[1]; ++h)
      for (int64_t w = 0; w < (whole_rows ? 1 : s.kernel[2]); ++w)
        r.push_back(((d * s.dilation[0] * in[1] + h * s.dilation[1]) * in[2] + w * s.dilation[2]) * s.cin);
  return r;
}

// The extents that the windows reach over, and a padded copy of the input where they leave it.
std::string padded_input(Emitter& e, const cpu::ConvShape& s, int64_t (&full)[3]) {
  bool outside = false;
  for (int i = 0; i < 3; ++i) {
    const int64_t reach = (s.out[i] - 1) * s.stride[i] + (s.kernel[i] - 1) * s.dilation[i] + 1;
    full[i] = std::max(reach, s.in[i] + s.pad[i]);
    outside = outside || full[i] > s.in[i];
  }
  if (!outside) return e.in(0);
  const std::string work = e.scratch(s.batch * full[0] * full[1] * full[2] * s.cin);
  e.needs("pad_window");
  e.add(fmt::format("detail::pad_input({}, {}, {{{}, {}, {}}}, {{{}, {}, {}}}, {{{}, {}, {}}}, {}, {});", e.in(0),
                    s.batch, s.in[0], s.in[1], s.in[2], s.pad[0], s.pad[1], s.pad[2], full[0], full[1], full[2],
                    s.cin, work));
  return work;
}

void emit_conv(Emitter& e) {
  e.require_f32();
  if (!e.constant(1)) e.refuse("the kernel of a convolution must be a weight.");
  const cpu::ConvShape s = ops::conv_shape("conv", e.node().attrs, e.in_type(0).shape, e.in_type(1).shape);
  const Tail t = tail_of(e.node().attrs);
  const std::string bias = padded_bias(e, t);
  const bool relu = t.relu_in_tile() && (t.bias < 0 || bias != "nullptr");
  const int64_t cg = s.cin / s.groups, fg = s.cout / s.groups, k = s.taps() * cg;
  const bool pointwise = s.groups == 1 && s.taps() == 1 && s.in_pixels() == s.out_pixels();
  if (pointwise) {
    const std::string w = e.prepared(1, "packed", [&](const Tensor& b) { return pack_panels(b.reshape({k, fg})); });
    e.needs("dense");
    e.add(fmt::format("detail::dense({}, {}, {{{}, {}, {}, {}}}, {}{});", e.in(0), s.batch * s.in_pixels(), w, bias,
                      k, fg, e.out(), relu ? ", true" : ""));
    finish(e, t, bias != "nullptr", relu);
    return;
  }
  int64_t full[3];
  const std::string x = padded_input(e, s, full);
  const bool rows = s.groups == 1 && s.dilation[2] == 1;
  const std::vector<int64_t> taps = tap_offsets(s, full, rows);
  const std::string offsets = e.local("taps"), window = e.local("window");
  e.add(fmt::format("static const std::int64_t {}[] = {};\n    static const detail::Window {} = {};", offsets,
                    braces(taps), window, window_text(s, full)));
  if (s.depthwise() && fg == 1) {
    const std::string w = e.prepared(1, "plain", [&](const Tensor& b) { return b.clone(); });
    e.needs("depthwise");
    e.add(fmt::format("detail::depthwise({}, {}, {}, {}, {}, {}, {}{});", window, x, offsets, taps.size(), w, bias,
                      e.out(), relu ? ", true" : ""));
  } else {
    e.needs("conv");
    const std::string w = e.prepared(1, "groups", [&](const Tensor& b) {
      return pack_groups(b.reshape({k, s.cout}), s.groups);
    });
    const int64_t group_size = k * panels_of(fg) * kPanel;
    std::string b = bias;
    if (s.groups > 1 && bias != "nullptr")  // each group's part padded on its own
      b = e.prepared(static_cast<size_t>(t.bias), "groups", [&](const Tensor& v) {
        return pack_groups(v.reshape({1, s.cout}), s.groups);
      });
    for (int64_t g = 0; g < s.groups; ++g) {
      e.add(fmt::format("detail::conv({}, {}, {{{}, {}, {}}}, {{{}, {}, {}, {}}}, {}, {}, {}, {});", window, x,
                        offsets, taps.size(), rows ? s.kernel[2] * cg : cg, offset(w, g * group_size),
                        b == "nullptr" ? b : offset(b, g * panels_of(fg) * kPanel), k, fg, e.out(),
                        relu ? "true" : "false", g * cg, g * fg));
    }
  }
  finish(e, t, bias != "nullptr", relu);
}

void emit_conv_transpose(Emitter& e) {
  e.require_f32();
  if (!e.constant(1)) e.refuse("the kernel of a convolution must be a weight.");
  const cpu::ConvShape s =
      ops::conv_shape("conv_backprop_input", e.node().attrs, e.out_type().shape, e.in_type(1).shape);
  const Tail t = tail_of(e.node().attrs);
  const int64_t cg = s.cin / s.groups, fg = s.cout / s.groups, columns = s.taps() * cg;
  // (taps, channels, filters) -> per group (filters, taps * channels)
  const std::string w = e.prepared(1, "transposed", [&](const Tensor& b) {
    std::vector<float> all;
    for (int64_t g = 0; g < s.groups; ++g) {
      const Tensor part = pack_panels(transposed_2d(columns_of(b.reshape({columns, s.cout}), g * fg, (g + 1) * fg)));
      all.insert(all.end(), part.data<float>(), part.data<float>() + part.size());
    }
    return Tensor::from_vector<float>({static_cast<int64_t>(all.size())}, all);
  });
  e.needs("conv_transpose");
  const std::string work = e.scratch(s.out[2] * columns), row = s.groups > 1 ? e.scratch(s.out[2] * fg) : "nullptr";
  e.add(fmt::format("static const detail::Window {} = {};", e.local("window"), window_text(s, s.in)));
  e.add(fmt::format("std::fill({0}, {0} + {1}, 0.0f);", e.out(), e.out_type().elements()));
  const int64_t group_size = fg * panels_of(columns) * kPanel;
  for (int64_t g = 0; g < s.groups; ++g)
    e.add(fmt::format("detail::conv_transpose({}, {}, {}, {}, {{{}, nullptr, {}, {}}}, {}, {}, {});",
                      e.local("window"), e.in(0), g, s.groups, offset(w, g * group_size), fg, columns, work, row,
                      e.out()));
  finish(e, t, false, false);
}

}  // namespace

void add_product_emitters(EmitTable& t) {
  t["matmul"] = emit_matmul;
  t["conv"] = emit_conv;
  t["conv_backprop_input"] = emit_conv_transpose;
}

}  // namespace glia::io::cpp_export
