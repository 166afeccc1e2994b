// An op of keras.ops that a functional model calls outside of its layers (x + 1.0, x[:, 0:1], ops.relu(x)), kept as Keras
// wrote it, so that it is written back the same.
//
//   auto op = OpLayer::from_config(entry, name);        // {"module": "keras.src.ops.numpy", "class_name": "Add", ...}
//   Value y = LayerRef(op).outputs(inputs)[0];
#pragma once
#include <glia/layer.h>

#include <nlohmann/json.hpp>
#include <string>

namespace glia::io::keras {

using json = nlohmann::ordered_json;

bool is_op_entry(const json& spec);  // of a module keras.src.ops.*, keras.ops.*

class OpLayer : public Layer {
 public:
  // Throws Error with the op's name when there is no such op.
  static std::shared_ptr<OpLayer> from_entry(const json& spec, const std::string& name);
  // args and kwargs of the node, with {"array": i} where input i goes.
  void set_call(json args, json kwargs, std::vector<Tensor> constants);

  std::string class_name() const override { return class_name_; }
  bool is_operation() const override { return true; }
  bool autocast_inputs() const override { return false; }
  bool supports_masking() const override { return false; }
  Values call(const Values& inputs, const CallOptions& options) override;

  const json& entry() const { return entry_; }  // module, class_name, config, registered_name
  const json& args() const { return args_; }
  const json& kwargs() const { return kwargs_; }
  const std::vector<Tensor>& constants() const { return constants_; }  // inputs after the tensors of the call

 private:
  Values get_item(const Values& all) const;
  std::string class_name_, function_;
  json entry_, args_, kwargs_;
  std::vector<Tensor> constants_;
};

}  // namespace glia::io::keras
