// Builds without protobuf: every function says so.
#include <glia/onnx.h>

#include "base/error.h"

namespace glia::onnx {

[[noreturn]] static void missing(const char* what) {
  throw_error(
      "{}: this build of Glia has no ONNX support. Install libprotobuf-dev, protobuf-compiler and libonnx-dev and "
      "build "
      "with -DGLIA_WITH_ONNX=ON.",
      what);
}

bool available() { return false; }
void register_layers() {}
Model load(const std::string&, const ImportOptions&) { missing("onnx::load"); }
Model load(std::span<const uint8_t>, const ImportOptions&) { missing("onnx::load"); }
std::vector<Tensor> run(const Model&, const std::vector<Tensor>&, uint64_t) { missing("onnx::run"); }
std::vector<std::string> operators() { return {}; }
void save(const Model&, const std::string&, const ExportOptions&) { missing("onnx::save"); }
std::string to_bytes(const Model&, const ExportOptions&) { missing("onnx::to_bytes"); }

}  // namespace glia::onnx
