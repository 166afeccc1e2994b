// Elementwise programs, reductions, normalisation, softmax, copies: all bound by memory or by the vector functions.
#include <memory>
#include <vector>

#include "kernels.h"
#include "kernels/cpu/copy.h"
#include "kernels/cpu/norm.h"
#include "kernels/cpu/pointwise.h"
#include "kernels/cpu/random.h"
#include "kernels/cpu/reduce.h"
#include "kernels/cpu/softmax.h"

namespace glia::bench {
namespace {
using namespace glia::cpu;

std::shared_ptr<std::vector<float>> floats(int64_t n) {
  auto v = std::make_shared<std::vector<float>>(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < v->size(); ++i) (*v)[i] = static_cast<float>(i % 977) * 1e-3f;
  return v;
}
void add(std::vector<KernelBench>& list, std::string name, double bytes,
         std::function<std::function<void()>()> setup) {
  list.push_back({.name = std::move(name), .bytes = bytes, .setup = std::move(setup)});
}

// relu(((a b + c) a - b)) 0.5: the six-op chain of reference/performance.md, B4.
std::function<void()> chain(int64_t n) {
  PwProgram p;
  const int a = p.input(Elem::f32), b = p.input(Elem::f32), c = p.input(Elem::f32);
  const int t = p.emit(PwOp::mul, p.emit(PwOp::add, p.emit(PwOp::mul, a, b), c), a);
  p.output(p.emit(PwOp::mul, p.emit(PwOp::relu, p.emit(PwOp::sub, t, b)), p.constant(Elem::f32, 0.5)));
  auto k = std::make_shared<PwKernel>(p, std::initializer_list<int64_t>{n},
                                      std::initializer_list<std::vector<int64_t>>{{1}, {1}, {1}});
  auto x = floats(n), y = floats(n), z = floats(n), r = floats(n);
  return [=] {
    const void* in[] = {x->data(), y->data(), z->data()};
    void* out[] = {r->data()};
    k->run(in, out);
  };
}

std::function<void()> adam(int64_t n) {
  PwProgram p;
  const int w = p.input(Elem::f32), m = p.input(Elem::f32), v = p.input(Elem::f32), g = p.input(Elem::f32),
            alpha = p.input(Elem::f32);
  auto c = [&](double x) { return p.constant(Elem::f32, x); };
  const int m2 = p.emit(PwOp::lerp, m, g, c(0.1)), v2 = p.emit(PwOp::lerp, v, p.emit(PwOp::square, g), c(0.001));
  p.output(
      p.emit(PwOp::sub, w,
             p.emit(PwOp::div, p.emit(PwOp::mul, m2, alpha), p.emit(PwOp::add, p.emit(PwOp::sqrt, v2), c(1e-7)))));
  p.output(m2);
  p.output(v2);
  auto k = std::make_shared<PwKernel>(p, std::initializer_list<int64_t>{n},
                                      std::initializer_list<std::vector<int64_t>>{{1}, {1}, {1}, {1}, {0}});
  auto a = floats(n), b = floats(n), d = floats(n), e = floats(n), s = floats(1);
  return [=] {
    const void* in[] = {a->data(), b->data(), d->data(), e->data(), s->data()};
    void* out[] = {a->data(), b->data(), d->data()};
    k->run(in, out);
  };
}

std::function<void()> reduce(std::vector<int64_t> dims, std::vector<bool> axes) {
  auto k = std::make_shared<ReduceKernel>(ReduceOp::sum, Elem::f32, dims, axes);
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  auto x = floats(n), y = floats(n);
  auto work = std::make_shared<std::vector<char>>(static_cast<std::size_t>(k->workspace()));
  return [=] { k->run(x->data(), y->data(), work->data()); };
}

std::function<void()> softmax_rows(int64_t rows, int64_t n) {
  auto x = floats(rows * n), y = floats(rows * n);
  return [=] { GLIA_ISA_SELECT(softmax)(Elem::f32, {x->data(), y->data(), rows, n, 1, false}); };
}

std::function<void()> layer_norm_rows(int64_t rows, int64_t n, bool backward) {
  auto x = floats(rows * n), y = floats(rows * n), d = floats(rows * n), gamma = floats(n), beta = floats(n),
       mean = floats(rows), rstd = floats(rows);
  auto work =
      std::make_shared<std::vector<char>>(static_cast<std::size_t>(layer_norm_grad_workspace(Elem::f32, rows, n)));
  return [=] {
    if (backward)
      GLIA_ISA_SELECT(layer_norm_grad)
      (Elem::f32, {x->data(), gamma->data(), mean->data(), rstd->data(), d->data(), y->data(), gamma->data(),
                   beta->data(), rows, n, false, work->data()});
    else
      GLIA_ISA_SELECT(layer_norm)
      (Elem::f32, {x->data(), gamma->data(), beta->data(), y->data(), mean->data(), rstd->data(), rows, n, 1e-3});
  };
}

std::function<void()> moments(int64_t rows, int64_t n) {
  auto x = floats(rows * n), mean = floats(n), var = floats(n);
  auto work = std::make_shared<std::vector<char>>(static_cast<std::size_t>(channel_workspace(Elem::f32, rows, n)));
  return [=] {
    GLIA_ISA_SELECT(channel_moments)(Elem::f32, {x->data(), mean->data(), var->data(), rows, n, work->data()});
  };
}

std::function<void()> copy(std::vector<int64_t> dims, std::vector<int64_t> src, std::vector<int64_t> dst) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  auto k = std::make_shared<CopyKernel>(dims, src, dst, 4);
  auto x = floats(n), y = floats(n);
  return [=] { k->run(x->data(), y->data()); };
}

std::function<void()> drop(int64_t n) {
  auto x = floats(n), y = floats(n);
  return [=] { GLIA_ISA_SELECT(dropout)(Elem::f32, {x->data(), y->data(), n, {1, 2, 3}, 1u << 30, 1.5}); };
}

}  // namespace

void add_pointwise_kernels(std::vector<KernelBench>& list) {
  for (auto [name, n] : {std::pair<const char*, int64_t>{"16k", 16384}, {"256k", 262144}, {"6m", 6553600}})
    add(list, std::string("pointwise_chain6_f32_") + name, 16.0 * static_cast<double>(n),
        [n = n] { return chain(n); });
  for (auto [name, n] : {std::pair<const char*, int64_t>{"122k", 122000}, {"10m", 10800000}})
    add(list, std::string("pointwise_adam_f32_") + name, 28.0 * static_cast<double>(n), [n = n] { return adam(n); });
  add(list, "reduce_rows_f32_4096x768", 4.0 * 4096 * 768, [] { return reduce({4096, 768}, {false, true}); });
  add(list, "reduce_rows_f32_100000x10", 4.0 * 100000 * 10, [] { return reduce({100000, 10}, {false, true}); });
  add(list, "reduce_columns_f32_4096x768", 4.0 * 4096 * 768, [] { return reduce({4096, 768}, {true, false}); });
  add(list, "reduce_columns_f32_50000x64", 4.0 * 50000 * 64, [] { return reduce({50000, 64}, {true, false}); });
  add(list, "reduce_columns_f32_32x10", 4.0 * 32 * 10, [] { return reduce({32, 10}, {true, false}); });
  add(list, "reduce_all_f32_6m", 4.0 * 6553600, [] { return reduce({6553600}, {true}); });
  add(list, "softmax_f32_128x10", 8.0 * 1280, [] { return softmax_rows(128, 10); });
  add(list, "softmax_f32_4096x256", 8.0 * 4096 * 256, [] { return softmax_rows(4096, 256); });
  add(list, "layer_norm_f32_2048x384", 8.0 * 2048 * 384, [] { return layer_norm_rows(2048, 384, false); });
  add(list, "layer_norm_grad_f32_2048x384", 12.0 * 2048 * 384, [] { return layer_norm_rows(2048, 384, true); });
  add(list, "channel_moments_f32_100352x64", 4.0 * 100352 * 64, [] { return moments(100352, 64); });
  add(list, "channel_moments_f32_100352x16", 4.0 * 100352 * 16, [] { return moments(100352, 16); });
  add(list, "transpose_f32_1024x1024", 8.0 * 1024 * 1024, [] { return copy({1024, 1024}, {1, 1024}, {1024, 1}); });
  add(list, "transpose_f32_nhwc_nchw_32x64x56x56", 8.0 * 32 * 64 * 3136, [] {
    return copy({32, 64, 3136}, {64 * 3136, 1, 64}, {64 * 3136, 3136, 1});
  });
  add(list, "transpose_f32_heads_8x256x6x64", 8.0 * 8 * 256 * 384, [] {
    return copy({8, 6, 256, 64}, {256 * 384, 64, 384, 1}, {256 * 384, 256 * 64, 64, 1});
  });
  add(list, "dropout_f32_1m", 8.0 * 1048576, [] { return drop(1048576); });
}

}  // namespace glia::bench
