// The list of every class that has a configuration: one line per class in class_list.cpp (layers: layer_list.cpp).
// Names, files and documentation resolve classes here.
//
//   const ClassEntry* e = find_class("optimizer", "Adam");   // null when unknown
//   auto object = e->make();                                  // with Keras's defaults
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <glia/config.h>

namespace glia {

struct ClassEntry {
  std::string kind;                // "layer", "initializer", ...
  std::string class_name;          // Keras's: "Dense"
  std::string module;              // "keras.layers"; empty for a user's class
  std::vector<std::string> names;  // further names: "mse", "Convolution2D"
  std::function<std::shared_ptr<Configurable>()> make;
  std::string registered_name;     // "package>Name" of a user's class; else empty
};

const std::vector<ClassEntry>& class_list();          // built in
std::vector<ClassEntry> layer_list();                 // layer_list.cpp
const ClassEntry* find_class(std::string_view kind, std::string_view class_name);  // by class or registered name
const ClassEntry* find_class_by_name(std::string_view kind, std::string_view name);  // also "he_normal", "mse", "adam"
std::vector<std::string> known_names(std::string_view kind);    // for suggestions: "he_normal"
std::vector<std::string> known_classes(std::string_view kind);  // "HeNormal"
std::string_view kind_of(const Configurable& object);

}  // namespace glia
