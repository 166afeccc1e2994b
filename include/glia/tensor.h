// Tensor: dtype + shape + a shared buffer, row-major. Copying a Tensor shares the data; clone() copies it.
//
//   Tensor x = Tensor::from({2, 3}, {1, 2, 3, 4, 5, 6});          // float32
//   Tensor y = Tensor::zeros({32, 10});
//   float first = x.data<float>()[0];
//   std::cout << x.to_string();
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <glia/error.h>

namespace glia {

// Behind u64 lie the formats of quantised weights: they are stored (one element a byte), moved and cast, but nothing is computed
// in them; cast to a wider type first. is_cast_only tells.
enum class DType : uint8_t {
  f32, f64, bf16, f16, i32, i64, u8, i8, bool_, i16, u16, u32, u64,
  f8e4m3fn, f8e5m2, f8e4m3fnuz, f8e5m2fnuz, f8e8m0fnu, f4e2m1fn, i4, u4, i2, u2
};

std::size_t dtype_size(DType);
std::string_view dtype_name(DType);           // Keras's names: "float32", "bfloat16", "int32", "bool", ...
DType dtype_from_name(std::string_view name); // throws Error with "did you mean"
inline bool is_float(DType t) { return t <= DType::f16; }
inline bool is_cast_only(DType t) { return t >= DType::f8e4m3fn; }

// Extents of an array, outermost first. A dimension of -1 means "not known yet" (Keras's None) and occurs only in
// specifications such as input_shape, never in a Tensor.
using Shape = std::vector<int64_t>;
int64_t num_elements(const Shape&);
std::string to_string(const Shape&);  // "(None, 28, 28, 1)"

struct bfloat16 { uint16_t bits; };
struct float16 { uint16_t bits; };
float to_float(bfloat16);
float to_float(float16);
bfloat16 to_bfloat16(float);  // round to nearest even
float16 to_float16(float);

namespace detail {
// Of one buffer: how often Tensor's own functions wrote to it, and whether anybody was given a pointer to write through.
struct Writes {
  std::atomic<uint32_t> count{0};
  std::atomic<bool> open{false};
};
}  // namespace detail

class Tensor {
 public:
  Tensor() = default;                                  // empty: no data, rank 0, defined() is false
  explicit Tensor(Shape shape, DType dtype = DType::f32);  // uninitialised
  static Tensor zeros(Shape shape, DType dtype = DType::f32);
  static Tensor full(Shape shape, double value, DType dtype = DType::f32);
  static Tensor scalar(double value, DType dtype = DType::f32);
  static Tensor from(Shape shape, std::initializer_list<double> values, DType dtype = DType::f32);
  template <class T>
  static Tensor from_vector(Shape shape, const std::vector<T>& values);  // T: a C++ number of a dtype's width
  // Uses memory that somebody else owns; `owner` keeps it alive.
  static Tensor wrap(Shape shape, DType dtype, void* data, std::shared_ptr<void> owner);

  bool defined() const { return data_ != nullptr; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t dim(int i) const;  // negative counts from the end
  int rank() const { return static_cast<int>(shape_.size()); }
  int64_t size() const { return size_; }
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * dtype_size(dtype_); }

  // The elements, to read and write. Whoever was given such a pointer may write at any time, so what a model derives from
  // its weights (packed filters, half-precision copies) is then derived anew in every call; craw and cdata avoid that.
  void* raw() const {
    if (writes_) writes_->open.store(true, std::memory_order_relaxed);
    return data_;
  }
  template <class T>
  T* data() const;  // throws Error when T is not the dtype
  template <class T>
  std::span<T> span() const { return {data<T>(), static_cast<std::size_t>(size_)}; }
  const void* craw() const { return data_; }  // to read only
  template <class T>
  const T* cdata() const;                     // to read only; throws Error when T is not the dtype
  double item(int64_t flat_index = 0) const;   // any dtype, as double
  void set_item(int64_t flat_index, double value) const;  // like all writers: changes the shared data
  std::vector<float> to_vector() const;        // all elements as float

  Tensor reshape(Shape shape) const;           // shares data; one extent may be -1
  Tensor slice(int64_t begin, int64_t end) const;  // rows [begin, end) of axis 0; shares data
  Tensor take(std::span<const int64_t> rows) const;  // gathers rows of axis 0 into a new tensor
  Tensor astype(DType dtype) const;            // converts; returns *this when equal
  Tensor clone() const;
  void copy_from(const Tensor& other) const;   // same shape and dtype; overwrites the data
  void fill(double value) const;
  bool equals(const Tensor& other) const;      // same dtype, shape and bits
  std::string to_string(int64_t max_elements = 64) const;

  // Grows with every change of the data; nothing where changes cannot be told: somebody holds a pointer from raw, data or
  // span, or the memory is another's (wrap).
  std::optional<uint32_t> version() const;
  void wrote() const;    // somebody who has the memory from craw changed it
  // A tensor nobody shares starts anew: pointers given away before are not written through any more.
  void close() const;

 private:
  Shape shape_;
  int64_t size_ = 0;
  DType dtype_ = DType::f32;
  void* data_ = nullptr;
  std::shared_ptr<void> owner_;
  detail::Writes* writes_ = nullptr;  // lies before the data
};

template <class T> constexpr DType dtype_of();
template <> constexpr DType dtype_of<float>() { return DType::f32; }
template <> constexpr DType dtype_of<double>() { return DType::f64; }
template <> constexpr DType dtype_of<bfloat16>() { return DType::bf16; }
template <> constexpr DType dtype_of<float16>() { return DType::f16; }
template <> constexpr DType dtype_of<int32_t>() { return DType::i32; }
template <> constexpr DType dtype_of<int64_t>() { return DType::i64; }
template <> constexpr DType dtype_of<uint8_t>() { return DType::u8; }
template <> constexpr DType dtype_of<int8_t>() { return DType::i8; }
template <> constexpr DType dtype_of<int16_t>() { return DType::i16; }
template <> constexpr DType dtype_of<uint16_t>() { return DType::u16; }
template <> constexpr DType dtype_of<uint32_t>() { return DType::u32; }
template <> constexpr DType dtype_of<uint64_t>() { return DType::u64; }
template <> constexpr DType dtype_of<bool>() { return DType::bool_; }

namespace detail {
[[noreturn]] void wrong_data_type(DType wanted, DType got);
Tensor tensor_from_raw(Shape shape, DType dtype, const void* data, std::size_t count);
}  // namespace detail

template <class T>
T* Tensor::data() const {
  if (dtype_of<T>() != dtype_) detail::wrong_data_type(dtype_of<T>(), dtype_);
  return static_cast<T*>(raw());
}
template <class T>
const T* Tensor::cdata() const {
  if (dtype_of<T>() != dtype_) detail::wrong_data_type(dtype_of<T>(), dtype_);
  return static_cast<const T*>(data_);
}
template <class T>
Tensor Tensor::from_vector(Shape shape, const std::vector<T>& values) {
  return detail::tensor_from_raw(std::move(shape), dtype_of<T>(), values.data(), values.size());
}

}  // namespace glia
