// Ops that only move elements: transpose, broadcast_to, slice, concatenate, pad.
#include <algorithm>

#include "base/error.h"
#include "io/cpp_export/emitter.h"
#include "ops/axis.h"

namespace glia::io::cpp_export {
using namespace ir;

namespace {

// to[to_base + ...] = from[from_base + ...] over dims.
void copy_loops(Emitter& e, const std::vector<int64_t>& dims, const std::vector<int64_t>& from, int64_t from_base,
                const std::vector<int64_t>& to, int64_t to_base) {
  const Loops l = loops(dims, {from, to}, 2);
  const auto base = [](int64_t v) { return v ? fmt::format("{} + ", v) : std::string(); };
  e.add(fmt::format("{}{}{}[{}{}] = {}[{}{}];", l.open, l.indent, e.out(), base(to_base), l.index[1], e.in(0),
                    base(from_base), l.index[0]));
}

void emit_transpose(Emitter& e) {
  const std::vector<int64_t> own = dense_strides(e.in_type(0).shape);
  std::vector<int64_t> from;
  for (int64_t a : e.node().attrs.ints("axes"))
    from.push_back(own[static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(own.size()) : a)]);
  copy_loops(e, e.out_type().shape, from, 0, dense_strides(e.out_type().shape), 0);
}

void emit_broadcast(Emitter& e) {
  copy_loops(e, e.out_type().shape, broadcast_strides(e.in_type(0).shape, e.out_type().shape), 0,
             dense_strides(e.out_type().shape), 0);
}

void emit_slice(Emitter& e) {
  const Attrs& a = e.node().attrs;
  const Shape& in = e.in_type(0).shape;
  std::vector<int64_t> from = dense_strides(in);
  int64_t base = 0;
  for (size_t d = 0; d < in.size(); ++d) {
    const int64_t step = a.ints("steps")[d];
    int64_t start = a.ints("starts")[d];
    if (start < 0) start += in[d];
    start = step > 0 ? std::clamp<int64_t>(start, 0, in[d]) : std::clamp<int64_t>(start, -1, in[d] - 1);
    base += start * from[d];
    from[d] *= step;
  }
  if (e.out_type().elements() > 0)
    copy_loops(e, e.out_type().shape, from, base, dense_strides(e.out_type().shape), 0);
}

void emit_concatenate(Emitter& e) {
  const ops::AxisSplit whole = ops::split_at(e.out_type().shape, e.node().attrs.i("axis"));
  int64_t at = 0;
  for (size_t i = 0; i < e.node().inputs.size(); ++i) {
    const int64_t row = ops::split_at(e.in_type(i).shape, e.node().attrs.i("axis")).n * whole.inner;
    if (whole.outer == 1)
      e.add(fmt::format("std::copy({0}, {0} + {1}, {2} + {3});", e.in(i), row, e.out(), at));
    else
      e.add(
          fmt::format("for (std::int64_t i = 0; i < {0}; ++i) std::copy({1} + i * {2}, {1} + (i + 1) * {2}, {3} + i "
                      "* {4} + {5});",
                      whole.outer, e.in(i), row, e.out(), whole.n * whole.inner, at));
    at += row;
  }
}

void emit_pad(Emitter& e) {
  const Attrs& a = e.node().attrs;
  const Shape& in = e.in_type(0).shape;
  std::vector<int64_t> to = dense_strides(e.out_type().shape), interior = a.ints("interior");
  interior.resize(in.size(), 0);
  int64_t base = 0;
  for (size_t d = 0; d < in.size(); ++d) {
    const int64_t low = a.ints("low")[d];
    if (low < 0 || a.ints("high")[d] < 0) e.refuse("negative padding has no C++ form.");
    base += low * to[d];
    to[d] *= interior[d] + 1;
  }
  e.add(fmt::format("std::fill({0}, {0} + {1}, static_cast<{2}>({3}));", e.out(), e.out_type().elements(),
                    cpp_type(e.out_type().dtype), cpp_number(a.f("value"), e.out_type().dtype)));
  copy_loops(e, in, dense_strides(in), 0, to, base);
}

}  // namespace

void add_move_emitters(EmitTable& t) {
  t["transpose"] = emit_transpose;
  t["broadcast_to"] = emit_broadcast;
  t["slice"] = emit_slice;
  t["concatenate"] = emit_concatenate;
  t["pad"] = emit_pad;
}

}  // namespace glia::io::cpp_export
