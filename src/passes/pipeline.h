// The ordered list of passes. optimize() is the only place where order is decided.
//
//   GLIA_DUMP=trace,after:fuse_pointwise,plan   prints graphs to stderr
//   GLIA_DISABLE_PASS=fuse_pointwise,cse        leaves passes out ("all" leaves out every optional one)
#pragma once
#include <string>
#include <vector>

#include "ir/graph.h"

namespace glia::passes {

struct PassContext {
  bool verify = false;  // run the verifier after each pass (tests; GLIA_VERIFY=1)
  std::vector<bool> fixed = {};  // per input: seldom changes between runs (see plan::make_plan); none when empty
};
struct Pass {
  const char* name;
  void (*run)(ir::Graph&, const PassContext&);
  bool required = false;  // cannot be switched off
};

const std::vector<Pass>& pipeline();
void optimize(ir::Graph&, const PassContext& = {});
void run_pass(ir::Graph&, std::string_view name);  // for tests

bool dump_wanted(std::string_view what);           // GLIA_DUMP lists `what`
void set_disabled_passes(std::vector<std::string> names);  // for tests; overrides GLIA_DISABLE_PASS

void lower(ir::Graph&, const PassContext&);
void remove_dead(ir::Graph&, const PassContext&);
void fold_constants(ir::Graph&, const PassContext&);
void simplify(ir::Graph&, const PassContext&);
void merge_common(ir::Graph&, const PassContext&);
void rewrite_conv_grads(ir::Graph&, const PassContext&);
void promote_low_precision(ir::Graph&, const PassContext&);
void fold_scale(ir::Graph&, const PassContext&);
void fuse_epilogue(ir::Graph&, const PassContext&);
void fuse_pool(ir::Graph&, const PassContext&);
void fuse_pointwise(ir::Graph&, const PassContext&);

}  // namespace glia::passes
