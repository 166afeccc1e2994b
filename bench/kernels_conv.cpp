// Convolution and pooling kernels: the layers of the primer CNN and of ResNet-50.
#include <algorithm>
#include <memory>

#include "kernels.h"
#include "kernels/cpu/conv.h"

namespace glia::bench {
namespace {

using namespace glia::cpu;

struct Buffers {
  std::vector<float> x, w, y, bias;
  std::vector<char> workspace;
  void* aligned() { return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64); }
};

std::shared_ptr<Buffers> buffers(const ConvShape& s) {
  auto fill = [](int64_t n) {
    std::vector<float> v(n);
    for (int64_t i = 0; i < n; ++i) v[i] = static_cast<float>(i % 17 - 8) / 8;
    return v;
  };
  auto b = std::make_shared<Buffers>();
  b->x = fill(s.batch * s.in_pixels() * s.cin);
  b->w = fill(s.taps() * s.cin / s.groups * s.cout);
  b->y = fill(s.batch * s.out_pixels() * s.cout);
  b->bias = fill(s.cout);
  b->workspace.resize(64 + std::max({conv_forward_workspace(s), conv_backward_data_workspace(s),
                                     conv_backward_filter_workspace(s)}));
  return b;
}

void add(std::vector<KernelBench>& list, const std::string& size, const ConvShape& s) {
  const double flops = 2.0 * s.batch * s.out_pixels() * s.taps() * (s.cin / s.groups) * s.cout;
  const double bytes = 4.0 * (s.batch * (s.in_pixels() * s.cin + s.out_pixels() * s.cout) + s.taps() * s.cin / s.groups * s.cout);
  list.push_back({"conv_forward_f32_" + size, flops, bytes, [s] {
    auto b = buffers(s);
    auto fn = GLIA_ISA_SELECT(conv_forward_f32);
    return [=] {
      fn(s, {.act = Act::relu, .bias = b->bias.data()}, b->x.data(), b->w.data(), b->y.data(), b->aligned());
    };
  }});
  if (s.cin > 3)
    list.push_back({"conv_backward_data_f32_" + size, flops, bytes, [s] {
      auto b = buffers(s);
      auto fn = GLIA_ISA_SELECT(conv_backward_data_f32);
      return [=] { fn(s, {}, b->y.data(), b->w.data(), b->x.data(), b->aligned()); };
    }});
  list.push_back({"conv_backward_filter_f32_" + size, flops, bytes, [s] {
    auto b = buffers(s);
    auto fn = GLIA_ISA_SELECT(conv_backward_filter_f32);
    return [=] { fn(s, b->x.data(), b->y.data(), b->w.data(), b->bias.data(), b->aligned()); };
  }});
}

ConvShape square(int64_t batch, int64_t in, int64_t out, int64_t k, int64_t stride, int64_t pad, int64_t cin, int64_t cout,
                 int64_t groups = 1) {
  return {.batch = batch, .in = {1, in, in}, .out = {1, out, out}, .kernel = {1, k, k}, .stride = {1, stride, stride},
          .pad = {0, pad, pad}, .cin = cin, .cout = cout, .groups = groups};
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
}

}  // namespace glia::bench
