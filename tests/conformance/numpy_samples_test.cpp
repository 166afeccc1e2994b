// Segments, search, Bessel functions, Fourier transforms, linear algebra, 3-D max pooling with ties.
#include "support/op_samples.h"

using namespace glia;
using namespace glia::testing;
using ir::Ints;

GLIA_SAMPLES(segments) {
  // Every segment has rows: an empty one gives the lowest number of its dtype, which differs between dtypes.
  const Tensor ids = Tensor::from({7}, {0, 2, 2, 0, 3, 1, 3}, DType::i32);
  for (const char* mode : {"max", "min", "prod"}) {
    list.add("segment_reduce", {{"num_segments", int64_t{4}}, {"mode", std::string(mode)}}, {numbers({7, 4}, 0.3, 1.5), ids}).gradient = std::string(mode) == "prod";
    list.add("segment_reduce", {{"num_segments", int64_t{3}}, {"mode", std::string(mode)}}, {integers({7}, -4, 4), ids});
  }
  list.add("segment_reduce", {{"num_segments", int64_t{4}}, {"mode", std::string("max")}}, {numbers({7, 2, 3}), ids});
  list.refuse("segment_reduce", {{"num_segments", int64_t{4}}, {"mode", std::string("sum")}}, {{DType::f32, {7}}, {DType::i32, {7}}},
              "segment_reduce: unknown mode \"sum\". Expected max, min or prod.");
}

GLIA_SAMPLES(search) {
  const Tensor sorted = Tensor::from({6}, {-1, 0, 0, 0.5, 2, 7});
  for (bool right : {false, true}) list.add("searchsorted", {{"right", right}}, {sorted, numbers({3, 5}, -2, 8)});
  list.refuse("searchsorted", {}, {{DType::f32, {2, 3}}, {DType::f32, {4}}},
              "searchsorted: expected a vector and values of its dtype. Received float32 (2, 3) and float32 (4,).");
  list.add("gcd", {}, {integers({40}, -30, 30), integers({40}, -30, 30, DType::i32, 2)});
  list.add("gcd", {}, {integers({9}, 0, 200, DType::u8), integers({9}, 0, 200, DType::u8, 2)});
  list.add("nextafter", {}, {numbers({5}), numbers({5}, -1, 1, 2)}).gradient = false;  // a step of one unit in the last place
  for (int64_t order : {0, 1}) list.add("bessel_i", {{"order", order}}, {numbers({50}, -25, 25)});
}

GLIA_SAMPLES(fourier) {
  for (int64_t n : {1, 2, 3, 5, 8, 12, 61, 67, 134, 360})
    for (bool inverse : {false, true}) list.add("fft", {{"inverse", inverse}}, {numbers({3, n}), numbers({3, n}, -1, 1, 2)});
  list.add("fft", {}, {numbers({40, 256}), numbers({40, 256}, -1, 1, 2)});
  list.refuse("fft", {}, {{DType::f32, {4}}, {DType::f32, {5}}},
              "fft: expected real and imaginary parts of one shape (..., n) and floating point dtype. Received float32 (4,) and float32 (5,).");
}

static Tensor positive_definite(int64_t batch, int64_t n) {
  const Tensor a = numbers({batch, n, n});
  Tensor p({batch, n, n});
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double s = i == j ? 0.7 * static_cast<double>(n) + 0.3 * static_cast<double>(i) : 0;
        for (int64_t k = 0; k < n; ++k) s += a.item((b * n + i) * n + k) * a.item((b * n + j) * n + k);
        p.set_item((b * n + i) * n + j, s);
      }
  return p;
}

GLIA_SAMPLES(linear_algebra) {
  const Tensor p = positive_definite(2, 5);
  list.add("cholesky", {}, {p}).gradient = false;  // defined on symmetric matrices; the parity vectors have its gradient
  for (bool lower : {false, true})
    for (bool transposed : {false, true}) list.add("triangular_solve", {{"lower", lower}, {"transposed", transposed}}, {p, numbers({2, 5, 3})});
  for (bool transposed : {false, true}) list.add("solve", {{"transposed", transposed}}, {p, numbers({2, 5, 3})});
  list.add("slogdet", {}, {p}).tolerance = 1e-4;
  list.add("lu", {}, {p});
  list.add("qr", {}, {numbers({2, 5, 3})});
  list.add("qr", {}, {numbers({3, 5})});
  list.add("qr", {{"complete", true}}, {numbers({4, 4})});
  list.add("eigh", {}, {positive_definite(2, 2)}).gradient = false;  // the signs of larger ones depend on rounding
  list.add("eig", {}, {numbers({2, 3, 3})});
  list.add("svd", {}, {numbers({2, 5, 3})}).gradient = false;  // signs of the vectors are free
  list.add("orthonormal_complement", {}, {Tensor::from({3, 1}, {0.6, 0, 0.8})});
  list.add("pinv", {{"rcond", 1e-6}}, {numbers({2, 5, 3})}).tolerance = 1e-4;
  list.refuse("cholesky", {}, {{DType::f32, {2, 3}}}, "cholesky: expected square matrices. Received float32 (2, 3).");
}

GLIA_SAMPLES(max_pool_ties) {
  const ir::Attrs window{{"window", Ints{2, 2, 2}}, {"strides", Ints{2, 2, 2}}, {"pads", Ints{0, 0, 0, 0, 0, 0}}};
  const Tensor x = Tensor::from({1, 2, 2, 2, 1}, {0, 3, 1, 3, 2, 3, 0, 1}), y = Tensor::from({1, 1, 1, 1, 1}, {3});
  list.add("max_pool_spread", window, {x, y, Tensor::from({1, 1, 1, 1, 1}, {2})}).gradient = false;  // a gradient itself
  list.add("max_pool_gather", window, {x, y, numbers({1, 2, 2, 2, 1})}).gradient = false;
}
