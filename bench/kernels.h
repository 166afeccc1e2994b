// The kernel benchmarks of `glia-bench kernel NAME`. One file per family (kernels_gemm.cpp, kernels_conv.cpp, ...) holds
// an add_ function; it is declared here and called in kernels.cpp. Nothing registers itself.
//
//   void add_gemm_kernels(std::vector<KernelBench>& list) {
//     list.push_back({.name = "gemm_nn_f32_512", .flops = 2.0 * 512 * 512 * 512, .setup = [] {
//       auto a = std::make_shared<Tensor>(Tensor::full({512, 512}, 0.5));   // ... buffers live in the lambda
//       return [=] { gemm(...); };                                          // what is timed
//     }});
//   }
#pragma once
#include <functional>
#include <string>
#include <vector>

namespace glia::bench {

struct KernelBench {
  std::string name;  // family_variant_dtype_size, for example "gemm_nn_f32_512x512x512"
  double flops = 0;  // floating point operations of one call; 0: not arithmetic bound, share is of bandwidth
  double bytes = 0;  // bytes read and written by one call (compulsory traffic)
  std::function<std::function<void()>()> setup;  // prepares the buffers and returns the call to be timed
};

std::vector<KernelBench> all_kernels();

void add_memory_kernels(std::vector<KernelBench>&);  // kernels_memory.cpp
void add_gemm_kernels(std::vector<KernelBench>&);       // kernels_gemm.cpp
void add_attention_kernels(std::vector<KernelBench>&);  // kernels_gemm.cpp
void add_pointwise_kernels(std::vector<KernelBench>&);  // kernels_pointwise.cpp
void add_conv_kernels(std::vector<KernelBench>&);    // kernels_conv.cpp
void add_rnn_kernels(std::vector<KernelBench>&);     // kernels_rnn.cpp

}  // namespace glia::bench
