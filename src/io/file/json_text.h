// JSON out of a file: parsed within limits, with errors that name the file and the offset.
//
//   ordered_json config = parse_json(text, "model.keras: config.json", limits);
#pragma once
#include <glia/load_options.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace glia::io {

// `base` is the offset of the text in that file. Throws Error for bad syntax, bad UTF-8 and nesting beyond the limit.
nlohmann::ordered_json parse_json(std::string_view text, const std::string& name, const LoadLimits& limits = {},
                                  uint64_t base = 0);

}  // namespace glia::io
