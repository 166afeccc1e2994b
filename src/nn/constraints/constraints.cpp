#include <glia/constraints.h>
#include <glia/ops.h>

#include "base/error.h"

namespace glia {
namespace {

constexpr double kEpsilon = 1e-7;

Value norms(const Value& w, const Ints& axis) { return ops::sqrt(ops::sum(ops::square(w), axis, true)); }

void axis_field(Fields& f, Ints& axis) {  // one axis is a number in Keras's config
  if (f.reading() || axis.size() != 1) f("axis", axis);
  else f("axis", axis[0]);
}

struct MaxNorm final : ConstraintBase {
  double max_value = 2;
  Ints axis{0};
  std::string class_name() const override { return "MaxNorm"; }
  void fields(Fields& f) override {
    f("max_value", max_value);
    axis_field(f, axis);
  }
  Value operator()(const Value& w) override {
    Value n = norms(w, axis);
    return w * (ops::clip(n, 0, max_value) / (n + kEpsilon));
  }
};

struct MinMaxNorm final : ConstraintBase {
  double min_value = 0, max_value = 1, rate = 1;
  Ints axis{0};
  std::string class_name() const override { return "MinMaxNorm"; }
  void fields(Fields& f) override {
    f("min_value", min_value);
    f("max_value", max_value);
    f("rate", rate);
    axis_field(f, axis);
  }
  Value operator()(const Value& w) override {
    Value n = norms(w, axis);
    Value desired = ops::clip(n, min_value, max_value) * rate + n * (1 - rate);
    return w * (desired / (n + kEpsilon));
  }
};

struct NonNeg final : ConstraintBase {
  std::string class_name() const override { return "NonNeg"; }
  Value operator()(const Value& w) override { return ops::maximum(w, ops::scalar_like(w, 0)); }
};

struct UnitNorm final : ConstraintBase {
  Ints axis{0};
  std::string class_name() const override { return "UnitNorm"; }
  void fields(Fields& f) override { axis_field(f, axis); }
  Value operator()(const Value& w) override { return w / (norms(w, axis) + kEpsilon); }
};

}  // namespace

namespace constraints {
Constraint MaxNorm(double max_value, Ints axis) {
  auto p = std::make_shared<glia::MaxNorm>();
  p->max_value = max_value;
  p->axis = std::move(axis);
  return p;
}
Constraint MinMaxNorm(double min_value, double max_value, double rate, Ints axis) {
  auto p = std::make_shared<glia::MinMaxNorm>();
  p->min_value = min_value;
  p->max_value = max_value;
  p->rate = rate;
  p->axis = std::move(axis);
  return p;
}
Constraint NonNeg() { return std::make_shared<glia::NonNeg>(); }
Constraint UnitNorm(Ints axis) {
  auto p = std::make_shared<glia::UnitNorm>();
  p->axis = std::move(axis);
  return p;
}
}  // namespace constraints
}  // namespace glia
