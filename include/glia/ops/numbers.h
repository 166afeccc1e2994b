// The functions of two arrays with a number in place of one, as NumPy and keras.ops take them: the number takes the value's dtype;
// beside integers one that is not whole gives float32. (Sums, products and comparisons with numbers are operators of Value.)
//
//   Value y = ops::maximum(x, 0.0), z = ops::power(2.0, x), w = ops::where(x > 1.0, x, 0.0);
#pragma once
#include <glia/value.h>

namespace glia::ops {

Value power(const Value& a, double b);
Value power(double a, const Value& b);
Value maximum(const Value& a, double b);
Value maximum(double a, const Value& b);
Value minimum(const Value& a, double b);
Value minimum(double a, const Value& b);
Value floor_divide(const Value& a, double b);
Value floor_divide(double a, const Value& b);
Value mod(const Value& a, double b);
Value mod(double a, const Value& b);
Value equal(const Value& a, double b);
Value not_equal(const Value& a, double b);
Value where(const Value& condition, const Value& a, double b);
Value where(const Value& condition, double a, const Value& b);
Value where(const Value& condition, double a, double b);  // float32

}  // namespace glia::ops
