// The layer behind an imported model: the file's graph, run anew by the interpreter in every trace, and its weights.
#pragma once
#include <glia/layer.h>

#include "io/onnx/interpreter.h"

namespace glia::onnx {

class OnnxLayer : public Layer {
 public:
  OnnxLayer() = default;  // from a configuration
  OnnxLayer(std::shared_ptr<const File> file, const ImportOptions& options);
  std::string class_name() const override { return "OnnxGraph"; }
  void fields(Fields& f) override;  // the graph without its weights, as base64
  bool autocast_inputs() const override { return false; }
  Values call(const Values& inputs, const CallOptions& options) override;

  const std::vector<ValueInfo>& inputs() const { return inputs_; }  // without weights and constants
  const File& file() const { return *file_; }
  int64_t declared_batch() const { return declared_batch_; }  // of the first input; -1 when it is free
  bool batch_free = false;                                    // a declared batch is one of many: see Batch
  void keep(std::span<const uint8_t> bytes);                  // of the file, for the configuration

 private:
  void adopt(std::shared_ptr<const File> file, bool trainable);
  void make_weights(bool trainable);

  struct Weight {
    std::string name;
    Variable variable;
    Ints axes;  // ONNX's array is transpose(variable, axes); empty: as it is
  };
  std::shared_ptr<const File> file_;
  std::vector<ValueInfo> inputs_;
  std::vector<Weight> weights_;
  std::map<std::string, Tensor> constants_;
  int64_t declared_batch_ = -1;
  std::string text_;
};
void register_onnx_layer();  // so that files of models that hold one can be read

}  // namespace glia::onnx
