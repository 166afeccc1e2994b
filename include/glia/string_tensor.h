// StringTensor: an array of strings, row-major. What models, datasets and text layers take beside Tensors.
//
//   StringTensor texts{"a fine film", "a dull film"};        // shape (2,)
//   StringTensor grid({2, 1}, {"left", "right"});            // shape (2, 1)
//   model.fit(texts, labels);                                // a model that begins with Input({1}, {.dtype = "string"})
//
// The strings are bytes, UTF-8 where a layer looks at characters.
#pragma once
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <glia/tensor.h>

namespace glia {

struct StringTensor {
  StringTensor() = default;
  StringTensor(std::vector<std::string> v) : shape{static_cast<int64_t>(v.size())}, values(std::move(v)) {}  // NOLINT
  StringTensor(std::initializer_list<std::string> v) : shape{static_cast<int64_t>(v.size())}, values(v) {}   // NOLINT
  StringTensor(Shape s, std::vector<std::string> v) : shape(std::move(s)), values(std::move(v)) {}
  Shape shape;
  std::vector<std::string> values;

  bool defined() const { return !shape.empty() || !values.empty(); }
  int64_t size() const { return static_cast<int64_t>(values.size()); }
  int rank() const { return static_cast<int>(shape.size()); }
  int64_t dim(int i) const;                                // negative counts from the end; throws Error
  StringTensor reshape(Shape to) const;                    // one extent may be -1; throws Error when the counts differ
  StringTensor slice(int64_t begin, int64_t end) const;    // rows [begin, end) of axis 0, copied
  StringTensor take(std::span<const int64_t> rows) const;  // these rows of axis 0, copied
  bool operator==(const StringTensor&) const = default;
};

// The dtype of a Value that stands for strings: the input of a text layer inside a model. No Tensor has it.
inline constexpr DType kStringDType = static_cast<DType>(23);

}  // namespace glia
