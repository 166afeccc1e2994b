// Class names to default layer, model and file names, as Keras writes them.
#pragma once
#include <string>

namespace glia {

std::string to_snake_case(const std::string& class_name);  // "MaxPooling2D" -> "max_pooling2d", "ReLU" -> "re_lu"

}  // namespace glia
