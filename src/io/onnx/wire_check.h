// A look over protobuf's wire format before protobuf builds objects from it: sub-messages cost a hundred times their
// bytes, so a small file of empty messages could take gigabytes.
#pragma once
#include <glia/load_options.h>

#include <cstdint>
#include <span>
#include <string>

namespace glia::onnx {

// Throws Error with the offset when a message of the model ends behind its parent, nests too deep, or when there are
// more messages than the limits allow.
void check_wire(std::span<const uint8_t> bytes, const std::string& source, const LoadLimits& limits);

}  // namespace glia::onnx
