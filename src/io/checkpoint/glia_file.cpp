#include "io/checkpoint/glia_file.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <list>

#include "base/error.h"
#include "io/file/json_text.h"
#include "io/file/path_name.h"
#include "io/npz/npy.h"
#include "io/zip/zip.h"

namespace glia::io {
namespace {

constexpr uint64_t kMaxJson = uint64_t{8} << 20;  // names of some hundred thousand tensors
constexpr uint64_t kMaxAsset = uint64_t{1} << 30;
constexpr int kVersion = 1;

std::string member(const std::string& group, std::size_t i) { return fmt::format("{}/{}.npy", group, i); }

bool is_group_name(const std::string& s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

void write_glia_file(const std::string& path, const GliaFile& file) {
  auto bytes = [](const void* p, std::size_t n) { return std::span(static_cast<const uint8_t*>(p), n); };
  nlohmann::ordered_json manifest = {{"format", "glia"}, {"version", kVersion}};
  manifest.update(file.manifest);
  std::list<std::string> headers;
  ZipWriter zip(path);
  nlohmann::ordered_json& index = manifest["tensors"] = nlohmann::ordered_json::object();
  for (auto& [group, tensors] : file.groups) {
    GLIA_ASSERT(is_group_name(group));
    nlohmann::ordered_json& names = index[group] = nlohmann::ordered_json::array();
    for (auto& [name, t] : tensors) names.push_back(name);
  }
  zip.add_copy("glia.json", manifest.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  if (!file.model_json.empty()) zip.add_copy("model.json", file.model_json);
  for (auto& [name, text] : file.assets) zip.add_copy(name, text, {.deflate = true});
  for (auto& [group, tensors] : file.groups)
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Tensor& t = tensors[i].second;
      const std::string& header = headers.emplace_back(npy_header_of(t));
      zip.add(member(group, i), {bytes(header.data(), header.size()), bytes(t.craw(), t.bytes())});
    }
  zip.commit();
}

GliaFile read_glia_file(const std::string& path, const LoadLimits& limits, const std::vector<std::string>& only) {
  ZipReader zip(path, limits);
  GLIA_CHECK(zip.contains("glia.json"), "{}: holds no glia.json, so it is no .glia file.", path);
  GliaFile file;
  std::string where = path + ": glia.json";
  file.manifest = parse_json(zip.read_text("glia.json", kMaxJson), where, limits);
  auto& m = file.manifest;
  GLIA_CHECK(m.is_object() && m.value("format", nlohmann::ordered_json()) == "glia" && m.contains("version") &&
                 m["version"].is_number_integer(),
             "{}: needs \"format\": \"glia\" and a version.", where);
  GLIA_CHECK(m["version"].get<int64_t>() == kVersion,
             "{}: version {} of the format is not known; this library reads version {}. A newer one may.", where,
             m["version"].get<int64_t>(), kVersion);
  GLIA_CHECK(m.contains("tensors") && m["tensors"].is_object(), "{}: the list \"tensors\" is missing.", where);
  if (zip.contains("model.json")) file.model_json = zip.read_text("model.json", kMaxJson);
  LoadLimits left = limits;
  for (auto& m : zip.members())
    if (m.name.starts_with("assets/")) {
      file.assets.emplace_back(m.name, zip.read_text(m.name, std::min(left.max_bytes, kMaxAsset)));
      left.max_bytes -= file.assets.back().second.size();
    }
  for (auto& [group, names] : m["tensors"].items()) {
    GLIA_CHECK(is_group_name(group) && names.is_array(), "{}: \"tensors\" has the bad entry '{}'.", where,
               printable(group));
    if (!only.empty() && std::find(only.begin(), only.end(), group) == only.end()) continue;
    TensorGroup& tensors = file.groups[group];
    for (std::size_t i = 0; i < names.size(); ++i) {
      GLIA_CHECK(names[i].is_string(), "{}: name {} of '{}' is no text.", where, i, group);
      std::string name = names[i].get<std::string>(), inside = member(group, i);
      GLIA_CHECK(zip.contains(inside), "{}: the member '{}', tensor '{}', is missing.", path, inside,
                 printable(name));
      ByteReader in = zip.open(inside);
      tensors.emplace_back(std::move(name), read_npy(in, left, zip.member(inside).size));
      left.max_bytes -= std::min<uint64_t>(left.max_bytes, tensors.back().second.bytes());
    }
  }
  return file;
}

std::string exact(double value) { return fmt::format("{:a}", value); }
double exact(const std::string& text, const std::string& where) {
  char* end = nullptr;
  double v = std::strtod(text.c_str(), &end);
  GLIA_CHECK(!text.empty() && *end == '\0', "{}: '{}' is no number.", where, printable(text));
  return v;
}

}  // namespace glia::io
