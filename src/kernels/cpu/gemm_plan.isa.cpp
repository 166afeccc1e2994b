// Plan of an f32 matrix product: which of the ways, tile width and the split into chunks. Costs are estimated in
// clocks of one core (16 multiply-adds per clock on every x86 since 2013 or 2022, whatever the vector width).
#include "kernels/cpu/gemm_inner.h"

namespace glia::cpu::GLIA_ISA_NS {

namespace {

constexpr double kRate = vf::W == 8 ? 2 : 1;  // vector FMAs per clock
constexpr double kChunkCost = 200, kForkCost = 2000;

// One step of k in a tile: bound by FMA rate, by FMA latency when there are few sums, or by loads.
double step_cost(int64_t rows, int64_t nv) {
  double sums = static_cast<double>(rows * nv);
  double fma = sums >= 12 ? sums : sums >= 8 ? sums * 1.05 : sums * 1.15 + 0.5;
  double loads = vf::W == 16 ? static_cast<double>(nv) + 0.5 * static_cast<double>(rows) : 0.5 * static_cast<double>(nv + rows);
  return fma / kRate > loads ? fma / kRate : loads;
}

double panel_cost(const GemmParams& p, GemmB how, int64_t rows, int64_t nv) {
  const int64_t tiles = ceil_div(rows, kMaxRows[nv]), small = rows / tiles, large_count = rows % tiles;
  const double k = static_cast<double>(p.k), vectors = static_cast<double>(rows * nv);
  double cost = static_cast<double>(large_count) * step_cost(small + 1, nv) * k +
                static_cast<double>(tiles - large_count) * step_cost(small, nv) * k;
  cost += static_cast<double>(tiles) * 25 + vectors * 3 / kRate;
  const double blocks = static_cast<double>(ceil_div(max64(p.k, 1), kMaxKc));
  cost += (blocks - 1) * vectors * 4 / kRate;
  if (how == GemmB::panel) cost += k * static_cast<double>(nv) * (p.trans_b ? 6 : 3) / kRate * vf::W / 16.0 * kRate;
  return cost;
}

double chunk_cost(const GemmParams& p, GemmB how, int64_t rows, int64_t cols, int64_t nv) {
  const int64_t width = nv * vf::W, whole = cols / width, rest = cols % width;
  double cost = kChunkCost + static_cast<double>(whole) * panel_cost(p, how, rows, nv);
  if (rest) cost += panel_cost(p, how, rows, ceil_div(rest, vf::W));
  return cost;
}

// The number of threads is not known (and must not matter), so a split is judged by its time on 1, 2, 4 and 8.
double time_of(double chunk, int64_t chunks) {
  double sum = chunk * static_cast<double>(chunks);
  for (int64_t threads : {2, 4, 8})
    sum += 2 * (chunk * static_cast<double>(ceil_div(chunks, threads)) + (chunks > 1 ? kForkCost : 0));
  return sum;
}

void split_block(GemmParams& p, GemmB how) {
  GemmPlan& plan = p.plan;
  plan.b = how;
  double best = -1;
  for (int64_t nv = 1; nv <= kMaxNV; ++nv) {
    if (how == GemmB::packed && kPanel % (nv * vf::W) != 0 && p.n > nv * vf::W) continue;
    const int64_t width = nv * vf::W, panels = ceil_div(p.n, width);
    for (int64_t rc = 1; rc <= 64 && rc <= p.m; rc *= 2) {
      const int64_t rows = ceil_div(p.m, rc);
      for (int64_t cc = 1; cc <= 64 && cc <= panels; cc *= 2) {
        if (plan.batch >= 16 && rc * cc > 1) continue;
        const int64_t cols = ceil_div(panels, cc) * width;
        const double cost = chunk_cost(p, how, rows, min64(cols, p.n), nv);
        const int64_t grid = ceil_div(p.m, rows) * ceil_div(p.n, cols);
        const double time = time_of(cost, grid * plan.batch);
        if (best >= 0 && time >= best * 0.999) continue;
        best = time;
        plan.nv = static_cast<uint8_t>(nv);
        plan.rows = rows;
        plan.cols = cols;
        plan.row_chunks = ceil_div(p.m, rows);
        plan.col_chunks = ceil_div(p.n, cols);
        const double one = cost * static_cast<double>(grid);
        plan.batch_group = grid > 1 || one > 20000 ? 1 : max64(1, static_cast<int64_t>(20000 / one));
      }
    }
  }
  const int64_t blocks = ceil_div(max64(p.k, 1), how == GemmB::panel ? kMaxKc : 2048);
  plan.kc = ceil_div(max64(p.k, 1), blocks);
}

void split_dot(GemmParams& p) {
  GemmPlan& plan = p.plan;
  plan.b = GemmB::dot;
  plan.kc = p.k;
  const double one = static_cast<double>(p.m * p.n) * (static_cast<double>(ceil_div(p.k, vf::W)) / kRate + 8);
  int64_t cc = 1;
  while (cc < 64 && cc * 32 <= p.n && one / static_cast<double>(2 * cc) > 4000 && plan.batch * cc < 64) cc *= 2;
  plan.rows = p.m;
  plan.row_chunks = 1;
  plan.cols = ceil_div(ceil_div(p.n, cc), 4) * 4;
  plan.col_chunks = ceil_div(p.n, plan.cols);
  plan.batch_group = plan.col_chunks > 1 || one > 20000 ? 1 : max64(1, static_cast<int64_t>(20000 / one));
}

void split_slab(GemmParams& p) {
  GemmPlan& plan = p.plan;
  plan.b = p.packed_b ? GemmB::packed : GemmB::slab;
  plan.nv = kMaxNV;
  plan.kc = ceil_div(p.k, ceil_div(p.k, kMaxKc));
  plan.mc = kMaxMc;
  const int64_t panels = ceil_div(p.n, kPanel), most = max64(1, (int64_t{3} << 19) / (plan.kc * kPanel));
  plan.nc = ceil_div(panels, ceil_div(panels, most)) * kPanel;
  const int64_t slab_panels = plan.nc / kPanel;
  plan.row_chunks = ceil_div(p.m, kMaxMc);
  if (plan.row_chunks > 64) plan.row_chunks = 64;
  plan.rows = ceil_div(p.m, plan.row_chunks);
  plan.row_chunks = ceil_div(p.m, plan.rows);
  const int64_t wanted = ceil_div(16, plan.row_chunks), limit = max64(1, slab_panels * kPanel / 64);
  plan.col_chunks = min64(min64(wanted, limit), slab_panels);
  plan.pack_a = ceil_div(slab_panels, plan.col_chunks) * kPanel >= 1024;  // else the copy costs more than it saves
  plan.own_slab = !p.packed_b && plan.kc >= 64 && plan.kc * plan.nc <= kOwnSlab;
  plan.workspace = p.packed_b || plan.own_slab ? 0 : static_cast<size_t>(plan.kc * plan.nc) * sizeof(float);
}

template <class T>
void swap_values(T& a, T& b) {
  T t = a;
  a = b;
  b = t;
}

// C of one column: its transpose is one row, which is dense when ldc is 1.
void swap_operands(GemmParams& p) {
  swap_values(p.lda, p.ldb);
  const bool a = p.trans_a;
  p.trans_a = !p.trans_b;
  p.trans_b = !a;
  p.n = p.m;
  p.m = 1;
  p.ldc = p.n;
  for (int d = 0; d < p.batch_rank; ++d) swap_values(p.batch_a[d], p.batch_b[d]);
  p.plan.swapped = true;
}

}  // namespace

// One B for all batches and A, C walked densely: one tall matrix. Counts the matrices that are left.
void gemm_fold_batch(GemmParams& p) {
  while (p.batch_rank > 0 && !p.trans_a) {
    const int d = p.batch_rank - 1;
    const bool same = p.batch_b[d] == 0 && (!p.has_bias || p.batch_bias[d] == 0) && p.batch_a[d] == p.m * p.lda &&
                      p.batch_c[d] == p.m * p.ldc && (!p.has_residual || p.batch_r[d] == p.m * p.ldr);
    if (!same && p.batch_dims[d] != 1) break;
    p.m *= p.batch_dims[d];
    p.batch_rank = d;
  }
  p.plan.batch = 1;
  for (int d = 0; d < p.batch_rank; ++d) p.plan.batch *= p.batch_dims[d];
}

void gemm_plan_f32(GemmParams& p) {
  GemmPlan& plan = p.plan;
  if (p.m == 0 || p.n == 0) return;
  gemm_fold_batch(p);
  if (p.n == 1 && p.m > 1 && p.ldc == 1 && !p.packed_b) swap_operands(p);
  if (p.m == 1 && p.trans_a && p.lda == 1) {
    p.trans_a = false;
    p.lda = p.k;
  }
  if (!plan.swapped && gemm_plan_tall(p)) return;
  const double work = static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  const bool dense_b = !p.trans_b && p.ldb <= 128 && p.m < 4096;  // narrow enough to be read in place
  const bool large = p.m >= 96 && p.n * p.k >= 16384 && work >= 4e6 && !dense_b;
  if (large && !plan.swapped && (plan.batch < 8 || work >= 64e6)) return split_slab(p);
  if (p.packed_b) return split_block(p, GemmB::packed);
  if (p.trans_b && !p.trans_a && p.k > 0 && (p.m <= 4 || (p.m <= 12 && p.k >= 128))) return split_dot(p);
  split_block(p, p.trans_b ? GemmB::panel : GemmB::direct);
}

size_t gemm_packed_b_floats(int64_t n, int64_t k) { return static_cast<size_t>(ceil_div(n, vf::W) * vf::W * k); }

}  // namespace glia::cpu::GLIA_ISA_NS
