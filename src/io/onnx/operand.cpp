#include "io/onnx/operand.h"

#include <glia/ops.h>

#include <algorithm>

#include "base/error.h"

namespace glia::onnx {

Value permuted(const Value& x, const Ints& axes) {
  const Shape shape = x.shape();
  Shape to;
  int64_t last = -1;
  bool moves = false;
  for (int64_t a : axes) {
    to.push_back(shape[static_cast<size_t>(a)]);
    if (to.back() == 1) continue;
    moves |= a < last;
    last = a;
  }
  return moves ? ops::transpose(x, axes) : ops::reshape(x, to);
}

Ints inverse(const Ints& axes) {
  Ints r(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) r[static_cast<size_t>(axes[i])] = static_cast<int64_t>(i);
  return r;
}

Ints channels_last_axes(int rank) {
  Ints r{0};
  for (int64_t i = 2; i < rank; ++i) r.push_back(i);
  r.push_back(1);
  return r;
}

static bool is_identity(const Ints& axes) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<int64_t>(i)) return false;
  return true;
}

Operand::Operand(Value stored, Ints axes) : stored_(std::move(stored)), axes_(std::move(axes)) {
  if (is_identity(axes_)) axes_.clear();
}

Operand Operand::from_channels_last(const Value& stored) {
  return {stored, inverse(channels_last_axes(stored.rank()))};
}

Operand Operand::sequence(std::vector<Operand> elements) {
  Operand r;
  r.elements_ = std::make_shared<const std::vector<Operand>>(std::move(elements));
  return r;
}
Operand Operand::nothing() {
  Operand r;
  r.nothing_ = true;
  return r;
}

Shape Operand::shape() const {
  Shape s = stored_.shape();
  if (plain()) return s;
  Shape r;
  for (int64_t a : axes_) r.push_back(s[static_cast<size_t>(a)]);
  return r;
}

Value Operand::in_order(const Ints& axes) const {
  if (axes == axes_) return stored_;
  if (axes.empty()) return logical();
  // result = transpose(logical, inverse(axes)) = transpose(stored, axes_ o inverse(axes))
  Ints to = inverse(axes);
  if (!plain())
    for (int64_t& a : to) a = axes_[static_cast<size_t>(a)];
  return permuted(stored_, to);
}

Value Operand::channels_last() const { return in_order(inverse(channels_last_axes(rank()))); }

Operand Operand::transposed(const Ints& perm) const {
  Ints r;
  for (int64_t p : perm) r.push_back(stored_axis(p));
  return {stored_, r};
}

Operand pointwise(const Operands& in, const std::function<Value(const Values&)>& f) {
  int rank = 0;
  const Operand* leader = nullptr;
  for (const Operand& x : in) {
    rank = std::max(rank, x.rank());
    if (!x.plain() && (!leader || x.stored().type().elements() > leader->stored().type().elements())) leader = &x;
  }
  Values values;
  // Known operands are computed at once; a small file must not ask for terabytes by broadcasting.
  bool known = true;
  Shape all(static_cast<size_t>(rank), 1);
  for (const Operand& x : in) {
    known &= x.stored().is_concrete();
    const Shape s = x.shape();
    for (size_t i = 0; i < s.size(); ++i)
      all[all.size() - s.size() + i] = std::max(all[all.size() - s.size() + i], s[i]);
  }
  double elements = 1;
  for (int64_t d : all) elements *= static_cast<double>(d);
  GLIA_CHECK(!known || elements <= 268435456.0, "a known array of shape {} is too large.", to_string(all));
  if (!leader || leader->rank() != rank) {
    for (const Operand& x : in) values.push_back(x.logical());
    return f(values);
  }
  const Ints& axes = leader->axes();
  bool full = false;  // whether an operand has the result's rank, so that others may drop leading extents of 1
  for (const Operand& x : in) {
    if (x.rank() == 0) {
      values.push_back(x.stored());
      continue;
    }
    Operand same = x;
    if (x.rank() < rank) {
      Shape s = x.shape();
      s.insert(s.begin(), static_cast<size_t>(rank) - s.size(), 1);
      same = Operand(ops::reshape(x.logical(), s));
    }
    values.push_back(same.in_order(axes));
    full |= &x == leader;
  }
  for (Value& v : values) {  // (1, 1, 1, C) -> (C): a bias that the kernels take in
    Shape s = v.shape();
    if (!full || s.size() < 2 || v.type().elements() != s.back() || v.same_as(leader->stored())) continue;
    v = ops::reshape(v, {s.back()});
  }
  return {f(values), axes};
}

}  // namespace glia::onnx
