// Reads the members of a tar archive (ustar, optionally gzipped) in order.
//
//   for_each_tar_member("cifar-10-binary.tar.gz", [](const std::string& name, std::vector<uint8_t> bytes) { ... });
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace glia::data {

// Regular files only. `wanted` (optional) says which members to read; the others are skipped without keeping them.
void for_each_tar_member(const std::string& path, const std::function<void(const std::string&, std::vector<uint8_t>)>& fn,
                         const std::function<bool(const std::string&)>& wanted = {});

}  // namespace glia::data
