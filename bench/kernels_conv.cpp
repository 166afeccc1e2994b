// Convolution and pooling kernels: the layers of the primer CNN and of ResNet-50.
#include <glia/tensor.h>

#include <algorithm>
#include <memory>

#include "kernels.h"
#include "kernels/cpu/conv.h"
#include "kernels/cpu/pool.h"

namespace glia::bench {
namespace {

using namespace glia::cpu;

// Tensors are aligned to cache lines, as the arena is.
struct Floats {
  Tensor t;
  float* data() const { return t.data<float>(); }
};
struct Buffers {
  Floats x, w, y, bias, workspace;
  void* aligned() const { return workspace.data(); }
};

std::shared_ptr<Buffers> buffers(const ConvShape& s) {
  auto fill = [](int64_t n) {
    Tensor t({n});
    for (int64_t i = 0; i < n; ++i) t.data<float>()[i] = static_cast<float>(i % 17 - 8) / 8;
    return Floats{t};
  };
  auto b = std::make_shared<Buffers>();
  b->x = fill(s.batch * s.in_pixels() * s.cin);
  b->w = fill(s.taps() * s.cin / s.groups * s.cout);
  b->y = fill(s.batch * s.out_pixels() * s.cout);
  b->bias = fill(s.cout);
  b->workspace = fill(static_cast<int64_t>(std::max({conv_forward_workspace(s), conv_backward_data_workspace(s),
                                                     conv_backward_filter_workspace(s)}) / 4 + 16));
  return b;
}

void add(std::vector<KernelBench>& list, const std::string& size, const ConvShape& s) {
  const double flops = 2.0 * s.batch * s.out_pixels() * s.taps() * (s.cin / s.groups) * s.cout;
  const double bytes =
      4.0 * (s.batch * (s.in_pixels() * s.cin + s.out_pixels() * s.cout) + s.taps() * s.cin / s.groups * s.cout);
  list.push_back({"conv_forward_f32_" + size, flops, bytes, [s] {
                    auto b = buffers(s);
                    auto fn = GLIA_ISA_SELECT(conv_forward_f32);
                    return [=] {
                      fn(s, {.act = Act::relu, .bias = b->bias.data()}, b->x.data(), b->w.data(), b->y.data(),
                         b->aligned(), false);
                    };
                  }});
  if (s.cin > 3)
    list.push_back({"conv_backward_data_f32_" + size, flops, bytes, [s] {
                      auto b = buffers(s);
                      auto fn = GLIA_ISA_SELECT(conv_backward_data_f32);
                      return [=] { fn(s, {}, b->y.data(), b->w.data(), b->x.data(), b->aligned(), false); };
                    }});
  list.push_back({"conv_backward_filter_f32_" + size, flops, bytes, [s] {
                    auto b = buffers(s);
                    auto fn = GLIA_ISA_SELECT(conv_backward_filter_f32);
                    return [=] { fn(s, b->x.data(), b->y.data(), b->w.data(), b->bias.data(), b->aligned()); };
                  }});
}

// The buffers of the f32 kernels hold more than enough for bfloat16.
void add_bf16(std::vector<KernelBench>& list, const std::string& size, const ConvShape& s) {
  if (!conv_bf16_supported(s, false) || !conv_bf16_supported(s, true)) return;
  const double flops = 2.0 * s.batch * s.out_pixels() * s.taps() * (s.cin / s.groups) * s.cout;
  const double bytes =
      2.0 * (s.batch * (s.in_pixels() * s.cin + s.out_pixels() * s.cout) + s.taps() * s.cin / s.groups * s.cout);
  const auto half = [](const Floats& f) { return reinterpret_cast<uint16_t*>(f.data()); };
  const auto room = [](size_t bytes) { return Floats{Tensor({static_cast<int64_t>(bytes / 4 + 16)})}; };
  list.push_back({"conv_forward_bf16_" + size, flops, bytes, [=] {
                    auto b = buffers(s);
                    b->workspace = room(conv_forward_bf16_workspace(s));
                    auto fn = GLIA_ISA_SELECT(conv_forward_bf16);
                    return [=] { fn(s, {Act::relu, b->bias.data()}, half(b->x), half(b->w), half(b->y), b->aligned(), false); };
                  }});
  list.push_back({"conv_backward_data_bf16_" + size, flops, bytes, [=] {
                    auto b = buffers(s);
                    b->workspace = room(conv_backward_data_bf16_workspace(s));
                    auto fn = GLIA_ISA_SELECT(conv_backward_data_bf16);
                    return [=] { fn(s, {}, half(b->y), half(b->w), half(b->x), b->aligned(), false); };
                  }});
}

ConvShape square(int64_t batch, int64_t in, int64_t out, int64_t k, int64_t stride, int64_t pad, int64_t cin,
                 int64_t cout, int64_t groups = 1) {
  return {.batch = batch,
          .in = {1, in, in},
          .out = {1, out, out},
          .kernel = {1, k, k},
          .stride = {1, stride, stride},
          .pad = {0, pad, pad},
          .cin = cin,
          .cout = cout,
          .groups = groups};
}

void add_pool(std::vector<KernelBench>& list, const std::string& size, const PoolShape& s) {
  const double in = s.batch * s.in_pixels() * s.channels, out = s.batch * s.out_pixels() * s.channels;
  struct Pools {
    Floats x, y;
    std::vector<uint8_t> at;
  };
  auto make = [=] {
    auto b = std::make_shared<Pools>();
    b->x = {Tensor::full({static_cast<int64_t>(in)}, 1)};
    b->y = {Tensor::full({static_cast<int64_t>(out)}, 1)};
    b->at.assign(static_cast<size_t>(out), 1);
    return b;
  };
  list.push_back({"max_pool_f32_" + size, 0, 4 * in + 5 * out, [=] {
                    auto b = make();
                    auto fn = GLIA_ISA_SELECT(max_pool_f32);
                    return [=] { fn(s, b->x.data(), b->y.data(), b->at.data()); };
                  }});
  list.push_back({"max_pool_backward_f32_" + size, 0, 4 * in + 5 * out, [=] {
                    auto b = make();
                    auto fn = GLIA_ISA_SELECT(max_pool_backward_f32);
                    return [=] { fn(s, b->y.data(), b->at.data(), b->x.data()); };
                  }});
  list.push_back({"avg_pool_f32_" + size, 0, 4 * in + 4 * out, [=] {
                    auto b = make();
                    auto fn = GLIA_ISA_SELECT(avg_pool_f32);
                    return [=] { fn(s, b->x.data(), b->y.data()); };
                  }});
}

}  // namespace

void add_conv_kernels(std::vector<KernelBench>& list) {
  add(list, "mnist1_b32", square(32, 28, 26, 3, 1, 0, 1, 32));
  add(list, "mnist2_b32", square(32, 13, 11, 3, 1, 0, 32, 64));
  add(list, "mnist2_b128", square(128, 13, 11, 3, 1, 0, 32, 64));
  add(list, "cifar_16_b32", square(32, 32, 32, 3, 1, 1, 16, 16));
  add(list, "resnet_stem_b2", square(2, 224, 112, 7, 2, 3, 3, 64));
  add(list, "resnet_64at56_b4", square(4, 56, 56, 3, 1, 1, 64, 64));
  add(list, "resnet_256at14_b8", square(8, 14, 14, 3, 1, 1, 256, 256));
  add(list, "resnet_512at7_b8", square(8, 7, 7, 3, 1, 1, 512, 512));
  add(list, "resnet_stride2_b4", square(4, 56, 28, 3, 2, 1, 128, 128));
  add(list, "resnet_1x1_256to64_b4", square(4, 56, 56, 1, 1, 0, 256, 64));
  add(list, "resnet_1x1_64to256_b4", square(4, 56, 56, 1, 1, 0, 64, 256));
  add(list, "mobilenet_dw_128at28_b4", square(4, 28, 28, 3, 1, 1, 128, 128, 128));
  add(list, "mobilenet_dw_256at28s2_b4", square(4, 28, 14, 3, 2, 0, 256, 256, 256));
  add_bf16(list, "mnist2_b32", square(32, 13, 11, 3, 1, 0, 32, 64));
  add_bf16(list, "resnet_64at56_b4", square(4, 56, 56, 3, 1, 1, 64, 64));
  add_bf16(list, "resnet_256at14_b8", square(8, 14, 14, 3, 1, 1, 256, 256));
  add_pool(list, "mnist1_b32", {32, {1, 26, 26}, {1, 13, 13}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, 32});
  add_pool(list, "mnist2_b32", {32, {1, 11, 11}, {1, 5, 5}, {1, 2, 2}, {1, 2, 2}, {0, 0, 0}, 64});
  add_pool(list, "resnet_b4", {4, {1, 112, 112}, {1, 56, 56}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}, 64});
}

}  // namespace glia::bench
