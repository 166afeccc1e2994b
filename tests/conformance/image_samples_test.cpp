#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;

GLIA_SAMPLES(image_affine) {
  const Tensor turn = Tensor::from({1, 8}, {0.8, -0.6, 1.1, 0.6, 0.8, -0.7, 0.01, -0.02});
  for (const char* mode : {"constant", "reflect", "wrap", "nearest"})  // the gradient is that of the inverse map, as TensorFlow's
    list.add("image_affine", {{"fill_mode", std::string(mode)}}, {numbers({2, 5, 4, 2}), turn}).gradient = false;
  list.add("image_affine", {{"interpolation", std::string("nearest")}, {"fill_value", 0.5}}, {numbers({1, 4, 5, 1}), turn}).gradient = false;
  list.refuse("image_affine", {}, {{DType::f32, {2, 5, 4}}, {DType::f32, {1, 6}}},
              "image_affine: expected floating point images (batch, height, width, channels) and transforms (batch, 8). Received (2, 5, 4) "
              "and (1, 6).");
}
