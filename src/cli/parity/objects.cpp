#include "cli/parity/objects.h"

#include "nn/class_list.h"

namespace glia::parity {

bool class_exists(std::string_view kind, const std::string& class_name) { return find_class(kind, class_name) != nullptr; }

}  // namespace glia::parity
