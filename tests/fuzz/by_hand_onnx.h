// ONNX models that lie: tensors, shapes, attributes, nesting, circles, sizes of messages. A name that begins with '?' may be
// read as well as refused.
#pragma once
#include "fuzz/by_hand.h"
#include "io/onnx/testing/small_proto.h"

namespace glia::fuzz {

inline NamedBytes onnx_tensors_by_hand() {
  using namespace onnx::testing;
  NamedBytes r;
  auto tensor = [&](const std::string& name, const std::vector<int64_t>& dims, int64_t type, const std::string& raw) {
    Proto t;
    for (int64_t d : dims) t.number(1, d);
    t.number(2, type).text(9, raw).text(8, "w");
    r.emplace_back(name, model(graph_of({node("Add", {"x", "w"}, {"y"})}, {t})).bytes());
  };
  for (int64_t d : {int64_t{1} << 62, int64_t{1} << 40, int64_t{1} << 31, int64_t{1000000}, int64_t{-1}, INT64_MIN, INT64_MAX})
    tensor(fmt::format("a tensor of {}", d), {d}, 1, "abcd");
  tensor("extents whose product wraps", {int64_t{1} << 32, int64_t{1} << 32, 1}, 1, "");
  tensor("extents whose product wraps to 4", {65536, 65536, 65536, 65537}, 1, "abcd");
  tensor("a million axes", std::vector<int64_t>(1000000, 1), 1, "abcd");
  tensor("too many bytes", {1}, 1, "abcdefgh");
  tensor("half an element", {2}, 1, "abcdef");
  for (int64_t type : {int64_t{0}, int64_t{14}, int64_t{15}, int64_t{99}, int64_t{-1}, INT64_MAX})
    tensor(fmt::format("type {}", type), {1}, type, "abcdabcdabcdabcd");
  return r;
}
// What an operator computes from constants, with numbers too large.
inline NamedBytes onnx_operators_by_hand() {
  using namespace onnx::testing;
  NamedBytes r;
  const int64_t much = int64_t{1} << 40;
  auto add = [&](const std::string& name, const std::vector<Proto>& nodes, const std::vector<Proto>& constants = {}) {
    r.emplace_back(name, model(graph_of(nodes, constants)).bytes());
  };
  auto ints = [](const std::string& name, const std::vector<int64_t>& v) {
    Proto a = Proto().text(1, name).number(20, 7);
    for (int64_t i : v) a.number(8, i);
    return a;
  };
  for (const char* op : {"Expand", "Tile", "Reshape"})
    for (int64_t n : {much, INT64_MAX, INT64_MIN, int64_t{-7}})
      add(fmt::format("{} to {}", op, n), {node(op, {"x", "s"}, {"y"})}, {int_tensor("s", {n, n})});
  add("ConstantOfShape", {node("ConstantOfShape", {"s"}, {"c"}), node("Add", {"x", "c"}, {"y"})}, {int_tensor("s", {much, 2, 3})});
  add("Range", {node("Range", {"a", "b", "c"}, {"r"}), node("Add", {"x", "r"}, {"y"})},
      {int_tensor("a", {0}), int_tensor("b", {INT64_MAX}), int_tensor("c", {1})});
  add("Range of no step", {node("Range", {"a", "b", "c"}, {"r"}), node("Add", {"x", "r"}, {"y"})},
      {int_tensor("a", {0}), int_tensor("b", {9}), int_tensor("c", {0})});
  for (int64_t n : {much, INT64_MAX, INT64_MIN})
    add(fmt::format("Pad by {}", n), {node("Pad", {"x", "s"}, {"y"})}, {int_tensor("s", {n, n, n, n})});
  for (int64_t n : {int64_t{99}, INT64_MAX, INT64_MIN}) {
    add(fmt::format("axis {}", n), {node("Softmax", {"x"}, {"y"}, {Proto().text(1, "axis").number(3, n).number(20, 2)})});
    add(fmt::format("a permutation with {}", n), {node("Transpose", {"x"}, {"y"}, {ints("perm", {0, n})})});
    add(fmt::format("? Gather at {}", n), {node("Gather", {"x", "i"}, {"y"})}, {int_tensor("i", {n})});
    add(fmt::format("Split into {}", n), {node("Split", {"x", "s"}, {"y", "z"})}, {int_tensor("s", {n, n})});
  }
  add("Slice by no step", {node("Slice", {"x", "a", "b", "c", "d"}, {"y"})},
      {int_tensor("a", {0}), int_tensor("b", {2}), int_tensor("c", {0}), int_tensor("d", {0})});
  add("a pool of no size", {node("MaxPool", {"x"}, {"y"}, {ints("kernel_shape", {})})});
  add("a pool of rank 2", {node("MaxPool", {"x"}, {"y"}, {ints("kernel_shape", {3, 3})})});
  add("no inputs", {node("Relu", {}, {"y"})});
  add("? too many inputs", {node("Relu", {"x", "x", "x"}, {"y"})});
  add("? an attribute twice of two types",
      {node("Softmax", {"x"}, {"y"}, {ints("axis", {1}), Proto().text(1, "axis").number(3, 1).number(20, 2)})});
  return r;
}
inline NamedBytes onnx_by_hand(const Bytes& valid) {
  using namespace onnx::testing;
  NamedBytes r = onnx_tensors_by_hand();
  for (auto& f : onnx_operators_by_hand()) r.push_back(std::move(f));
  auto add = [&](const std::string& name, const Proto& p) { r.emplace_back(name, p.bytes()); };
  add("a circle", model(graph_of({node("Relu", {"z"}, {"y"}), node("Relu", {"y"}, {"z"})})));
  add("a node that reads itself", model(graph_of({node("Relu", {"y"}, {"y"})})));
  add("? two of one name", model(graph_of({node("Relu", {"x"}, {"y"}), node("Relu", {"x"}, {"y"})})));
  add("an output of no node", model(graph_of({node("Relu", {"x"}, {"z"})})));
  add("an unknown operator", model(graph_of({node("Launch", {"x"}, {"y"})})));
  add("an operator of another domain", model(graph_of({node("Relu", {"x"}, {"y"}).text(7, "ai.mine")})));
  for (int64_t opset : {int64_t{0}, int64_t{-1}, int64_t{999}, INT64_MAX})
    add(fmt::format("? opset {}", opset), model(graph_of({node("Relu", {"x"}, {"y"})}), opset));
  Proto deep, wide, types;
  for (int i = 0; i < 1000; ++i)
    deep = graph_of({node("If", {"c"}, {"y"}, {Proto().text(1, "then_branch").number(20, 5).message(6, deep)})});
  add("branches within branches", model(deep));
  for (int i = 0; i < 30000; ++i) types = Proto().message(4, Proto().message(1, types));
  add("types within types", model(Proto().message(11, Proto().text(1, "x").message(2, types))));
  add("a million nodes of nothing", model(Proto().raw([] {
    Bytes b;
    for (int i = 0; i < 1 << 21; ++i) b += "\x0a\0"s;
    return b;
  }())));
  Proto self = Proto().text(1, "F").text(4, "a").text(5, "b").message(7, node("F", {"a"}, {"b"}).text(7, "me")).text(10, "me");
  add("a function that calls itself", model(graph_of({node("F", {"x"}, {"y"}).text(7, "me")})).message(25, self));
  // Each function calls the one before it twice: 2^40 nodes.
  Proto laughs = model(graph_of({node("F40", {"x"}, {"y"}).text(7, "me")}));
  for (int i = 1; i <= 40; ++i) {
    const std::string inner = "F" + std::to_string(i - 1);
    laughs.message(25, Proto().text(1, "F" + std::to_string(i)).text(4, "a").text(5, "b")
                           .message(7, node(i > 1 ? inner : "Relu", {"a"}, {"c"}).text(7, i > 1 ? "me" : ""))
                           .message(7, node(i > 1 ? inner : "Relu", {"c"}, {"b"}).text(7, i > 1 ? "me" : "")).text(10, "me"));
  }
  add("a billion laughs", laughs);
  add("an input of 2^100", model(Proto().message(1, node("Relu", {"x"}, {"y"}))
                                     .message(11, input("x", {int64_t{1} << 50, int64_t{1} << 50})).message(12, input("y", {}))));
  r.emplace_back("nothing", "");
  r.emplace_back("a length of 2^63", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
  r.emplace_back("a number without end", Bytes(64, '\xff'));
  r.emplace_back("field 0", "\0\1"s + valid);
  r.emplace_back("an open group", "\x0b" + valid);
  r.emplace_back("groups within groups", Bytes(100000, '\x0b'));
  r.emplace_back("cut", valid.substr(0, valid.size() - 3));
  return r;
}

}  // namespace glia::fuzz
