#include "nn/layers/augmentation_mix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "nn/layers/random.h"
#include "nn/layers/shape_util.h"

namespace glia::nn {
namespace {

Value per_image(const Value& v) { return ops::reshape(v, {v.dim(0), 1, 1, 1}); }
// Keras's (0, factor) or (low, high), between 0 and 1.
Floats unit_range(const Floats& f) {
  if (f.size() == 2) return {std::min(f[0], f[1]), std::max(f[0], f[1])};
  return {0.0, std::abs(f.at(0))};
}
// A field that is null when the list is empty.
void list_field(Fields& f, const char* name, Floats& v) {
  std::optional<Floats> value;
  if (!v.empty()) value = v;
  f(name, value);
  v = value.value_or(Floats{});
}
// Keras writes factors of these layers as pairs.
void pair_field(Fields& f, const char* name, Floats& v) {
  if (!f.reading()) v = unit_range(v);
  f(name, v);
}

// The inside of a random rectangle of a share of height and width (batch, 1): bool (batch, height, width, 1).
Value rectangle(const Value& height_share, const Value& width_share, int64_t h, int64_t w, const std::optional<int64_t>& seed) {
  const int64_t n = height_share.dim(0);
  auto inside = [&](const Value& share, int64_t length, Shape shape) {
    Value size = share * static_cast<double>(length), start = random_uniform({n}, DType::f32, seed) * (static_cast<double>(length) - size);
    Value at = ops::reshape(ops::arange(0, static_cast<double>(length), 1, DType::f32), shape);
    return ops::logical_and(at >= per_image(start), at < per_image(start + size));
  };
  Value x = inside(width_share, w, {1, 1, w, 1});
  return ops::logical_and(x, inside(height_share, h, {1, h, 1, 1}));
}

// True for as many images as the drawn probability says: (batch, 1, 1, 1).
Value chosen(int64_t n, const Floats& probability, const std::optional<int64_t>& seed) {
  const Floats r = unit_range(probability);
  Value likely = r[0] == r[1] ? ops::full({n}, r[0]) : random_uniform({n}, DType::f32, seed, r[0], r[1]);
  return per_image(random_uniform({n}, DType::f32, seed) < likely);
}

Value run(const LayerRef& layer, const Value& x) { return layer(x, {.training = true}); }

// The augmentations that RandAugment and AugMix choose from.
std::vector<LayerRef> choices(const Floats& given, const Floats& range, const std::string& interpolation, const std::optional<int64_t>& seed, bool colours) {
  const Floats pair = unit_range(given);
  const layers::Factor f{pair[0], pair[1]};
  const layers::GeometricOptions moved{.interpolation = interpolation, .seed = seed};
  const layers::ColorOptions coloured{.value_range = range, .seed = seed};
  std::vector<LayerRef> list{
      layers::RandomShear(f, f, moved),
      layers::RandomTranslation(f, f, moved),
      layers::RandomRotation(f, moved),
      layers::RandomPosterization(std::max(1.0, std::floor(8 * pair[1])), coloured),
      layers::Solarization(f, f, coloured),
      layers::AutoContrast(coloured),
      layers::Equalization(range),
  };
  if (colours) {
    list.push_back(layers::RandomBrightness(f, coloured));
    list.push_back(layers::RandomColorDegeneration(f, coloured));
    list.push_back(layers::RandomContrast(f, coloured));
    list.push_back(layers::RandomSharpness(f, coloured));
  }
  return list;
}
Value choose(const std::vector<LayerRef>& list, const Value& index, const Value& x) {  // an index beyond the list: unchanged
  Value y = x;
  for (std::size_t i = 0; i < list.size(); ++i) {
    Value chosen = ops::equal(index, Value(Tensor::scalar(static_cast<double>(i), DType::i32)));  // first: the plan skips what is not chosen
    y = ops::where(chosen, run(list[i], x), y);
  }
  return y;
}
Value random_index(int64_t n, const std::optional<int64_t>& seed) {
  Value u = ops::cast(random_uniform({}, DType::f32, seed, 0, static_cast<double>(n)), DType::i32);
  return ops::minimum(u, Value(Tensor::scalar(static_cast<double>(n - 1), DType::i32)));
}

}  // namespace

// ---- colours ----

void RandomHsv::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("factor", factor);
  f("value_range", value_range);
  f("seed", seed);
}
Value RandomHsv::augment(const Value& x) {
  check_range(title(), value_range);
  const int64_t n = x.dim(0);
  const bool hue = kind_ == "RandomHue";
  const Floats r = hue ? unit_range(factor) : factor.size() == 2 ? unit_range(factor) : Floats{-std::abs(factor[0]), std::abs(factor[0])};
  Value drawn = r[0] == r[1] ? ops::full({n}, r[0]) : random_uniform({n}, DType::f32, seed, r[0], r[1]);
  // Saturation works on the numbers as they are: the hue and the value keep their scale.
  Value hsv = ops::image::rgb_to_hsv(hue ? (x - value_range[0]) / span(value_range) : x);
  Value h = ops::slice_axis(hsv, 3, 0, 1), s = ops::slice_axis(hsv, 3, 1, 2), v = ops::slice_axis(hsv, 3, 2, 3);
  if (hue) {
    Value sign = ops::where(random_uniform({n}, DType::f32, seed) > 0.5, ops::full({n}, -1), ops::ones({n}));
    h = h + ops::cast(per_image(sign * drawn * 0.5), x.dtype());
    h = ops::where(h > 1.0, h - 1.0, h);
    h = ops::where(h < 0.0, h + 1.0, h);
    return ops::clip(ops::image::hsv_to_rgb(ops::concatenate({h, s, v}, 3)), 0, 1) * span(value_range) + value_range[0];
  }
  Value amount = ops::cast(per_image(drawn / (1.0 - drawn + 1e-7)), x.dtype());
  return ops::image::hsv_to_rgb(ops::concatenate({h, ops::clip(s * amount, value_range[0], value_range[1]), v}, 3));
}

void RandomColorJitter::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("value_range", value_range);
  list_field(f, "brightness_factor", o.brightness_factor);
  list_field(f, "contrast_factor", o.contrast_factor);
  list_field(f, "saturation_factor", o.saturation_factor);
  list_field(f, "hue_factor", o.hue_factor);
  f("seed", seed);
}
Value RandomColorJitter::augment(const Value& x) {
  const layers::ColorOptions c{.value_range = value_range, .seed = seed};
  auto factor = [](const Floats& v) { return v.size() == 2 ? layers::Factor{v[0], v[1]} : layers::Factor(v[0]); };
  Value y = x;
  if (!o.brightness_factor.empty()) y = run(layers::RandomBrightness(factor(o.brightness_factor), c), y);
  if (!o.contrast_factor.empty()) y = run(layers::RandomContrast(factor(o.contrast_factor), c), y);
  if (!o.saturation_factor.empty()) y = run(layers::RandomSaturation(factor(o.saturation_factor), c), y);
  if (!o.hue_factor.empty()) y = run(layers::RandomHue(factor(o.hue_factor), c), y);
  return ops::cast(y, x.dtype());
}

// ---- distortions ----

void RandomGaussianBlur::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  pair_field(f, "factor", factor);
  if (!f.reading() && kernel_size.size() == 1) kernel_size.push_back(kernel_size[0]);
  f("kernel_size", kernel_size);
  pair_field(f, "sigma", sigma);
  f("value_range", value_range);
  f("seed", seed);
}
Value RandomGaussianBlur::augment(const Value& x) {
  check_range(title(), value_range);
  for (int64_t k : kernel_size) GLIA_CHECK(k > 0 && k % 2 == 1, "{}: kernel_size must be odd. Received {}.", title(), k);
  const Floats r = unit_range(sigma);
  Value apply = chosen(x.dim(0), factor, seed);
  Value s = (r[0] == r[1] ? ops::full({2}, r[0]) : random_uniform({2}, DType::f32, seed, r[0], r[1])) + 1e-6;
  Value y = ops::where(apply, ops::image::gaussian_blur(x, kernel_size, ops::cast(s, x.dtype())), x);
  return ops::clip(y, value_range[0], value_range[1]);
}

void RandomErasing::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  pair_field(f, "factor", factor);
  pair_field(f, "scale", scale);
  list_field(f, "fill_value", fill_value);
  f("value_range", value_range);
  f("seed", seed);
}
Value RandomErasing::augment(const Value& x) {
  check_range(title(), value_range);
  GLIA_CHECK(fill_value.size() <= 1 || static_cast<int64_t>(fill_value.size()) == x.dim(3), "{}: fill_value takes one number, or one per channel. Received {}.",
             title(), fill_value.size());
  const int64_t n = x.dim(0), h = x.dim(1), w = x.dim(2);
  const Floats r = unit_range(scale);
  auto share = [&] { return ops::sqrt(r[0] == r[1] ? ops::full({n}, r[0]) : random_uniform({n}, DType::f32, seed, r[0], r[1])); };
  Value across = share(), down = share(), erased = rectangle(down, across, h, w, seed);
  Value fill;
  if (fill_value.empty()) fill = random_normal(x.shape(), DType::f32, seed) * value_range[1];
  else fill = Value(Tensor::from_vector<double>({static_cast<int64_t>(fill_value.size())}, fill_value));
  fill = ops::cast(ops::clip(fill, value_range[0], value_range[1]), x.dtype());
  return ops::where(ops::logical_and(erased, chosen(n, factor, seed)), fill, x);
}

void RandomPerspective::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  pair_field(f, "factor", factor);
  f("scale", scale);
  f("interpolation", interpolation);
  f("fill_value", fill_value);
  f("seed", seed);
}
Value RandomPerspective::augment(const Value& x) {
  GLIA_CHECK(scale >= 0 && scale <= 1, "{}: scale must lie between 0 and 1. Received {}.", title(), scale);
  const int64_t n = x.dim(0);
  const double w = static_cast<double>(x.dim(2) - 1), h = static_cast<double>(x.dim(1) - 1);
  Value start = ops::broadcast_to(Value(Tensor::from({1, 4, 2}, {0, 0, w, 0, 0, h, w, h})), {n, 4, 2});
  Value end = start + start * random_uniform({n, 4, 2}, DType::f32, seed, -0.5 * scale, 0.5 * scale);
  Value y = ops::image::perspective_transform(x, start, end, {.interpolation = interpolation, .fill_value = fill_value});
  return ops::where(chosen(n, factor, seed), y, x);
}

void RandomElasticTransform::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  pair_field(f, "factor", factor);
  pair_field(f, "scale", scale);
  f("interpolation", o.interpolation);
  f("fill_mode", o.fill_mode);
  f("fill_value", o.fill_value);
  f("value_range", o.value_range);
  f("seed", seed);
}
Value RandomElasticTransform::augment(const Value& x) {
  check_range(title(), o.value_range);
  const Floats r = unit_range(scale), likely = unit_range(factor);
  if (r[1] == 0 || likely[1] == 0) return x;
  const double longer = static_cast<double>(std::max(x.dim(1), x.dim(2))), shorter = static_cast<double>(std::min(x.dim(1), x.dim(2)));
  Value amount = r[0] == r[1] ? ops::full({}, r[0]) : random_uniform({}, DType::f32, seed, r[0], r[1]);
  const RandomKey key = random_key(seed);
  Value y = ops::image::elastic_transform(x, key.seed, key.stream, amount * (0.1 * longer), amount * (0.05 * shorter), 0.05 * shorter * r[1],
                                          {.interpolation = o.interpolation, .fill_mode = o.fill_mode, .fill_value = o.fill_value});
  return ops::clip(ops::where(chosen(x.dim(0), factor, seed), y, x), o.value_range[0], o.value_range[1]);
}

// ---- mixtures ----

void PairMix::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  if (kind_ == "MixUp") f("alpha", alpha);
  else pair_field(f, "factor", factor);
  f("seed", seed);
}

Values PairMix::call(const Values& inputs, const CallOptions& options) {
  GLIA_CHECK(inputs.size() == 1 || inputs.size() == 2, "{}: expected images, or images and labels. Received {} inputs.", title(), inputs.size());
  Values out = Augmentation::call({inputs[0]}, options);
  const Value order = std::exchange(order_, Value()), share = std::exchange(share_, Value());
  if (inputs.size() == 1) return out;
  Value labels = ops::cast(inputs[1], compute_dtype());
  if (share.defined()) {  // only while training
    Shape shape(static_cast<std::size_t>(labels.rank()), 1);
    shape[0] = labels.dim(0);
    Value own = ops::cast(ops::reshape(share, shape), labels.dtype());
    labels = own * labels + (1.0 - own) * ops::take(labels, order, 0);
  }
  out.push_back(labels);
  return out;
}

Value PairMix::augment(const Value& x) {
  const int64_t n = x.dim(0), h = x.dim(1), w = x.dim(2);
  order_ = random_permutation(n, seed);
  Value other = ops::take(x, order_, 0);
  if (kind_ == "MixUp") {
    share_ = random_beta({n}, seed, ops::full({}, alpha), ops::full({}, alpha));
    Value own = ops::cast(per_image(share_), x.dtype());
    return own * x + (1.0 - own) * other;
  }
  const Floats r = unit_range(factor);
  Value a = (r[0] == r[1] ? ops::full({}, r[0]) : random_uniform({}, DType::f32, seed, r[0], r[1])) + 1e-6;
  Value side = ops::sqrt(1.0 - random_beta({n}, seed, a, a)), cut = rectangle(side, side, h, w, seed);
  share_ = 1.0 - ops::mean(ops::cast(cut, DType::f32), {1, 2, 3});
  return ops::where(cut, other, x);
}

void RandAugment::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("value_range", value_range);
  f("num_ops", num_ops);
  pair_field(f, "factor", factor);
  f("interpolation", interpolation);
  f("seed", seed);
}
Value RandAugment::augment(const Value& x) {
  check_range(title(), value_range);
  const std::vector<LayerRef> list = choices(factor, value_range, interpolation, seed, true);
  Value y = x;
  for (int64_t i = 0; i < num_ops; ++i) y = choose(list, random_index(static_cast<int64_t>(list.size()), seed), y);
  return y;
}

void AugMix::fields(Fields& f) {
  Layer::fields(f);
  f("data_format", data_format);
  f("value_range", o.value_range);
  f("num_chains", o.num_chains);
  f("chain_depth", o.chain_depth);
  pair_field(f, "factor", factor);
  f("alpha", o.alpha);
  f("all_ops", o.all_ops);
  f("interpolation", o.interpolation);
  f("seed", seed);
}
Value AugMix::augment(const Value& x) {
  check_range(title(), o.value_range);
  GLIA_CHECK(o.num_chains > 0 && o.chain_depth > 0 && o.alpha > 0, "{}: num_chains, chain_depth and alpha must be positive.", title());
  const std::vector<LayerRef> list = choices(factor, o.value_range, o.interpolation, seed, o.all_ops);
  Value alpha = ops::full({}, o.alpha), weights = random_gamma({o.num_chains}, seed, alpha);
  weights = weights / ops::sum(weights);
  Value own = random_beta({}, seed, alpha, alpha), mixed = ops::zeros_like(x);
  for (int64_t c = 0; c < o.num_chains; ++c) {
    Value y = x;
    for (int64_t d = 0; d < o.chain_depth; ++d) y = choose(list, random_index(static_cast<int64_t>(list.size()) + 1, seed), y);
    mixed = mixed + y * ops::cast(ops::reshape(ops::slice(weights, {c}, {1}), Shape{}), x.dtype());
  }
  own = ops::cast(own, x.dtype());
  return ops::clip(own * x + (1.0 - own) * mixed, o.value_range[0], o.value_range[1]);
}

}  // namespace glia::nn

namespace glia::layers {
namespace {

LayerRef hsv(const char* kind, const Factor& factor, const ColorOptions& o) {
  auto l = nn::augmentation<nn::RandomHsv>(o, kind);
  l->factor = factor, l->value_range = o.value_range;
  return LayerRef(l);
}

}  // namespace

LayerRef RandomHue(Factor factor, ColorOptions o) { return hsv("RandomHue", factor, o); }
LayerRef RandomSaturation(Factor factor, ColorOptions o) { return hsv("RandomSaturation", factor, o); }
LayerRef RandomColorJitter(Floats value_range, ColorJitterOptions o) {
  auto l = nn::augmentation<nn::RandomColorJitter>(o);
  l->value_range = std::move(value_range);
  l->o = std::move(o);
  return LayerRef(l);
}
LayerRef RandomGaussianBlur(Factor factor, std::vector<int64_t> kernel_size, GaussianBlurOptions o) {
  auto l = nn::augmentation<nn::RandomGaussianBlur>(o);
  l->factor = factor, l->sigma = o.sigma, l->value_range = o.value_range, l->kernel_size = std::move(kernel_size);
  return LayerRef(l);
}
LayerRef RandomErasing(Factor factor, Factor scale, ErasingOptions o) {
  auto l = nn::augmentation<nn::RandomErasing>(o);
  l->factor = factor, l->scale = scale, l->fill_value = o.fill_value, l->value_range = o.value_range;
  return LayerRef(l);
}
LayerRef RandomPerspective(Factor factor, double scale, PerspectiveOptions o) {
  auto l = nn::augmentation<nn::RandomPerspective>(o);
  l->factor = factor, l->scale = scale, l->interpolation = o.interpolation, l->fill_value = o.fill_value;
  return LayerRef(l);
}
LayerRef RandomElasticTransform(Factor factor, Factor scale, ElasticTransformOptions o) {
  auto l = nn::augmentation<nn::RandomElasticTransform>(o);
  l->factor = factor, l->scale = scale, l->o = std::move(o);
  return LayerRef(l);
}
LayerRef MixUp(double alpha, AugmentationOptions o) {
  auto l = nn::augmentation<nn::PairMix>(o, "MixUp");
  l->alpha = alpha;
  return LayerRef(l);
}
LayerRef CutMix(Factor factor, AugmentationOptions o) {
  auto l = nn::augmentation<nn::PairMix>(o, "CutMix");
  l->factor = factor;
  return LayerRef(l);
}
LayerRef RandAugment(int64_t num_ops, Factor factor, RandAugmentOptions o) {
  auto l = nn::augmentation<nn::RandAugment>(o);
  l->num_ops = num_ops, l->factor = factor, l->value_range = o.value_range, l->interpolation = o.interpolation;
  return LayerRef(l);
}
LayerRef AugMix(Factor factor, AugMixOptions o) {
  auto l = nn::augmentation<nn::AugMix>(o);
  l->factor = factor, l->o = std::move(o);
  return LayerRef(l);
}

}  // namespace glia::layers
