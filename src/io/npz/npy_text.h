// Arrays of strings in .npy: "S" holds bytes, "U" UTF-32 code points, both of one width padded with zeros.
#pragma once
#include <glia/load_options.h>
#include <glia/string_tensor.h>

#include <optional>
#include <string>

#include "io/file/byte_reader.h"
#include "io/npz/npy_header.h"

namespace glia::io {

bool is_npy_text(const std::string& descr);  // "<U12", "|S3"
StringTensor read_npy_text(ByteReader& in, const NpyHeader& header, const LoadLimits& limits, std::optional<uint64_t> size);

}  // namespace glia::io
