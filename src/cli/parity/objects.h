// Objects of a parity line, rebuilt from {"class_name", "config"} through the public deserialize().
//
//   Loss loss = make_object<LossBase>(line["loss"]);   // throws Unsupported when Glia has no such class
#pragma once
#include <glia/config.h>

#include <memory>

#include "cli/parity/check.h"

namespace glia::parity {

// Throws Unsupported naming the first class in `spec`, itself or nested, that Glia does not have.
void require_classes(std::string_view kind, const json& spec);
// The same for a Sequential or Functional model with all its layers.
void require_model_classes(const json& spec);

template <class T>
std::shared_ptr<T> make_object(const json& spec) {
  require_classes(T::kind, spec);
  return std::static_pointer_cast<T>(deserialize(T::kind, spec.dump()));
}

}  // namespace glia::parity
