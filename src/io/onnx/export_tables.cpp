// Constants that follow from an open extent: extents as numbers, all elements alike, numbers in even steps along an axis, triangles
// (causal masks), the weights of a bilinear resize. They are computed from the inputs' shapes when the file runs.
#include "io/onnx/export_tables.h"

#include <glia/ops.h>
#include <glia/ops/image.h>

#include <algorithm>
#include <cmath>

namespace glia::onnx {
namespace {

class Table {
 public:
  Table(Exporter& ex, int id) : ex_(ex), id_(id), shape_(ex.symbols().shape({id, 0})) {
    for (size_t t = 0; t < ex.symbols().traces.size(); ++t) seen_.push_back(ex.symbols().constant(id, t));
  }
  bool write() { return write_uniform() || write_steps() || write_triangle() || write_resize(); }

 private:
  DType dtype() const { return seen_[0].dtype(); }
  int rank() const { return seen_[0].rank(); }
  std::string number(int64_t v) { return ex_.tensor(Tensor::from_vector<int64_t>({}, {v}), "number"); }
  std::string count(const Dims& extent) {  // 0, 1, ..., extent - 1
    return ex_.emit1("Range", {number(0), ex_.emit1("Squeeze", {ex_.shape_of({extent}), ex_.ints({0})}), number(1)});
  }

  // All elements alike: one number, or an extent.
  bool write_uniform() {
    Dims value;
    bool whole = true;
    for (const Tensor& t : seen_) {
      if (!t.size()) return false;
      for (int64_t i = 0; i < t.size(); ++i)
        if (t.item(i) != t.item(0)) return false;
      whole &= t.item(0) >= 0 && t.item(0) < 1e9 && t.item(0) == std::floor(t.item(0));
      value.push_back(whole ? static_cast<int64_t>(t.item(0)) : 0);
    }
    const bool one = std::all_of(seen_.begin(), seen_.end(), [&](const Tensor& t) { return t.item(0) == seen_[0].item(0); });
    if (!one && !whole) return false;
    std::string r = one ? ex_.scalar(seen_[0].item(0), dtype())
                        : ex_.cast(ex_.emit1("Squeeze", {ex_.shape_of({value}), ex_.ints({0})}), dtype());
    if (rank() > 0) r = ex_.emit1("Expand", {r, ex_.shape_of(shape_)});
    ex_.define({id_, 0}, r);
    return true;
  }

  // first + step * (index along one axis), the same along the others.
  bool write_steps() {
    for (int axis = 0; axis < rank(); ++axis) {
      if (seen_[0].shape()[static_cast<size_t>(axis)] < 2) continue;
      const double first = seen_[0].item(0), step = seen_[0].item(stride(seen_[0], axis)) - first;
      if (step == 0 || !holds([&](const Tensor&, const Shape& at) {
            return first + step * static_cast<double>(at[static_cast<size_t>(axis)]);
          }))
        continue;
      std::string r = ex_.cast(count(shape_[static_cast<size_t>(axis)]), dtype());
      if (step != 1) r = ex_.emit1("Mul", {r, ex_.scalar(step, dtype())});
      if (first != 0) r = ex_.emit1("Add", {r, ex_.scalar(first, dtype())});
      Ints column(static_cast<size_t>(rank()), 1);
      column[static_cast<size_t>(axis)] = -1;
      if (rank() > 1) r = ex_.emit1("Expand", {ex_.emit1("Reshape", {r, ex_.ints(column)}), ex_.shape_of(shape_)});
      ex_.define({id_, 0}, r);
      return true;
    }
    return false;
  }

  // One number where column <= row + offset, another beyond; the axes before are 1.
  bool write_triangle() {
    if (rank() < 2 || !seen_[0].size()) return false;
    for (int a = 0; a + 2 < rank(); ++a)
      if (!is_known(shape_[static_cast<size_t>(a)]) || shape_[static_cast<size_t>(a)][0] != 1) return false;
    const int64_t columns = seen_[0].shape().back();
    const double low = seen_[0].item(0);
    int64_t offset = 0;
    while (offset < columns && seen_[0].item(offset) == low) ++offset;
    if (offset == columns) return false;
    const double high = seen_[0].item(offset--);
    if (!holds([&](const Tensor&, const Shape& at) { return at.back() <= at[at.size() - 2] + offset ? low : high; }))
      return false;
    std::string rows = count(shape_[static_cast<size_t>(rank() - 2)]);
    if (offset) rows = ex_.emit1("Add", {rows, number(offset)});
    std::string r = ex_.emit1("LessOrEqual", {count(shape_.back()), ex_.emit1("Unsqueeze", {rows, ex_.ints({1})})});
    if (dtype() != DType::bool_ || low == 0)
      r = ex_.emit1("Where", {r, ex_.scalar(low, dtype()), ex_.scalar(high, dtype())});
    if (rank() > 2) {
      Ints lead;
      for (int64_t a = 0; a + 2 < rank(); ++a) lead.push_back(a);
      r = ex_.emit1("Unsqueeze", {r, ex_.ints(lead)});
    }
    ex_.define({id_, 0}, r);
    return true;
  }

  // (out, in) weights of a linear resize: what Resize makes of a unit matrix.
  bool write_resize() {
    if (rank() != 2 || dtype() != DType::f32) return false;
    for (const Tensor& t : seen_) {
      const int64_t out = t.shape()[0], in = t.shape()[1];
      if (out * in > (int64_t{1} << 24)) return false;
      const Value w = ops::image::resize(ops::reshape(ops::eye(in), {in, in, 1}), {out, in});
      if (!w.tensor().reshape({out, in}).equals(t)) return false;
    }
    const std::string in = ex_.shape_of({shape_[1], shape_[1]});
    const std::string unit = ex_.emit1("EyeLike", {ex_.emit1("ConstantOfShape", {in})});
    ex_.define({id_, 0}, ex_.emit1("Resize", {unit, "", "", ex_.shape_of(shape_)},
                                   {{"mode", std::string("linear")},
                                    {"coordinate_transformation_mode", std::string("half_pixel")}}));
    return true;
  }

  static int64_t stride(const Tensor& t, int axis) {
    int64_t r = 1;
    for (size_t a = static_cast<size_t>(axis) + 1; a < t.shape().size(); ++a) r *= t.shape()[a];
    return r;
  }
  template <typename F>
  bool holds(const F& expected) const {
    for (const Tensor& t : seen_) {
      Shape at(static_cast<size_t>(rank()), 0);
      for (int64_t i = 0; i < t.size(); ++i) {
        if (t.item(i) != expected(t, at)) return false;
        for (size_t a = at.size(); a-- > 0 && ++at[a] == t.shape()[a];) at[a] = 0;
      }
    }
    return true;
  }

  Exporter& ex_;
  int id_;
  std::vector<Dims> shape_;
  std::vector<Tensor> seen_;
};

}  // namespace

bool write_open_table(Exporter& ex, int id) { return Table(ex, id).write(); }

}  // namespace glia::onnx
