// Objects of a line, {class_name, config}, made through the public deserialize().
#pragma once
#include <glia/config.h>

#include "cli/parity/check.h"

namespace glia::parity {

bool class_exists(std::string_view kind, const std::string& class_name);

template <class T>
std::shared_ptr<T> make_object(const json& object) {
  const std::string name = object.at("class_name").get<std::string>();
  if (!class_exists(T::kind, name)) throw Unsupported(std::string(T::kind) + " " + name);
  return std::static_pointer_cast<T>(deserialize(T::kind, object.dump()));
}

}  // namespace glia::parity
