#include "ops/conv_geometry.h"

#include <algorithm>

#include "base/error.h"
#include "ir/graph.h"
#include "ops/fixed_input.h"

namespace glia::ops {
using namespace ir;

namespace {

std::vector<AttrField> with(std::vector<AttrField> list, std::vector<AttrField> more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

void check_attrs(std::string_view op, const Attrs& attrs, size_t spatial, const char* window) {
  const Ints &strides = attrs.ints("strides"), &pads = attrs.ints("pads"), &sizes = attrs.ints(window);
  GLIA_CHECK(strides.size() == spatial && sizes.size() == spatial && pads.size() == 2 * spatial,
             "{}: the input has {} spatial axes. Received strides {}, {} {}, pads {} (expected one entry per axis, "
             "pads two).",
             op, spatial, to_string(AttrValue(strides)), window, to_string(AttrValue(sizes)),
             to_string(AttrValue(pads)));
  for (size_t i = 0; i < spatial; ++i) {
    GLIA_CHECK(strides[i] >= 1, "{}: strides must be at least 1. Received {}.", op, to_string(AttrValue(strides)));
    GLIA_CHECK(sizes[i] >= 1, "{}: {} must be at least 1. Received {}.", op, window, to_string(AttrValue(sizes)));
    GLIA_CHECK(pads[2 * i] >= 0, "{}: padding before an axis must not be negative. Received pads {}.", op,
               to_string(AttrValue(pads)));
  }
}

// Outputs along an axis; an input too small for one window is the user's mistake, an empty input is not.
int64_t output_length(std::string_view op, int64_t n, int64_t before, int64_t after, int64_t window, int64_t stride) {
  const int64_t room = n + before + after - window;
  GLIA_CHECK(room >= 0,
             "{}: a window of {} (dilation counted) does not fit into an axis of {} with padding {} + {}. Use a "
             "larger input, a smaller window or padding \"same\".",
             op, window, n, before, after);
  return room / stride + 1;
}

}  // namespace

std::vector<AttrField> conv_attrs(bool epilogue, std::vector<AttrField> more) {
  std::vector<AttrField> list = {
      {"strides", Ints{}, "steps of the window, one per spatial axis", true},
      {"pads", Ints{}, "zeros before and after each spatial axis; after may be negative", true},
      {"dilation", Ints{}, "distance of kernel elements, one per spatial axis", true}};
  if (epilogue) {
    list.push_back({"bias", false, "an input follows that is added along the last axis"});
    list.push_back({"residual", false, "an input follows that is added, shaped as the output"});
    list.push_back({"activation", std::string(), "applied last"});
  }
  return with(std::move(list), std::move(more));
}

std::vector<AttrField> pool_attrs(std::vector<AttrField> more) {
  return with({{"window", Ints{}, "extents of the window, one per spatial axis", true},
               {"strides", Ints{}, "steps of the window, one per spatial axis", true},
               {"pads", Ints{}, "cells before and after each spatial axis, left out of the result", true}},
              std::move(more));
}

Attrs window_attrs(const Attrs& attrs, bool pool, std::initializer_list<Attrs::Entry> more) {
  Attrs r;
  if (pool) r.set("window", attrs.ints("window"));
  r.set("strides", attrs.ints("strides"));
  r.set("pads", attrs.ints("pads"));
  if (!pool) r.set("dilation", attrs.ints("dilation"));
  for (const Attrs::Entry& e : more) r.set(e.first, e.second);
  return r;
}

cpu::ConvShape conv_shape(std::string_view op, const Attrs& attrs, const Shape& x, const Shape& kernel) {
  GLIA_CHECK(x.size() >= 3 && x.size() <= 5,
             "{}: expected an input of rank 3, 4 or 5 (batch, spatial axes, channels). "
             "Received shape {}.",
             op, to_string(x));
  GLIA_CHECK(kernel.size() == x.size(),
             "{}: expected a kernel of the input's rank, (spatial axes, channels / groups, "
             "filters). Received input {} and kernel {}.",
             op, to_string(x), to_string(kernel));
  const size_t spatial = x.size() - 2, skip = 3 - spatial;
  check_attrs(op, attrs, spatial, "dilation");
  const Ints &strides = attrs.ints("strides"), &pads = attrs.ints("pads"), &dilation = attrs.ints("dilation");
  cpu::ConvShape s;
  s.batch = x[0];
  s.cin = x.back();
  s.cout = kernel.back();
  const int64_t per_group = kernel[spatial];
  GLIA_CHECK(per_group > 0 && s.cin % per_group == 0 && s.cin > 0,
             "{}: the input has {} channels, which is no multiple of the {} "
             "that the kernel takes. Received input {} and kernel {}.",
             op, s.cin, per_group, to_string(x), to_string(kernel));
  s.groups = s.cin / per_group;
  GLIA_CHECK(s.cout > 0 && s.cout % s.groups == 0,
             "{}: {} filters cannot be dealt to {} groups (input channels / kernel channels). "
             "Received input {} and kernel {}.",
             op, s.cout, s.groups, to_string(x), to_string(kernel));
  for (size_t i = 0; i < spatial; ++i) {
    const size_t d = skip + i;
    s.in[d] = x[1 + i];
    s.kernel[d] = kernel[i];
    s.stride[d] = strides[i];
    s.dilation[d] = dilation[i];
    s.pad[d] = pads[2 * i];
    GLIA_CHECK(kernel[i] >= 1, "{}: the kernel has an empty spatial axis. Received kernel {}.", op,
               to_string(kernel));
    s.out[d] =
        output_length(op, x[1 + i], pads[2 * i], pads[2 * i + 1], (kernel[i] - 1) * dilation[i] + 1, strides[i]);
  }
  return s;
}

cpu::PoolShape pool_shape(std::string_view op, const Attrs& attrs, const Shape& x) {
  GLIA_CHECK(x.size() >= 3 && x.size() <= 5,
             "{}: expected an input of rank 3, 4 or 5 (batch, spatial axes, channels). "
             "Received shape {}.",
             op, to_string(x));
  const size_t spatial = x.size() - 2, skip = 3 - spatial;
  check_attrs(op, attrs, spatial, "window");
  const Ints &window = attrs.ints("window"), &strides = attrs.ints("strides"), &pads = attrs.ints("pads");
  cpu::PoolShape s;
  s.batch = x[0];
  s.channels = x.back();
  for (size_t i = 0; i < spatial; ++i) {
    const size_t d = skip + i;
    s.in[d] = x[1 + i];
    s.window[d] = window[i];
    s.stride[d] = strides[i];
    s.pad[d] = pads[2 * i];
    s.out[d] = output_length(op, x[1 + i], pads[2 * i], pads[2 * i + 1], window[i], strides[i]);
  }
  return s;
}

Shape conv_output(const cpu::ConvShape& s, size_t rank) {
  Shape out{s.batch};
  out.insert(out.end(), s.out + 3 - (rank - 2), s.out + 3);
  out.push_back(s.cout);
  return out;
}
Shape pool_output(const cpu::PoolShape& s, size_t rank) {
  Shape out{s.batch};
  out.insert(out.end(), s.out + 3 - (rank - 2), s.out + 3);
  out.push_back(s.channels);
  return out;
}

void check_float(std::string_view op, std::string_view what, DType dtype) {
  GLIA_CHECK(is_float(dtype), "{}: {} must be floating point. Received {}.", op, what, dtype_name(dtype));
}

void check_epilogue(const InferContext& c, size_t first, const TensorType& out) {
  const bool bias = c.attrs.b("bias"), residual = c.attrs.b("residual");
  GLIA_CHECK(c.in.size() == first + bias + residual, "{}: expected {} inputs, received {}.", c.op.name,
             first + bias + residual, c.in.size());
  if (bias) {
    const TensorType want{out.dtype, {out.shape.back()}};
    GLIA_CHECK(c.in[first] == want, "{}: expected a bias {}. Received {}.", c.op.name, to_string(want),
               to_string(c.in[first]));
  }
  if (residual)
    GLIA_CHECK(c.in[first + bias] == out, "{}: expected a residual {}. Received {}.", c.op.name, to_string(out),
               to_string(c.in[first + bias]));
  const std::string& act = c.attrs.s("activation");
  GLIA_CHECK(act.empty() || is_epilogue_activation(act), "{}: unknown activation '{}'.", c.op.name, act);
}

void reference_epilogue(const Attrs& attrs, std::span<const Tensor> extra, const Tensor& out) {
  size_t next = 0;
  if (attrs.b("bias")) {
    const Tensor& bias = extra[next++];
    for (int64_t i = 0; i < out.size(); ++i) out.set_item(i, out.item(i) + bias.item(i % bias.size()));
  }
  if (attrs.b("residual")) {
    const Tensor& residual = extra[next];
    for (int64_t i = 0; i < out.size(); ++i) out.set_item(i, out.item(i) + residual.item(i));
  }
  if (const std::string& act = attrs.s("activation"); !act.empty()) {
    out.copy_from(apply1(find_op(act), {}, {out.clone()}).tensor());
  }
}

ConvParams conv_params(const Attrs& attrs, const cpu::ConvShape& shape, bool epilogue) {
  ConvParams p{.shape = shape};
  if (!epilogue) return p;
  p.bias = attrs.b("bias");
  p.residual = attrs.b("residual");
  const std::string& act = attrs.s("activation");
  using cpu::Act;
  p.epilogue.act = act == "relu"        ? Act::relu
                   : act == "sigmoid"   ? Act::sigmoid
                   : act == "tanh"      ? Act::tanh
                   : act == "gelu"      ? Act::gelu
                   : act == "gelu_tanh" ? Act::gelu_tanh
                   : act == "silu"      ? Act::silu
                                        : Act::none;
  return p;
}

bool keeps_filter(const KernelQuery& q, const cpu::ConvShape& s, size_t workspace) {
  return is_fixed(q, 1) && cpu::conv_keeps_weights(s, workspace);
}

}  // namespace glia::ops
