// Layer: configuration + variables + build + call. Ready-made ones are in glia/layers.h; write your own like this:
//
//   struct Scale : Layer {
//     Variable gain;
//     std::string class_name() const override { return "Scale"; }
//     void build(const std::vector<Shape>& in) override { gain = add_weight("gain", {in[0].back()}, "ones"); }
//     Value call(const Value& x) override { return x * gain.value(); }   // gradient, fusion, export come for free
//   };
//   LayerRef scale = make_layer<Scale>();
//   Value y = scale(x);
#pragma once
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <glia/config.h>
#include <glia/value.h>
#include <glia/variable.h>

namespace glia {

class LayerRef;

// Keyword arguments of a layer call. Masks default to those the inputs carry, training to the mode being traced.
struct CallOptions {
  std::optional<bool> training;
  Value mask;                        // of the first input
  std::vector<Value> masks;          // one per input (merging and attention layers); overrides `mask`
  std::vector<Value> initial_state;  // recurrent layers
  Value attention_mask;              // MultiHeadAttention: (B, T, S) bool
  bool use_causal_mask = false;
  bool return_attention_scores = false;
  bool reverse = false;              // ReversibleEmbedding
};

// Options that every layer takes; the option structs of glia/layers.h repeat these fields at their end.
struct LayerOptions {
  std::string name;
  Shape input_shape;  // without the batch axis
  bool trainable = true;
  std::string dtype;  // policy: "float32", "mixed_bfloat16", ...; empty: the global policy
};

class Layer : public Configurable, public std::enable_shared_from_this<Layer> {
 public:
  static constexpr std::string_view kind = "layer";
  Layer();
  ~Layer() override;

  // ---- what a layer defines -----------------------------------------------------------------------------------------
  void fields(Fields& f) override;  // name, trainable, dtype; call it first when overriding
  virtual void build(const std::vector<Shape>& input_shapes) { (void)input_shapes; }  // -1 = unknown extent
  virtual Values call(const Values& inputs, const CallOptions& options);  // default: call(inputs[0])
  virtual Value call(const Value& x);
  // Masks of the outputs, given those of the inputs; undefined where there is none. Default: the first input's mask passes
  // on when supports_masking.
  virtual Values compute_mask(const Values& inputs, const Values& masks, const Values& outputs);
  virtual bool supports_masking() const { return false; }
  virtual bool is_operation() const { return false; }  // an op that a functional model calls by itself; not among its layers
  // A layer whose mask is consumed inside call (attention, pooling) and never an error.
  virtual bool autocast_inputs() const { return true; }

  // ---- what it has ----------------------------------------------------------------------------------------------------
  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }
  bool built() const { return built_; }
  bool trainable() const { return trainable_; }
  void set_trainable(bool trainable);  // and that of its sublayers
  DType compute_dtype() const;
  DType variable_dtype() const;
  const std::string& dtype_policy() const { return dtype_policy_; }
  const Shape& batch_input_shape() const { return batch_input_shape_; }  // from options.input_shape; empty if none
  std::vector<Variable> weights() const;                // Keras's order: trainable first, then the others
  std::vector<Variable> trainable_weights() const;
  std::vector<Variable> non_trainable_weights() const;
  const std::vector<Variable>& own_variables() const { return variables_; }
  const std::vector<LayerRef>& sublayers() const;
  int64_t count_params() const;
  std::vector<Tensor> get_weights() const;              // copies
  void set_weights(const std::vector<Tensor>& weights); // throws Error naming the weight that does not fit
  Regularizer activity_regularizer;
  // Low-rank adaptation (Hu et al. 2021): freezes the weight "kernel" or "embeddings" (..., n) of a built layer, which from then on
  // acts as itself + alpha / rank * a b with two small trainable weights a (..., rank) and b (rank, n). alpha: the rank by default.
  void enable_lora(int64_t rank, std::optional<double> alpha = {});
  int64_t lora_rank() const { return lora_rank_; }  // 0: none

  // ---- calling --------------------------------------------------------------------------------------------------------
  Values apply(const Values& inputs, const CallOptions& options = {});
  void build_once(const std::vector<Shape>& input_shapes);
  void configure(const LayerOptions& options);
  void add_loss(const Value& scalar) const;             // inside call

 protected:
  Variable add_weight(const std::string& name, const Shape& shape, const Initializer& initializer, VariableOptions options = {});
  LayerRef track(LayerRef sublayer);                    // its weights become part of this layer's
  void track(const Variable& shared) { variables_.push_back(shared); }  // of a sublayer, listed as one of its own
  void clear_sublayers();
  void set_built() { built_ = true; }                   // for layers that build themselves early
  bool training(const CallOptions& options) const;      // options.training, else the traced mode
  std::string title() const;                            // "dense_1 (Dense)" for messages

  std::string name_;
  bool trainable_ = true;
  std::string dtype_policy_;
  Shape batch_input_shape_;

 private:
  friend class LayerRef;
  Values run_call(const Values& inputs, const CallOptions& options);
  Values record_call(const Values& inputs, const CallOptions& options);
  friend struct LayerCall;

  bool built_ = false;
  int64_t lora_rank_ = 0;
  double lora_alpha_ = 0;
  std::vector<Variable> variables_;
  std::unique_ptr<std::vector<LayerRef>> sublayers_;
};

// Handle to a layer; what layers::Dense(...) returns and models are made of. Copies share the layer.
class LayerRef {
 public:
  LayerRef() = default;
  LayerRef(std::shared_ptr<Layer> layer) : ptr_(std::move(layer)) {}  // NOLINT
  Value operator()(const Value& x, const CallOptions& options = {}) const;
  Value operator()(const Values& inputs, const CallOptions& options = {}) const;      // several inputs, first output
  Value operator()(std::initializer_list<Value> inputs, const CallOptions& options = {}) const;
  Values outputs(const Values& inputs, const CallOptions& options = {}) const;        // all outputs
  Layer* operator->() const { return ptr_.get(); }
  Layer& operator*() const { return *ptr_; }
  explicit operator bool() const { return ptr_ != nullptr; }
  const std::shared_ptr<Layer>& ptr() const { return ptr_; }

 protected:
  std::shared_ptr<Layer> ptr_;
};

template <class L, class... Args>
LayerRef make_layer(Args&&... args) {
  return LayerRef(std::make_shared<L>(std::forward<Args>(args)...));
}

// Fresh Keras-style names: "dense", "dense_1", ...
std::string unique_layer_name(const std::string& class_name);
std::string to_snake_case(const std::string& class_name);
void clear_session();                       // forgets used names; resets the seed streams
void set_random_seed(int64_t seed);         // everything random from here on: initial weights, dropout, shuffling
void set_dtype_policy(const std::string& policy);
const std::string& dtype_policy();

}  // namespace glia
