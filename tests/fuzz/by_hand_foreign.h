// Files of other programs' models that lie: configurations with one value changed, texts in npz, folders of transformers, Keras 2,
// 8-bit weights, ONNX sequences, trees and integers.
#pragma once
#include <nlohmann/json.hpp>

#include "fuzz/by_hand_keras.h"
#include "fuzz/by_hand_onnx.h"

namespace glia::fuzz {

// The text once for every value in it, which becomes something else in turn: too large, negative, of another kind, gone. Many of
// them are read, as nothing depends on that value.
inline NamedBytes json_values_changed(const Bytes& valid, std::size_t most = 300) {
  using Json = nlohmann::json;
  const Json whole = Json::parse(valid, nullptr, false);
  NamedBytes r;
  if (whole.is_discarded()) return r;
  const Json flat = whole.flatten();
  static const Json others[] = {9223372036854775807, -7, "x", nullptr, 4000000000, Json::object(), 0, 1e300, Json::array({1, 2}), true, 65537};
  std::size_t k = 0;
  const std::size_t step = flat.size() / most + 1;
  for (auto it = flat.begin(); it != flat.end(); ++it, ++k) {
    if (k % step) continue;
    const Json& to = others[k / step % std::size(others)];
    Json changed = whole;
    changed[Json::json_pointer(it.key())] = to;
    r.emplace_back("? " + it.key() + " is " + to.dump(), changed.dump());
  }
  r.emplace_back("nothing", "");
  r.emplace_back("a list", "[]");
  r.emplace_back("a text", "\"x\"");
  r.emplace_back("nested", Bytes(100000, '['));
  r.emplace_back("no text", "\xff\xfe\0"s);
  return r;
}

inline NamedBytes npz_strings_by_hand(const Bytes& valid) {
  NamedBytes r = zip_by_hand(valid);
  auto add = [&](const std::string& name, const Bytes& npy) { r.emplace_back(name, zip_of({{"a.npy", npy}})); };
  for (const char* descr : {"<U4611686018427387904", "<U9223372036854775807", "<U99999999999999999999", "<U-1", "<U1.5", "<U", "|S", "<U0x4",
                            "|S4294967296", ">U1073741824", "<Ub", "<U3O", "|V4"})
    add(descr, npy_of(npy_dict(descr, "(1,)"), "abcdabcd"));
  for (const char* shape : {"(9223372036854775807,)", "(4294967296, 4294967296)", "(-1,)", "(2,"}) {
    add("text "s + shape, npy_of(npy_dict("<U2", shape), "abcdabcd"));
    add("bytes "s + shape, npy_of(npy_dict("|S2", shape), "abcd"));
  }
  add("? widths of nothing", npy_of(npy_dict("|S0", "(9223372036854775807,)")));
  add("a trillion empty texts", npy_of(npy_dict("<U0", "(1000000000000,)")));
  auto text = [&](const std::string& name, uint32_t code) {
    Bytes b;
    put(b, code, 4);
    add(name, npy_of(npy_dict("<U1", "(1,)"), b));
  };
  text("? half a surrogate", 0xd800);
  text("a code beyond Unicode", 0x110000);
  text("a code of 2^31", 0x80000000);
  text("a code of 2^32 - 1", 0xffffffff);
  add("too few characters", npy_of(npy_dict("<U4", "(1,)"), "abcd"));
  add("too many characters", npy_of(npy_dict("<U1", "(1,)"), "abcdabcd"));
  r.emplace_back("bomb", zip_of({{"a.npy", npy_of(npy_dict("<U4", "(1,)"), zeros())}}, true));
  return r;
}

// model.safetensors.index.json of a folder whose weights are in shards.
inline NamedBytes shard_index_by_hand(const Bytes& valid) {
  NamedBytes r = json_values_changed(valid);
  for (const char* away : {"../x.safetensors", "/etc/passwd", "..", ".", "", "/", "\\u0000", "none.safetensors", "config.json", "./../x", "a/../../x"})
    r.emplace_back("a shard "s + away, "{\"weight_map\": {\"wte.weight\": \""s + away + "\"}}");
  r.emplace_back("no map", "{}");
  r.emplace_back("a long name", "{\"weight_map\": {\"wte.weight\": \"" + Bytes(100000, 'n') + "\"}}");
  return r;
}
inline NamedBytes transformers_config_by_hand(const Bytes& valid) {
  NamedBytes r = json_values_changed(valid);
  auto with = [&](const char* key, const char* value) {
    nlohmann::json j = nlohmann::json::parse(valid);
    j[key] = nlohmann::json::parse(value);
    r.emplace_back(fmt::format("{} {}", key, value), j.dump());
  };
  for (const char* key : {"n_embd", "n_head", "n_layer", "n_positions", "vocab_size", "n_inner"})
    for (const char* value : {"4000000000", "9223372036854775807", "-1", "0", "\"x\"", "1000003"}) with(key, value);
  for (const char* key : {"model_type", "activation_function"})
    for (const char* value : {"\"llama\"", "7", "{}", "\"../x\""}) with(key, value);
  return r;
}

// HDF5 files of Keras 2: their bytes, and their configuration.
inline NamedBytes keras2_h5_by_hand(const Bytes& valid) {
  using io::hdf5::Array;
  if (!io::hdf5::available()) return {};
  NamedBytes r = hdf5_by_hand(valid);
  const std::string config = tree_of(valid).text_attribute("model_config");
  for (auto& [name, text] : json_values_changed(config, 80)) {
    io::hdf5::Group tree = tree_of(valid);
    tree.attributes["model_config"] = Array::text(text);
    r.emplace_back(name, io::hdf5::write(tree));
  }
  return r;
}

// ---- ONNX: lists, trees, support vectors ----

inline onnx::testing::Proto attribute_of(const std::string& name, const std::vector<int64_t>& v) {
  auto a = onnx::testing::Proto().text(1, name).number(20, 7);
  for (int64_t i : v) a.number(8, i);
  return a;
}
inline onnx::testing::Proto attribute_of(const std::string& name, const std::vector<float>& v) {
  auto a = onnx::testing::Proto().text(1, name).number(20, 6);
  Bytes packed;
  for (float f : v) packed.append(reinterpret_cast<const char*>(&f), 4);
  return a.text(7, packed);
}
inline onnx::testing::Proto attribute_of(const std::string& name, const std::vector<std::string>& v) {
  auto a = onnx::testing::Proto().text(1, name).number(20, 8);
  for (const std::string& s : v) a.text(9, s);
  return a;
}
inline onnx::testing::Proto attribute_of(const std::string& name, int64_t v) { return onnx::testing::Proto().text(1, name).number(3, v).number(20, 2); }

inline NamedBytes onnx_sequences_by_hand(const Bytes& valid) {
  using namespace onnx::testing;
  NamedBytes r;
  auto add = [&](const std::string& name, const std::vector<Proto>& nodes, const std::vector<Proto>& constants = {}) {
    r.emplace_back(name, model(graph_of(nodes, constants)).bytes());
  };
  const Proto list = node("SequenceConstruct", {"x", "x"}, {"s"});
  for (int64_t at : {int64_t{2}, int64_t{-3}, int64_t{1} << 40, INT64_MAX, INT64_MIN}) {
    add(fmt::format("SequenceAt {}", at), {list, node("SequenceAt", {"s", "i"}, {"y"})}, {int_tensor("i", {at})});
    add(fmt::format("SequenceErase {}", at), {list, node("SequenceErase", {"s", "i"}, {"t"}), node("ConcatFromSequence", {"t"}, {"y"}, {attribute_of("axis", 0)})},
        {int_tensor("i", {at})});
    if (at != 2)
      add(fmt::format("SequenceInsert {}", at), {list, node("SequenceInsert", {"s", "x", "i"}, {"t"}), node("ConcatFromSequence", {"t"}, {"y"}, {attribute_of("axis", 0)})},
          {int_tensor("i", {at})});
    add(fmt::format("joined on axis {}", at), {list, node("ConcatFromSequence", {"s"}, {"y"}, {attribute_of("axis", at)})});
    add(fmt::format("parts of {}", at == 2 ? 0 : at), {node("SplitToSequence", {"x", "i"}, {"s"}), node("SequenceAt", {"s", "z"}, {"y"})},
        {int_tensor("i", {at == 2 ? 7 : at}), int_tensor("z", {0})});
    add(fmt::format("split on axis {}", at), {node("SplitToSequence", {"x"}, {"s"}, {attribute_of("axis", at)}), node("SequenceAt", {"s", "z"}, {"y"})},
        {int_tensor("z", {0})});
  }
  add("a list as an array", {list, node("Relu", {"s"}, {"y"})});
  add("a list as the result", {node("SequenceConstruct", {"x", "x"}, {"y"})});
  add("an array as a list", {node("SequenceAt", {"x", "i"}, {"y"})}, {int_tensor("i", {0})});
  add("a list of nothing", {node("SequenceConstruct", {}, {"s"}), node("SequenceLength", {"s"}, {"y"})});
  add("nothing to join", {node("SequenceEmpty", {}, {"s"}), node("ConcatFromSequence", {"s"}, {"y"}, {attribute_of("axis", 0)})});
  add("a list within a list", {list, node("SequenceConstruct", {"s"}, {"t"}), node("ConcatFromSequence", {"t"}, {"y"}, {attribute_of("axis", 0)})});
  add("the element of nothing", {node("Optional", {}, {"o"}), node("OptionalGetElement", {"o"}, {"y"})});
  add("nothing as an array", {node("Optional", {}, {"o"}), node("Relu", {"o"}, {"y"})});
  add("a map without a body", {list, node("SequenceMap", {"s"}, {"t"}), node("SequenceLength", {"t"}, {"y"})});
  Proto body = Proto().message(1, node("SequenceMap", {"s"}, {"o"}, {Proto().text(1, "body").number(20, 5).message(6, Proto())}))
                   .message(11, input("a", {2, 3})).message(12, input("o", {2, 3}));
  add("a map of nothing in a map", {list, node("SequenceMap", {"s"}, {"t"}, {Proto().text(1, "body").number(20, 5).message(6, body)}),
                                    node("SequenceLength", {"t"}, {"y"})});
  std::vector<Proto> doubling{list};  // each list is joined, and stands twice in the next: 2^40 rows
  for (int i = 0; i < 40; ++i) {
    const std::string a = i ? "s" + std::to_string(i) : "s", b = "s" + std::to_string(i + 1), c = "c" + std::to_string(i);
    doubling.push_back(node("ConcatFromSequence", {a}, {c}, {attribute_of("axis", 0)}));
    doubling.push_back(node("SequenceConstruct", {c, c}, {b}));
  }
  doubling.push_back(node("ConcatFromSequence", {"s40"}, {"y"}, {attribute_of("axis", 0)}));
  add("a list that doubles", doubling);
  r.emplace_back("cut", valid.substr(0, valid.size() - 3));
  return r;
}

// A forest whose lists are changed one at a time.
struct TreeLists {
  std::vector<int64_t> trees{0, 0, 0}, ids{0, 1, 2}, features{1, 0, 0}, yes{1, 0, 0}, no{2, 0, 0};
  std::vector<float> values{0.5f, 0, 0}, weights{1, 2};
  std::vector<std::string> modes{"BRANCH_LEQ", "LEAF", "LEAF"};
  std::vector<int64_t> weight_trees{0, 0}, weight_nodes{1, 2}, weight_ids{0, 0};
  int64_t targets = 1;
  Bytes bytes() const {
    using namespace onnx::testing;
    const Proto n = node("TreeEnsembleRegressor", {"x"}, {"y"},
                         {attribute_of("nodes_treeids", trees), attribute_of("nodes_nodeids", ids), attribute_of("nodes_featureids", features),
                          attribute_of("nodes_truenodeids", yes), attribute_of("nodes_falsenodeids", no), attribute_of("nodes_values", values),
                          attribute_of("nodes_modes", modes), attribute_of("target_treeids", weight_trees), attribute_of("target_nodeids", weight_nodes),
                          attribute_of("target_ids", weight_ids), attribute_of("target_weights", weights), attribute_of("n_targets", targets)});
    return model(graph_of({Proto(n).text(7, "ai.onnx.ml")})).message(8, Proto().text(1, "ai.onnx.ml").number(2, 3)).bytes();
  }
};
inline NamedBytes onnx_trees_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto add = [&](const std::string& name, const std::function<void(TreeLists&)>& change) {
    TreeLists t;
    change(t);
    r.emplace_back(name, t.bytes());
  };
  add("? a sound tree", [](TreeLists&) {});
  for (int64_t v : {int64_t{7}, int64_t{-1}, INT64_MAX, INT64_MIN}) {
    add(fmt::format("feature {}", v), [=](TreeLists& t) { t.features[0] = v; });
    add(fmt::format("a child {}", v), [=](TreeLists& t) { t.yes[0] = v; });
    add(fmt::format("a weight of node {}", v), [=](TreeLists& t) { t.weight_nodes[0] = v; });
    add(fmt::format("a weight of tree {}", v), [=](TreeLists& t) { t.weight_trees[1] = v; });
    add(fmt::format("target {}", v), [=](TreeLists& t) { t.weight_ids[0] = v; });
    if (v != 7) add(fmt::format("{} targets", v), [=](TreeLists& t) { t.targets = v; });
  }
  add("10^9 targets", [](TreeLists& t) { t.targets = 1000000000; });
  add("a circle", [](TreeLists& t) { t.modes[1] = "BRANCH_GT", t.yes[1] = 0; });
  add("a node in its own branch", [](TreeLists& t) { t.modes[1] = "BRANCH_GT", t.yes[1] = 1, t.no[1] = 2; });
  add("no root", [](TreeLists& t) { t.yes[0] = 0, t.no[0] = 0, t.modes[1] = t.modes[2] = "BRANCH_EQ", t.yes = {1, 2, 0}, t.no = {2, 0, 1}; });
  add("a node twice", [](TreeLists& t) { t.ids[2] = 1; });
  add("an unknown mode", [](TreeLists& t) { t.modes[0] = "BRANCH_MAYBE"; });
  add("no modes", [](TreeLists& t) { t.modes.clear(); });
  add("too few values", [](TreeLists& t) { t.values.pop_back(); });
  add("too few weights", [](TreeLists& t) { t.weights.pop_back(); });
  add("nothing", [](TreeLists& t) { t = {.trees = {}, .ids = {}, .features = {}, .yes = {}, .no = {}, .values = {}, .modes = {}}; });
  auto chain = [](TreeLists& t, int64_t n, bool diamond) {  // every node leads to the next one: twice, which is no tree but cheap
    t = {};
    t.trees.assign(static_cast<std::size_t>(n) + 1, 0), t.features = t.trees, t.ids.clear(), t.yes.clear(), t.no.clear();
    t.values.assign(static_cast<std::size_t>(n) + 1, 0.5f), t.modes.assign(static_cast<std::size_t>(n) + 1, "BRANCH_LT");
    for (int64_t i = 0; i <= n; ++i) t.ids.push_back(i), t.yes.push_back(i + 1), t.no.push_back(diamond ? i + 1 : n);
    t.modes.back() = "LEAF", t.weight_nodes = {n, n};
  };
  add("a chain of twenty thousand", [&](TreeLists& t) { chain(t, 20000, false); });
  add("? a chain of diamonds", [&](TreeLists& t) { chain(t, 60, true); });
  using namespace onnx::testing;
  auto other = [&](const std::string& name, const char* op, const std::vector<Proto>& attributes) {
    r.emplace_back(name, model(graph_of({node(op, {"x"}, {"y"}, attributes).text(7, "ai.onnx.ml")})).message(8, Proto().text(1, "ai.onnx.ml").number(2, 3)).bytes());
  };
  const std::vector<float> three{1, 2, 3};
  other("a linear model of no features", "LinearRegressor", {attribute_of("coefficients", std::vector<float>{})});
  for (int64_t v : {int64_t{0}, int64_t{-1}, INT64_MAX})
    other(fmt::format("a linear model of {} targets", v), "LinearRegressor", {attribute_of("coefficients", three), attribute_of("targets", v)});
  other("classes without labels", "LinearClassifier", {attribute_of("coefficients", three)});
  other("support vectors that are not there", "SVMRegressor", {attribute_of("coefficients", three), attribute_of("n_supports", 3)});
  for (int64_t v : {INT64_MAX, INT64_MIN, int64_t{-1}, int64_t{1} << 40})
    other(fmt::format("{} vectors of a class", v), "SVMClassifier",
          {attribute_of("coefficients", three), attribute_of("vectors_per_class", std::vector<int64_t>{v, 3}), attribute_of("classlabels_ints", std::vector<int64_t>{0, 1})});
  other("a scaler of two features", "Scaler", {attribute_of("offset", std::vector<float>{1, 2}), attribute_of("scale", std::vector<float>{1, 2})});
  r.emplace_back("cut", valid.substr(0, valid.size() - 3));
  return r;
}
// Quantised operators with inputs that do not fit.
inline NamedBytes onnx_quantised_by_hand(const Bytes& valid) {
  using namespace onnx::testing;
  NamedBytes r;
  auto add = [&](const std::string& name, const Proto& n) {
    r.emplace_back(name, model(graph_of({n}, {int_tensor("i", {7}), int_tensor("many", {1, 2, 3, 4, 5})})).message(8, Proto().text(1, "com.microsoft").number(2, 1)).bytes());
  };
  for (const char* op : {"QLinearAdd", "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearAveragePool", "QLinearGlobalAveragePool", "QLinearConcat",
                         "QLinearSoftmax", "QLinearWhere", "QGemm", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"}) {
    add(fmt::format("{} of nothing", op), node(op, {}, {"y"}).text(7, "com.microsoft"));
    add(fmt::format("{} of one", op), node(op, {"x"}, {"y"}).text(7, "com.microsoft"));
    add(fmt::format("? {} of anything", op), node(op, {"x", "i", "many", "x", "i", "many", "i", "x", "many"}, {"y"}).text(7, "com.microsoft"));
  }
  r.emplace_back("cut", valid.substr(0, valid.size() - 3));
  return r;
}

}  // namespace glia::fuzz
