// The header of a .npy file: magic, version, and a Python dictionary that says dtype, order and shape.
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once
#include <glia/load_options.h>
#include <glia/tensor.h>

#include <string>

#include "io/file/byte_reader.h"

namespace glia::io {

struct NpyHeader {
  std::string descr;  // "<f4"
  bool fortran_order = false;
  Shape shape;
};

NpyHeader read_npy_header(ByteReader& in);              // throws Error with the offset
std::string npy_header_bytes(const NpyHeader& header);  // padded so that the data begins at a multiple of 64

}  // namespace glia::io
