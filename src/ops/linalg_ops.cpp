// Decompositions and solvers as ops: one float64 routine of ops/matrix.h per matrix of the batch, gradients in closed form.
#include <glia/ops/arrays.h>

#include <cmath>
#include <functional>

#include "ops/compose.h"
#include "ops/linalg_ops.h"
#include "ops/matrix.h"
#include "ops/op_list.h"

namespace glia::ops {
using namespace ir;
using matrix::Matrix;

namespace {

int64_t batches(const Tensor& t) {
  int64_t n = 1;
  for (int i = 0; i + 2 < t.rank(); ++i) n *= t.dim(i);
  return n;
}
Matrix load(const Tensor& t, int64_t batch) {
  Matrix m(t.dim(-2), t.dim(-1));
  const int64_t n = m.rows * m.columns;
  for (int64_t i = 0; i < n; ++i) m.v[static_cast<std::size_t>(i)] = t.item(batch * n + i);
  return m;
}
void store(const std::vector<double>& v, const Tensor& t, int64_t batch) {
  const auto n = static_cast<int64_t>(v.size());
  for (int64_t i = 0; i < n; ++i) t.set_item(batch * n + i, v[static_cast<std::size_t>(i)]);
}

const TensorType& check_matrix(const InferContext& c, bool square) {
  const TensorType& t = c.in[0];
  GLIA_CHECK(t.rank() >= 2 && (t.dtype == DType::f32 || t.dtype == DType::f64), "{}: expected float32 or float64 matrices (..., m, n). Received {}.",
             c.op.name, to_string(t));
  GLIA_CHECK(!square || t.shape[t.shape.size() - 1] == t.shape[t.shape.size() - 2], "{}: expected square matrices. Received {}.", c.op.name, to_string(t));
  return t;
}
TensorType with_extents(const TensorType& t, std::vector<int64_t> last) {
  TensorType r = t;
  r.shape.resize(r.shape.size() - 2);
  r.shape.insert(r.shape.end(), last.begin(), last.end());
  return r;
}
int64_t rows(const TensorType& t) { return t.shape[t.shape.size() - 2]; }
int64_t columns(const TensorType& t) { return t.shape.back(); }

// x^T, products, and a vector as a diagonal matrix.
Value tr(const Value& x) { return swapaxes(x, -1, -2); }
Value mm(const Value& a, const Value& b) { return matmul(a, b); }
Value diagonal_matrix(const Value& d) { return expand_dims(d, -1) * eye(d.dim(-1), d.dim(-1), 0, d.dtype()); }
Value halved_diagonal(const Value& m) {  // lower triangle with half the diagonal
  return (tril(m) + tril(m, -1)) * 0.5;
}
// 1 / (e_j - e_i), 0 on the diagonal and, broadened as in TensorFlow, between equal ones.
Value reciprocal_gaps(const Value& e) {
  Value gap = expand_dims(e, -2) - expand_dims(e, -1);
  return gap / (gap * gap + 1e-20);
}
Value same_or_zero(const Value& g, const Value& like) { return g.defined() ? g : zeros(like.shape(), like.dtype()); }

const OpDef& cholesky_op() {
  static const OpDef def{
      .name = "cholesky",
      .doc = "Lower triangular factor of symmetric positive definite matrices; reads the lower triangle.",
      .infer = [](const InferContext& c) -> std::vector<TensorType> { return {check_matrix(c, true)}; },
      .vjp = [](const VjpContext& c) -> Values {
        const Value& l = c.outputs[0];
        Value middle = halved_diagonal(mm(tr(l), c.grads[0]));
        Value right = tr(triangular_solve(l, tr(middle), true, true));         // middle L^-1
        Value g = triangular_solve(l, right, true, true);                      // L^-T middle L^-1
        return {(g + tr(g)) * 0.5};
      },
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix m = load(in[0], b);
              GLIA_CHECK(matrix::cholesky(m), "cholesky: matrix {} is not positive definite.", b);
              store(m.v, out[0], b);
            }
          },
  };
  return def;
}

const OpDef& triangular_solve_op() {
  static const OpDef def{
      .name = "triangular_solve",
      .doc = "The x with a x = b (or a^T x = b); only one triangle of a is read.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"lower", false, "which triangle"}, {"transposed", false, "a^T x = b"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& a = check_matrix(c, true);
        GLIA_CHECK(c.in[1].rank() == a.rank() && with_extents(c.in[1], {rows(a), columns(c.in[1])}) == c.in[1] &&
                       with_extents(c.in[1], {}) == with_extents(a, {}),
                   "{}: expected b (..., {}, m). Received {} for {}.", c.op.name, rows(a), to_string(c.in[1]), to_string(a));
        return {c.in[1]};
      },
      .vjp = [](const VjpContext& c) -> Values {
        const bool lower = c.attrs.b("lower"), transposed = c.attrs.b("transposed");
        Value gb = triangular_solve(c.inputs[0], c.grads[0], lower, !transposed);
        Value ga = -(transposed ? mm(c.outputs[0], tr(gb)) : mm(gb, tr(c.outputs[0])));
        return {lower ? tril(ga) : triu(ga), gb};
      },
      .reference =
          [](const Attrs& a, std::span<const Tensor> in, std::span<const Tensor> out) {
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix x = load(in[1], b);
              matrix::triangular_solve(load(in[0], b), a.b("lower"), a.b("transposed"), x);
              store(x.v, out[0], b);
            }
          },
  };
  return def;
}

const OpDef& solve_op() {
  static const OpDef def{
      .name = "solve",
      .doc = "The x with a x = b (or a^T x = b) by LU decomposition with partial pivoting.",
      .min_inputs = 2,
      .max_inputs = 2,
      .attrs = {{"transposed", false, "a^T x = b"}},
      .infer = triangular_solve_op().infer,
      .vjp = [](const VjpContext& c) -> Values {
        const bool transposed = c.attrs.b("transposed");
        Value gb = general_solve(c.inputs[0], c.grads[0], !transposed);
        return {-(transposed ? mm(c.outputs[0], tr(gb)) : mm(gb, tr(c.outputs[0]))), gb};
      },
      .reference =
          [](const Attrs& a, std::span<const Tensor> in, std::span<const Tensor> out) {
            std::vector<int64_t> order;
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix m = load(in[0], b), x = load(in[1], b);
              matrix::lu(m, order);
              for (int64_t i = 0; i < m.rows; ++i) GLIA_CHECK(m(i, i) != 0, "solve: matrix {} is singular.", b);
              matrix::lu_solve(m, order, a.b("transposed"), x);
              store(x.v, out[0], b);
            }
          },
  };
  return def;
}

const OpDef& slogdet_op() {
  static const OpDef def{
      .name = "slogdet",
      .doc = "Sign, log of the absolute value, and value of the determinants.",
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType t = with_extents(check_matrix(c, true), {});
        return {t, t, t};
      },
      .vjp = [](const VjpContext& c) -> Values {  // d log|det| = tr(a^-1 da)
        Value g;
        if (c.grads[1].defined()) g = c.grads[1];
        if (c.grads[2].defined()) g = g.defined() ? g + c.grads[2] * c.outputs[2] : c.grads[2] * c.outputs[2];
        if (!g.defined()) return {Value()};
        const int64_t n = c.inputs[0].dim(-1);
        Value unit = broadcast_to(eye(n, n, 0, g.dtype()), c.inputs[0].shape());
        return {expand_dims(expand_dims(g, -1), -1) * general_solve(c.inputs[0], unit, true)};
      },
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            std::vector<int64_t> order;
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix m = load(in[0], b);
              double sign = matrix::lu(m, order), log_size = 0, det = sign;
              for (int64_t i = 0; i < m.rows; ++i) {
                det *= m(i, i);
                log_size += std::log(std::abs(m(i, i)));
                sign *= m(i, i) > 0 ? 1 : m(i, i) < 0 ? -1 : 0;
              }
              out[0].set_item(b, sign), out[1].set_item(b, log_size), out[2].set_item(b, det);
            }
          },
  };
  return def;
}

const OpDef& lu_op() {
  static const OpDef def{
      .name = "lu",
      .doc = "LU decomposition with partial pivoting: both factors in one matrix, and for each row of x its place among them (int32).",
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& t = check_matrix(c, true);
        TensorType order = with_extents(t, {rows(t)});
        order.dtype = DType::i32;
        return {t, order};
      },
      .differentiable = false,
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            std::vector<int64_t> order;
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix m = load(in[0], b);
              matrix::lu(m, order);
              store(m.v, out[0], b);
              // TensorFlow's permutation p is order; Keras returns its inverse.
              std::vector<double> place(order.size());
              for (std::size_t i = 0; i < order.size(); ++i) place[static_cast<std::size_t>(order[i])] = static_cast<double>(i);
              store(place, out[1], b);
            }
          },
  };
  return def;
}

// TensorFlow's: Roberts and Roberts 2020, arXiv 2009.10071.
Value qr_square_or_deep(const Value& q, const Value& r, const Value& gq, const Value& gr) {
  auto divide = [&](const Value& x) { return tr(triangular_solve(r, tr(x), false, false)); };  // x R^-T
  Value qdq = mm(tr(q), gq), rdr = mm(r, tr(gr));
  Value lower = tril((qdq - tr(qdq)) + (rdr - tr(rdr)));
  return mm(q, gr + divide(lower)) + divide(gq - mm(q, qdq));
}

const OpDef& qr_op() {
  static const OpDef def{
      .name = "qr",
      .doc = "x = Q R by Householder reflections, thin or with a square Q.",
      .attrs = {{"complete", false, "a square Q"}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& t = check_matrix(c, false);
        const int64_t m = rows(t), n = columns(t), k = c.attrs.b("complete") ? m : std::min(m, n);
        return {with_extents(t, {m, k}), with_extents(t, {k, n})};
      },
      .vjp = [](const VjpContext& c) -> Values {
        const Value &q = c.outputs[0], &r = c.outputs[1];
        Value gq = same_or_zero(c.grads[0], q), gr = same_or_zero(c.grads[1], r);
        const int64_t m = q.dim(-2), n = r.dim(-1);
        GLIA_CHECK(q.dim(-1) <= n, "qr: a square Q of {} rows and {} columns has no gradient. Take mode \"reduced\".", m, n);
        if (m >= n) return {qr_square_or_deep(q, r, gq, gr)};
        Value y = slice_axis(c.inputs[0], -1, m), gv = slice_axis(gr, -1, m);
        Value gx = qr_square_or_deep(q, slice_axis(r, -1, 0, m), gq + mm(y, tr(gv)), slice_axis(gr, -1, 0, m));
        return {concatenate({gx, mm(q, gv)}, -1)};
      },
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix q, r;
              matrix::qr(load(in[0], b), q, r);
              const int64_t k = out[0].dim(-1);
              Matrix thin(q.rows, k), top(k, r.columns);
              for (int64_t i = 0; i < q.rows; ++i)
                for (int64_t j = 0; j < k; ++j) thin(i, j) = q(i, j);
              for (int64_t i = 0; i < k; ++i)
                for (int64_t j = 0; j < r.columns; ++j) top(i, j) = r(i, j);
              store(thin.v, out[0], b), store(top.v, out[1], b);
            }
          },
  };
  return def;
}

const OpDef& eigh_op() {
  static const OpDef def{
      .name = "eigh",
      .doc = "Eigenvalues (ascending) and eigenvectors (columns) of symmetric matrices; reads the lower triangle.",
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& t = check_matrix(c, true);
        return {with_extents(t, {rows(t)}), t};
      },
      .vjp = [](const VjpContext& c) -> Values {
        const Value &e = c.outputs[0], &v = c.outputs[1];
        Value inner = diagonal_matrix(same_or_zero(c.grads[0], e));
        if (c.grads[1].defined()) inner = inner + reciprocal_gaps(e) * mm(tr(v), c.grads[1]);
        Value g = mm(v, mm(inner, tr(v)));
        return {halved_diagonal(g + tr(g))};
      },
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            std::vector<double> values;
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix v;
              matrix::eigh(load(in[0], b), in[0].dtype() == DType::f32, values, v);
              store(values, out[0], b), store(v.v, out[1], b);
            }
          },
  };
  return def;
}

const OpDef& svd_op() {
  static const OpDef def{
      .name = "svd",
      .doc = "x = U diag(s) V^T, thin: {s descending, U, V}.",
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& t = check_matrix(c, false);
        const int64_t m = rows(t), n = columns(t), k = std::min(m, n);
        return {with_extents(t, {k}), with_extents(t, {m, k}), with_extents(t, {n, k})};
      },
      .vjp = [](const VjpContext& c) -> Values {  // Giles 2008; Townsend 2016 for the thin form
        const Value &s = c.outputs[0], &u = c.outputs[1], &v = c.outputs[2];
        Value inner = diagonal_matrix(same_or_zero(c.grads[0], s)), outer;
        if (c.grads[1].defined() || c.grads[2].defined()) {
          Value gu = same_or_zero(c.grads[1], u), gv = same_or_zero(c.grads[2], v), f = reciprocal_gaps(square(s));
          Value ugu = mm(tr(u), gu), vgv = mm(tr(v), gv), row = expand_dims(s, -2), column = expand_dims(s, -1);
          inner = inner + f * (ugu - tr(ugu)) * row + column * (f * (vgv - tr(vgv)));
          Value inverse = row / (row * row + 1e-20);
          if (u.dim(-2) > u.dim(-1)) outer = mm((gu - mm(u, ugu)) * inverse, tr(v));
          if (v.dim(-2) > v.dim(-1)) {
            Value more = mm(u * inverse, tr(gv - mm(v, vgv)));
            outer = outer.defined() ? outer + more : more;
          }
        }
        Value g = mm(u, mm(inner, tr(v)));
        return {outer.defined() ? g + outer : g};
      },
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            std::vector<double> s;
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix u, v;
              matrix::svd(load(in[0], b), u, s, v);
              store(s, out[0], b), store(u.v, out[1], b), store(v.v, out[2], b);
            }
          },
  };
  return def;
}

const OpDef& complement_op() {
  static const OpDef def{
      .name = "orthonormal_complement",
      .doc = "For orthonormal columns (..., m, k): m - k more that complete them to an orthogonal matrix.",
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& t = check_matrix(c, false);
        GLIA_CHECK(rows(t) >= columns(t), "orthonormal_complement: more columns than rows in {}.", to_string(t));
        return {with_extents(t, {rows(t), rows(t) - columns(t)})};
      },
      .differentiable = false,
      .reference =
          [](const Attrs&, std::span<const Tensor> in, std::span<const Tensor> out) {
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              const Matrix given = load(in[0], b), all = matrix::completed(given);
              Matrix more(all.rows, all.rows - given.columns);
              for (int64_t i = 0; i < all.rows; ++i)
                for (int64_t j = 0; j < more.columns; ++j) more(i, j) = all(i, given.columns + j);
              store(more.v, out[0], b);
            }
          },
  };
  return def;
}

const OpDef& pinv_op() {
  static const OpDef def{
      .name = "pinv",
      .doc = "Moore-Penrose inverse (..., n, m) of (..., m, n); singular values up to rcond times the largest count as 0.",
      .attrs = {{"rcond", 0.0, "relative bound of the singular values", true}},
      .infer = [](const InferContext& c) -> std::vector<TensorType> {
        const TensorType& t = check_matrix(c, false);
        return {with_extents(t, {columns(t), rows(t)})};
      },
      .vjp = [](const VjpContext& c) -> Values {  // Golub and Pereyra 1973
        const Value &a = c.inputs[0], &p = c.outputs[0], &g = c.grads[0];
        Value gt = tr(g), pt = tr(p);
        Value sum = -mm(pt, mm(g, pt));
        Value left = mm(gt, mm(p, pt)), right = mm(pt, mm(p, gt));
        return {sum + (left - mm(a, mm(p, left))) + (right - mm(mm(right, p), a))};
      },
      .reference =
          [](const Attrs& a, std::span<const Tensor> in, std::span<const Tensor> out) {
            std::vector<double> s;
            for (int64_t b = 0; b < batches(in[0]); ++b) {
              Matrix u, v;
              matrix::svd(load(in[0], b), u, s, v);
              Matrix p(v.rows, u.rows);
              for (std::size_t k = 0; k < s.size(); ++k) {
                if (!(s[k] > a.f("rcond") * s[0])) continue;
                const auto c = static_cast<int64_t>(k);
                for (int64_t i = 0; i < v.rows; ++i)
                  for (int64_t j = 0; j < u.rows; ++j) p(i, j) += v(i, c) * u(j, c) / s[k];
              }
              store(p.v, out[0], b);
            }
          },
  };
  return def;
}

}  // namespace

OpList linalg_ops() {
  return {&cholesky_op(), &triangular_solve_op(), &solve_op(), &slogdet_op(), &lu_op(),
          &qr_op(),       &eigh_op(),             &svd_op(),   &complement_op(), &pinv_op(), &eig_op()};
}

Value cholesky_factor(const Value& x) { return apply1(cholesky_op(), {}, {x}); }
Value triangular_solve(const Value& a, const Value& b, bool lower, bool transposed) {
  return apply1(triangular_solve_op(), {{"lower", lower}, {"transposed", transposed}}, {a, b});
}
Value general_solve(const Value& a, const Value& b, bool transposed) { return apply1(solve_op(), {{"transposed", transposed}}, {a, b}); }
Values determinants(const Value& x) { return apply(slogdet_op(), {}, {x}); }
Values lu_decomposition(const Value& x) { return apply(lu_op(), {}, {x}); }
Values qr_decomposition(const Value& x, bool complete) { return apply(qr_op(), {{"complete", complete}}, {x}); }
Values symmetric_eigen(const Value& x) { return apply(eigh_op(), {}, {x}); }
Values thin_svd(const Value& x) { return apply(svd_op(), {}, {x}); }
Value orthonormal_complement(const Value& x) { return apply1(complement_op(), {}, {x}); }
Value pseudo_inverse(const Value& x, double rcond) { return apply1(pinv_op(), {{"rcond", rcond}}, {x}); }

}  // namespace glia::ops
