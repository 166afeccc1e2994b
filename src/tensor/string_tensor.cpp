#include <glia/string_tensor.h>

#include "base/error.h"

namespace glia {

namespace {
int64_t row_size(const StringTensor& t) { return t.shape[0] ? t.size() / t.shape[0] : 0; }
void check_rows(const char* what, const StringTensor& t) {
  GLIA_CHECK(t.rank() >= 1 && num_elements(t.shape) == t.size(), "StringTensor::{}: shape {} does not go with {} strings.", what,
             to_string(t.shape), t.size());
}
}  // namespace

int64_t StringTensor::dim(int i) const {
  GLIA_CHECK(i >= -rank() && i < rank(), "StringTensor::dim({}): the array has rank {}.", i, rank());
  return shape[static_cast<size_t>(i < 0 ? i + rank() : i)];
}

StringTensor StringTensor::reshape(Shape to) const {
  int64_t known = 1;
  int unknown = -1;
  for (size_t i = 0; i < to.size(); ++i)
    if (to[i] < 0) {
      GLIA_CHECK(unknown < 0, "StringTensor::reshape: only one extent may be -1. Received {}.", to_string(to));
      unknown = static_cast<int>(i);
    } else {
      known *= to[i];
    }
  if (unknown >= 0 && known) to[static_cast<size_t>(unknown)] = size() / known;
  GLIA_CHECK(num_elements(to) == size(), "StringTensor::reshape: {} strings do not fit the shape {}.", size(), to_string(to));
  return {std::move(to), values};
}

StringTensor StringTensor::slice(int64_t begin, int64_t end) const {
  check_rows("slice", *this);
  GLIA_CHECK(0 <= begin && begin <= end && end <= shape[0], "StringTensor::slice({}, {}): the array has {} rows.", begin, end, shape[0]);
  Shape s = shape;
  s[0] = end - begin;
  const int64_t row = row_size(*this);
  return {std::move(s), {values.begin() + begin * row, values.begin() + end * row}};
}

StringTensor StringTensor::take(std::span<const int64_t> rows) const {
  check_rows("take", *this);
  const int64_t row = row_size(*this);
  StringTensor r;
  r.shape = shape;
  r.shape[0] = static_cast<int64_t>(rows.size());
  r.values.reserve(rows.size() * static_cast<size_t>(row));
  for (int64_t i : rows) {
    GLIA_CHECK(i >= 0 && i < shape[0], "StringTensor::take: row {} of {}.", i, shape[0]);
    r.values.insert(r.values.end(), values.begin() + i * row, values.begin() + (i + 1) * row);
  }
  return r;
}

}  // namespace glia
