// Matrix products and attention: the shapes of small nets (32 rows), of a GPT step, and square ones.
#include <cmath>
#include <memory>

#include "kernels.h"
#include "kernels/cpu/attention.h"
#include "kernels/cpu/gemm.h"

namespace glia::bench {
namespace {

using namespace glia::cpu;

struct Buffers {
  std::vector<char> a, b, c;
  std::vector<char> workspace;
  void* aligned() { return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64); }
};

template <class T>
void fill(std::vector<char>& bytes, int64_t n, T (*value)(int64_t)) {
  bytes.resize(static_cast<size_t>(n) * sizeof(T));
  for (int64_t i = 0; i < n; ++i) reinterpret_cast<T*>(bytes.data())[i] = value(i);
}
float f32_at(int64_t i) { return static_cast<float>(i % 17 - 8) / 8; }
double f64_at(int64_t i) { return static_cast<double>(i % 17 - 8) / 8; }
uint16_t bf16_at(int64_t i) { return static_cast<uint16_t>(0x3f00 + i % 17); }

void add_gemm(std::vector<KernelBench>& list, const char* kind, int64_t m, int64_t n, int64_t k, GemmType type = GemmType::f32,
              int64_t batch = 1) {
  const char* type_name = type == GemmType::f32 ? "f32" : type == GemmType::f64 ? "f64" : "bf16";
  const int64_t size = type == GemmType::f32 ? 4 : type == GemmType::f64 ? 8 : 2;
  std::string name = std::string("gemm_") + kind + "_" + type_name + "_" + std::to_string(m) + "x" + std::to_string(n) + "x" +
                     std::to_string(k);
  if (batch > 1) name += "_b" + std::to_string(batch);
  const double elements = static_cast<double>(batch * (m * k + k * n + m * n));
  list.push_back({name, 2.0 * static_cast<double>(batch * m * n * k), elements * static_cast<double>(size), [=] {
    GemmParams p{.m = m, .n = n, .k = k, .trans_a = kind[0] == 't', .trans_b = kind[1] == 't'};
    p.lda = p.trans_a ? m : k, p.ldb = p.trans_b ? k : n, p.ldc = n;
    if (batch > 1) {
      p.batch_rank = 1;
      p.batch_dims[0] = batch, p.batch_a[0] = m * k, p.batch_b[0] = n * k, p.batch_c[0] = m * n;
    }
    gemm_prepare(p, type);
    auto x = std::make_shared<Buffers>();
    for (auto [bytes, count] : {std::pair{&x->a, batch * m * k}, {&x->b, batch * n * k}, {&x->c, batch * m * n}}) {
      if (type == GemmType::f32) fill(*bytes, count, f32_at);
      else if (type == GemmType::f64) fill(*bytes, count, f64_at);
      else fill(*bytes, count, bf16_at);
    }
    x->workspace.resize(p.plan.workspace + 64);
    return [=] { gemm_run(p, x->a.data(), x->b.data(), x->c.data(), nullptr, nullptr, x->aligned()); };
  }});
}

struct AttentionCase { int64_t batch, heads, t, d; bool causal; };

void add_attention(std::vector<KernelBench>& list, const AttentionCase& c) {
  const double share = c.causal ? 0.5 * (1 + 1.0 / static_cast<double>(c.t)) : 1;
  const double flops = 4.0 * static_cast<double>(c.batch * c.heads * c.t * c.t * c.d) * share;
  const int64_t n = c.batch * c.heads * c.t * c.d;
  const std::string size = "f32_b" + std::to_string(c.batch) + "_h" + std::to_string(c.heads) + "_t" + std::to_string(c.t) + "_d" +
                           std::to_string(c.d) + (c.causal ? "_causal" : "");
  struct Arrays { std::vector<float> q, k, v, out, lse, dout, dq, dk, dv; };
  auto arrays = [=] {
    auto x = std::make_shared<Arrays>();
    for (auto* a : {&x->q, &x->k, &x->v, &x->out, &x->dout, &x->dq, &x->dk, &x->dv}) {
      a->resize(static_cast<size_t>(n));
      for (int64_t i = 0; i < n; ++i) (*a)[static_cast<size_t>(i)] = f32_at(i * 7);
    }
    x->lse.resize(static_cast<size_t>(c.batch * c.heads * c.t));
    return x;
  };
  AttentionParams p{.batch = c.batch, .heads = c.heads, .kv_heads = c.heads, .tq = c.t, .tk = c.t, .d = c.d, .dv = c.d};
  p.scale = 1 / std::sqrt(static_cast<float>(c.d));
  p.causal = c.causal;
  p.q = p.k = p.v = p.out = p.dout = p.dq = p.dk = p.dvalue = {c.t * c.heads * c.d, c.d, c.heads * c.d};
  list.push_back({"attention_forward_" + size, flops, 16.0 * static_cast<double>(n), [=] {
    auto x = arrays();
    auto forward = GLIA_ISA_SELECT(attention_forward);
    return [=] { forward(p, x->q.data(), x->k.data(), x->v.data(), nullptr, x->out.data(), x->lse.data()); };
  }});
  list.push_back({"attention_backward_" + size, 2.5 * flops, 32.0 * static_cast<double>(n), [=] {
    auto x = arrays();
    auto backward = GLIA_ISA_SELECT(attention_backward);
    GLIA_ISA_SELECT(attention_forward)(p, x->q.data(), x->k.data(), x->v.data(), nullptr, x->out.data(), x->lse.data());
    return [=] {
      backward(p, x->q.data(), x->k.data(), x->v.data(), nullptr, x->out.data(), x->lse.data(), x->dout.data(), x->dq.data(),
               x->dk.data(), x->dv.data());
    };
  }});
}

}  // namespace

void add_gemm_kernels(std::vector<KernelBench>& list) {
  for (int64_t n : {256, 512, 1024}) add_gemm(list, "nn", n, n, n);
  add_gemm(list, "nn", 32, 64, 1600);
  add_gemm(list, "nt", 32, 1600, 64);
  add_gemm(list, "tn", 1600, 64, 32);
  add_gemm(list, "nn", 32, 256, 64);
  add_gemm(list, "nn", 32, 64, 64);
  add_gemm(list, "nn", 1, 64, 1600);
  add_gemm(list, "nn", 2048, 384, 384);
  add_gemm(list, "nt", 2048, 384, 384);
  add_gemm(list, "tn", 384, 384, 2048);
  add_gemm(list, "tn", 384, 1536, 2048);  // the weight gradients of gpt
  add_gemm(list, "tn", 1536, 384, 2048);
  struct Pointwise {
    int64_t pixels, in, out;
  };
  for (const Pointwise& c : {Pointwise{25088, 64, 256}, {25088, 256, 64}, {6272, 512, 128}, {6272, 128, 512}, {1568, 1024, 256},
                             {1568, 256, 1024}, {392, 2048, 512}, {392, 512, 2048}}) {  // of resnet50
    add_gemm(list, "nn", c.pixels, c.out, c.in);
    add_gemm(list, "nt", c.pixels, c.in, c.out);
    add_gemm(list, "tn", c.in, c.out, c.pixels);
  }
  add_gemm(list, "tn", 512, 128, 768);  // the weight gradients of gpt_mini
  add_gemm(list, "tn", 128, 512, 768);
  add_gemm(list, "tn", 128, 128, 768);
  add_gemm(list, "nn", 768, 128, 128);  // the products of gpt_mini and gpt
  add_gemm(list, "nt", 768, 128, 128);
  add_gemm(list, "nn", 768, 512, 128);
  add_gemm(list, "nt", 768, 512, 128);
  add_gemm(list, "nn", 768, 128, 512);
  add_gemm(list, "nt", 768, 128, 512);
  add_gemm(list, "nn", 2048, 1536, 384);
  add_gemm(list, "nn", 2048, 384, 1536);
  add_gemm(list, "nt", 128, 128, 64, GemmType::f32, 96);
  add_gemm(list, "nn", 512, 512, 512, GemmType::f64);
  add_gemm(list, "nn", 512, 512, 512, GemmType::bf16);
  add_gemm(list, "tn", 384, 384, 2048, GemmType::bf16);
  add_gemm(list, "nt", 2048, 384, 384, GemmType::bf16);
}

void add_attention_kernels(std::vector<KernelBench>& list) {
  for (const AttentionCase& c : {AttentionCase{8, 6, 256, 64, false}, AttentionCase{8, 6, 256, 64, true},
                                 AttentionCase{12, 4, 64, 32, true}, AttentionCase{32, 1, 50, 64, false}})
    add_attention(list, c);
}

}  // namespace glia::bench
