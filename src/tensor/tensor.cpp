#include <glia/string_tensor.h>
#include <glia/tensor.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/error.h"
#include "tensor/convert.h"

namespace glia {

struct DTypeInfo { DType dtype; std::string_view name; size_t size; };
static constexpr DTypeInfo kDTypes[] = {
    {DType::f32, "float32", 4}, {DType::f64, "float64", 8}, {DType::bf16, "bfloat16", 2}, {DType::f16, "float16", 2},
    {DType::i32, "int32", 4},   {DType::i64, "int64", 8},   {DType::u8, "uint8", 1},      {DType::i8, "int8", 1},
    {DType::bool_, "bool", 1},  {DType::i16, "int16", 2},   {DType::u16, "uint16", 2},    {DType::u32, "uint32", 4},
    {DType::u64, "uint64", 8},
    {DType::f8e4m3fn, "float8_e4m3fn", 1},       {DType::f8e5m2, "float8_e5m2", 1},         {DType::f8e4m3fnuz, "float8_e4m3fnuz", 1},
    {DType::f8e5m2fnuz, "float8_e5m2fnuz", 1},   {DType::f8e8m0fnu, "float8_e8m0fnu", 1},   {DType::f4e2m1fn, "float4_e2m1fn", 1},
    {DType::i4, "int4", 1},     {DType::u4, "uint4", 1},    {DType::i2, "int2", 1},       {DType::u2, "uint2", 1}};

size_t dtype_size(DType t) { return t == kStringDType ? 1 : kDTypes[static_cast<int>(t)].size; }
std::string_view dtype_name(DType t) { return t == kStringDType ? "string" : kDTypes[static_cast<int>(t)].name; }
DType dtype_from_name(std::string_view name) {
  std::vector<std::string> known;
  for (auto& d : kDTypes) {
    if (d.name == name) return d.dtype;
    known.emplace_back(d.name);
  }
  throw_error("Unknown dtype '{}'.{}", name, did_you_mean(name, known));
}

int64_t num_elements(const Shape& s) {
  int64_t n = 1;
  for (int64_t d : s) n *= d;
  return n;
}

std::string to_string(const Shape& s) {
  std::string r = "(";
  for (size_t i = 0; i < s.size(); ++i) r += (i ? ", " : "") + (s[i] < 0 ? std::string("None") : std::to_string(s[i]));
  return r + (s.size() == 1 ? ",)" : ")");
}

namespace detail {
void wrong_data_type(DType wanted, DType got) {
  throw_error("Tensor::data: asked for {} but the tensor holds {}. Convert it with astype(DType::...) first.",
              dtype_name(wanted), dtype_name(got));
}
Tensor tensor_from_raw(Shape shape, DType dtype, const void* data, size_t count) {
  Tensor t(std::move(shape), dtype);
  GLIA_CHECK(static_cast<int64_t>(count) == t.size(), "Tensor: shape {} needs {} values. Received {}.",
             to_string(t.shape()), t.size(), count);
  if (count) std::memcpy(const_cast<void*>(t.craw()), data, t.bytes());
  return t;
}
}  // namespace detail

static int64_t checked_elements(const Shape& shape, DType dtype) {
  GLIA_CHECK(dtype != kStringDType, "Tensor: a Tensor holds numbers. Use a StringTensor for strings.");
  int64_t n = 1;
  for (int64_t d : shape) {
    GLIA_CHECK(d >= 0, "Tensor: shape {} has an unknown or negative extent. Every extent of a tensor must be known.",
               to_string(shape));
    GLIA_CHECK(!__builtin_mul_overflow(n, d, &n), "Tensor: shape {} is too large.", to_string(shape));
  }
  int64_t bytes;
  GLIA_CHECK(!__builtin_mul_overflow(n, static_cast<int64_t>(dtype_size(dtype)), &bytes) && bytes < (int64_t{1} << 46),
             "Tensor: shape {} of {} is too large.", to_string(shape), dtype_name(dtype));
  return n;
}

Tensor::Tensor(Shape shape, DType dtype) : shape_(std::move(shape)), dtype_(dtype) {
  size_ = checked_elements(shape_, dtype_);
  constexpr size_t kHead = 64;  // keeps the data on a cache line of their own
  static_assert(sizeof(detail::Writes) <= kHead);
  size_t bytes = kHead + (this->bytes() + 127) / 64 * 64;  // one spare vector behind the end
  void* p = std::aligned_alloc(64, bytes);
  GLIA_CHECK(p, "Tensor: out of memory: {} bytes for shape {}.", bytes, glia::to_string(shape_));
  owner_ = std::shared_ptr<void>(p, std::free);
  writes_ = new (p) detail::Writes;
  data_ = static_cast<char*>(p) + kHead;
}

Tensor Tensor::zeros(Shape shape, DType dtype) {
  Tensor t(std::move(shape), dtype);
  std::memset(t.data_, 0, t.bytes());
  return t;
}
Tensor Tensor::full(Shape shape, double value, DType dtype) {
  Tensor t(std::move(shape), dtype);
  t.fill(value);
  return t;
}
Tensor Tensor::scalar(double value, DType dtype) { return full({}, value, dtype); }
Tensor Tensor::from(Shape shape, std::initializer_list<double> values, DType dtype) {
  Tensor t(std::move(shape), dtype);
  GLIA_CHECK(static_cast<int64_t>(values.size()) == t.size(), "Tensor::from: shape {} needs {} values. Received {}.",
             glia::to_string(t.shape_), t.size(), values.size());
  int64_t i = 0;
  for (double v : values) t.set_item(i++, v);
  return t;
}
Tensor Tensor::wrap(Shape shape, DType dtype, void* data, std::shared_ptr<void> owner) {
  Tensor t;
  t.size_ = checked_elements(shape, dtype);
  t.shape_ = std::move(shape);
  t.dtype_ = dtype;
  t.data_ = data;
  t.owner_ = std::move(owner);
  return t;
}

int64_t Tensor::dim(int i) const {
  int r = rank();
  GLIA_CHECK(i >= -r && i < r, "Tensor::dim({}): the tensor has rank {}.", i, r);
  return shape_[i < 0 ? i + r : i];
}

double Tensor::item(int64_t i) const {
  GLIA_CHECK(i >= 0 && i < size_, "Tensor::item({}): the tensor has {} elements.", i, size_);
  return load_as_double(dtype_, data_, i);
}
void Tensor::set_item(int64_t i, double v) const {
  GLIA_CHECK(i >= 0 && i < size_, "Tensor::set_item({}): the tensor has {} elements.", i, size_);
  store_from_double(dtype_, data_, i, v);
  wrote();
}
std::vector<float> Tensor::to_vector() const {
  std::vector<float> out(static_cast<size_t>(size_));
  if (size_) convert_elements(DType::f32, out.data(), dtype_, data_, size_);
  return out;
}

Tensor Tensor::reshape(Shape shape) const {
  int64_t known = 1, hole = -1;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1 && hole < 0) hole = static_cast<int64_t>(i);
    else known *= shape[i];
  }
  if (hole >= 0 && known > 0) shape[hole] = size_ / known;
  GLIA_CHECK(num_elements(shape) == size_, "Tensor::reshape: cannot view shape {} ({} elements) as {}.",
             glia::to_string(shape_), size_, glia::to_string(shape));
  Tensor t = *this;
  t.shape_ = std::move(shape);
  return t;
}

Tensor Tensor::slice(int64_t begin, int64_t end) const {
  GLIA_CHECK(rank() >= 1 && begin >= 0 && begin <= end && end <= shape_[0],
             "Tensor::slice({}, {}): out of range for shape {}.", begin, end, glia::to_string(shape_));
  Tensor t = *this;
  int64_t row = shape_[0] ? size_ / shape_[0] : 0;
  t.shape_[0] = end - begin;
  t.size_ = row * (end - begin);
  t.data_ = static_cast<char*>(data_) + static_cast<size_t>(begin * row) * dtype_size(dtype_);
  return t;
}

Tensor Tensor::take(std::span<const int64_t> rows) const {
  GLIA_CHECK(rank() >= 1, "Tensor::take: needs rank at least 1.");
  Shape s = shape_;
  s[0] = static_cast<int64_t>(rows.size());
  Tensor t(s, dtype_);
  size_t row = shape_[0] ? bytes() / static_cast<size_t>(shape_[0]) : 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    GLIA_CHECK(rows[i] >= 0 && rows[i] < shape_[0], "Tensor::take: row {} is out of range for shape {}.", rows[i],
               glia::to_string(shape_));
    std::memcpy(static_cast<char*>(t.data_) + i * row, static_cast<char*>(data_) + static_cast<size_t>(rows[i]) * row, row);
  }
  return t;
}

Tensor Tensor::astype(DType dtype) const {
  if (dtype == dtype_ || !defined()) return *this;
  Tensor t(shape_, dtype);
  convert_elements(dtype, t.data_, dtype_, data_, size_);
  return t;
}
Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor t(shape_, dtype_);
  if (size_) std::memcpy(t.data_, data_, bytes());
  return t;
}
void Tensor::copy_from(const Tensor& o) const {
  GLIA_CHECK(o.shape_ == shape_ && o.dtype_ == dtype_, "Tensor::copy_from: expected {} {}. Received {} {}.",
             dtype_name(dtype_), glia::to_string(shape_), dtype_name(o.dtype_), glia::to_string(o.shape_));
  if (size_) std::memmove(data_, o.data_, bytes());
  wrote();
}
void Tensor::fill(double value) const {
  if (!size_) return;
  store_from_double(dtype_, data_, 0, value);
  size_t step = dtype_size(dtype_), total = bytes();
  for (size_t done = step; done < total;) {  // doubling copy
    size_t n = std::min(done, total - done);
    std::memcpy(static_cast<char*>(data_) + done, data_, n);
    done += n;
  }
  wrote();
}
bool Tensor::equals(const Tensor& o) const {
  return dtype_ == o.dtype_ && shape_ == o.shape_ && (size_ == 0 || std::memcmp(data_, o.data_, bytes()) == 0);
}
std::optional<uint32_t> Tensor::version() const {
  if (!writes_ || writes_->open.load(std::memory_order_relaxed)) return std::nullopt;
  return writes_->count.load(std::memory_order_relaxed);
}
void Tensor::wrote() const {
  if (writes_) writes_->count.fetch_add(1, std::memory_order_relaxed);
}
void Tensor::close() const {
  if (writes_ && owner_.use_count() == 1) writes_->open.store(false, std::memory_order_relaxed);
}
std::string Tensor::to_string(int64_t max_elements) const {
  if (!defined()) return "Tensor()";
  std::string r = fmt::format("Tensor({} {} [", dtype_name(dtype_), glia::to_string(shape_));
  int64_t n = std::min(size_, max_elements);
  for (int64_t i = 0; i < n; ++i) r += fmt::format("{}{:.6g}", i ? ", " : "", load_as_double(dtype_, data_, i));
  return r + (n < size_ ? ", ...])" : "])");
}

}  // namespace glia
