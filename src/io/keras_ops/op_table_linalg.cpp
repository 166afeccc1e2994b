// Bindings of products, linear algebra and Fourier transforms.
#include <glia/ops.h>
#include <glia/ops/eig.h>

#include "io/keras_ops/op_tables.h"

namespace glia::keras_ops {
namespace {

Values one(Value v) { return {std::move(v)}; }
template <Value (*F)(const Value&)>
Values unary(OpCall& c) {
  return {F(c.value("x"))};
}
template <Values (*F)(const Value&)>
Values several(OpCall& c) {
  return F(c.value("x"));
}
template <Values (*F)(const Values&)>
Values complex(OpCall& c) {
  return F(c.values("x"));
}
std::optional<double> maybe(const OpCall& c, std::string_view name) {
  return c.has(name) ? std::optional(c.number(name)) : std::nullopt;
}
std::string order_of(const OpCall& c) {  // "fro", "inf", 2, 1.5
  const json* ord = c.find("ord");
  if (!ord) return "";
  if (ord->is_string()) return ord->get<std::string>();
  const double v = ord->get<double>();
  return v == static_cast<double>(static_cast<int64_t>(v)) ? std::to_string(static_cast<int64_t>(v)) : std::to_string(v);
}
Values einsum(OpCall& c) { return one(ops::einsum(c.text("subscripts"), c.values("operands"))); }

ops::StftOptions stft_options(OpCall& c) {
  ops::StftOptions o{.center = c.flag("center", true)};
  const json* w = c.find("window");
  if (w && !w->is_string()) o.window_values = c.value("window");
  else if (w) o.window = w->get<std::string>();
  else if (c.is_null("window")) o.window = "";
  return o;
}

void add_fourier(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"fft", "x", complex<ops::fft>},
      {"fft2", "x", complex<ops::fft2>},
      {"ifft2", "x", complex<ops::ifft2>},
      {"rfft", "x fft_length", [](OpCall& c) { return ops::rfft(c.value("x"), c.maybe_integer("fft_length")); }},
      {"irfft", "x fft_length", [](OpCall& c) { return one(ops::irfft(c.values("x"), c.maybe_integer("fft_length"))); }},
      {"stft", "x sequence_length sequence_stride fft_length window center",
       [](OpCall& c) {
         return ops::stft(c.value("x"), c.integer("sequence_length"), c.integer("sequence_stride"), c.integer("fft_length"), stft_options(c));
       }},
      {"istft", "x sequence_length sequence_stride fft_length length window center",
       [](OpCall& c) {
         return one(ops::istft(c.values("x"), c.integer("sequence_length"), c.integer("sequence_stride"), c.integer("fft_length"), c.maybe_integer("length"),
                               stft_options(c)));
       }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
}

}  // namespace

void add_linalg_ops(std::vector<OpBinding>& list) {
  const OpBinding rows[] = {
      {"matmul", "x1 x2", [](OpCall& c) { return one(ops::matmul(c.value("x1"), c.value("x2"))); }},
      {"einsum", "subscripts *operands", einsum},
      {"cholesky", "x upper", [](OpCall& c) { return one(ops::cholesky(c.value("x"), c.flag("upper", false))); }},
      {"cholesky_inverse", "x upper", [](OpCall& c) { return one(ops::cholesky_inverse(c.value("x"), c.flag("upper", false))); }},
      {"solve", "a b", [](OpCall& c) { return one(ops::solve(c.value("a"), c.value("b"))); }},
      {"solve_triangular", "a b lower", [](OpCall& c) { return one(ops::solve_triangular(c.value("a"), c.value("b"), c.flag("lower", false))); }},
      {"inv", "x", unary<ops::inv>},
      {"det", "x", unary<ops::det>},
      {"logdet", "x", unary<ops::logdet>},
      {"slogdet", "x", several<ops::slogdet>},
      {"lu_factor", "x", several<ops::lu_factor>},
      {"qr", "x mode", [](OpCall& c) { return ops::qr(c.value("x"), c.text("mode", "reduced")); }},
      {"eigh", "x", several<ops::eigh>},
      {"eig", "x", several<ops::eig>},  // pairs of real arrays
      {"svd", "x full_matrices compute_uv",
       [](OpCall& c) { return ops::svd(c.value("x"), c.flag("full_matrices", true), c.flag("compute_uv", true)); }},
      {"lstsq", "a b rcond", [](OpCall& c) { return one(ops::lstsq(c.value("a"), c.value("b"), maybe(c, "rcond"))); }},
      {"pinv", "x rcond", [](OpCall& c) { return one(ops::pinv(c.value("x"), maybe(c, "rcond"))); }},
      {"matrix_rank", "x tol", [](OpCall& c) { return one(ops::matrix_rank(c.value("x"), maybe(c, "tol"))); }},
      {"norm", "x ord axis keepdims",
       [](OpCall& c) { return one(ops::norm(c.value("x"), order_of(c), c.integers("axis"), c.flag("keepdims", false))); }},
  };
  list.insert(list.end(), std::begin(rows), std::end(rows));
  add_fourier(list);
}

}  // namespace glia::keras_ops
