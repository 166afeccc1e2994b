#include "nn/layers/rnn_wrappers.h"

#include <algorithm>
#include <set>

#include "nn/layers/shape_util.h"

namespace glia::nn {
namespace {

// A layer with the same configuration and weights of its own.
LayerRef copy_of(const LayerRef& layer) {
  return LayerRef(std::static_pointer_cast<Layer>(deserialize("layer", serialize(*layer))));
}
std::string prefixed(const std::string& prefix, const std::string& name) {
  return name.rfind(prefix, 0) == 0 ? name : prefix + name;
}
RNN& as_rnn(const std::string& title, const LayerRef& layer) {
  auto* rnn = dynamic_cast<RNN*>(&*layer);
  GLIA_CHECK(rnn, "{}: expected a recurrent layer such as LSTM, GRU or RNN. Received {} ({}).", title, layer->name(), layer->class_name());
  return *rnn;
}

}  // namespace

void Bidirectional::set_layers(const LayerRef& forward, const LayerRef& backward) {
  GLIA_CHECK(forward, "{}: a recurrent layer is needed, e.g. Bidirectional(layers::LSTM(32)).", title());
  as_rnn(title(), forward);
  forward_layer = copy_of(forward);
  forward_layer->set_name(prefixed("forward_", forward->name()));
  if (backward) {
    as_rnn(title(), backward);
    backward_layer = backward;
  } else {
    backward_layer = copy_of(forward);
    backward_layer->set_name(prefixed("backward_", forward->name()));
    this->backward().o.go_backwards = true;
  }
  RNN &f = this->forward(), &b = this->backward();
  GLIA_CHECK(f.o.go_backwards != b.o.go_backwards, "{}: one of the two layers must run backwards. Both have go_backwards = {}.", title(),
             f.o.go_backwards);
  GLIA_CHECK(f.o.stateful == b.o.stateful && f.o.return_sequences == b.o.return_sequences && f.o.return_state == b.o.return_state,
             "{}: the two layers must agree in stateful, return_sequences and return_state.", title());
  f.o.zero_output_for_mask = f.o.return_sequences;
  b.o.zero_output_for_mask = b.o.return_sequences;
}

void Bidirectional::fields(Fields& f) {
  Layer::fields(f);
  f("merge_mode", merge_mode);
  std::shared_ptr<Configurable> one = forward_layer.ptr(), two = backward_layer.ptr();
  f.object("layer", "layer", one);
  f.object("backward_layer", "layer", two);
  if (!f.reading()) return;
  LayerRef first(std::static_pointer_cast<Layer>(one)), second(std::static_pointer_cast<Layer>(two));
  if (first) set_layers(first, second);
}

void Bidirectional::build(const std::vector<Shape>& in) {
  GLIA_CHECK(forward_layer, "{}: a recurrent layer is needed, e.g. Bidirectional(layers::LSTM(32)).", title());
  if (merge_mode) check_one_of(title(), "merge_mode", *merge_mode, {"concat", "sum", "mul", "ave"});
  if (sublayers().empty()) track(forward_layer), track(backward_layer);
  forward_layer->build_once({in[0]});
  backward_layer->build_once({in[0]});
}

Values Bidirectional::call(const Values& inputs, const CallOptions& options) {
  const Value& x = inputs[0];
  Values given = options.initial_state;
  if (given.empty()) given.assign(inputs.begin() + 1, inputs.end());
  GLIA_CHECK(given.size() % 2 == 0, "{}: initial_state holds the forward states, then the backward ones. Received {} values.", title(),
             given.size());
  CallOptions f{.training = options.training, .mask = options.mask}, b = f;
  auto half = given.begin() + static_cast<std::ptrdiff_t>(given.size() / 2);
  f.initial_state.assign(given.begin(), half);
  b.initial_state.assign(half, given.end());
  Values yf = forward_layer.outputs({x}, f), yb = backward_layer.outputs({x}, b);
  Value one = ops::cast(yf[0], compute_dtype()), two = ops::cast(yb[0], compute_dtype());
  if (forward().o.return_sequences) two = flip_axis(two, 1);
  Values r;
  if (!merge_mode) r = {one, two};
  else if (*merge_mode == "concat") r = {ops::concatenate({one, two}, -1)};
  else if (*merge_mode == "sum") r = {one + two};
  else if (*merge_mode == "mul") r = {one * two};
  else r = {(one + two) * 0.5};
  r.insert(r.end(), yf.begin() + 1, yf.end());
  r.insert(r.end(), yb.begin() + 1, yb.end());
  return r;
}

Values Bidirectional::compute_mask(const Values&, const Values& masks, const Values& outputs) {
  Values r(outputs.size());
  if (!forward().o.return_sequences || masks.empty()) return r;
  r[0] = masks[0];
  if (!merge_mode) r[1] = masks[0];
  return r;
}

// ---- TimeDistributed ------------------------------------------------------------------------------------------------------------

void TimeDistributed::fields(Fields& f) {
  Layer::fields(f);
  std::shared_ptr<Configurable> p = layer.ptr();
  f.object("layer", "layer", p);
  layer = LayerRef(std::static_pointer_cast<Layer>(p));
}
void TimeDistributed::build(const std::vector<Shape>& in) {
  GLIA_CHECK(layer, "{}: a layer is needed, e.g. TimeDistributed(layers::Dense(8)).", title());
  check_min_rank(title(), in[0], 3);
  if (sublayers().empty()) track(layer);
  Shape step = in[0];
  step.erase(step.begin() + 1);
  layer->build_once({step});
}

// Layers that treat each example by itself take all steps as one large batch; so do models of such layers.
static bool treats_examples_alone(const Layer& layer, bool training) {
  static const std::set<std::string> always{
      "Dense", "EinsumDense", "Embedding", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "DepthwiseConv1D",
      "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D",
      "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling2D", "Flatten", "Reshape", "Permute", "Activation", "ReLU",
      "LeakyReLU", "ELU", "PReLU", "LayerNormalization", "Rescaling", "Identity", "RepeatVector"};
  static const std::set<std::string> parts{"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Softmax",
                                           "ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D", "UpSampling1D", "UpSampling2D"};
  static const std::set<std::string> predicting{"BatchNormalization", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise",
                                                "GaussianDropout", "AlphaDropout"};
  const std::string name = layer.class_name();
  if (always.count(name)) return true;
  if (!training && predicting.count(name)) return true;
  if (name != "Sequential" && name != "Functional") return false;
  for (const LayerRef& l : layer.sublayers())
    if (!parts.count(l->class_name()) && !treats_examples_alone(*l, training)) return false;
  return true;
}

Values TimeDistributed::call(const Values& inputs, const CallOptions& options) {
  check_input_count(title(), inputs.size(), 1);
  const Value& x = inputs[0];
  check_min_rank(title(), x.shape(), 3);
  const Value& mask = options.mask;
  GLIA_CHECK(!mask.defined() || (mask.rank() >= 2 && mask.dim(0) == x.dim(0) && mask.dim(1) == x.dim(1)),
             "{}: the mask must begin with the batch and step axes of the input. Received a mask of shape {} for an input of shape {}.",
             title(), mask.defined() ? to_string(mask.shape()) : "", to_string(x.shape()));
  Shape s = x.shape();
  CallOptions inner{.training = options.training};
  if ((!mask.defined() || mask.rank() == 2) && treats_examples_alone(*layer, training(options))) {
    Shape flat(s.begin() + 1, s.end());
    flat[0] = s[0] * s[1];
    Value y = layer(ops::reshape(x, flat), inner);
    Shape out = y.shape();
    out[0] = s[1];
    out.insert(out.begin(), s[0]);
    return {ops::reshape(y, out)};
  }
  Values steps;
  for (int64_t t = 0; t < s[1]; ++t) {
    inner.mask = mask.defined() ? index_axis(mask, 1, t) : Value();
    if (inner.mask.defined() && inner.mask.rank() < 2) inner.mask = Value();  // one number per example is no mask of a step
    steps.push_back(layer(index_axis(x, 1, t), inner));
  }
  return {ops::stack(steps, 1)};
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef Bidirectional(LayerRef layer, BidirectionalOptions options) {
  auto l = nn::make_with<nn::Bidirectional>(PlainOptions{options.name, options.input_shape, options.trainable, options.dtype});
  l->merge_mode = options.merge_mode;
  l->set_layers(layer, options.backward_layer);
  return LayerRef(l);
}
LayerRef TimeDistributed(LayerRef layer, PlainOptions options) {
  auto l = nn::make_with<nn::TimeDistributed>(std::move(options));
  l->layer = std::move(layer);
  return LayerRef(l);
}

}  // namespace glia::layers
