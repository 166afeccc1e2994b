// Reductions over axes (all axes when none are named).
#pragma once
#include <glia/value.h>

namespace glia::ops {

Value sum(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value mean(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value max(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value min(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value prod(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value any(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);
Value all(const Value& x, std::vector<int64_t> axes = {}, bool keepdims = false);

}  // namespace glia::ops
