// Constants, and composites of comparisons with them.
#include <glia/ops.h>

#include <cmath>

#include "base/error.h"
#include "ir/graph.h"

namespace glia::ops {

Value zeros(Shape shape, DType dtype) { return Tensor::zeros(std::move(shape), dtype); }
Value ones(Shape shape, DType dtype) { return Tensor::full(std::move(shape), 1, dtype); }
Value full(Shape shape, double value, DType dtype) { return Tensor::full(std::move(shape), value, dtype); }

Value arange(double start, double stop, double step, DType dtype) {
  GLIA_CHECK(step != 0, "arange: the step is 0.");
  const auto n = std::max<int64_t>(0, static_cast<int64_t>(std::ceil((stop - start) / step)));
  Tensor t({n}, dtype);
  for (int64_t i = 0; i < n; ++i) t.set_item(i, start + static_cast<double>(i) * step);
  return t;
}

Value linspace(double start, double stop, int64_t num, bool endpoint, DType dtype) {
  GLIA_CHECK(num >= 0, "linspace: num must not be negative. Received {}.", num);
  Tensor t({num}, dtype);
  const double step = (stop - start) / static_cast<double>(std::max<int64_t>(1, endpoint ? num - 1 : num));
  for (int64_t i = 0; i < num; ++i)
    t.set_item(i, endpoint && i == num - 1 && num > 1 ? stop : start + static_cast<double>(i) * step);
  return t;
}

namespace {
template <class F>
Tensor matrix(int64_t rows, int64_t columns, DType dtype, F&& inside) {
  if (columns < 0) columns = rows;
  Tensor t = Tensor::zeros({rows, columns}, dtype);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      if (inside(i, j)) t.set_item(i * columns + j, 1);
  return t;
}
}  // namespace

Value eye(int64_t rows, int64_t columns, int64_t k, DType dtype) {
  return matrix(rows, columns, dtype, [k](int64_t i, int64_t j) { return j - i == k; });
}
Value tri(int64_t rows, int64_t columns, int64_t k, DType dtype) {
  return matrix(rows, columns, dtype, [k](int64_t i, int64_t j) { return j - i <= k; });
}
Value tril(const Value& x, int64_t k) {
  GLIA_CHECK(x.rank() >= 2, "tril: expected a matrix. Received {}.", to_string(x.type()));
  return where(tri(x.dim(-2), x.dim(-1), k, DType::bool_), x, scalar_like(x, 0));
}
Value triu(const Value& x, int64_t k) {
  GLIA_CHECK(x.rank() >= 2, "triu: expected a matrix. Received {}.", to_string(x.type()));
  return where(tri(x.dim(-2), x.dim(-1), k - 1, DType::bool_), scalar_like(x, 0), x);
}

Value one_hot(const Value& indices, int64_t num_classes, int64_t axis, DType dtype) {
  GLIA_CHECK(num_classes >= 0, "one_hot: num_classes must not be negative. Received {}.", num_classes);
  axis = ir::normalize_axis(axis, indices.rank() + 1, "one_hot");
  DType t = indices.dtype() == DType::i64 ? DType::i64 : DType::i32;
  Shape along(static_cast<size_t>(indices.rank() - axis) + 1, 1);
  along[0] = num_classes;
  Value classes = reshape(arange(0, static_cast<double>(num_classes), 1, t), along);
  return cast(equal(expand_dims(cast(indices, t), axis), classes), dtype);
}

}  // namespace glia::ops
