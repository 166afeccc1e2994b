// CIFAR-10 records in memory -> images and labels.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include <glia/tensor.h>

namespace glia::data {

struct NamedBytes {
  std::string name;  // for messages
  std::vector<uint8_t> bytes;
};
// uint8 (n, 32, 32, 3) and int32 (n,) over all files in order.
std::pair<Tensor, Tensor> cifar10_from_records(const std::vector<NamedBytes>& files);

}  // namespace glia::data
