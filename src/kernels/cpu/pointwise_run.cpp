#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/thread_pool.h"
#include "kernels/cpu/pointwise.h"

namespace glia::cpu {
namespace {

template <class T>
void copy_row(char* dst, const char* src, int64_t n, int64_t stride) {
  T* d = reinterpret_cast<T*>(dst);
  const T* s = reinterpret_cast<const T*>(src);
  if (stride == 0)
    std::fill(d, d + n, *s);
  else if (stride == 1)
    std::copy(s, s + n, d);
  else
    for (int64_t i = 0; i < n; ++i) d[i] = s[i * stride];
}
void copy_row(int size, char* dst, const char* src, int64_t n, int64_t stride) {
  switch (size) {
    case 1:
      return copy_row<uint8_t>(dst, src, n, stride);
    case 2:
      return copy_row<uint16_t>(dst, src, n, stride);
    case 4:
      return copy_row<uint32_t>(dst, src, n, stride);
    default:
      return copy_row<uint64_t>(dst, src, n, stride);
  }
}

}  // namespace

int64_t PwKernel::row_offset(const Input& in, int64_t row) const {
  int64_t offset = 0;
  for (int d = rank_ - 2; d >= 0; --d) {
    offset += row % dims_[d] * in.strides[d];
    row /= dims_[d];
  }
  return offset;
}

// Copies what the tile sees of an input into a register.
void PwKernel::load_tile(const Input& in, const char* base, char* dst, const Tile& t) const {
  if (rows_per_tile_ == 1) {
    const int64_t at = row_offset(in, t.row) + t.col * in.inner_stride;
    return copy_row(in.size, dst, base + at * in.size, t.n, in.inner_stride);
  }
  int64_t count[kMaxRank] = {}, row = t.row, offset = row_offset(in, t.row);
  for (int d = rank_ - 2; d >= 0; --d) {
    count[d] = row % dims_[d];
    row /= dims_[d];
  }
  for (int64_t done = 0; done < t.n; done += inner_) {
    copy_row(in.size, dst + done * in.size, base + offset * in.size, inner_, in.inner_stride);
    for (int d = rank_ - 2; d >= 0; --d) {
      offset += in.strides[d];
      if (++count[d] < dims_[d]) break;
      count[d] = 0;
      offset -= in.strides[d] * dims_[d];
    }
  }
}

struct PwKernel::Slots {
  char* at[kMaxSlots];
};

// Operands come from beyond the caches: fetch the next tile while this one is computed, a share per step.
void PwKernel::run_and_prefetch(char* const* at, int64_t n) const {
  const auto steps = static_cast<int64_t>(steps_.size());
  const int64_t share = (n + steps - 1) / steps;  // elements
  auto fetch = [&](auto write, const char* next, int64_t begin, int64_t end, int size) {
    for (int64_t byte = begin * size; byte < end * size; byte += 64)
      __builtin_prefetch(next + byte, decltype(write)::value);
  };
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t begin = std::min(n, i * share), end = std::min(n, begin + share);
    for (const Input& in : inputs_)
      if (in.direct) fetch(std::false_type{}, at[in.slot] + n * in.size, begin, end, in.size);
    for (const Output& out : outputs_) fetch(std::true_type{}, at[out.slot] + n * out.size, begin, end, out.size);
    const Step& s = steps_[static_cast<size_t>(i)];
    auto operand = [&](uint16_t o) { return o == kNone ? nullptr : at[o]; };
    s.fn(at[s.dst], operand(s.a), operand(s.b), operand(s.c), n);
  }
}

void PwKernel::run_tiles(int64_t first, int64_t last, const void* const* inputs, void* const* outputs) const {
  Slots slots;
  char** at = slots.at;
  alignas(64) char registers[kRegisterFile];
  uint64_t cells[kMaxSlots];
  for (size_t i = 0; i < constants_.size(); ++i)
    at[constant_slots_[i]] = const_cast<char*>(reinterpret_cast<const char*>(&constants_[i]));
  for (size_t i = 0; i < cell_slots_.size(); ++i) at[cell_slots_[i]] = reinterpret_cast<char*>(&cells[i]);
  for (auto [slot, reg] : registers_) at[slot] = registers + reg * register_bytes_;
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (uniform_inputs_[i] != kNone) at[uniform_inputs_[i]] = static_cast<char*>(const_cast<void*>(inputs[i]));
  auto operand = [&](uint16_t s) { return s == kNone ? nullptr : at[s]; };
  for (const Step& s : uniform_steps_) s.fn(at[s.dst], operand(s.a), operand(s.b), operand(s.c), 1);

  const bool short_rows = tiles_per_row_ == 0;
  for (int64_t t = first; t < last; ++t) {
    Tile tile;
    if (short_rows) {
      tile.row = t * rows_per_tile_;
      tile.col = 0;
      tile.n = std::min(rows_per_tile_, rows_ - tile.row) * inner_;
    } else {
      tile.row = t / tiles_per_row_;
      tile.col = (t - tile.row * tiles_per_row_) * tile_;
      tile.n = std::min(tile_, inner_ - tile.col);
    }
    const int64_t start = tile.row * inner_ + tile.col;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Input& in = inputs_[i];
      if (in.slot == kNone || in.slot == uniform_inputs_[i]) continue;
      char* base = static_cast<char*>(const_cast<void*>(inputs[i]));
      if (in.direct) {
        const int64_t offset =
            short_rows || rank_ == 1 ? start : row_offset(in, tile.row) + tile.col * in.inner_stride;
        at[in.slot] = base + offset * in.size;
      } else if (!in.repeat || t == first) {
        load_tile(in, base, at[in.slot], tile);
      }
    }
    for (size_t i = 0; i < outputs_.size(); ++i)
      at[outputs_[i].slot] = static_cast<char*>(outputs[i]) + start * outputs_[i].size;
    if (stream_) {
      run_and_prefetch(at, tile.n);
    } else {
      for (const Step& s : steps_) s.fn(at[s.dst], operand(s.a), operand(s.b), operand(s.c), tile.n);
    }
  }
}

void PwKernel::run(const void* const* inputs, void* const* outputs) const {
  if (total_ == 0) return;
  const int64_t chunks = (tiles_ + tiles_per_chunk_ - 1) / tiles_per_chunk_;
  parallel_for(chunks, [&](int64_t i) {
    run_tiles(i * tiles_per_chunk_, std::min(tiles_, (i + 1) * tiles_per_chunk_), inputs, outputs);
  });
}

}  // namespace glia::cpu
