// Class names to default layer, model and file names, as Keras writes them.
#pragma once
#include <string>
#include <string_view>

namespace glia {

std::string to_snake_case(std::string_view name);  // "MaxPooling2D" -> "max_pooling2d", "ReLU" -> "re_lu"

}  // namespace glia
