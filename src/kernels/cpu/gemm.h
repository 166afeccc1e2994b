// Matrix products: C = act(op(A) op(B) + beta*C + bias + residual), row-major, one or many (batched), f32, f64 and bf16.
//
//   GemmParams p{.m = 32, .n = 64, .k = 1600, .lda = 1600, .ldb = 64, .ldc = 64};
//   p.act = Act::relu;
//   gemm_prepare(p, GemmType::f32);                       // plan time: chooses tiles, chunks and the workspace
//   workspace.resize(p.plan.workspace);
//   gemm_run(p, a, b, c, bias, nullptr, workspace.data());  // run time: no allocation, no shape code
//
// op is given by trans_a and trans_b: A is stored m x k (or k x m when trans_a), B is stored k x n (or n x k when
// trans_b). A plan belongs to the instruction set of current_isa() at gemm_prepare. The split into chunks depends on the
// shape alone, so results are bitwise the same for any number of threads. C must not overlap A or B.
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/act.h"
#include "kernels/cpu/isa.h"

namespace glia::cpu {

enum class GemmType : uint8_t {
  f32,       // A, B, C, bias and residual are float
  f64,       // all double
  bf16,      // A, B, bias, residual and C are bfloat16; sums are held in f32
  bf16_f32,  // A and B are bfloat16; C, bias and residual are float
};

// How B is read. Chosen by gemm_prepare; `packed` is asked for by the caller (gemm_pack_b).
enum class GemmB : uint8_t { direct, panel, slab, packed, dot };

struct GemmPlan {
  Isa isa = Isa::scalar;
  GemmType type = GemmType::f32;
  GemmB b = GemmB::direct;
  bool pack_a = false;
  bool swapped = false;    // a single column: computed as the product of the transposes
  bool native_bf16 = false;
  uint8_t nv = 1;          // vectors per tile row
  int64_t kc = 0, mc = 0, nc = 0;
  int64_t rows = 0, cols = 0;            // of C per chunk
  int64_t row_chunks = 1, col_chunks = 1;
  int64_t batch = 1, batch_group = 1;    // matrices; matrices per chunk
  bool own_slab = false;                 // every thread packs the slab for itself
  bool kept = false;                     // keep_b is made use of
  int64_t k_parts = 0;                   // parts of a long k that are summed apart, then added (gemm_tall.isa.cpp); or 0
  int64_t m_parts = 1, n_parts = 1;      // with k_parts: of each part's result
  size_t workspace = 0;                  // bytes, 64-byte aligned
};

struct GemmParams {
  static constexpr int kMaxBatchRank = 6;
  int64_t m = 0, n = 0, k = 0;
  bool trans_a = false, trans_b = false;
  bool packed_b = false;                 // B was made by gemm_pack_b with these n, k, trans_b (f32 only, one matrix)
  bool keep_b = false;                   // B stays the same for many calls: what is made of it may stay in the workspace
  int64_t lda = 0, ldb = 0, ldc = 0;     // elements between stored rows
  float beta = 0;                        // 0: C is written, not read
  bool has_bias = false;                 // n values, added to every row
  bool has_residual = false;             // m x n, added before the activation
  int64_t ldr = 0;
  Act act = Act::none;
  float act_alpha = 0;                   // leaky_relu: slope; elu: alpha
  int batch_rank = 0;                    // outermost first; strides in elements, 0 repeats the matrix
  int64_t batch_dims[kMaxBatchRank] = {};
  int64_t batch_a[kMaxBatchRank] = {}, batch_b[kMaxBatchRank] = {}, batch_c[kMaxBatchRank] = {};
  int64_t batch_r[kMaxBatchRank] = {}, batch_bias[kMaxBatchRank] = {};
  GemmPlan plan;
};

void gemm_prepare(GemmParams& p, GemmType type);
// ready: where plan.kept, the workspace is as the last call left it and B is the same.
void gemm_run(const GemmParams& p, const void* a, const void* b, void* c, const void* bias, const void* residual,
              void* workspace, bool ready = false);

// B packed once for many products (constant weights). The layout depends on n, k and the instruction set, not on m.
size_t gemm_packed_b_bytes(int64_t n, int64_t k);
void gemm_pack_b(int64_t n, int64_t k, bool trans_b, int64_t ldb, const float* b, float* packed);

}  // namespace glia::cpu
