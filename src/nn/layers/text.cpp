// Layers over strings: how they are called, and the functions adapt, encode, decode. Vocabularies: vocabulary.cpp; the layers: lookup.cpp,
// hashing.cpp, text_vectorization.cpp.
#include "nn/layers/text.h"

#include "base/error.h"
#include "nn/layers/text_util.h"
#include "nn/trace.h"

namespace glia::nn {

// Ids as vectors of `depth` entries; ids outside leave zeros. Shapes as nn::encode_categories.
Tensor encode_ids(const std::vector<int64_t>& ids, Shape shape, const std::string& mode, int64_t depth, DType t) {
  if (shape.empty()) shape = {1};
  if (mode == "one_hot") {
    if (shape.size() > 1 && shape.back() == 1) shape.pop_back();
    shape.push_back(depth);
    Tensor r = Tensor::zeros(shape, t);
    for (size_t i = 0; i < ids.size(); ++i)
      if (ids[i] >= 0 && ids[i] < depth) r.set_item(static_cast<int64_t>(i) * depth + ids[i], 1);
    return r;
  }
  // The axis that is counted over: the second of several, or the only one.
  const size_t axis = shape.size() > 1 ? 1 : 0;
  int64_t inner = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i) inner *= shape[i];
  const int64_t n = shape[axis];
  Shape out = shape;
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(axis));
  out.push_back(depth);
  Tensor r = Tensor::zeros(out, t);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= depth) continue;
    const int64_t flat = static_cast<int64_t>(i), row = flat / (n * inner) * inner + flat % inner, at = row * depth + ids[i];
    r.set_item(at, mode == "count" ? r.item(at) + 1 : 1);
  }
  return r;
}

StringTensor integers_as_text(const Tensor& t) {
  StringTensor s(t.shape(), {});
  Tensor wide = t.astype(DType::i64);
  for (int64_t v : wide.span<int64_t>()) s.values.push_back(std::to_string(v));
  return s;
}

void HostLayer::adapt_to(const StringTensor&) { throw_error("adapt: {} learns nothing from data.", title()); }
Tensor HostLayer::run_host(const std::vector<HostInput>& inputs) {
  std::vector<StringTensor> texts;
  for (const HostInput& i : inputs) texts.push_back(i.is_text() ? i.strings : integers_as_text(i.numbers));
  return run(texts);
}
Values HostLayer::call(const Values& inputs, const CallOptions&) { return call_on_host(inputs); }

Values HostLayer::call_on_host(const Values& inputs) {
  bool concrete = true;
  for (const Value& x : inputs) {
    const bool text = x.dtype() == kStringDType;
    const char* wanted = !takes_integers() ? "strings" : takes_text() ? "strings or integers" : "integers";
    const bool ok = text ? takes_text() : takes_integers() && !is_float(x.dtype());
    GLIA_CHECK(ok, "{}: the layer takes {}. Received {}.{}", title(), wanted, to_string(x.type()),
               takes_text() && !text ? " Make it the first layer, on an Input with .dtype = \"string\"." : "");
    concrete &= x.is_concrete();
  }
  if (concrete && !inputs.empty()) {
    std::vector<HostInput> arrays;
    for (const Value& x : inputs) arrays.push_back({{}, x.tensor()});
    return {run_host(arrays)};
  }
  Trace* t = Trace::current();
  if (t && t->probing) {
    std::vector<TensorType> types;
    for (const Value& x : inputs) types.push_back(x.type());
    return {ir::add_input(t->graph, symbolic_type(types), "")};
  }
  GLIA_CHECK(t && t->host,
             "{}: the layer runs on the host, before a model's compiled step: in fit, evaluate, predict and the like. To compile or "
             "export the rest, make a model of the layers behind it and call glia::encode(layer, data) before that.",
             title());
  return t->host->call(*this, inputs);
}

}  // namespace glia::nn

namespace glia {
namespace {

nn::HostLayer& host(const char* what, const LayerRef& layer) {
  auto* h = dynamic_cast<nn::HostLayer*>(&*layer);
  GLIA_CHECK(h, "{}: {} ({}) takes no strings.", what, layer->name(), layer->class_name());
  return *h;
}
nn::Vocabulary& vocabulary_of_layer(const char* what, const LayerRef& layer) {
  if (auto* l = dynamic_cast<nn::StringLookup*>(&*layer)) return l->vocabulary();
  if (auto* l = dynamic_cast<nn::IntegerLookup*>(&*layer)) return l->vocabulary();
  if (auto* l = dynamic_cast<nn::TextVectorization*>(&*layer)) return l->vocabulary();
  throw_error("{}: {} ({}) has no vocabulary.", what, layer->name(), layer->class_name());
}

}  // namespace

void adapt(const LayerRef& layer, const StringTensor& data) { host("adapt", layer).adapt_to(data); }
Tensor encode(const LayerRef& layer, const StringTensor& data) { return host("encode", layer).run({data}); }
Tensor encode(const LayerRef& layer, const Tensor& data) { return host("encode", layer).run({nn::integers_as_text(data)}); }
Tensor encode(const LayerRef& layer, const std::vector<StringTensor>& features) { return host("encode", layer).run(features); }
StringTensor decode(const LayerRef& layer, const Tensor& indices) {
  nn::Vocabulary& v = vocabulary_of_layer("decode", layer);
  Strings all = v.all();
  StringTensor r(indices.shape(), {});
  for (int64_t i = 0; i < indices.size(); ++i) {
    auto k = static_cast<int64_t>(indices.item(i));
    r.values.push_back(k >= 0 && k < static_cast<int64_t>(all.size()) ? all[static_cast<size_t>(k)] : v.oov_token);
  }
  return r;
}
Strings get_vocabulary(const LayerRef& layer) { return vocabulary_of_layer("get_vocabulary", layer).all(); }

namespace layers {

LayerRef StringLookup(StringLookupOptions options) { return LayerRef(nn::make_with<nn::StringLookup>(std::move(options))); }
LayerRef IntegerLookup(IntegerLookupOptions options) { return LayerRef(nn::make_with<nn::IntegerLookup>(std::move(options))); }
LayerRef TextVectorization(TextVectorizationOptions options) {
  return LayerRef(nn::make_with<nn::TextVectorization>(std::move(options)));
}
LayerRef Hashing(int64_t num_bins, HashingOptions options) {
  auto l = nn::make_with<nn::Hashing>(std::move(options));
  l->num_bins = num_bins;
  return LayerRef(l);
}
LayerRef HashedCrossing(int64_t num_bins, HashedCrossingOptions options) {
  auto l = nn::make_with<nn::HashedCrossing>(std::move(options));
  l->num_bins = num_bins;
  return LayerRef(l);
}

}  // namespace layers
}  // namespace glia
