// Names that come out of files are never trusted as paths.
//
//   std::string to = safe_join(folder, "../../etc/passwd", "evil.zip");
//   // Error: evil.zip: the name '../../etc/passwd' leads out of its folder. ...
#pragma once
#include <string>
#include <string_view>

namespace glia::io {

// folder/name. Throws Error when the name, which `source` holds, is empty, absolute, or has a part "..", a NUL or a
// backslash.
std::string safe_join(const std::string& folder, std::string_view name, const std::string& source);
// A name for an error message: control characters and invalid UTF-8 escaped as \xNN, cut after `max` bytes.
std::string printable(std::string_view name, std::size_t max = 120);

}  // namespace glia::io
