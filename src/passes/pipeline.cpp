#include "passes/pipeline.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "base/error.h"

namespace glia::passes {

const std::vector<Pass>& pipeline() {
  static const std::vector<Pass> passes = {
      {"dce", remove_dead},
      {"lower", lower, true},
      {"fold", fold_constants},
      {"simplify", simplify},
      {"cse", merge_common},
      {"conv_grads", rewrite_conv_grads},
      {"promote_low_precision", promote_low_precision, true},
      {"fold_scale", fold_scale},
      {"fuse_epilogue", fuse_epilogue},
      {"fuse_pool", fuse_pool},
      {"fuse_pointwise", fuse_pointwise},
      {"dce_last", remove_dead},
  };
  return passes;
}

namespace {
std::vector<std::string> words(const char* text) {
  std::vector<std::string> r;
  std::string w;
  for (const char* p = text ? text : ""; *p; ++p) {
    if (*p == ',') r.push_back(w), w.clear();
    else w += *p;
  }
  if (!w.empty()) r.push_back(w);
  return r;
}
std::optional<std::vector<std::string>>& disabled_cell() {
  static std::optional<std::vector<std::string>> cell;
  return cell;
}
bool is_disabled(const Pass& p) {
  static const std::vector<std::string> env = words(std::getenv("GLIA_DISABLE_PASS"));
  const auto& list = disabled_cell() ? *disabled_cell() : env;
  auto has = [&](std::string_view n) { return std::find(list.begin(), list.end(), n) != list.end(); };
  return !p.required && (has(p.name) || has("all"));
}
}  // namespace

void set_disabled_passes(std::vector<std::string> names) { disabled_cell() = std::move(names); }

bool dump_wanted(std::string_view what) {
  static const std::vector<std::string> list = words(std::getenv("GLIA_DUMP"));
  return std::find(list.begin(), list.end(), what) != list.end();
}

void optimize(ir::Graph& g, const PassContext& context) {
  static const bool always_verify = std::getenv("GLIA_VERIFY") != nullptr;
  bool check = context.verify || always_verify;
  if (dump_wanted("trace")) std::fprintf(stderr, "# trace\n%s", ir::print(g, false).c_str());
  if (check) ir::verify(g, "trace");
  for (const Pass& p : pipeline()) {
    if (is_disabled(p)) continue;
    p.run(g, context);
    if (check) ir::verify(g, p.name);
    if (dump_wanted("after:" + std::string(p.name))) std::fprintf(stderr, "# after %s\n%s", p.name, ir::print(g, false).c_str());
  }
}

void run_pass(ir::Graph& g, std::string_view name) {
  for (const Pass& p : pipeline())
    if (name == p.name) {
      p.run(g, {});
      ir::verify(g, name);
      return;
    }
  throw_error("Unknown pass '{}'.", name);
}

}  // namespace glia::passes
