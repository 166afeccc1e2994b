#include "io/pytorch/pickle.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "io/file/path_name.h"

namespace glia::io {
namespace {

constexpr uint64_t kMaxText = uint64_t{64} << 20;
using V = PickleValue;

// What a state dict may call. Dtypes and storage classes are names only; see pytorch.cpp for what they become.
bool is_allowed(std::string_view name) {
  constexpr std::array exact = {"collections.OrderedDict",
                                "torch._utils._rebuild_tensor",
                                "torch._utils._rebuild_tensor_v2",
                                "torch._utils._rebuild_tensor_v3",
                                "torch._utils._rebuild_parameter",
                                "torch._utils._rebuild_parameter_with_state",
                                "torch.Size",
                                "torch.device",
                                "torch.storage.UntypedStorage"};
  for (const char* e : exact)
    if (name == e) return true;
  if (!name.starts_with("torch.") || name.find('.', 6) != std::string_view::npos) return false;
  std::string_view last = name.substr(6);
  constexpr std::array dtypes = {"float32", "float64", "float16", "bfloat16", "int64",
                                 "int32",   "int16",   "int8",    "uint8",    "bool",
                                 "uint16",  "uint32",  "uint64",  "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"};
  constexpr std::array storages = {"FloatStorage", "DoubleStorage", "HalfStorage", "BFloat16Storage", "LongStorage",
                                   "IntStorage",   "ShortStorage",  "CharStorage", "ByteStorage",     "BoolStorage"};
  for (const char* d : dtypes)
    if (last == d) return true;
  for (const char* s : storages)
    if (last == s) return true;
  return false;
}

// Values that every pickle has many of, and nobody changes.
struct Shared {
  V none, mark, small[256], booleans[2];
  Shared() {
    mark.kind = V::mark;
    for (int i = 0; i < 256; ++i) small[i].kind = V::integer, small[i].i = i;
    for (int i = 0; i < 2; ++i) booleans[i].kind = V::boolean, booleans[i].i = i;
  }
};
Shared& shared() {
  static Shared s;
  return s;
}

}  // namespace

V* Pickle::make(V::Kind kind) {
  if (all_.size() >= max_values_)
    in_->fail_at(at_,
                 fmt::format("the pickle makes more than {} values, too many for a file of this size.", max_values_));
  V& v = all_.emplace_back();
  v.kind = kind;
  return &v;
}

V* Pickle::top() {
  if (stack_.empty() || stack_.back()->kind == V::mark)
    in_->fail_at(at_, "the pickle takes a value from an empty stack.");
  return stack_.back();
}
V* Pickle::pop() {
  V* v = top();
  stack_.pop_back();
  return v;
}
std::vector<V*> Pickle::pop_to_mark() {
  std::size_t i = stack_.size();
  while (i > 0 && stack_[i - 1]->kind != V::mark) --i;
  if (i == 0) in_->fail_at(at_, "the pickle closes a container that it never opened.");
  std::vector<V*> r(stack_.begin() + static_cast<std::ptrdiff_t>(i), stack_.end());
  stack_.resize(i - 1);
  return r;
}

const V* Pickle::parse(ByteReader& in, const LoadLimits& limits) {
  in_ = &in;
  limits_ = limits;
  stack_.clear();
  memo_.clear();
  for (;;) {
    at_ = in.offset();
    uint8_t op = in.u8("the pickle");
    if (op == '.') return pop();
    step(op);
  }
}

void Pickle::step(uint8_t op) {
  if (op == 0x80) {  // PROTO
    uint8_t version = in_->u8("the protocol");
    if (version > 5) in_->fail_at(at_, fmt::format("protocol {} of the pickle is not known; 0 to 5 are.", version));
    return;
  }
  if (op == 0x95) return in_->skip(8, "a frame's length");  // FRAME: lengths are only a hint for buffering
  if (step_number(op) || step_text(op) || step_container(op) || step_memo(op)) return;
  switch (op) {
    case 'c': {
      std::string module = line("a module's name"), name = line("a name");
      return global(module, name);
    }
    case 0x93: {
      V *name = pop(), *module = pop();
      if (name->kind != V::text || module->kind != V::text) in_->fail_at(at_, "a global's name is no text.");
      return global(module->s, name->s);
    }
    case 'R':
      return reduce();
    case 0x81:
      return reduce();  // NEWOBJ: class and arguments
    case 'b':
      return build();
    case 'Q': {
      V *id = pop(), *v = make(V::persistent);
      if (id->kind != V::tuple) in_->fail_at(at_, "a persistent id that is no tuple.");
      v->items = id->items;
      return push(v);
    }
    case '0':
      if (!stack_.empty() && stack_.back()->kind == V::mark)
        stack_.pop_back();
      else
        pop();
      return;
    case '1':
      pop_to_mark();
      return;
    case '2':
      return push(top());
    default:
      in_->fail_at(
          at_, fmt::format("the opcode 0x{:02x} is refused: it makes objects by running code, or is not known.", op));
  }
}

bool Pickle::step_number(uint8_t op) {
  auto integer = [&](int64_t v) {
    V* r = v >= 0 && v < 256 ? &shared().small[v] : make(V::integer);
    if (v < 0 || v >= 256) r->i = v;
    push(r);
    return true;
  };
  auto boolean = [&](bool v) {
    push(&shared().booleans[v]);
    return true;
  };
  auto number = [&](double v) {
    V* r = make(V::number);
    r->d = v;
    push(r);
    return true;
  };
  auto whole = [&](const std::string& text, const char** end) {
    char* e = nullptr;
    int64_t v = std::strtoll(text.c_str(), &e, 10);
    *end = e;
    return v;
  };
  const char* end = nullptr;
  switch (op) {
    case 'N':
      push(&shared().none);
      return true;
    case 0x88:
      return boolean(true);
    case 0x89:
      return boolean(false);
    case 'J':
      return integer(static_cast<int32_t>(in_->u32("an integer")));
    case 'K':
      return integer(in_->u8("an integer"));
    case 'M':
      return integer(in_->u16("an integer"));
    case 'I':
    case 'L': {
      std::string text = line("an integer");
      if (op == 'I' && (text == "00" || text == "01")) return boolean(text == "01");
      int64_t v = whole(text, &end);
      if (text.empty() || (*end && std::string_view(end) != "L"))
        in_->fail_at(at_, "'" + printable(text) + "' is no integer.");
      return integer(v);
    }
    case 0x8a:
    case 0x8b: {
      uint64_t n = op == 0x8a ? in_->u8("an integer's length") : in_->u32("an integer's length");
      if (n > 1024) in_->fail_at(at_, fmt::format("an integer of {} bytes.", n));
      std::vector<uint8_t> b = in_->read_promised(n, "an integer");
      int64_t v = 0;  // longer ones than 64 bits (a magic number) keep their low bits
      std::memcpy(&v, b.data(), std::min<std::size_t>(8, b.size()));
      if (n > 0 && n < 8 && (b.back() & 0x80)) v |= ~int64_t{0} << (8 * n);
      return integer(v);
    }
    case 'F': {
      std::string text = line("a number");
      char* e = nullptr;
      double v = std::strtod(text.c_str(), &e);
      if (text.empty() || *e) in_->fail_at(at_, "'" + printable(text) + "' is no number.");
      return number(v);
    }
    case 'G': {
      uint64_t bits = in_->u64be("a number");
      double v;
      std::memcpy(&v, &bits, 8);
      return number(v);
    }
    default:
      return false;
  }
}

void Pickle::push_text(V::Kind kind, uint64_t n) {
  if (n > kMaxText) in_->fail_at(at_, fmt::format("a text of {} bytes, {} are allowed.", n, kMaxText));
  std::vector<uint8_t> b = in_->read_promised(n, "a text");
  V* v = make(kind);
  v->s.assign(b.begin(), b.end());
  push(v);
}

std::string Pickle::line(const char* what) {
  std::string r;
  for (char c; (c = static_cast<char>(in_->u8(what))) != '\n'; r += c)
    if (r.size() > limits_.max_name_length)
      in_->fail_at(at_, fmt::format("{} is longer than {} bytes.", what, limits_.max_name_length));
  return r;
}

bool Pickle::step_text(uint8_t op) {
  switch (op) {
    case 'X':
      push_text(V::text, in_->u32("a length"));
      return true;
    case 0x8c:
      push_text(V::text, in_->u8("a length"));
      return true;
    case 0x8d:
      push_text(V::text, in_->u64("a length"));
      return true;
    case 'T':
      push_text(V::text, in_->u32("a length"));
      return true;  // Python 2's str
    case 'U':
      push_text(V::text, in_->u8("a length"));
      return true;
    case 'B':
      push_text(V::bytes, in_->u32("a length"));
      return true;
    case 'C':
      push_text(V::bytes, in_->u8("a length"));
      return true;
    case 0x8e:
      push_text(V::bytes, in_->u64("a length"));
      return true;
    case 'V':
    case 'S': {
      std::string s = line("a text");
      if (op == 'S' && s.size() >= 2 && (s[0] == '\'' || s[0] == '"') && s.back() == s[0])
        s = s.substr(1, s.size() - 2);
      V* v = make(V::text);
      v->s = std::move(s);
      push(v);
      return true;
    }
    default:
      return false;
  }
}

void Pickle::set_items(V* to, const std::vector<V*>& flat) {
  if (to->kind != V::dict || flat.size() % 2) in_->fail_at(at_, "items are set in something that is no dictionary.");
  for (std::size_t i = 0; i < flat.size(); i += 2) to->pairs.emplace_back(flat[i], flat[i + 1]);
}

bool Pickle::step_container(uint8_t op) {
  auto tuple_of = [&](std::size_t n) {
    V* t = make(V::tuple);
    t->items.resize(n);
    while (n-- > 0) t->items[n] = pop();
    push(t);
    return true;
  };
  switch (op) {
    case '(':
      push(&shared().mark);
      return true;
    case ')':
      return tuple_of(0);
    case 0x85:
      return tuple_of(1);
    case 0x86:
      return tuple_of(2);
    case 0x87:
      return tuple_of(3);
    case 't':
    case 'l':
    case 0x91: {  // tuple, list, frozenset
      V* t = make(op == 't' ? V::tuple : V::list);
      t->items = pop_to_mark();
      push(t);
      return true;
    }
    case ']':
    case 0x8f:
      push(make(V::list));
      return true;  // list, set
    case '}':
      push(make(V::dict));
      return true;
    case 'd': {
      std::vector<V*> flat = pop_to_mark();
      V* d = make(V::dict);
      set_items(d, flat);
      push(d);
      return true;
    }
    case 'a':
    case 'e':
    case 0x90: {
      std::vector<V*> more;
      if (op == 'a')
        more = {pop()};
      else
        more = pop_to_mark();
      V* to = top();
      if (to->kind != V::list) in_->fail_at(at_, "something is appended to a value that is no list.");
      to->items.insert(to->items.end(), more.begin(), more.end());
      return true;
    }
    case 's': {
      V *value = pop(), *key = pop();
      set_items(top(), {key, value});
      return true;
    }
    case 'u': {
      std::vector<V*> flat = pop_to_mark();
      set_items(top(), flat);
      return true;
    }
    default:
      return false;
  }
}

V* Pickle::remembered(uint64_t index) {
  auto it = memo_.find(index);
  if (it == memo_.end())
    in_->fail_at(at_, fmt::format("the pickle refers to value {}, which it never stored.", index));
  return it->second;
}

bool Pickle::step_memo(uint8_t op) {
  auto number = [&] { return std::strtoull(line("an index").c_str(), nullptr, 10); };
  switch (op) {
    case 'p': {
      uint64_t i = number();
      memo_[i] = top();
      return true;
    }
    case 'q': {
      uint64_t i = in_->u8("an index");
      memo_[i] = top();
      return true;
    }
    case 'r': {
      uint64_t i = in_->u32("an index");
      memo_[i] = top();
      return true;
    }
    case 0x94:
      memo_[memo_.size()] = top();
      return true;
    case 'g':
      push(remembered(number()));
      return true;
    case 'h':
      push(remembered(in_->u8("an index")));
      return true;
    case 'j':
      push(remembered(in_->u32("an index")));
      return true;
    default:
      return false;
  }
}

void Pickle::global(const std::string& module, const std::string& name) {
  V* v = make(V::global);
  v->s = module + "." + name;
  if (!is_allowed(v->s))
    in_->fail_at(
        at_,
        fmt::format(
            "the global '{}' is refused: only tensors and plain containers are read, no code is ever run. In Python: "
            "torch.save(model.state_dict(), path).",
            printable(v->s)));
  push(v);
}

// A call. OrderedDict becomes a dictionary, everything else stays a description of the call for whoever knows the
// name.
void Pickle::reduce() {
  V *arguments = pop(), *callee = pop();
  if (callee->kind != V::global || arguments->kind != V::tuple)
    in_->fail_at(at_, "a call of something that is no known function.");
  if (callee->s == "collections.OrderedDict") {
    V* d = make(V::dict);
    d->ordered_dict = true;
    if (arguments->items.size() > 1 || (arguments->items.size() == 1 && arguments->items[0]->kind != V::list))
      in_->fail_at(at_, "an OrderedDict of unknown content.");
    if (!arguments->items.empty())
      for (V* pair : arguments->items[0]->items) set_items(d, pair->items);
    return push(d);
  }
  V* v = make(V::object);
  v->s = callee->s;
  v->items = arguments->items;
  push(v);
}

// Attributes: PyTorch hangs version numbers on the OrderedDict of a state dict, which nothing here needs.
void Pickle::build() {
  pop();
  V* to = top();
  if (!(to->kind == V::dict && to->ordered_dict) && to->kind != V::object)
    in_->fail_at(at_, "attributes are set on a value that takes none.");
}

}  // namespace glia::io
