// Products.

#include <glia/ops/einsum.h>

#include <map>

#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

Operands import_matmul(Node& n) {
  // A pending exchange of the last two axes becomes a flag of the product.
  const auto flagged = [](const Operand& x, bool* transpose) {
    const int rank = x.rank();
    Ints swap(static_cast<size_t>(rank));
    for (int i = 0; i < rank; ++i) swap[static_cast<size_t>(i)] = i;
    if (rank >= 2) std::swap(swap[static_cast<size_t>(rank) - 1], swap[static_cast<size_t>(rank) - 2]);
    *transpose = rank >= 2 && !x.plain() && x.axes() == swap;
    return *transpose ? x.stored() : x.logical();
  };
  bool ta = false, tb = false;
  const Value a = flagged(n.operand(0), &ta), b = flagged(n.operand(1), &tb);
  return {ops::matmul(a, b, ta, tb)};
}

Operands import_gemm(Node& n) {
  const double alpha = n.f("alpha", 1.0), beta = n.f("beta", 1.0);
  const DType t = n.operand(0).dtype();
  Value y = ops::matmul(n.in(0), n.in(1), n.i("transA", 0) != 0, n.i("transB", 0) != 0);
  if (alpha != 1.0) y = y * alpha;
  if (n.has(2)) {
    Value c = n.in(2);
    if (c.rank() == 2 && c.dim(0) == 1 && c.dim(1) == y.dim(1)) c = ops::reshape(c, {c.dim(1)});
    if (beta != 1.0) c = c * beta;
    y = y + c;
  }
  return {ops::cast(y, t)};
}

Operands import_einsum(Node& n) {
  std::string equation = n.s("equation", "");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  if (equation.find("->") == std::string::npos) {  // implicit: letters that occur once, sorted, after the ellipsis
    std::map<char, int> times;
    for (char c : equation)
      if (std::isalpha(static_cast<unsigned char>(c))) ++times[c];
    std::string out = equation.find("...") == std::string::npos ? "" : "...";
    for (auto [c, k] : times)
      if (k == 1) out += c;
    equation += "->" + out;
  }
  Values in;
  for (size_t i = 0; i < n.count(); ++i) in.push_back(n.in(i));
  return {ops::einsum(equation, in)};
}

// By elimination without pivoting on known small matrices is unstable; the closed forms serve 1 to 3 rows.
Operands import_det(Node& n) {
  const Value x = n.in(0);
  n.check(x.rank() >= 2 && x.dim(-1) == x.dim(-2) && x.dim(-1) >= 1 && x.dim(-1) <= 3,
          "only matrices of 1 to 3 rows are supported.");
  const auto at = [&](int64_t r, int64_t c) {
    return ops::squeeze(ops::slice_axis(ops::slice_axis(x, -2, r, r + 1), -1, c, c + 1), {-2, -1});
  };
  const auto minor2 = [&](int64_t r0, int64_t r1, int64_t c0, int64_t c1) {
    return at(r0, c0) * at(r1, c1) - at(r0, c1) * at(r1, c0);
  };
  if (x.dim(-1) == 1) return {at(0, 0)};
  if (x.dim(-1) == 2) return {minor2(0, 1, 0, 1)};
  return {at(0, 0) * minor2(1, 2, 1, 2) - at(0, 1) * minor2(1, 2, 0, 2) + at(0, 2) * minor2(1, 2, 0, 1)};
}

}  // namespace

OperatorList matmul_operators() {
  return {
      {"Det", 11, import_det}, {"Einsum", 12, import_einsum}, {"Gemm", 1, import_gemm}, {"MatMul", 1, import_matmul}};
}

}  // namespace glia::onnx
