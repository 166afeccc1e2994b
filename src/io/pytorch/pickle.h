// A reader of Python pickles that runs no code: numbers, texts, plain containers and, for PyTorch, tensors and
// storages. Every other class or function is refused by its name.
//
//   Pickle p(file_bytes);
//   const PickleValue* root = p.parse(in, limits);      // `in` stands behind the STOP opcode afterwards
//   if (root->kind == PickleValue::dict) ...
//
// Format: https://docs.python.org/3/library/pickletools.html. Protocols 0 to 5.
#pragma once
#include <glia/load_options.h>

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "io/file/byte_reader.h"

namespace glia::io {

struct PickleValue {
  enum Kind { none, boolean, integer, number, text, bytes, list, tuple, dict, global, object, persistent, mark };
  Kind kind = none;
  bool ordered_dict = false;
  int64_t i = 0;                    // integer, boolean
  double d = 0;                     // number
  std::string s;                    // text, bytes; "module.name" of a global; that of the callee of an object
  std::vector<PickleValue*> items;  // list, tuple; arguments of an object; the id of a persistent value
  std::vector<std::pair<PickleValue*, PickleValue*>> pairs;  // dict
};

class Pickle {
 public:
  // `file_bytes`: of the file that the pickle is part of. It bounds the number of values, so that a pickle that was
  // compressed a thousandfold cannot fill the memory.
  explicit Pickle(uint64_t file_bytes) : max_values_(100'000 + file_bytes / 12) {}
  // Throws Error with the offset. Values live as long as this object; they may refer to each other in cycles.
  const PickleValue* parse(ByteReader& in, const LoadLimits& limits);
  const std::deque<PickleValue>& values() const { return all_; }  // all that were made

 private:
  PickleValue* make(PickleValue::Kind kind);
  PickleValue* pop();
  PickleValue* top();
  std::vector<PickleValue*> pop_to_mark();
  void push(PickleValue* v) { stack_.push_back(v); }
  void push_text(PickleValue::Kind kind, uint64_t n);
  std::string line(const char* what);
  void step(uint8_t op);
  bool step_number(uint8_t op);
  bool step_text(uint8_t op);
  bool step_container(uint8_t op);
  bool step_memo(uint8_t op);
  void global(const std::string& module, const std::string& name);
  void reduce();
  void build();
  void set_items(PickleValue* to, const std::vector<PickleValue*>& flat);
  PickleValue* remembered(uint64_t index);

  ByteReader* in_ = nullptr;
  LoadLimits limits_;
  uint64_t max_values_;
  uint64_t at_ = 0;  // offset of the opcode
  std::deque<PickleValue> all_;
  std::vector<PickleValue*> stack_;
  std::unordered_map<uint64_t, PickleValue*> memo_;
};

}  // namespace glia::io
