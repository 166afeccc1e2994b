// Hashing and HashedCrossing.
#include "base/error.h"
#include "nn/layers/preprocessing.h"
#include "nn/layers/text_util.h"

namespace glia::nn {

void Hashing::fields(Fields& f) {
  Layer::fields(f);
  if (std::string ids = "int64"; !f.reading() && o.output_mode == "int" && dtype_policy_ == "float32") f("dtype", ids);  // of the output
  f("num_bins", num_bins);
  salt_field(f, o.salt);
  std::optional<int64_t> number;  // the mask of integers is a number in Keras
  if (!f.reading() && o.mask_value && std::to_string(to_integer(*o.mask_value)) == *o.mask_value) number = to_integer(*o.mask_value);
  if (number) f("mask_value", number);
  else f("mask_value", o.mask_value);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
}
Tensor Hashing::run(const std::vector<StringTensor>& inputs) {
  check_input_count(title(), inputs.size(), 1);
  GLIA_CHECK(num_bins > 0, "{}: num_bins must be positive. Received {}.", title(), num_bins);
  check_one_of(title(), "output_mode", o.output_mode, {"int", "one_hot", "multi_hot", "count"});
  const bool masked = o.mask_value && num_bins > 1;
  const auto bins = static_cast<uint64_t>(masked ? num_bins - 1 : num_bins);
  std::vector<int64_t> r;
  for (const std::string& s : inputs[0].values) {
    int64_t bin = static_cast<int64_t>(hash_of(s, o.salt) % bins);
    r.push_back(!masked ? bin : s == *o.mask_value ? 0 : bin + 1);
  }
  if (o.output_mode == "int") return Tensor::from_vector<int64_t>(inputs[0].shape, r);
  return encode_ids(r, inputs[0].shape, o.output_mode, num_bins, compute_dtype());
}

TensorType Hashing::symbolic_type(const std::vector<TensorType>& in) {
  check_input_count(title(), in.size(), 1);
  Shape s = in[0].shape;
  if (o.output_mode == "int") return {DType::i64, s};
  if (!s.empty()) s.pop_back();
  s.push_back(num_bins);
  return {compute_dtype(), s};
}

void HashedCrossing::fields(Fields& f) {
  f("num_bins", num_bins);
  f("output_mode", o.output_mode);
  f("sparse", o.sparse);
  f("name", name_);
  std::string dtype = o.output_mode == "int" ? "int64" : "float32";  // of the output
  std::optional<std::string> plain = dtype;                          // Keras writes no policy here
  if (f.reading()) {
    f("dtype", dtype);
    if (o.output_mode != "int") dtype_policy_ = dtype;
  } else {
    if (o.output_mode != "int" && dtype_policy_ != "float32") plain = dtype_policy_;
    f("dtype", plain);
  }
  if (f.reading()) f("trainable", trainable_);
}
Tensor HashedCrossing::run_host(const std::vector<HostInput>& inputs) {
  std::vector<StringTensor> texts;
  std::vector<bool> integers;
  for (const HostInput& i : inputs) {
    integers.push_back(!i.is_text());
    texts.push_back(i.is_text() ? i.strings : integers_as_text(i.numbers));
  }
  return run_mixed(texts, integers);
}
TensorType HashedCrossing::symbolic_type(const std::vector<TensorType>& in) {
  GLIA_CHECK(in.size() >= 2, "{}: expected two features or more. Received {}.", title(), in.size());
  for (const TensorType& t : in)
    GLIA_CHECK(t.shape == in[0].shape, "{}: the features must have equal shapes. Received {} and {}.", title(), to_string(in[0].shape),
               to_string(t.shape));
  Shape s = in[0].shape;
  if (o.output_mode == "int") return {DType::i64, s};
  if (s.size() > 1 && s.back() == 1) s.pop_back();
  s.push_back(num_bins);
  return {compute_dtype(), s};
}
Tensor HashedCrossing::run(const std::vector<StringTensor>& inputs) { return run_mixed(inputs, std::vector<bool>(inputs.size(), false)); }
Tensor HashedCrossing::run_mixed(const std::vector<StringTensor>& inputs, const std::vector<bool>& integers) {
  GLIA_CHECK(inputs.size() >= 2, "{}: expected two features or more. Received {}.", title(), inputs.size());
  GLIA_CHECK(num_bins > 0, "{}: num_bins must be positive. Received {}.", title(), num_bins);
  std::vector<int64_t> r;
  for (size_t i = 0; i < inputs[0].values.size(); ++i) {
    uint64_t h = 0xDECAFCAFFEu;  // TensorFlow's default key
    for (size_t k = 0; k < inputs.size(); ++k) {
      GLIA_CHECK(inputs[k].shape == inputs[0].shape, "{}: the features must have equal shapes. Received {} and {}.", title(),
                 to_string(inputs[0].shape), to_string(inputs[k].shape));
      const std::string& s = inputs[k].values[i];
      h = fingerprint_cat(h, integers[k] ? static_cast<uint64_t>(to_integer(s)) : farm_fingerprint64(s));
    }
    r.push_back(static_cast<int64_t>(h % static_cast<uint64_t>(num_bins)));
  }
  if (o.output_mode == "int") return Tensor::from_vector<int64_t>(inputs[0].shape, r);
  return encode_ids(r, inputs[0].shape, o.output_mode, num_bins, compute_dtype());
}

}  // namespace glia::nn
