// Names of dtype policies. That of a layer with rounded weights is "int8_from_float32": how its weights are kept, and
// the policy it had.
#pragma once
#include <string>
#include <string_view>

namespace glia::nn {

// "int8" of "int8_from_mixed_bfloat16"; "" of any other.
inline std::string quantization_mode(std::string_view policy) {
  const std::size_t at = policy.find("_from_");
  return at == std::string_view::npos ? std::string() : std::string(policy.substr(0, at));
}
// "mixed_bfloat16" of both "int8_from_mixed_bfloat16" and "mixed_bfloat16".
inline std::string source_policy(std::string_view policy) {
  const std::size_t at = policy.find("_from_");
  return std::string(at == std::string_view::npos ? policy : policy.substr(at + 6));
}

}  // namespace glia::nn
