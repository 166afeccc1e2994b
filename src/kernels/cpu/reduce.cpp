#include "kernels/cpu/reduce.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/thread_pool.h"

namespace glia::cpu {
namespace {

constexpr int64_t kTask = 32768;  // elements of one task

bool is_arg(ReduceOp op) { return op == ReduceOp::argmax || op == ReduceOp::argmin; }
int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

struct Group {
  int64_t extent;
  bool reduced;
};

}  // namespace

bool ReduceKernel::supports(ReduceOp op, Elem t) {
  if (elem_held_in_f32(t)) return false;
  switch (op) {
    case ReduceOp::mean:
      return elem_is_float(t);
    case ReduceOp::any:
    case ReduceOp::all:
      return t == Elem::bool_;
    case ReduceOp::sum:
    case ReduceOp::prod:
      return t != Elem::bool_;
    default:
      return true;
  }
}

ReduceKernel::ReduceKernel(ReduceOp op, Elem type, const std::vector<int64_t>& dims, const std::vector<bool>& reduced)
    : op_(op), type_(type) {
  GLIA_ASSERT(supports(op, type) && dims.size() == reduced.size(), "ReduceKernel: wrong type or axes");
  if (const RareReduction rare = rare_reduction(op, type); rare.rows) {
    rows_ = rare.rows, columns_ = rare.columns;
  } else {
    rows_ = GLIA_ISA_SELECT(reduce_rows_function)(op, type);
    columns_ = GLIA_ISA_SELECT(reduce_columns_function)(op, type);
  }
  std::vector<Group> groups;
  int64_t count = 1;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (reduced[d]) count *= dims[d];
    if (dims[d] == 1) continue;
    if (!groups.empty() && groups.back().reduced == reduced[d])
      groups.back().extent *= dims[d];
    else
      groups.push_back({dims[d], reduced[d]});
  }
  auto runs = [&] { return std::count_if(groups.begin(), groups.end(), [](auto& g) { return g.reduced; }); };
  if (runs() == 0) groups.push_back({1, true});
  GLIA_ASSERT(!is_arg(op) || runs() == 1, "argmax: the axes must be adjacent");
  if (op == ReduceOp::mean) scale_ = count > 0 ? 1.0 / static_cast<double>(count) : __builtin_nan("");
  const int out_size = is_arg(op) ? 4 : elem_size(type);
  while (runs() > 0) {  // innermost first: later stages see less data
    size_t at = groups.size() - 1;
    while (!groups[at].reduced) --at;
    Stage s{1, groups[at].extent, 1, 0, 1, 0, 1, 0, -1};
    for (size_t i = 0; i < groups.size(); ++i) (i < at ? s.outer : s.inner) *= i == at ? 1 : groups[i].extent;
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(at));
    if (at > 0 && at < groups.size()) {  // two kept groups became neighbours
      groups[at - 1].extent *= groups[at].extent;
      groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(at));
    }
    const bool split = !is_arg(op) && s.n > 0;
    if (s.inner == 1) {
      s.block = split && s.n > 2 * kTask ? kTask : s.n;
      s.tile = std::max<int64_t>(1, kTask / std::max<int64_t>(1, s.block));
      s.tiles = (s.outer + s.tile - 1) / s.tile;
    } else {
      s.tile = std::clamp<int64_t>(s.inner, 1, 512);
      s.tiles = (s.inner + s.tile - 1) / s.tile;
      const int64_t block = std::max<int64_t>(64, kTask / s.tile);
      s.block = split && s.n > 2 * block ? block : s.n;
    }
    s.blocks = s.block == 0 ? 1 : (s.n + s.block - 1) / s.block;
    s.partial_at = workspace_;
    if (s.blocks > 1) workspace_ += aligned(s.outer * s.blocks * s.inner * elem_size(type));
    if (runs() > 0) {
      s.out_at = workspace_;
      workspace_ += aligned(s.outer * s.inner * out_size);
    }
    stages_.push_back(s);
  }
}

void ReduceKernel::run_stage(const Stage& s, bool last, const char* x, char* y, char* workspace) const {
  const int64_t size = elem_size(type_), out_size = is_arg(op_) ? 4 : size;
  const double scale = last ? scale_ : 1;
  char* partial = workspace + s.partial_at;
  if (s.outer * s.inner == 0) return;
  if (s.inner == 1) {
    if (s.blocks == 1) {
      parallel_for(s.tiles, [&](int64_t t) {
        const int64_t r = t * s.tile, count = std::min(s.tile, s.outer - r);
        rows_(x + r * s.n * size, s.n, y + r * out_size, count, s.n, scale);
      });
      return;
    }
    parallel_for(s.outer * s.blocks, [&](int64_t t) {
      const int64_t r = t / s.blocks, at = t % s.blocks * s.block;
      rows_(x + (r * s.n + at) * size, 0, partial + t * size, 1, std::min(s.block, s.n - at), 1);
    });
    rows_(partial, s.blocks, y, s.outer, s.blocks, scale);
    return;
  }
  // Small outer slices share a task.
  const int64_t per_slice = s.blocks * s.tiles;
  const int64_t group = per_slice == 1 ? std::max<int64_t>(1, kTask / (std::max<int64_t>(1, s.n) * s.inner)) : 1;
  const int64_t tasks = per_slice == 1 ? (s.outer + group - 1) / group : s.outer * per_slice;
  parallel_for(tasks, [&](int64_t t) {
    for (int64_t o = per_slice == 1 ? t * group : t / per_slice, end = std::min(s.outer, o + group); o < end; ++o) {
      const int64_t b = t % per_slice / s.tiles, c = per_slice == 1 ? 0 : t % s.tiles * s.tile;
      const int64_t r = b * s.block, n = std::min(s.block, s.n - r), cols = std::min(s.tile, s.inner - c);
      const char* from = x + ((o * s.n + r) * s.inner + c) * size;
      if (s.blocks == 1)
        columns_(from, s.inner, y + (o * s.inner + c) * out_size, n, cols, scale);
      else
        columns_(from, s.inner, partial + ((o * s.blocks + b) * s.inner + c) * size, n, cols, 1);
    }
  });
  if (s.blocks == 1) return;
  parallel_for(s.outer * s.tiles, [&](int64_t t) {
    const int64_t o = t / s.tiles, c = t % s.tiles * s.tile;
    columns_(partial + (o * s.blocks * s.inner + c) * size, s.inner, y + (o * s.inner + c) * out_size, s.blocks,
             std::min(s.tile, s.inner - c), scale);
  });
}

void ReduceKernel::run(const void* x, void* y, void* workspace) const {
  char* ws = static_cast<char*>(workspace);
  const char* from = static_cast<const char*>(x);
  for (size_t i = 0; i < stages_.size(); ++i) {
    const Stage& s = stages_[i];
    char* to = s.out_at < 0 ? static_cast<char*>(y) : ws + s.out_at;
    run_stage(s, i + 1 == stages_.size(), from, to, ws);
    from = to;
  }
}

}  // namespace glia::cpu
