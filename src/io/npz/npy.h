// One array as .npy, from and to any place: a file, a member of an archive.
#pragma once
#include <glia/load_options.h>
#include <glia/string_tensor.h>
#include <glia/tensor.h>

#include <optional>

#include "io/file/byte_reader.h"

namespace glia::io {

// `size`: bytes of the whole .npy, where known; a header that claims more or less is refused before memory is taken.
Tensor read_npy(ByteReader& in, const LoadLimits& limits, std::optional<uint64_t> size = {});
// Numbers or strings: exactly one of the two is defined.
struct NpyArray {
  Tensor numbers;
  StringTensor strings;
};
NpyArray read_npy_array(ByteReader& in, const LoadLimits& limits, std::optional<uint64_t> size = {});
std::string npy_bytes_of(const StringTensor& array);  // header and elements
std::string npy_header_of(const Tensor& array);

}  // namespace glia::io
