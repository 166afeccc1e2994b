// eig: eigenvalues and eigenvectors of general square matrices, in pairs of real arrays.
#include <glia/ops.h>
#include <glia/ops/eig.h>

#include "base/error.h"
#include "ops/compose.h"
#include "ops/linalg_ops.h"
#include "ops/matrix.h"

namespace glia::ops {

using namespace ir;

const OpDef& eig_op() {
  static const OpDef def{
      .name = "eig",
      .doc = "Eigenvalues of square matrices, real and imaginary parts, and the same of the eigenvectors (columns).",
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& t = c.in[0];
        GLIA_CHECK(t.rank() >= 2 && (t.dtype == DType::f32 || t.dtype == DType::f64) && t.shape.back() == t.shape[t.shape.size() - 2],
                   "eig: expected float32 or float64 square matrices (..., n, n). Received {}.", to_string(t));
        TensorType values = t;
        values.shape.pop_back();
        return {values, values, t, t};
      },
      .differentiable = false,
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            const int64_t n = in[0].dim(-1), matrices = n ? in[0].size() / (n * n) : 0;
            for (int64_t b = 0; b < matrices; ++b) {
              matrix::Matrix a(n, n), vectors[2];
              for (int64_t i = 0; i < n * n; ++i) a.v[static_cast<std::size_t>(i)] = in[0].item(b * n * n + i);
              std::vector<double> values[2];
              matrix::eig(a, values, vectors);
              for (std::size_t part = 0; part < 2; ++part) {
                for (int64_t i = 0; i < n; ++i) out[part].set_item(b * n + i, values[part][static_cast<std::size_t>(i)]);
                for (int64_t i = 0; i < n * n; ++i) out[2 + part].set_item(b * n * n + i, vectors[part].v[static_cast<std::size_t>(i)]);
              }
            }
          },
  };
  return def;
}

Values eig(const Value& x) {
  return apply(eig_op(), {}, {x.dtype() == DType::f64 ? x : cast(x, DType::f32)});
}

}  // namespace glia::ops
