// kind "op": functions of keras.ops, forward and gradient.
#include <map>

#include "cli/parity/kinds.h"
#include "cli/parity/op_tables.h"

namespace glia::parity {

const OpBinding* find_op(std::string_view name) {
  static const std::map<std::string_view, OpBinding> all = [] {
    std::vector<OpBinding> list;
    add_pointwise_ops(list);
    add_reduce_ops(list);
    add_shape_ops(list);
    add_linalg_ops(list);
    add_nn_ops(list);
    add_numpy_ops(list);
    std::map<std::string_view, OpBinding> by_name;
    for (const OpBinding& b : list) by_name.emplace(b.name, b);
    return by_name;
  }();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

void run_op(const json& line, Check& check) {
  const std::string name = line.at("op").get<std::string>();
  const OpBinding* binding = find_op(name);
  if (!binding) throw Unsupported("keras.ops." + name);
  run_call(*binding, line.at("args"), line.at("kwargs"), line, check);
}

}  // namespace glia::parity
