// Constants of a traced graph whose size or content follows from an open extent.
#pragma once
#include "io/onnx/exporter.h"

namespace glia::onnx {

// Writes nodes that compute the constant `id` from the inputs' shapes; false: not a kind that is known.
bool write_open_table(Exporter& ex, int id);

}  // namespace glia::onnx
