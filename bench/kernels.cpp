#include "kernels.h"

namespace glia::bench {

std::vector<KernelBench> all_kernels() {
  std::vector<KernelBench> list;
  add_memory_kernels(list);
  add_pointwise_kernels(list);
  add_gemm_kernels(list);
  add_attention_kernels(list);
  add_conv_kernels(list);
  add_rnn_kernels(list);
  return list;
}

}  // namespace glia::bench
