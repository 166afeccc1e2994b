#include <glia/pytorch.h>
#include <glia/readers.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "cli/glia/command.h"
#include "cli/glia/model_file.h"
#include "io/checkpoint/glia_file.h"
#include "io/safetensors/safetensors.h"

namespace glia::cli {

namespace {

struct Options {
  std::vector<std::string> files;
};

struct Report {
  std::string kind;
  int64_t tensors = 0, values = 0, not_finite = 0;
  std::vector<std::string> bad;  // names of tensors with such values
};

void look_at(Report& r, const std::string& name, const Tensor& t) {
  ++r.tensors;
  r.values += t.size();
  if (!is_float(t.dtype())) return;
  int64_t n = 0;
  for (int64_t i = 0; i < t.size(); ++i) n += !std::isfinite(t.item(i));
  r.not_finite += n;
  if (n) r.bad.push_back(name);
}

void look_at(Report& r, const std::string& name, const Array& a) {
  if (!a.strings.defined()) return look_at(r, name, a.numbers);
  ++r.tensors;
  r.values += a.strings.size();
}

Report verify_one(const std::string& path) {
  if (!std::filesystem::exists(path)) throw_error("'{}' does not exist.", path);
  const std::string e = ending_of(path);
  Report r;
  if (e == ".npz" || e == ".npy") {
    r.kind = "arrays";
    for (auto& [name, a] : read_arrays(path, true)) look_at(r, name, a);
  } else if (e == ".safetensors") {
    r.kind = "weights";
    for (auto& [name, t] : io::read_safetensors(path)) look_at(r, name, t);
  } else if (e == ".pt" || e == ".pth" || e == ".th") {
    r.kind = "weights";
    for (auto& [name, t] : read_pytorch(path)) look_at(r, name, t);
  } else if (e == ".glia") {  // also of models whose architecture only a program knows
    r.kind = "checkpoint";
    const io::GliaFile file = io::read_glia_file(path, {});
    for (auto& [group, tensors] : file.groups)
      for (auto& [name, t] : tensors) look_at(r, group + "/" + name, t);
    if (!file.model_json.empty()) open_model(path, {.untrusted = true, .compile = true});
  } else if (e == ".gz" || path.find("idx") != std::string::npos) {
    r.kind = "idx";
    look_at(r, "idx", read_idx(path));
  } else {
    r.kind = "model";
    const Model m = open_model(path, {.untrusted = true, .compile = true});
    for (const Variable& v : m.ptr()->weights()) look_at(r, v.path().empty() ? v.name() : v.path(), v.tensor());
  }
  return r;
}

void verify(const Options& o, const Context& c) {
  json files = json::array();
  std::string text;
  int bad = 0;
  for (const std::string& path : o.files) {
    json line = {{"file", path}};
    try {
      const Report r = verify_one(path);
      line.update({{"ok", true},
                   {"kind", r.kind},
                   {"tensors", r.tensors},
                   {"values", r.values},
                   {"not_finite", r.not_finite},
                   {"tensors_not_finite", r.bad}});
      text += fmt::format(
          "{}: ok, {} with {} tensors, {} values{}\n", path, r.kind, r.tensors, r.values,
          r.not_finite ? fmt::format("; {} values are not finite, in {}", r.not_finite, fmt::join(r.bad, ", ")) : "");
    } catch (const std::exception& e) {
      line.update({{"ok", false}, {"error", e.what()}});
      text += fmt::format("{}: BAD: {}\n", path, e.what());
      ++bad;
    }
    files.push_back(line);
  }
  c.print({{"ok", bad == 0}, {"files", files}}, text);
  if (bad) throw Failed{2};
}

}  // namespace

Run add_verify(CLI::App& app, Context& c) {
  auto o = std::make_shared<Options>();
  app.add_option("FILE", o->files, "files to look at")->required();
  return [o, &c] { verify(*o, c); };
}

}  // namespace glia::cli
