#include "ops/op_list.h"

#include <map>
#include <string>

#include "base/error.h"
#include "ir/graph.h"

namespace glia::ir {
namespace {

const std::map<std::string, const OpDef*, std::less<>>& registry() {
  static const auto table = [] {
    std::map<std::string, const OpDef*, std::less<>> m;
    using namespace glia::ops;
    for (const OpList& list : {
             OpList{&input_op(), &constant_op(), &call_op()},
             pointwise_ops(),
             activation_ops(),
             reshape_ops(),
             broadcast_ops(),
             reduce_ops(),
             matmul_ops(),
             attention_ops(),
             conv_ops(),
             conv_max_pool_ops(),
             conv_backprop_input_ops(),
             conv_backprop_filter_ops(),
             max_pool_ops(),
             max_pool_ties_ops(),
             avg_pool_ops(),
             transpose_ops(),
             slice_ops(),
             concat_ops(),
             take_ops(),
             cumulative_ops(),
             sort_ops(),
             softmax_ops(),
             cross_entropy_ops(),
             layer_norm_ops(),
             batch_norm_ops(),
             random_ops(),
             lstm_ops(),
             gru_ops(),
             simple_rnn_ops(),
             image_ops(),
             segment_ops(),
             search_ops(),
             bessel_ops(),
             fft_ops(),
             linalg_ops(),
         })
      for (const OpDef* op : list) GLIA_ASSERT(m.emplace(op->name, op).second, "op listed twice: " + op->name);
    return m;
  }();
  return table;
}

}  // namespace

const OpDef* find_op_or_null(std::string_view name) {
  auto it = registry().find(name);
  return it == registry().end() ? nullptr : it->second;
}
const OpDef& find_op(std::string_view name) {
  if (const OpDef* op = find_op_or_null(name)) return *op;
  std::vector<std::string> known;
  for (auto& [n, op] : registry()) known.push_back(n);
  throw_error("Unknown op '{}'.{}", name, did_you_mean(name, known));
}
std::vector<const OpDef*> all_ops() {
  std::vector<const OpDef*> r;
  for (auto& [n, op] : registry()) r.push_back(op);
  return r;
}

}  // namespace glia::ir
