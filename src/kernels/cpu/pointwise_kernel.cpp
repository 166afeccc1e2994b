// Binding a program to shapes: dims are merged, values get slots (memory, constant cell, register), instructions get
// their functions. What runs afterwards is pointwise_run.cpp.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/cpu/pointwise.h"
#include "kernels/cpu/pointwise_fn.h"

namespace glia::cpu {
namespace {

// Do the operands' bits decide the result's, signed or not? Then unsigned types use the loops of the signed ones.
bool bits_decide(PwOp op) {
  switch (op) {
    case PwOp::add: case PwOp::sub: case PwOp::mul: case PwOp::fma: case PwOp::fnma: case PwOp::neg: case PwOp::square:
    case PwOp::squared_difference: case PwOp::eq: case PwOp::ne: case PwOp::isnan: case PwOp::isinf: case PwOp::isfinite:
    case PwOp::bitwise_and: case PwOp::bitwise_or: case PwOp::bitwise_xor: case PwOp::bitwise_not: case PwOp::select:
    case PwOp::floor: case PwOp::ceil: case PwOp::round: case PwOp::trunc:
      return true;
    default:
      return false;
  }
}

// What `type` is called where values are converted: halves and narrow types lie in memory only.
PwFn cast_function(Elem from, Elem to, bool uniform) {
  if (elem_is_narrow(from) || elem_is_narrow(to)) return pw_narrow_cast(from, to, uniform);
  const auto whole = [](Elem t) { return !elem_is_float(t) && t != Elem::bool_; };
  const auto rare = [](Elem t) { return t >= Elem::i16; };
  if (whole(to) && (whole(from) || from == Elem::bool_)) to = elem_as_signed(to);
  if (whole(from) && (whole(to) || to == Elem::bool_) && (to == Elem::bool_ || elem_size(from) >= elem_size(to)))
    from = elem_as_signed(from);
  return rare(from) || rare(to) ? pw_cast_rare(from, to, uniform) : GLIA_ISA_SELECT(pw_cast_function)(from, to, uniform);
}
PwFn round_function(Elem t, bool uniform) {
  return elem_is_narrow(t) ? pw_narrow_round(t, uniform) : GLIA_ISA_SELECT(pw_round_function)(t, uniform);
}

PwFn find_function(PwOp op, Elem type, int uniform) {
  switch (type) {
    case Elem::f32:
      return GLIA_ISA_SELECT(pw_function_f32)(op, uniform);
    case Elem::f64:
      return GLIA_ISA_SELECT(pw_function_f64)(op, uniform);
    case Elem::i32:
      return GLIA_ISA_SELECT(pw_function_i32)(op, uniform);
    case Elem::i64:
      return GLIA_ISA_SELECT(pw_function_i64)(op, uniform);
    case Elem::u8:
      return GLIA_ISA_SELECT(pw_function_u8)(op, uniform);
    case Elem::i8:
      return GLIA_ISA_SELECT(pw_function_i8)(op, uniform);
    case Elem::bool_:
      return GLIA_ISA_SELECT(pw_function_bool)(op, uniform);
    case Elem::i16:
    case Elem::u16:
    case Elem::u32:
    case Elem::u64:
      if (type != Elem::i16 && bits_decide(op)) return find_function(op, elem_as_signed(type), uniform);
      return pw_function_rare(op, type, uniform);
    default:
      return nullptr;
  }
}

uint64_t constant_cell(const PwNode& n) {
  uint64_t cell = 0;
  auto put = [&](auto v) { std::memcpy(&cell, &v, sizeof v); };
  switch (compute_elem(n.type)) {
    case Elem::f32:
      put(static_cast<float>(n.value));
      break;
    case Elem::f64:
      put(n.value);
      break;
    default:
      cell = static_cast<uint64_t>(n.ivalue);  // little endian: the low bytes are the narrower value
  }
  return cell;
}

}  // namespace

struct PwCompiler {
  static constexpr uint16_t kNone = PwKernel::kNone;
  static constexpr int64_t kShortRow = 128;  // rows shorter than this are gathered into tiles

  enum class Kind : uint8_t { memory, constant, cell, reg };
  struct Slot {
    Kind kind;
    bool still;    // stride 0: one element that the whole tile sees
    bool uniform;  // the same for all tiles
    uint8_t size;
    int first = -1, last = -1;  // steps that write and last read it (registers)
    bool pinned = false;
  };

  PwProgram program;
  PwKernel& k;
  std::vector<Slot> slots{};
  std::vector<uint16_t> slot_of{};  // node -> slot
  std::vector<char> used{};

  uint16_t add_slot(Kind kind, int size, bool still, bool uniform) {
    slots.push_back({kind, still, uniform, static_cast<uint8_t>(size)});
    GLIA_ASSERT(slots.size() < static_cast<size_t>(PwKernel::kMaxSlots),
                "pointwise program too long: ask fits() first");
    return static_cast<uint16_t>(slots.size() - 1);
  }
  const PwNode& node(int v) const { return program.nodes[static_cast<size_t>(v)]; }
  bool still(uint16_t s) const { return s == kNone || slots[s].still; }

  void mark_used() {
    used.assign(program.nodes.size(), 0);
    for (int v : program.outputs) used[static_cast<size_t>(v)] = 1;
    for (size_t i = program.nodes.size(); i-- > 0;) {
      if (!used[i]) continue;
      for (int v : {node(static_cast<int>(i)).a, node(static_cast<int>(i)).b, node(static_cast<int>(i)).c})
        if (v >= 0) used[static_cast<size_t>(v)] = 1;
    }
  }

  // add(mul(a, b), c) with a product that nobody else reads is one fma, sub(c, mul(a, b)) one fnma.
  void fuse_products() {
    std::vector<int> readers(program.nodes.size(), 0);
    for (size_t i = 0; i < program.nodes.size(); ++i)
      for (int v : {node(static_cast<int>(i)).a, node(static_cast<int>(i)).b, node(static_cast<int>(i)).c})
        if (v >= 0 && used[i]) ++readers[static_cast<size_t>(v)];
    for (int v : program.outputs) ++readers[static_cast<size_t>(v)];
    for (size_t i = 0; i < program.nodes.size(); ++i) {
      PwNode& n = program.nodes[i];
      if (!used[i] || (n.op != PwOp::add && n.op != PwOp::sub) || !elem_is_float(n.type)) continue;
      auto product = [&](int v) { return node(v).op == PwOp::mul && readers[static_cast<size_t>(v)] == 1; };
      int16_t mul = -1, other = -1;
      if (product(n.b))
        mul = n.b, other = n.a;
      else if (n.op == PwOp::add && product(n.a))
        mul = n.a, other = n.b;
      if (mul < 0) continue;
      n.op = n.op == PwOp::add ? PwOp::fma : PwOp::fnma;
      n.a = node(mul).a;
      n.b = node(mul).b;
      n.c = other;
      used[static_cast<size_t>(mul)] = 0;
      // c + (b - c) * share, the moving average of every optimizer, is one lerp.
      for (int16_t diff : {n.a, n.b}) {
        const PwNode& d = node(diff);
        if (n.op != PwOp::fma || d.op != PwOp::sub || d.b != other || readers[static_cast<size_t>(diff)] != 1) continue;
        used[static_cast<size_t>(diff)] = 0;
        const int16_t share = diff == n.a ? n.b : n.a;
        n.op = PwOp::lerp;
        n.a = other;
        n.b = d.a;
        n.c = share;
        break;
      }
    }
  }

  // ---- shapes ----

  void merge_dims(std::span<const int64_t> dims, std::span<const std::vector<int64_t>> strides) {
    std::vector<int64_t> d;
    std::vector<std::vector<int64_t>> s(strides.size());
    k.total_ = 1;
    for (int64_t e : dims) k.total_ *= e;
    for (size_t i = 0; i < strides.size(); ++i)
      GLIA_ASSERT(strides[i].size() == dims.size(), "pointwise: one stride per dim");
    for (size_t x = 0; x < dims.size(); ++x) {
      if (dims[x] == 1) continue;
      bool join = !d.empty();
      for (size_t i = 0; join && i < strides.size(); ++i) join = s[i].back() == strides[i][x] * dims[x];
      if (join)
        d.back() *= dims[x];
      else
        d.push_back(dims[x]);
      for (size_t i = 0; i < strides.size(); ++i) {
        if (join)
          s[i].back() = strides[i][x];
        else
          s[i].push_back(strides[i][x]);
      }
    }
    if (d.empty()) {
      d.push_back(1);
      for (auto& v : s) v.push_back(0);
    }
    GLIA_CHECK(d.size() <= static_cast<size_t>(PwKernel::kMaxRank),
               "pointwise op: more than {} dimensions remain after merging. Transpose inputs into one order first.",
               PwKernel::kMaxRank);
    k.rank_ = static_cast<int>(d.size());
    std::copy(d.begin(), d.end(), k.dims_);
    k.inner_ = d.back();
    k.rows_ = k.total_ == 0 ? 0 : k.total_ / k.inner_;
    for (auto& v : s) {
      PwKernel::Input in{};
      std::copy(v.begin(), v.end(), in.strides);
      in.inner_stride = v.back();
      k.inputs_.push_back(in);
    }
  }

  bool dense(const PwKernel::Input& in) const {
    int64_t step = 1;
    for (int d = k.rank_ - 1; d >= 0; --d) {
      if (in.strides[d] != step && k.dims_[d] != 1) return false;
      step *= k.dims_[d];
    }
    return true;
  }

  void place_inputs() {
    k.uniform_inputs_.assign(k.inputs_.size(), kNone);
    const bool short_rows = k.rank_ > 1 && k.inner_ < kShortRow;
    for (size_t v = 0; v < program.nodes.size(); ++v) {
      const PwNode& n = program.nodes[v];
      if (n.op != PwOp::input) continue;
      PwKernel::Input& in = k.inputs_[static_cast<size_t>(n.index)];
      in.size = static_cast<uint8_t>(elem_size(n.type));
      in.slot = kNone;
      if (!used[v]) continue;
      const bool all_zero = std::all_of(in.strides, in.strides + k.rank_, [](int64_t s) { return s == 0; });
      const bool outer_zero = std::all_of(in.strides, in.strides + k.rank_ - 1, [](int64_t s) { return s == 0; });
      if (all_zero) {
        in.slot = add_slot(Kind::memory, in.size, true, true);
        k.uniform_inputs_[static_cast<size_t>(n.index)] = in.slot;
      } else if (dense(in) || (!short_rows && (in.inner_stride == 1 || in.inner_stride == 0))) {
        in.direct = true;
        in.slot = add_slot(Kind::memory, in.size, in.inner_stride == 0, false);
      } else {
        in.repeat = outer_zero && short_rows;
        in.slot = add_slot(Kind::reg, in.size, false, false);
        slots[in.slot].pinned = in.repeat;
        slots[in.slot].first = 0;
      }
      slot_of[v] = in.slot;
    }
  }

  // ---- instructions ----

  uint16_t add_step(PwFn fn, uint16_t dst, uint16_t a, uint16_t b = kNone, uint16_t c = kNone) {
    GLIA_ASSERT(fn != nullptr, "pointwise: no function for an instruction");
    if (slots[dst].kind == Kind::cell) {
      k.uniform_steps_.push_back({fn, dst, a, b, c});
      return dst;
    }
    const int now = static_cast<int>(k.steps_.size());
    if (slots[dst].first < 0) slots[dst].first = now;
    for (uint16_t s : {a, b, c})
      if (s != kNone) slots[s].last = now;
    slots[dst].last = std::max(slots[dst].last, now);
    k.steps_.push_back({fn, dst, a, b, c});
    return dst;
  }
  // A register for a result of the operands, or a cell when none of them moves with the tile.
  uint16_t result_slot(Elem type, std::initializer_list<uint16_t> operands) {
    const int size = elem_size(compute_elem(type));
    bool uniform = true;
    for (uint16_t s : operands) uniform = uniform && (s == kNone || slots[s].uniform);
    if (!uniform) return add_slot(Kind::reg, size, false, false);
    return add_slot(Kind::cell, size, true, true);
  }
  static constexpr bool all_still_mask(int mask, int arity) { return mask == (1 << arity) - 1; }

  // A stride-0 operand is given as a whole register when all operands stand still but not for all tiles (row
  // scalars).
  uint16_t spread(uint16_t s, Elem type) {
    const Elem t = compute_elem(type);
    uint16_t r = add_slot(Kind::reg, elem_size(t), false, false);
    return add_step(cast_function(t, t, true), r, s);
  }

  // Whether an output is all that becomes of a value.
  bool only_stored(size_t v) const {
    for (size_t u = 0; u < program.nodes.size(); ++u) {
      const PwNode& n = program.nodes[u];
      if (used[u] && n.op != PwOp::input && n.op != PwOp::constant)
        for (int16_t operand : {n.a, n.b, n.c})
          if (operand == static_cast<int>(v)) return false;
    }
    return true;
  }

  void emit_cast(size_t v) {
    const PwNode& n = program.nodes[v];
    const Elem from = node(n.a).type, to = n.type;
    const uint16_t src = slot_of[static_cast<size_t>(n.a)];
    if (compute_elem(from) == compute_elem(to) && !elem_held_in_f32(to)) {
      slot_of[v] = src;  // half -> f32: the register already holds f32
      return;
    }
    const bool rounds = elem_held_in_f32(to) && !only_stored(v);  // storing rounds as well
    if (compute_elem(from) == compute_elem(to) && !rounds) {
      slot_of[v] = src;
      return;
    }
    const uint16_t dst = result_slot(to, {src});
    const bool cell = slots[dst].kind == Kind::cell, fill = !cell && still(src);
    uint16_t mid = src;
    if (compute_elem(from) != compute_elem(to)) {
      add_step(cast_function(compute_elem(from), compute_elem(to), fill), dst, src);
      mid = dst;
    }
    if (rounds) add_step(round_function(to, mid == src && fill), dst, mid);
    slot_of[v] = dst;
  }

  void emit_node(size_t v) {
    const PwNode& n = program.nodes[v];
    if (n.op == PwOp::cast) return emit_cast(v);
    const int arity = pw_info(n.op).arity;
    const Elem type = compute_elem(node(n.op == PwOp::select ? n.b : n.a).type);
    uint16_t s[3] = {kNone, kNone, kNone};
    const int16_t operand[3] = {n.a, n.b, n.c};
    for (int i = 0; i < arity; ++i) s[i] = slot_of[static_cast<size_t>(operand[i])];
    const uint16_t dst = result_slot(n.type, {s[0], s[1], s[2]});
    int mask = 0;
    if (slots[dst].kind != Kind::cell) {
      for (int i = 0; i < arity; ++i) mask |= still(s[i]) ? 1 << i : 0;
      if (all_still_mask(mask, arity)) {
        s[0] = spread(s[0], n.op == PwOp::select ? Elem::bool_ : type);
        mask &= ~1;
      }
    }
    slot_of[v] = add_step(find_function(n.op, type, mask), dst, s[0], s[1], s[2]);
  }

  void emit_nodes() {
    for (size_t v = 0; v < program.nodes.size(); ++v) {
      const PwNode& n = program.nodes[v];
      if (!used[v]) continue;
      if (n.op == PwOp::constant) {
        slot_of[v] = add_slot(Kind::constant, 8, true, true);
        PwNode rounded = n;
        if (elem_held_in_f32(n.type)) {  // a constant of a half type has one of its values
          float x = static_cast<float>(n.value);
          round_function(n.type, false)(&x, &x, nullptr, nullptr, 1);
          rounded.value = x;
        }
        k.constants_.push_back(constant_cell(rounded));
        k.constant_slots_.push_back(slot_of[v]);
      } else if (n.op == PwOp::input) {
        if (!elem_held_in_f32(n.type)) continue;
        const uint16_t src = slot_of[v], dst = result_slot(Elem::f32, {src});
        const bool fill = slots[dst].kind != Kind::cell && still(src);
        slot_of[v] = add_step(cast_function(n.type, Elem::f32, fill), dst, src);
      } else {
        emit_node(v);
      }
    }
  }

  // Results go straight to the output when nothing afterwards reads input memory (an output may be an input's
  // buffer); else they wait in their register and are copied at the end of the tile.
  void place_outputs() {
    std::vector<uint16_t> hold;  // values of outputs; inputs are held in a register first
    for (int v : program.outputs) {
      uint16_t s = slot_of[static_cast<size_t>(v)];
      const Elem t = compute_elem(program.type(v));
      const bool alone = program.outputs.size() == 1 && t != program.type(v);  // one step from memory to memory
      if (slots[s].kind == Kind::memory && !slots[s].uniform && !alone) {
        const uint16_t r = add_slot(Kind::reg, slots[s].size, false, false);
        s = add_step(cast_function(t, t, still(s)), r, s);
      }
      hold.push_back(s);
    }
    int last_memory_read = -1;
    for (size_t i = 0; i < k.steps_.size(); ++i)
      for (uint16_t s : {k.steps_[i].a, k.steps_[i].b, k.steps_[i].c})
        if (s != kNone && slots[s].kind == Kind::memory) last_memory_read = static_cast<int>(i);
    for (size_t i = 0; i < hold.size(); ++i) {
      const Elem type = program.type(program.outputs[i]), t = compute_elem(type);
      Slot& s = slots[hold[i]];
      if (s.kind == Kind::reg && !s.pinned && type == t && !from_input(hold[i]) &&
          last_write(hold[i]) >= last_memory_read) {
        s.kind = Kind::memory;
        k.outputs_.push_back({hold[i], s.size});
        continue;
      }
      const uint16_t dst = add_slot(Kind::memory, elem_size(type), false, false);
      add_step(cast_function(t, type, still(hold[i])), dst, hold[i]);
      k.outputs_.push_back({dst, slots[dst].size});
    }
  }
  bool from_input(uint16_t s) const {
    return std::any_of(k.inputs_.begin(), k.inputs_.end(), [&](const PwKernel::Input& in) { return in.slot == s; });
  }
  int last_write(uint16_t s) const {
    int at = -1;
    for (size_t i = 0; i < k.steps_.size(); ++i)
      if (k.steps_[i].dst == s) at = static_cast<int>(i);
    return at;
  }

  // ---- registers and tiles ----

  void allocate_registers() {
    std::vector<int> busy_until;  // per register; the last step that reads it
    std::vector<uint8_t> width;   // element size its occupant had
    auto take = [&](uint16_t s, bool reuse_operands) {
      const int from = slots[s].first, until = slots[s].pinned ? 1 << 30 : slots[s].last;
      for (size_t r = 0; r < busy_until.size(); ++r) {
        // A step may write over an operand that it reads last, if the elements have one size.
        if (busy_until[r] < from || (reuse_operands && busy_until[r] == from && width[r] == slots[s].size)) {
          busy_until[r] = until;
          width[r] = slots[s].size;
          return k.registers_.push_back({s, static_cast<uint16_t>(r)});
        }
      }
      busy_until.push_back(until);
      width.push_back(slots[s].size);
      k.registers_.push_back({s, static_cast<uint16_t>(busy_until.size() - 1)});
    };
    for (size_t s = 0; s < slots.size(); ++s)  // filled before the first step
      if (slots[s].kind == Kind::reg && from_input(static_cast<uint16_t>(s))) take(static_cast<uint16_t>(s), false);
    for (const PwKernel::Step& step : k.steps_) {
      const uint16_t s = step.dst;
      const bool placed =
          std::any_of(k.registers_.begin(), k.registers_.end(), [&](auto& p) { return p.first == s; });
      if (slots[s].kind == Kind::reg && !placed) take(s, true);
    }
    k.num_registers_ = static_cast<int>(busy_until.size());
    GLIA_ASSERT(k.num_registers_ <= PwKernel::kMaxLive,
                "pointwise program needs too many registers: ask fits() first");
  }

  void choose_tiles() {
    int size = 1;
    for (const Slot& s : slots)
      if (s.kind == Kind::reg) size = std::max(size, static_cast<int>(s.size));
    const int64_t budget =
        PwKernel::kRegisterFile / 4 / (std::max(k.num_registers_, 1) * size);  // a quarter of it: half of L1
    int64_t tile = k.num_registers_ == 0 ? 4096 : std::clamp<int64_t>(budget / 64 * 64, 128, 512);
    if (k.rank_ > 1 && k.inner_ > 0 && k.inner_ < kShortRow) {
      k.rows_per_tile_ = std::max<int64_t>(1, tile / k.inner_);
      k.tile_ = k.rows_per_tile_ * k.inner_;
      k.tiles_ = (k.rows_ + k.rows_per_tile_ - 1) / k.rows_per_tile_;
    } else {
      const int64_t pieces = (k.inner_ + tile - 1) / tile;
      k.tile_ = pieces <= 1 ? k.inner_ : ((k.inner_ + pieces - 1) / pieces + 15) / 16 * 16;
      k.tiles_per_row_ = k.tile_ == 0 ? 0 : (k.inner_ + k.tile_ - 1) / k.tile_;
      k.tiles_ = k.rows_ * k.tiles_per_row_;
    }
    int64_t moved = 0;  // bytes
    for (const PwKernel::Input& in : k.inputs_) moved += in.direct ? in.size : 0;
    for (const PwKernel::Output& out : k.outputs_) moved += out.size;
    k.stream_ = moved * k.total_ > PwKernel::kCacheBytes && k.steps_.size() > 1;
    k.register_bytes_ = static_cast<int>((k.tile_ * size + 63) / 64 * 64);
    GLIA_ASSERT(k.num_registers_ * k.register_bytes_ <= PwKernel::kRegisterFile, "pointwise register file");
  }

  void choose_chunks() {
    double ns = 0.05 * static_cast<double>(k.inputs_.size() + k.outputs_.size());  // per element
    for (size_t v = 0; v < program.nodes.size(); ++v)
      if (used[v]) ns += pw_info(program.nodes[v].op).cost / 16.0;
    for (const PwKernel::Input& in : k.inputs_)
      if (!in.direct && !in.repeat && in.slot != kNone && !slots[in.slot].uniform) ns += 0.5;
    const double all = ns * static_cast<double>(k.total_);
    const int64_t chunks = std::clamp<int64_t>(static_cast<int64_t>(all / 4000), 1, 64);
    k.tiles_per_chunk_ = std::max<int64_t>(1, (k.tiles_ + chunks - 1) / chunks);
  }

  void compile(std::span<const int64_t> dims, std::span<const std::vector<int64_t>> strides) {
    GLIA_ASSERT(static_cast<int>(strides.size()) == program.num_inputs, "pointwise: strides for every input");
    slot_of.assign(program.nodes.size(), kNone);
    mark_used();
    fuse_products();
    merge_dims(dims, strides);
    place_inputs();
    emit_nodes();
    place_outputs();
    allocate_registers();
    choose_tiles();
    choose_chunks();
    for (size_t s = 0; s < slots.size(); ++s)
      if (slots[s].kind == Kind::cell) k.cell_slots_.push_back(static_cast<uint16_t>(s));
    k.num_slots_ = static_cast<int>(slots.size());
  }
};

PwKernel::PwKernel(const PwProgram& p, std::span<const int64_t> dims, std::span<const std::vector<int64_t>> strides) {
  PwCompiler{p, *this}.compile(dims, strides);
}

bool PwKernel::fits(const PwProgram& p) {
  if (p.nodes.size() * 3 + p.outputs.size() * 2 >= static_cast<size_t>(kMaxSlots)) return false;
  std::vector<int> last(p.nodes.size(), -1);
  for (size_t v = 0; v < p.nodes.size(); ++v)
    for (int o : {p.nodes[v].a, p.nodes[v].b, p.nodes[v].c})
      if (o >= 0) last[static_cast<size_t>(o)] = static_cast<int>(v);
  for (int o : p.outputs) last[static_cast<size_t>(o)] = static_cast<int>(p.nodes.size());
  int live = 0, peak = 0;
  for (size_t v = 0; v < p.nodes.size(); ++v) {
    if (p.nodes[v].op == PwOp::constant || p.nodes[v].op == PwOp::input) continue;
    ++live;
    peak = std::max(peak, live);
    for (size_t o = 0; o <= v; ++o)
      if (last[o] == static_cast<int>(v) && p.nodes[o].op != PwOp::constant && p.nodes[o].op != PwOp::input) --live;
  }
  // Any broadcast pattern: each input may need a copy and a conversion, each output a copy, an instruction one
  // operand.
  return 2 * p.num_inputs + peak + static_cast<int>(p.outputs.size()) + 1 <= kMaxLive;
}

}  // namespace glia::cpu
