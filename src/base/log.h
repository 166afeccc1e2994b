// The logger: the only way the library speaks unasked. Warnings go to stderr unless a program sets its own sink.
#pragma once
#include <functional>
#include <string>

namespace glia {

void log_warning(const std::string& message);
void set_log_sink(std::function<void(const std::string&)> sink);  // empty: back to stderr

}  // namespace glia
