// Operand: a value of the ONNX graph with a pending transposition. ONNX keeps channels second, Glia's kernels want
// them last: convolutions leave their results as they are stored and only note the order of the axes; elementwise
// operators, pooling, reductions and concatenations work in that order, and whoever needs the other one asks for
// logical().
//
//   Operand x = node.operand(0);                    // logical (N, C, H, W), perhaps stored (N, H, W, C)
//   Value y = ops::conv(x.channels_last(), w, ...);
//   return Operand::from_channels_last(y);          // no transposition is emitted
#pragma once
#include <glia/config.h>
#include <glia/value.h>

#include <functional>
#include <memory>
#include <span>

namespace glia::onnx {

// transpose(x, axes); a reshape when only extents of 1 change places.
Value permuted(const Value& x, const Ints& axes);
Ints inverse(const Ints& axes);
Ints channels_last_axes(int rank);  // of the transposition (N, C, spatial...) -> (N, spatial..., C): 0, 2, 3, ..., 1

class Operand {
 public:
  Operand() = default;
  Operand(Value v) : stored_(std::move(v)) {}  // NOLINT: implicit on purpose
  Operand(Value stored, Ints axes);            // logical = transpose(stored, axes)
  static Operand from_channels_last(const Value& stored);

  // A list of arrays, and an optional value that is empty: only operators for them take those.
  static Operand sequence(std::vector<Operand> elements);
  static Operand nothing();
  bool is_sequence() const { return elements_ != nullptr; }
  bool is_nothing() const { return nothing_; }
  const std::vector<Operand>& elements() const { return *elements_; }

  bool defined() const { return stored_.defined() || elements_ || nothing_; }
  const Value& stored() const { return stored_; }
  const Ints& axes() const { return axes_; }  // empty: stored as it is
  bool plain() const { return axes_.empty(); }
  int rank() const { return stored_.rank(); }
  DType dtype() const { return stored_.dtype(); }
  Shape shape() const;  // logical
  Value logical() const { return plain() ? stored_ : permuted(stored_, axes_); }
  Value in_order(const Ints& axes) const;  // stored such that logical = transpose(result, axes)
  Value channels_last() const;
  Operand transposed(const Ints& perm) const;  // the transposition is only noted
  int64_t stored_axis(int64_t logical_axis) const {
    return plain() ? logical_axis : axes_[static_cast<size_t>(logical_axis)];
  }

 private:
  Value stored_;
  Ints axes_;
  std::shared_ptr<const std::vector<Operand>> elements_;
  bool nothing_ = false;
};
using Operands = std::vector<Operand>;

// f(values) is an elementwise function with NumPy's broadcasting: computed in the order in which the largest operand
// is stored.
Operand pointwise(const Operands& in, const std::function<Value(const Values&)>& f);

}  // namespace glia::onnx
