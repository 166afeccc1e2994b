#include "nn/layers/scaling.h"

namespace glia::nn {

namespace {
void scale_field(Fields& f, const char* name, Floats& v) {  // a single number is written as one
  if (f.reading() || v.size() != 1) return f(name, v);
  f(name, v[0]);
}
Value constant_of(const Floats& v, DType t) {
  if (v.size() == 1) return Tensor::scalar(v[0], t);
  return Tensor::from_vector<double>({static_cast<int64_t>(v.size())}, v).astype(t);
}
}  // namespace

void Rescaling::fields(Fields& f) {
  Layer::fields(f);
  scale_field(f, "scale", scale);
  scale_field(f, "offset", offset);
}
Value Rescaling::call(const Value& x) {
  for (const Floats* v : {&scale, &offset})
    GLIA_CHECK(v->size() == 1 || static_cast<int64_t>(v->size()) == x.dim(-1),
               "{}: scale and offset take one number, or one for each of the {} channels. Received {}. Input shape {}.", title(), x.dim(-1),
               v->size(), to_string(x.shape()));
  DType t = compute_dtype();
  return ops::cast(x, t) * constant_of(scale, t) + constant_of(offset, t);
}

}  // namespace glia::nn

namespace glia::layers {

LayerRef Rescaling(Scale scale, Scale offset, PlainOptions options) {
  auto l = nn::make_with<nn::Rescaling>(std::move(options));
  l->scale = std::move(scale);
  l->offset = std::move(offset);
  return LayerRef(l);
}

}  // namespace glia::layers
