// The layer behind functional models: a graph of layer calls and ops, replayed on the values of a trace.
#pragma once
#include <glia/model.h>

#include "ir/graph.h"

namespace glia {

class FunctionalLayer : public Layer {
 public:
  FunctionalLayer() = default;
  FunctionalLayer(const Values& inputs, const Values& outputs, const ModelOptions& options);
  std::string class_name() const override { return "Functional"; }
  bool supports_masking() const override { return true; }
  bool autocast_inputs() const override { return false; }  // each input is cast to the dtype of its Input, as in Keras
  Values call(const Values& inputs, const CallOptions& options) override;
  Values compute_mask(const Values&, const Values&, const Values& outputs) override;

  struct Item {           // one node in Keras's order, for summaries and files
    int node;             // in graph()
    LayerRef layer;       // null for ops
    std::string name;     // of the layer or op
  };
  const ir::Graph& graph() const { return *graph_; }
  const std::vector<LayerRef>& layers() const { return layers_; }  // by depth, as Keras orders them
  const std::vector<Item>& items() const { return items_; }        // nodes by depth, ops included
  std::string node_name(int node) const;  // of a layer, an input or an op ("add", "add_1"), as Keras would name it
  const std::vector<ir::Ref>& input_refs() const { return inputs_; }
  const std::vector<ir::Ref>& output_refs() const { return outputs_; }
  const std::vector<std::string>& input_names() const { return input_names_; }
  const std::vector<std::string>& output_names() const { return output_keys_.empty() ? output_names_ : output_keys_; }
  // Models whose inputs or outputs are a dictionary: its keys, in the order of the tensors; else empty.
  void set_keys(std::vector<std::string> inputs, std::vector<std::string> outputs);
  const std::vector<std::string>& input_keys() const { return input_keys_; }
  const std::vector<std::string>& output_keys() const { return output_keys_; }

 private:
  void extract(const Values& inputs, const Values& outputs);
  void order_layers();
  void name_ops();

  std::shared_ptr<ir::Graph> graph_;
  std::vector<ir::Ref> inputs_, outputs_;
  std::vector<std::string> input_names_, output_names_, input_keys_, output_keys_;
  std::vector<LayerRef> layers_;
  std::vector<Item> items_;
  std::map<int, std::string> op_names_;  // of plain ops
};

}  // namespace glia
