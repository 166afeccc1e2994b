#include "nn/layers/dense.h"

#include <algorithm>

namespace glia::nn {

std::vector<Variable> Dense::stored_variables() const {
  std::vector<Variable> r{kernel};
  if (o.use_bias) r.push_back(bias);
  if (quantized()) r.push_back(kernel_scale);
  return r;
}

void Dense::fields(Fields& f) {
  Quantizable::fields(f);
  f("units", units);
  f("activation", o.activation);
  f("use_bias", o.use_bias);
  o.kernel_initializer.field(f, "kernel_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.kernel_regularizer.field(f, "kernel_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.kernel_constraint.field(f, "kernel_constraint");
  o.bias_constraint.field(f, "bias_constraint");
}

void Dense::build(const std::vector<Shape>& in) {
  check_min_rank(title(), in[0], 2);
  GLIA_CHECK(units > 0, "{}: units must be positive. Received {}.", title(), units);
  int64_t n = in[0].back();
  GLIA_CHECK(n >= 0, "{}: the last axis of the input must be known. Received shape {}. Give it in input_shape.", title(),
             to_string(in[0]));
  kernel = add_table("kernel", {n, units}, o.kernel_initializer, weight_options(o.kernel_regularizer, o.kernel_constraint),
                     kernel_scale, {units});
  if (o.use_bias) bias = add_weight("bias", {units}, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
}

Value Dense::call(const Value& given) {
  const Value x = as_float(*this, given);
  check_min_rank(title(), x.shape(), 2);
  check_last_axis(title(), x.shape(), kernel.shape()[0]);
  Value y;
  if (!quantized()) {
    y = ops::matmul(x, ops::cast(kernel.value(), x.dtype()));
  } else if (const AbsMaxQuantizer* quantizer = inputs_quantizer()) {
    auto [integers, scale] = (*quantizer)(x, {-1});
    y = integer_product(integers, kernel.value()) / (scale_of(kernel_scale, x) * scale);
  } else {
    y = integer_product(x, kernel.value()) / scale_of(kernel_scale, x);
  }
  if (o.use_bias) y = y + ops::cast(bias.value(), x.dtype());
  return o.activation(y);
}

std::vector<Variable> EinsumDense::stored_variables() const {
  std::vector<Variable> r{kernel};
  if (bias.defined()) r.push_back(bias);
  if (quantized()) r.push_back(kernel_scale);
  return r;
}

void EinsumDense::fields(Fields& f) {
  Quantizable::fields(f);
  f("output_shape", output_shape);
  f("equation", equation);
  f("activation", o.activation);
  std::optional<std::string> axes;
  if (!o.bias_axes.empty()) axes = o.bias_axes;
  f("bias_axes", axes);
  o.bias_axes = axes.value_or("");
  o.kernel_initializer.field(f, "kernel_initializer");
  o.bias_initializer.field(f, "bias_initializer");
  o.kernel_regularizer.field(f, "kernel_regularizer");
  o.bias_regularizer.field(f, "bias_regularizer");
  o.kernel_constraint.field(f, "kernel_constraint");
  o.bias_constraint.field(f, "bias_constraint");
}

namespace {

struct EinsumSpec {
  std::string input, weight, output;  // letters only
  bool left = false, right = false;   // where "..." stands
};

EinsumSpec parse_equation(const std::string& title, const std::string& equation) {
  EinsumSpec s;
  std::string e = equation;
  e.erase(std::remove(e.begin(), e.end(), ' '), e.end());
  size_t comma = e.find(','), arrow = e.find("->");
  auto bad = [&] {
    throw_error("{}: invalid einsum equation \"{}\". Write it as X,Y->Z, ...X,Y->...Z or X...,Y->Z....", title, equation);
  };
  if (comma == std::string::npos || arrow == std::string::npos || arrow < comma) bad();
  s.input = e.substr(0, comma), s.weight = e.substr(comma + 1, arrow - comma - 1), s.output = e.substr(arrow + 2);
  auto strip = [](std::string& t, bool front) {
    if (t.size() < 3 || t.compare(front ? 0 : t.size() - 3, 3, "...") != 0) return false;
    t.erase(front ? 0 : t.size() - 3, 3);
    return true;
  };
  s.left = strip(s.input, true);
  if (s.left != strip(s.output, true)) bad();
  s.right = strip(s.input, false);
  if (s.right != strip(s.output, false) || (s.left && s.right)) bad();
  for (const std::string& t : {s.input, s.weight, s.output})
    if (t.empty() || !std::all_of(t.begin(), t.end(), [](unsigned char c) { return std::isalpha(c); })) bad();
  return s;
}

// The same with a sign of its own for each axis that "..." stands for.
EinsumSpec with_elided_axes(EinsumSpec s, int64_t rank) {
  std::string elided;
  for (int64_t i = static_cast<int64_t>(s.input.size()); i < rank; ++i) elided += static_cast<char>('0' + i);
  for (std::string* t : {&s.input, &s.output}) *t = s.left ? elided + *t : s.right ? *t + elided : *t;
  return s;
}

// A scale over the axes `letters`, of extent 1 where they are not in the output, in the output's order of axes.
Value aligned(const Value& scale, const std::string& letters, const std::string& output) {
  std::string kept;
  Shape shape;
  for (size_t i = 0; i < letters.size(); ++i)
    if (output.find(letters[i]) != std::string::npos) kept += letters[i], shape.push_back(scale.dim(static_cast<int64_t>(i)));
  Ints order;
  Shape full;
  for (char c : output) {
    const size_t at = kept.find(c);
    full.push_back(at == std::string::npos ? 1 : shape[at]);
    if (at != std::string::npos) order.push_back(static_cast<int64_t>(at));
  }
  Value v = ops::reshape(scale, shape);
  return ops::reshape(order.size() > 1 ? ops::transpose(v, order) : v, full);
}

}  // namespace

Value EinsumDense::quantized_product(const Value& x) {
  const Value table = kernel.value();
  const AbsMaxQuantizer* quantizer = inputs_quantizer();
  if (!quantizer) return ops::einsum(equation, {x, ops::cast(table, x.dtype())}) / scale_of(kernel_scale, x);
  const EinsumSpec s = with_elided_axes(parse_equation(title(), equation), x.rank());
  std::string sums;  // letters over which is summed, in the input's order
  Ints axes;
  int64_t terms = 1;
  for (size_t i = 0; i < s.input.size(); ++i)
    if (s.output.find(s.input[i]) == std::string::npos) {
      sums += s.input[i];
      axes.push_back(static_cast<int64_t>(i));
      terms *= x.dim(static_cast<int64_t>(i));
    }
  auto [integers, scale] = (*quantizer)(x, axes);
  const size_t kept = s.input.size() - sums.size();
  Value y;
  if (!sums.empty() && s.input.substr(kept) == sums && s.weight.rfind(sums, 0) == 0 &&
      s.output == s.input.substr(0, kept) + s.weight.substr(sums.size())) {
    const Shape extents = x.shape(), kernel_extents = table.shape();
    Shape rows(extents.begin(), extents.begin() + static_cast<std::ptrdiff_t>(kept)), out = rows;
    rows.push_back(terms);
    out.insert(out.end(), kernel_extents.begin() + static_cast<std::ptrdiff_t>(sums.size()), kernel_extents.end());
    const Value matrix = ops::reshape(table, {terms, terms ? num_elements(kernel_extents) / terms : 0});
    y = ops::reshape(integer_product(ops::reshape(integers, rows), matrix), out);
  } else {
    const DType exact = terms <= 1024 ? DType::f32 : DType::f64;
    y = ops::cast(ops::einsum(equation, {ops::cast(integers, exact), ops::cast(table, exact)}), x.dtype());
  }
  return y / (aligned(scale, s.input, s.output) * scale_of(kernel_scale, x));
}

void EinsumDense::build(const std::vector<Shape>& in) {
  const Shape& shape = in[0];
  EinsumSpec s = parse_equation(title(), equation);
  int64_t elided = static_cast<int64_t>(shape.size()) - static_cast<int64_t>(s.input.size());
  GLIA_CHECK(elided >= 0 && (elided == 0 || s.left || s.right),
             "{}: the equation \"{}\" names {} input axes. Received shape {}.", title(), equation, s.input.size(), to_string(shape));
  Shape full = output_shape;
  full.insert(full.begin(), shape[0]);
  if (s.left && elided > 0) full.insert(full.begin() + 1, shape.begin() + 1, shape.begin() + elided);
  if (s.right) full.insert(full.end(), shape.end() - elided, shape.end());
  int64_t shift = s.left ? elided : 0;
  GLIA_CHECK(full.size() == s.output.size() + static_cast<size_t>(elided),
             "{}: output_shape {} does not fit the equation \"{}\", whose output has {} axes with the batch axis.", title(),
             to_string(output_shape), equation, s.output.size());
  auto extent = [&](char c) -> int64_t {
    size_t i = s.output.find(c), j = s.input.find(c);
    if (i != std::string::npos && (full[i + shift] >= 0 || j == std::string::npos)) return full[i + shift];
    GLIA_CHECK(j != std::string::npos, "{}: the letter '{}' of the kernel is in neither input nor output of \"{}\".", title(), c,
               equation);
    return shape[j + shift];
  };
  for (char c : s.input) {
    size_t i = s.output.find(c), j = s.input.find(c);
    if (i == std::string::npos || full[i + shift] < 0 || shape[j + shift] < 0) continue;
    GLIA_CHECK(full[i + shift] == shape[j + shift], "{}: axis '{}' of \"{}\" is {} in the input and {} in output_shape.", title(), c,
               equation, shape[j + shift], full[i + shift]);
  }
  Shape kernel_shape;
  for (char c : s.weight) kernel_shape.push_back(extent(c));
  const EinsumSpec all = with_elided_axes(s, static_cast<int64_t>(shape.size()));
  for (size_t i = 0; i < s.weight.size(); ++i)
    if (all.output.find(s.weight[i]) == std::string::npos) reduced_axes_.push_back(static_cast<int64_t>(i));
  for (char c : all.output) scale_shape_.push_back(s.weight.find(c) == std::string::npos ? 1 : extent(c));
  kernel = add_table("kernel", kernel_shape, o.kernel_initializer, weight_options(o.kernel_regularizer, o.kernel_constraint),
                     kernel_scale, scale_shape_);
  if (o.bias_axes.empty()) return;
  size_t first = s.output.size();
  for (char c : o.bias_axes) {
    GLIA_CHECK(s.output.find(c) != std::string::npos, "{}: bias axis '{}' is not an output axis of \"{}\".", title(), c, equation);
    first = std::min(first, s.output.find(c));
  }
  Shape bias_shape;
  for (char c : s.output.substr(first)) bias_shape.push_back(o.bias_axes.find(c) != std::string::npos ? extent(c) : 1);
  if (s.right) bias_shape.insert(bias_shape.end(), static_cast<size_t>(elided), 1);
  bias = add_weight("bias", bias_shape, o.bias_initializer, weight_options(o.bias_regularizer, o.bias_constraint));
}

Value EinsumDense::call(const Value& given) {
  const Value x = as_float(*this, given);
  Value y = quantized() ? quantized_product(x) : ops::einsum(equation, {x, ops::cast(kernel.value(), x.dtype())});
  if (bias.defined()) y = y + ops::cast(bias.value(), x.dtype());
  return o.activation(y);
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef Dense(int64_t units, DenseOptions options) {
  auto l = nn::make_with<nn::Dense>(std::move(options));
  l->units = units;
  return LayerRef(l);
}
LayerRef EinsumDense(std::string equation, Shape output_shape, EinsumDenseOptions options) {
  auto l = nn::make_with<nn::EinsumDense>(std::move(options));
  l->equation = std::move(equation);
  l->output_shape = std::move(output_shape);
  return LayerRef(l);
}

}  // namespace glia::layers
