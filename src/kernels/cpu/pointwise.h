// The pointwise machine: every elementwise op of Glia, alone or fused, is a small program run tile by tile (256 to
// 1024 elements in L1), so a chain of k ops reads each input once and writes each output once.
//
//   PwProgram p;                                     // y = tanh(x * w + 1), w a row vector
//   int x = p.input(Elem::f32), w = p.input(Elem::f32);
//   int t = p.emit(PwOp::fma, x, w, p.constant(Elem::f32, 1.0));
//   p.output(p.emit(PwOp::tanh, t));
//   PwKernel k(p, {32, 10}, {{10, 1}, {0, 1}});      // plan time: output dims, strides of each input (0 = broadcast)
//   const void* in[] = {x_data, w_data};  void* out[] = {y_data};
//   k.run(in, out);                                  // run time: no allocation
//
// Programs are in SSA form: a value is an index into nodes, operands come before their users, so programs are merged
// by appending nodes with shifted indices (append). Values of type bf16 or f16 are held and computed in f32; they are
// rounded when an output is stored or by an explicit cast to that type. Values that depend only on constants and on
// inputs broadcast over everything (all strides 0) are computed once, not per element.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/cpu/pointwise_types.h"

namespace glia::cpu {

struct PwOpInfo {
  const char* name;
  int arity;
  PwDomain domain;
  bool result_bool;  // result is bool_; else the operand type (for select: of b and c)
  int cost;
};
const PwOpInfo& pw_info(PwOp);
bool pw_find(std::string_view name,
             PwOp* op);               // by table name; false when there is none (input/constant are not found)
bool pw_accepts(PwOp, Elem operand);  // may the operands (for select: b and c) have this type?
inline Elem pw_result(PwOp op, Elem operand) { return pw_info(op).result_bool ? Elem::bool_ : operand; }

struct PwNode {
  PwOp op;
  Elem type;                       // of the result
  int16_t a = -1, b = -1, c = -1;  // operands: earlier nodes
  int16_t index = -1;              // input: which one, in order of creation
  double value = 0;                // constant of a float type
  int64_t ivalue = 0;              // constant of an integer type or bool
  bool operator==(const PwNode&) const = default;
};

struct PwProgram {
  std::vector<PwNode> nodes;
  std::vector<int> outputs;  // values; stored with their type, densely, in the order of the output dims
  int num_inputs = 0;

  int input(Elem type);
  int constant(Elem type, double value);  // integers: value is truncated
  int constant_int(Elem type, int64_t value);
  int emit(PwOp op, int a, int b = -1, int c = -1);  // operands of one type that pw_accepts takes (select: a is bool)
  int cast(int a, Elem to);                          // returns a when it already has the type
  void output(int value) { outputs.push_back(value); }
  Elem type(int value) const { return nodes[static_cast<size_t>(value)].type; }
  std::string to_string() const;  // "v2 = fma(v0, v1, 1): float32", one line per node

  // Appends the nodes of `other`, its input i replaced by inputs[i] (values of this program of the same type);
  // returns the values of its outputs. This is how two pointwise nodes fuse.
  std::vector<int> append(const PwProgram& other, std::span<const int> inputs);
  bool operator==(const PwProgram&) const = default;
};

// Strides (in elements) that walk a dense array of shape `in` as if broadcast to `out` (NumPy rules, aligned at the
// end).
std::vector<int64_t> pw_broadcast_strides(std::span<const int64_t> in, std::span<const int64_t> out);

// A program bound to shapes and to the instruction set of current_isa().
class PwKernel {
 public:
  static constexpr int kMaxLive = 64;  // registers alive at once; programs that need more do not compile (see fits)
  static constexpr int kMaxRank = 8;   // after merging dims that all inputs walk alike
  static constexpr int kMaxSlots = 512;

  PwKernel() = default;
  // dims: of every output. strides[i][d]: step of input i, in elements, along dim d; 0 repeats it.
  PwKernel(const PwProgram&, std::span<const int64_t> dims, std::span<const std::vector<int64_t>> strides);
  PwKernel(const PwProgram& p, std::initializer_list<int64_t> dims,
           std::initializer_list<std::vector<int64_t>> strides)
      : PwKernel(p, std::span(dims.begin(), dims.size()), std::span(strides.begin(), strides.size())) {}

  // An output may be the same buffer as an input that has the output's dims, dense, and the same element size.
  void run(const void* const* inputs, void* const* outputs) const;

  // Does the program stay within kMaxLive registers and kMaxSlots values? The fusion pass asks before it merges.
  static bool fits(const PwProgram&);
  int64_t elements() const { return total_; }

 private:
  friend struct PwCompiler;
  struct Step {
    PwFn fn;
    uint16_t dst, a, b, c;
  };
  struct Input {
    int64_t strides[kMaxRank];
    int64_t inner_stride;
    uint16_t slot;
    uint8_t size;  // bytes of an element
    bool direct;   // the slot points into the input; else the tile is copied to a register first
    bool repeat;   // copied once: every tile sees the same
  };
  struct Output {
    uint16_t slot;
    uint8_t size;
  };
  struct Tile {
    int64_t row, col, n;
  };
  struct Slots;
  void run_tiles(int64_t first, int64_t last, const void* const* inputs, void* const* outputs) const;
  void run_and_prefetch(char* const* at, int64_t n) const;
  void load_tile(const Input&, const char* base, char* dst, const Tile&) const;
  int64_t row_offset(const Input&, int64_t row) const;

  std::vector<Step> uniform_steps_, steps_;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  std::vector<uint16_t> uniform_inputs_;                  // slot per input that never moves, else kNone
  std::vector<uint64_t> constants_;                       // one cell each
  std::vector<uint16_t> constant_slots_, cell_slots_;     // slots of constants; slots that uniform steps write
  std::vector<std::pair<uint16_t, uint16_t>> registers_;  // slot, register
  int64_t dims_[kMaxRank] = {};
  int64_t total_ = 0, inner_ = 0, rows_ = 0;
  int64_t tile_ = 0;           // elements of a tile at most
  int64_t tiles_per_row_ = 0;  // long rows are cut into tiles
  int64_t rows_per_tile_ = 1;  // short rows are gathered into tiles
  int64_t tiles_ = 0, tiles_per_chunk_ = 1;
  bool stream_ = false;  // more data than the caches hold
  int rank_ = 0, num_slots_ = 0, num_registers_ = 0, register_bytes_ = 0;
  static constexpr uint16_t kNone = 0xffff;
  static constexpr int64_t kCacheBytes = 8 << 20;
  static constexpr int kRegisterFile = 65536;  // bytes, on the stack of the thread
};

}  // namespace glia::cpu
