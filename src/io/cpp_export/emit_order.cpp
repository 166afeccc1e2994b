// Emitters of ops that sort, pick by index and sum by index.
#include "base/error.h"
#include "io/cpp_export/emitter.h"
#include "ops/axis.h"

namespace glia::io::cpp_export {
namespace {

void emit_argsort(Emitter& e) {
  const ops::AxisSplit s = ops::split_at(e.in_type(0).shape, e.node().attrs.i("axis"));
  e.needs("order");
  e.add(fmt::format("detail::sorted<{}>({}, {}, {}, {}, {}, static_cast<{}*>(nullptr), {}, {});",
                    e.node().attrs.b("descending"), e.in(0), s.outer, s.n, s.inner, s.n, cpp_type(e.in_type(0).dtype),
                    e.out(), e.scratch(s.n)));
}

void emit_top_k(Emitter& e) {
  const ops::AxisSplit s = ops::split_at(e.in_type(0).shape, -1);
  e.needs("order");
  e.add(fmt::format("detail::sorted<true>({}, {}, {}, 1, {}, {}, {}, {});", e.in(0), s.outer, s.n,
                    e.node().attrs.i("k"), e.out(0), e.out(1), e.scratch(s.n)));
}

void emit_take_along(Emitter& e) {
  const ops::AxisSplit s = ops::split_at(e.in_type(0).shape, e.node().attrs.i("axis"));
  const ops::AxisSplit picked = ops::split_at(e.in_type(1).shape, e.node().attrs.i("axis"));
  e.needs("take_along");
  e.add(fmt::format("detail::take_along({}, {}, {}, {}, {}, {}, {});", e.in(0), s.outer, s.n, s.inner, e.in(1),
                    picked.n, e.out()));
}

void emit_segment_sum(Emitter& e) {
  const int64_t rows = e.in_type(1).elements(), all = e.in_type(0).elements();
  e.needs("segment_sum");
  e.add(fmt::format("detail::segment_sum({}, {}, {}, {}, {}, {});", e.in(0), rows, rows ? all / rows : 0, e.in(1),
                    e.node().attrs.i("num_segments"), e.out()));
}

void emit_searchsorted(Emitter& e) {
  e.needs("searchsorted");
  e.add(fmt::format("detail::searchsorted<{}>({}, {}, {}, {}, {});", e.node().attrs.b("right"), e.in(0),
                    e.in_type(0).elements(), e.in(1), e.in_type(1).elements(), e.out()));
}

}  // namespace

void add_order_emitters(EmitTable& t) {
  t["argsort"] = emit_argsort;
  t["top_k"] = emit_top_k;
  t["take_along_axis"] = emit_take_along;
  t["segment_sum"] = emit_segment_sum;
  t["searchsorted"] = emit_searchsorted;
}

}  // namespace glia::io::cpp_export
