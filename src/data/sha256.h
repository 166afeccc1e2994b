// SHA-256 (FIPS 180-4), to check downloads.
#pragma once
#include <cstddef>
#include <string>

namespace glia::data {

std::string sha256_hex(const void* data, std::size_t bytes);

}  // namespace glia::data
