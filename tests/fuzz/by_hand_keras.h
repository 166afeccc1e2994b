// Keras files that lie: configurations, archives, HDF5 trees and bytes, indices of shards.
#pragma once
#include "fuzz/by_hand.h"
#include "fuzz/by_hand_data.h"
#include "io/hdf5/hdf5.h"

namespace glia::fuzz {

// Sizes without numbers behind them, connections that lead nowhere or in a circle, nesting without end, code.
inline NamedBytes keras_config_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto with = [&](const char* name, const Bytes& what, const Bytes& to) {
    Bytes s = replaced(valid, what, to);
    if (s != valid) r.emplace_back(name, s);
  };
  with("units_huge", "\"units\":4", "\"units\":4000000000");
  with("units_overflow", "\"units\":4", "\"units\":9223372036854775807");
  with("units_negative", "\"units\":4", "\"units\":-4");
  with("units_text", "\"units\":4", "\"units\":\"four\"");
  with("steps_huge", "[null,6,4]", "[null,6,4000000000000]");
  with("shape_negative", "[null,3]", "[null,-3]");
  with("shape_text", "[null,3]", "\"wide\"");
  with("unknown_class", "\"Bidirectional\"", "\"Tridirectional\"");
  with("unknown_key", "\"merge_mode\"", "\"merge_mood\"");
  with("unknown_layer", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"c\",0,0]");
  with("unknown_call", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"b\",7,0]");
  with("unknown_output", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"b\",0,99]");
  with("negative_output", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"b\",0,-1]");
  with("circle", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":[\"out\",0,0]");
  with("history_object", "\"keras_history\":[\"b\",0,0]", "\"keras_history\":{}");
  with("output_nowhere", "\"output_layers\":[\"out\",0,0]", "\"output_layers\":[\"in\",0,0]");
  with("no_outputs", "\"output_layers\":[\"out\",0,0]", "\"output_layers\":[]");
  with("lambda", "\"activation\":\"relu\"",
       "\"activation\":{\"class_name\":\"__lambda__\",\"config\":{\"value\":\"4wEAAA==\"}}");
  with("unknown_activation", "\"activation\":\"relu\"", "\"activation\":\"rely\"");
  with("unknown_op", "\"class_name\":\"Multiply\"", "\"class_name\":\"Multiplex\"");
  with("slash_in_name", "\"name\":\"out\"", "\"name\":\"../out\"");
  with("optimizer_unknown", "\"class_name\":\"SGD\"", "\"class_name\":\"SGX\"");
  with("no_config", "\"config\":", "\"confid\":");
  r.emplace_back("empty", "");
  r.emplace_back("a_list", "[]");
  r.emplace_back("nested_lists", Bytes(100000, '[') + Bytes(100000, ']'));
  Bytes deep;
  for (int i = 0; i < 3000; ++i) deep += "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[";
  r.emplace_back("nested_models", deep);
  return r;
}

// What to_json() gave, with lies: sizes, names, types, nesting, code. `valid` is fuzz::mixed_model().
inline NamedBytes model_json_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto with = [&](const Bytes& what, const Bytes& to) {
    Bytes s = replaced(valid, what, to);
    if (s != valid) r.emplace_back(what + " -> " + to.substr(0, 60), s);
  };
  for (const char* n : {"4000000000", "9223372036854775807", "99999999999999999999", "-3", "0.5", "1e300", "\"x\"", "null", "{}"}) {
    with("\"units\":3", "\"units\":"s + n);
    with("\"filters\":4", "\"filters\":"s + n);
    with("\"kernel_size\":[3]", "\"kernel_size\":["s + n + "]");
  }
  for (const char* n : {"4000000000", "9223372036854775807", "0", "-1", "\"x\""}) {
    with("\"num_heads\":2", "\"num_heads\":"s + n);
    with("\"pool_size\":[2]", "\"pool_size\":["s + n + "]");
    with("[null,8,4]", "[null,8,"s + n + "]");
  }
  with("\"padding\":\"causal\"", "\"padding\":\"casual\"");
  with("\"dims\":[2,1]", "\"dims\":[2,2]");
  with("\"dims\":[2,1]", "\"dims\":[99999,1]");
  with("\"merge_mode\":\"concat\"", "\"merge_mode\":\"conflict\"");
  with("\"class_name\":\"LSTM\"", "\"class_name\":\"Lambda\"");
  with("\"class_name\":\"LSTM\"", "\"class_name\":\"\\u0000\"");
  with("\"class_name\":\"Conv1D\"", "\"class_name\":\"os.system\"");
  with("\"layers\":[", "\"layers\":[7,");
  with("\"layers\":[", "\"layers\":{},\"other\":[");
  with("\"output_layers\":", "\"output_layers\":[],\"x\":");
  with("\"keras_history\":[\"add\"", "\"keras_history\":[\"dense\"");
  r.emplace_back("nothing", "");
  r.emplace_back("a list", "[]");
  r.emplace_back("a text", "\"Sequential\"");
  r.emplace_back("nested lists", Bytes(200000, '['));
  r.emplace_back("cut", valid.substr(0, valid.size() / 2));
  r.emplace_back("no text at all", "\xff\xfe\0\0"s);
  Bytes deep = "{\"class_name\":\"Dense\",\"config\":{\"units\":1}}";
  for (int i = 0; i < 120; ++i)
    deep = "{\"class_name\":\"TimeDistributed\",\"config\":{\"layer\":" + deep + "}}";
  r.emplace_back("wrappers of wrappers", "{\"class_name\":\"Sequential\",\"config\":{\"layers\":[{\"class_name\":\"InputLayer\","
                 "\"config\":{\"batch_shape\":[null,2]}}," + deep + "]}}");
  return r;
}

// ---- HDF5 ---------------------------------------------------------------------------------------------------------------

inline io::hdf5::Group tree_of(const Bytes& bytes) {
  return io::hdf5::read_bytes({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "seed");
}
// The bytes of a file of the oldest layout, as h5py and this library write it: every kind of number in it lies.
inline NamedBytes hdf5_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto number = [&](const std::string& name, std::size_t at, uint64_t v, int bytes) {
    Bytes b;
    put(b, v, bytes);
    r.emplace_back(name, patched(valid, at, b));
  };
  for (auto [what, at] : std::vector<std::pair<const char*, std::size_t>>{
           {"superblock version", 8}, {"free space version", 9}, {"root version", 10}, {"header version", 12},
           {"size of offsets", 13}, {"size of lengths", 14}})
    number(fmt::format("a {} of 255", what), at, 255, 1);
  number("leaves of no entries", 16, 0, 2);
  number("nodes of no entries", 18, 0, 2);
  for (uint64_t v : {uint64_t{0}, uint64_t{0x7fffffffffffffff}, ~uint64_t{1}, uint64_t{1} << 40}) {
    if (v) number(fmt::format("? a base address of {:x}", v), 24, v, 8);
    number(fmt::format("an end of the file at {:x}", v), 40, v, 8);
    number(fmt::format("a root at {:x}", v), 64, v, 8);
  }
  auto each = [&](const Bytes& mark, const char* what, std::size_t field, uint64_t v, int bytes) {
    Bytes b = valid, with;
    put(with, v, bytes);
    for (std::size_t at = valid.find(mark); at != Bytes::npos; at = valid.find(mark, at + 1)) b = patched(b, at + field, with);
    if (b != valid) r.emplace_back(fmt::format("? every {} {:x}", what, v), b);
  };
  for (uint64_t v : {uint64_t{0}, uint64_t{0xffff}, uint64_t{0x7ffffffffffffff0}, ~uint64_t{0}}) {
    each("TREE", "type of a tree", 4, v, 1);
    each("TREE", "level of a tree", 5, v, 1);
    each("TREE", "count of a tree", 6, v, 2);
    each("TREE", "left neighbour of a tree", 8, v, 8);
    each("TREE", "right neighbour of a tree", 16, v, 8);
    each("TREE", "first key of a tree", 24, v, 8);
    each("TREE", "first child of a tree", 32, v, 8);
    each("SNOD", "count of a table", 6, v, 2);
    each("SNOD", "first name of a table", 8, v, 8);
    each("SNOD", "first object of a table", 16, v, 8);
    each("HEAP", "size of a heap", 8, v, 8);
    each("HEAP", "free list of a heap", 16, v, 8);
    each("HEAP", "data of a heap", 24, v, 8);
  }
  // Circles: the first child of the first tree is itself; every object of a table is the root.
  const std::size_t tree = valid.find("TREE");
  uint64_t root = 0;
  std::memcpy(&root, valid.data() + 64, 8);
  each("SNOD", "object of a table is the root", 16, root, 8);
  number("a tree within itself", tree + 32, tree, 8);
  Bytes circle = patched(valid, tree + 5, "\1");
  Bytes self;
  put(self, tree, 8);
  r.emplace_back("a tree of a higher level within itself", patched(circle, tree + 32, self));
  r.emplace_back("only a signature", valid.substr(0, 8));
  r.emplace_back("only a superblock", valid.substr(0, 96));
  r.emplace_back("half", valid.substr(0, valid.size() / 2));
  r.emplace_back("zeros behind the superblock", valid.substr(0, 96) + Bytes(valid.size() - 96, '\0'));
  r.emplace_back("the end as 255s", valid.substr(0, valid.size() / 4) + Bytes(valid.size() / 4 * 3, '\xff'));
  return r;
}

// A tree with one thing changed, as a sound HDF5 file.
inline NamedBytes trees_by_hand(const Bytes& valid, const std::string& at) {
  using io::hdf5::Array;
  NamedBytes r;
  auto add = [&](const std::string& name, const std::function<void(io::hdf5::Group&)>& change) {
    io::hdf5::Group tree = tree_of(valid);
    change(tree);
    r.emplace_back(name, io::hdf5::write(tree));
  };
  auto set = [&](const std::string& name, const Array& a) {
    add(name, [&](auto& tree) {
      const std::size_t slash = at.rfind('/');
      tree.at_path(at.substr(0, slash)).arrays[at.substr(slash + 1)] = a;
    });
  };
  set("a kernel of another shape", Array::numbers(Tensor::zeros({3, 3})));
  set("a kernel of no elements", Array::numbers(Tensor::zeros({0, 2})));
  set("a kernel without axes", Array::numbers(Tensor::scalar(1)));
  set("a kernel of 30 axes", Array::numbers(Tensor::zeros(Shape(30, 1))));
  set("a kernel that is text", Array::text("kernel"));
  add("no groups", [](auto& tree) { tree.groups.clear(); });
  add("nothing", [](auto& tree) { tree = {}; });
  add("nested groups", [](auto& tree) {
    std::string path = "layers";
    for (int i = 0; i < 300; ++i) path += "/g";
    tree.at_path(path).attributes["x"] = Array::text("y");
  });
  return r;
}

inline NamedBytes keras_h5_by_hand(const Bytes& valid) {
  using io::hdf5::Array;
  if (!io::hdf5::available()) return {};
  NamedBytes r = hdf5_by_hand(valid);
  const std::string config = tree_of(valid).text_attribute("model_config");
  auto add = [&](const std::string& name, const std::function<void(io::hdf5::Group&)>& change) {
    io::hdf5::Group tree = tree_of(valid);
    change(tree);
    r.emplace_back(name, io::hdf5::write(tree));
  };
  auto configured = [&](const std::string& name, const std::string& text) {
    add(name, [&](auto& tree) { tree.attributes["model_config"] = Array::text(text); });
  };
  for (auto& [name, bytes] : trees_by_hand(valid, "model_weights/d/d/kernel")) r.emplace_back(name, bytes);
  for (const char* n : {"4000000000", "9223372036854775807", "-2", "\"x\"", "null", "1e30"})
    configured(fmt::format("{} units", n), replaced(config, "\"units\":2", "\"units\":"s + n));
  configured("no JSON", "model");
  configured("a list", "[]");
  configured("a Lambda", replaced(config, "\"Dense\"", "\"Lambda\""));
  configured("an unknown class", replaced(config, "\"Dense\"", "\"Dance\""));
  configured("nested", std::string(60000, '['));
  add("no configuration", [](auto& tree) { tree.attributes.erase("model_config"); });
  add("a configuration of numbers", [](auto& tree) { tree.attributes["model_config"] = Array::numbers(Tensor::zeros({3})); });
  add("layers that are not there", [](auto& tree) { tree.at_path("model_weights").attributes["layer_names"] = Array::texts({"d", "e"}); });
  add("a layer that leads away", [](auto& tree) { tree.at_path("model_weights").attributes["layer_names"] = Array::texts({"../d"}); });
  add("weights that are not there", [](auto& tree) { tree.at_path("model_weights/d").attributes["weight_names"] = Array::texts({"d/kernel", "x"}); });
  add("one weight twice", [](auto& tree) { tree.at_path("model_weights/d").attributes["weight_names"] = Array::texts({"d/kernel", "d/kernel"}); });
  add("too few weights", [](auto& tree) { tree.at_path("model_weights/d").attributes["weight_names"] = Array::texts({"d/kernel"}); });
  return r;
}
// .keras archives: what any archive may do wrong, and members that are missing, doubled, bombs or of another kind.
inline NamedBytes keras_by_hand(const Bytes& valid) {
  NamedBytes r = zip_by_hand(valid);
  if (!io::hdf5::available()) return r;
  const std::string path = (std::filesystem::temp_directory_path() / ("glia_fuzz_keras_" + std::to_string(getpid()))).string();
  std::ofstream(path, std::ios::binary) << valid;
  const std::string config = io::ZipReader(path).read_text("config.json"), weights = io::ZipReader(path).read_text("model.weights.h5");
  std::filesystem::remove(path);
  auto add = [&](const std::string& name, const NamedBytes& members, bool deflate = false) {
    r.emplace_back(name, zip_of(members, deflate));
  };
  const std::string name_c = "config.json", name_w = "model.weights.h5";
  add("no configuration", {{name_w, weights}});
  add("no weights", {{name_c, config}});
  add("weights of npz", {{name_c, config}, {"model.weights.npz", weights}});
  add("nothing", {});
  add("a configuration that is a bomb", {{name_c, "{\"a\": \"" + zeros() + "\"}"}, {name_w, weights}}, true);
  add("weights that are a bomb", {{name_c, config}, {name_w, zeros()}}, true);
  add("weights that are a bomb behind their signature", {{name_c, config}, {name_w, weights + zeros()}}, true);
  add("weights that are none", {{name_c, config}, {name_w, "weights"}});
  add("weights that are cut", {{name_c, config}, {name_w, weights.substr(0, weights.size() / 2)}});
  add("names in a folder", {{"x/" + name_c, config}, {"x/" + name_w, weights}});
  add("names that lead away", {{"../" + name_c, config}, {"/" + name_w, weights}});
  add("a configuration of numbers", {{name_c, "12"}, {name_w, weights}});
  for (const auto& [name, bytes] : trees_by_hand(weights, "layers/dense/vars/0")) add(name, {{name_c, config}, {name_w, bytes}});
  return r;
}

inline NamedBytes weights_h5_by_hand(const Bytes& valid) {
  if (!io::hdf5::available()) return {};
  NamedBytes r = hdf5_by_hand(valid);
  for (auto& [name, bytes] : trees_by_hand(valid, "layers/dense/vars/0")) r.emplace_back(name, bytes);
  return r;
}

inline NamedBytes weights_json_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto add = [&](const std::string& name, const Bytes& map) {
    r.emplace_back(name, "{\"metadata\": {\"total_size\": 32.0}, \"weight_map\": " + map + "}");
  };
  for (const char* away : {"../x.h5", "/etc/passwd", "a/../../x.h5", "..", ".", "", "/", "\\u0000", "no.weights.h5", "a\\\\..\\\\b",
                           "file.weights.json", "./../x", "//etc/passwd", "~/x.h5"})
    add(away, "{\"/layers/d/vars\": \""s + away + "\"}");
  for (const char* map : {"7", "null", "[]", "\"x\"", "{\"a\": 7}", "{\"a\": [7]}", "{\"a\": {}}", "{\"a\": null}", "{\"a\": [[]]}", "{}"})
    add(map, map);
  add("a long name", "{\"a\": \"" + Bytes(100000, 'n') + "\"}");
  add("a hundred thousand shards", [] {
    Bytes b = "{";
    for (int i = 0; i < 100000; ++i) b += fmt::format("\"/g{}\": \"s{}.h5\",", i, i);
    return b + "\"z\": \"z\"}";
  }());
  r.emplace_back("no map", "{}");
  r.emplace_back("a list", "[]");
  r.emplace_back("nothing", "");
  r.emplace_back("nested", Bytes(100000, '['));
  r.emplace_back("cut", valid.substr(0, valid.size() / 2));
  r.emplace_back("no text", "\xff\xfe\0"s);
  return r;
}

}  // namespace glia::fuzz
