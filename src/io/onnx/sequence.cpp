// Lists of arrays, and optional values: their lengths and positions are known when a step is compiled, so they exist
// only while a graph is read.
#include "io/onnx/interpreter.h"
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

constexpr int64_t kMostElements = 65536;

Operands elements_of(const Node& n, size_t i) {
  n.check(n.has(i) && n.operands()[i].is_sequence(), fmt::format("input {} must be a sequence.", i));
  return n.operands()[i].elements();
}
// A position in a list of `size` elements; of an insertion it may stand behind the last.
size_t position(const Node& n, size_t i, size_t size, bool insertion) {
  const int64_t count = static_cast<int64_t>(size), at = known_integer(n, i, "the position");
  n.check(at >= -count && (at < count || (insertion && at == count)),
          fmt::format("position {} of a sequence of {}.", at, count));
  return static_cast<size_t>(at < 0 ? at + count : at);
}

Operands import_construct(Node& n) {
  for (size_t i = 0; i < n.count(); ++i) n.operand(i);  // arrays, all of them
  n.check(n.count() > 0, "a sequence of nothing: use SequenceEmpty.");
  return {Operand::sequence(n.operands())};
}
Operands import_empty(Node&) { return {Operand::sequence({})}; }
Operands import_at(Node& n) {
  const Operands list = elements_of(n, 0);
  return {list[position(n, 1, list.size(), false)]};
}
Operands import_insert(Node& n) {
  Operands list = elements_of(n, 0);
  n.check(list.size() < kMostElements, fmt::format("a sequence of more than {} arrays.", kMostElements));
  const size_t at = n.has(2) ? position(n, 2, list.size(), true) : list.size();
  list.insert(list.begin() + static_cast<std::ptrdiff_t>(at), n.operand(1));
  return {Operand::sequence(std::move(list))};
}
Operands import_erase(Node& n) {
  Operands list = elements_of(n, 0);
  n.check(!list.empty(), "there is nothing to erase in an empty sequence.");
  const size_t at = n.has(1) ? position(n, 1, list.size(), false) : list.size() - 1;
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(at));
  return {Operand::sequence(std::move(list))};
}
Operands import_length(Node& n) {
  return {Value(Tensor::scalar(static_cast<double>(elements_of(n, 0).size()), DType::i64))};
}

Operands import_split_to_sequence(Node& n) {
  const Value x = n.in(0);
  n.check(x.rank() > 0, "a number cannot be split.");
  const int64_t axis = n.axis(n.i("axis", 0), x.rank()), extent = x.dim(static_cast<int>(axis));
  Ints sizes;
  bool keep = true;
  if (!n.has(1)) {
    n.check(extent <= kMostElements, fmt::format("a sequence of more than {} arrays.", kMostElements));
    sizes.assign(static_cast<size_t>(extent), 1);
    keep = n.i("keepdims", 1) != 0;
  } else if (const Tensor split = n.known(1, "the sizes"); split.rank() == 0) {
    const int64_t size = static_cast<int64_t>(split.item(0));
    n.check(size > 0 && (extent + size - 1) / size <= kMostElements, fmt::format("parts of {} of {}.", size, extent));
    for (int64_t at = 0; at < extent; at += size) sizes.push_back(std::min(size, extent - at));
  } else {
    sizes = n.known_ints(1, "the sizes");
    int64_t left = extent;
    for (int64_t s : sizes) {
      n.check(s >= 0 && s <= left, fmt::format("the sizes do not fit the extent {}.", extent));
      left -= s;
    }
    n.check(left == 0, fmt::format("the sizes do not fit the extent {}.", extent));
  }
  Operands list;
  int64_t at = 0;
  for (int64_t s : sizes) {
    const Value part = ops::slice_axis(x, axis, at, at + s);
    list.push_back(keep ? part : ops::squeeze(part, {axis}));
    at += s;
  }
  return {Operand::sequence(std::move(list))};
}

Operands import_concat_from_sequence(Node& n) {
  const Operands list = elements_of(n, 0);
  n.check(!list.empty(), "there is nothing to join in an empty sequence.");
  Values parts;
  for (const Operand& x : list) {
    n.check(!x.is_sequence(), "a sequence of sequences cannot be joined.");
    parts.push_back(x.logical());
  }
  const bool fresh = n.i("new_axis", 0) != 0;
  const int64_t axis = n.axis(n.i("axis"), parts[0].rank() + (fresh ? 1 : 0));
  if (fresh) return {ops::stack(parts, axis)};
  return {parts.size() == 1 ? parts[0] : ops::concatenate(parts, axis)};
}

// The body once for each element of the first sequence; of other inputs sequences go along, arrays stay.
Operands import_map(Node& n) {
  const Attribute* a = n.attr("body");
  n.check(a && a->body && a->body->inputs.size() == n.count(), "the body does not fit the inputs.");
  const size_t length = elements_of(n, 0).size();
  std::vector<Operands> rows(a->body->outputs.size());
  for (size_t k = 0; k < length; ++k) {
    Scope scope(&n.interpreter().scope());
    for (size_t i = 0; i < n.count(); ++i) {
      const Operand& x = n.operands()[i];
      n.check(!x.is_sequence() || x.elements().size() == length, "the sequences have different lengths.");
      scope.set(a->body->inputs[i].name, x.is_sequence() ? x.elements()[k] : x);
    }
    n.interpreter().repeats_left -= 1 + static_cast<int64_t>(a->body->nodes.size());
    n.check(n.interpreter().repeats_left >= 0, "the loops of this model would emit too many nodes.");
    const Operands out = n.interpreter().run(*a->body, scope);
    for (size_t i = 0; i < rows.size(); ++i) rows[i].push_back(out[i]);
  }
  Operands r;
  for (Operands& row : rows) r.push_back(Operand::sequence(std::move(row)));
  return r;
}

// ---- optional values: the value itself, or nothing ----

Operands import_optional(Node& n) { return {n.count() > 0 && n.has(0) ? n.operands()[0] : Operand::nothing()}; }
Operands import_has_element(Node& n) {
  const bool has = n.count() > 0 && n.has(0) && !n.operands()[0].is_nothing();
  return {Value(Tensor::scalar(has, DType::bool_))};
}
Operands import_get_element(Node& n) {
  n.check(n.has(0) && !n.operands()[0].is_nothing(), "an optional value that is empty has no element.");
  return {n.operands()[0]};
}

}  // namespace

OperatorList sequence_operators() {
  return {{"ConcatFromSequence", 11, import_concat_from_sequence},
          {"Optional", 15, import_optional},
          {"OptionalGetElement", 15, import_get_element},
          {"OptionalHasElement", 15, import_has_element},
          {"SequenceAt", 11, import_at, {1}},
          {"SequenceConstruct", 11, import_construct},
          {"SequenceEmpty", 11, import_empty},
          {"SequenceErase", 11, import_erase, {1}},
          {"SequenceInsert", 11, import_insert, {2}},
          {"SequenceLength", 11, import_length},
          {"SequenceMap", 17, import_map},
          {"SplitToSequence", 11, import_split_to_sequence, {1}}};
}

}  // namespace glia::onnx
