#include "io/keras_ops/op_tables.h"

#include <map>

namespace glia::keras_ops {

const OpBinding* find_op(std::string_view name) {
  static const std::map<std::string_view, OpBinding> all = [] {
    std::vector<OpBinding> list;
    add_pointwise_ops(list);
    add_reduce_ops(list);
    add_shape_ops(list);
    add_linalg_ops(list);
    add_nn_ops(list);
    add_numpy_ops(list);
    add_activation_ops(list);
    add_statistics_ops(list);
    add_array_ops(list);
    add_image_ops(list);
    std::map<std::string_view, OpBinding> by_name;
    for (const OpBinding& b : list) by_name.emplace(b.name, b);
    return by_name;
  }();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

}  // namespace glia::keras_ops
