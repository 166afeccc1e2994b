// .weights.h5, and .weights.json with its shards.
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "io/file/atomic_file.h"
#include "io/file/byte_reader.h"
#include "io/file/path_name.h"
#include "io/hdf5/hdf5.h"
#include "io/keras/files.h"
#include "io/keras/legacy_h5.h"
#include "io/keras/python_json.h"
#include "io/keras/weights.h"

namespace glia::io::keras {

using hdf5::Array;
using hdf5::Group;
using json = nlohmann::ordered_json;

void load_weights_h5(Model& model, const std::string& path, const LoadWeightsOptions& options) {
  const Group tree = hdf5::read_file(path, {.limits = options.limits, .untrusted = options.untrusted});
  if (is_legacy_weights(tree)) return apply_legacy_weights(model, tree, path, options);  // saved by an older version under this name
  apply_weights(model, tree, path, {.skip_mismatch = options.skip_mismatch});
}

void save_weights_h5(const Model& model, const std::string& path, const SaveWeightsOptions& options) {
  GLIA_CHECK(!options.max_shard_size, "save_weights: '{}': shards need a name that ends in .weights.json.", path);
  write_file(path, hdf5::write(weights_tree(model)));
}

// ---- shards -----------------------------------------------------------------------------------------------------------------

namespace {

// What a group of variables is called in the map: "/layers/dense/vars".
void each_group(const Group& g, const std::string& path, const std::function<void(const std::string&, const Group&)>& visit) {
  for (const auto& [name, child] : g.groups) {
    const std::string at = path + "/" + name;
    if (name == "vars") visit(at, *child);
    else each_group(*child, at, visit);
  }
}

void merge(Group& into, const Group& from) {
  for (const auto& [name, a] : from.attributes) into.attributes.emplace(name, a);
  for (const auto& [name, a] : from.arrays) into.arrays[name] = a;
  for (const auto& [name, child] : from.groups) {
    auto& to = into.groups[name];
    if (!to) to = std::make_unique<Group>();
    merge(*to, *child);
  }
}

// Numbers as numbers: "10" comes after "9".
std::vector<std::string> in_order(const Group& vars) {
  std::vector<std::string> keys;
  for (const auto& [key, a] : vars.arrays) keys.push_back(key);
  std::sort(keys.begin(), keys.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return keys;
}

}  // namespace

void load_weights_json(Model& model, const std::string& path, const LoadWeightsOptions& options) {
  const json index = parse_python_json(read_whole(path, uint64_t{1} << 28), path, options.limits);
  Group tree;
  with_json_errors(path, [&] {
    std::vector<std::string> shards;
    std::set<std::string> seen;
    auto add = [&](const json& name) {
      std::string s = name.get<std::string>();
      GLIA_CHECK(s.size() <= options.limits.max_name_length, "{}: the name of a shard has {} bytes, {} are allowed "
                 "(LoadLimits::max_name_length).", path, s.size(), options.limits.max_name_length);
      if (seen.insert(s).second) shards.push_back(std::move(s));
    };
    for (const auto& [group, files] : index.at("weight_map").items()) {
      if (files.is_array())
        for (const json& f : files) add(f);
      else add(files);
    }
    GLIA_CHECK(shards.size() <= options.limits.max_tensors, "{}: it names {} shards.", path, shards.size());
    const std::string folder = std::filesystem::path(path).parent_path().string();
    for (const std::string& s : shards)
      merge(tree, hdf5::read_file(safe_join(folder.empty() ? "." : folder, s, path), {.limits = options.limits, .untrusted = options.untrusted}));
  });
  apply_weights(model, tree, path, {.skip_mismatch = options.skip_mismatch});
}

void save_weights_json(const Model& model, const std::string& path, const SaveWeightsOptions& options) {
  const Group tree = weights_tree(model);
  const std::filesystem::path target(path);
  std::string base = target.filename().string();
  base.resize(base.size() - std::string(".weights.json").size());
  const double limit = options.max_shard_size ? *options.max_shard_size * 1024.0 * 1024.0 * 1024.0 : 0;
  GLIA_CHECK(!options.max_shard_size || limit > 0, "save_weights: max_shard_size must be positive. Received {}.", *options.max_shard_size);
  json map = json::object();
  Group shard;
  std::size_t number = 0;
  double used = 0, total = 0;
  auto file_name = [&] { return fmt::format("{}_{:05}.weights.h5", base, number); };
  auto flush = [&] {
    write_file((target.parent_path() / file_name()).string(), hdf5::write(shard));
    shard = Group();
    used = 0;
    ++number;
  };
  auto note = [&](const std::string& group) {  // a text after the first variable, a list from the second on, as Keras
    json& files = map[group];
    if (files.is_null()) files = file_name();
    else if (files.is_string()) files = json::array({files});
    if (files.is_array() && files.back() != json(file_name())) files.push_back(file_name());
  };
  each_group(tree, "", [&](const std::string& group, const Group& vars) {
    for (const std::string& key : in_order(vars)) {
      const Array& a = vars.arrays.at(key);
      const double bytes = static_cast<double>(a.tensor.bytes());
      if (limit > 0 && used > 0 && used + bytes > limit) flush();
      Group& to = shard.at_path(group);
      to.attributes = vars.attributes;
      to.arrays[key] = a;
      used += bytes;
      total += bytes;
      note(group);
    }
  });
  flush();
  write_file(path, dump_json({{"metadata", {{"total_size", static_cast<int64_t>(total)}}}, {"weight_map", map}}, 4));
}

}  // namespace glia::io::keras
