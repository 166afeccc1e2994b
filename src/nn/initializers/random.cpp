#include <glia/initializers.h>

#include <cmath>

#include "base/error.h"
#include "nn/initializers/draw.h"

namespace glia {
namespace {

struct RandomNormal final : InitializerBase {
  initializers::RandomNormalOptions o;
  bool truncated;
  RandomNormal(initializers::RandomNormalOptions options, bool is_truncated) : o(options), truncated(is_truncated) {}
  std::string class_name() const override { return truncated ? "TruncatedNormal" : "RandomNormal"; }
  void fields(Fields& f) override {
    f("seed", o.seed);
    f("mean", o.mean);
    f("stddev", o.stddev);
  }
  Tensor operator()(const Shape& shape, DType dtype) override {
    return (truncated ? nn::draw_truncated_normal : nn::draw_normal)(shape, dtype, o.mean, o.stddev, nn::initializer_seed(o.seed));
  }
};

struct RandomUniform final : InitializerBase {
  initializers::RandomUniformOptions o;
  explicit RandomUniform(initializers::RandomUniformOptions options) : o(options) {}
  std::string class_name() const override { return "RandomUniform"; }
  void fields(Fields& f) override {
    f("seed", o.seed);
    f("minval", o.minval);
    f("maxval", o.maxval);
  }
  Tensor operator()(const Shape& shape, DType dtype) override {
    return nn::draw_uniform(shape, dtype, o.minval, o.maxval, nn::initializer_seed(o.seed));
  }
};

struct Fans { double in, out; };
Fans compute_fans(const Shape& shape, const std::optional<Ints>& input_axes, const std::optional<Ints>& output_axes) {
  auto product = [&](const Ints& axes) {
    double n = 1;
    for (int64_t a : axes) {
      int64_t rank = static_cast<int64_t>(shape.size());
      GLIA_CHECK(a >= -rank && a < rank, "VarianceScaling: axis {} is out of range for shape {}.", a, to_string(shape));
      n *= static_cast<double>(shape[static_cast<size_t>(a < 0 ? a + rank : a)]);
    }
    return n;
  };
  if (input_axes && output_axes) return {product(*input_axes), product(*output_axes)};
  if (shape.empty()) return {1, 1};
  if (shape.size() == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double receptive = 1;
  for (size_t i = 0; i + 2 < shape.size(); ++i) receptive *= static_cast<double>(shape[i]);
  return {receptive * static_cast<double>(shape[shape.size() - 2]), receptive * static_cast<double>(shape.back())};
}

// VarianceScaling and the six named choices of its arguments, whose configs hold the seed and the axes only.
struct VarianceScaling final : InitializerBase {
  initializers::VarianceScalingOptions o;
  std::string named;
  VarianceScaling(initializers::VarianceScalingOptions options, std::string name) : o(std::move(options)), named(std::move(name)) {}
  std::string class_name() const override { return named; }
  void fields(Fields& f) override {
    f("seed", o.seed);
    if (named == "VarianceScaling") {
      f("scale", o.scale);
      f("mode", o.mode);
      f("distribution", o.distribution);
    }
    f("input_axes", o.input_axes);
    f("output_axes", o.output_axes);
  }
  Tensor operator()(const Shape& shape, DType dtype) override {
    GLIA_CHECK(o.scale > 0, "{}: scale must be positive. Received {}.", named, o.scale);
    Fans fans = compute_fans(shape, o.input_axes, o.output_axes);
    double n = 0;
    if (o.mode == "fan_in") n = fans.in;
    else if (o.mode == "fan_out") n = fans.out;
    else if (o.mode == "fan_avg") n = (fans.in + fans.out) / 2;
    else throw_error("{}: expected mode \"fan_in\", \"fan_out\" or \"fan_avg\". Received \"{}\".", named, o.mode);
    double variance = o.scale / std::max(1.0, n);
    uint64_t seed = nn::initializer_seed(o.seed);
    if (o.distribution == "uniform") {
      double limit = std::sqrt(3 * variance);
      return nn::draw_uniform(shape, dtype, -limit, limit, seed);
    }
    if (o.distribution == "untruncated_normal") return nn::draw_normal(shape, dtype, 0, std::sqrt(variance), seed);
    GLIA_CHECK(o.distribution == "truncated_normal" || o.distribution == "normal",
               "{}: expected distribution \"truncated_normal\", \"untruncated_normal\" or \"uniform\". Received \"{}\".", named,
               o.distribution);
    constexpr double kTruncated = 0.87962566103423978;  // standard deviation of a unit normal cut at two
    return nn::draw_truncated_normal(shape, dtype, 0, std::sqrt(variance) / kTruncated, seed);
  }
};

Initializer scaled(const char* name, double scale, const char* mode, const char* distribution, initializers::SeedOptions o) {
  initializers::VarianceScalingOptions v{scale, mode, distribution, o.seed, std::move(o.input_axes), std::move(o.output_axes)};
  return std::make_shared<VarianceScaling>(std::move(v), name);
}

}  // namespace

namespace initializers {
Initializer RandomNormal(RandomNormalOptions o) { return std::make_shared<glia::RandomNormal>(o, false); }
Initializer TruncatedNormal(RandomNormalOptions o) { return std::make_shared<glia::RandomNormal>(o, true); }
Initializer RandomUniform(RandomUniformOptions o) { return std::make_shared<glia::RandomUniform>(o); }
Initializer VarianceScaling(VarianceScalingOptions o) {
  return std::make_shared<glia::VarianceScaling>(std::move(o), "VarianceScaling");
}
Initializer GlorotUniform(SeedOptions o) { return scaled("GlorotUniform", 1, "fan_avg", "uniform", std::move(o)); }
Initializer GlorotNormal(SeedOptions o) { return scaled("GlorotNormal", 1, "fan_avg", "truncated_normal", std::move(o)); }
Initializer HeUniform(SeedOptions o) { return scaled("HeUniform", 2, "fan_in", "uniform", std::move(o)); }
Initializer HeNormal(SeedOptions o) { return scaled("HeNormal", 2, "fan_in", "truncated_normal", std::move(o)); }
Initializer LecunUniform(SeedOptions o) { return scaled("LecunUniform", 1, "fan_in", "uniform", std::move(o)); }
Initializer LecunNormal(SeedOptions o) { return scaled("LecunNormal", 1, "fan_in", "truncated_normal", std::move(o)); }
}  // namespace initializers
}  // namespace glia
