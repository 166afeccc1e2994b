// JSON out of a file: parsed within limits, with errors that name the file and the offset.
//
//   ordered_json config = parse_json(text, "model.keras: config.json", limits);
#pragma once
#include <glia/load_options.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace glia::io {

// Keys of one object. They are kept in their order and looked up one by one, which takes the square of their number.
constexpr std::size_t kMaxKeys = 8192;

// `base` is the offset of the text in that file. Throws Error for bad syntax, bad UTF-8, nesting beyond the limit and objects
// of more than kMaxKeys keys.
nlohmann::ordered_json parse_json(std::string_view text, const std::string& name, const LoadLimits& limits = {},
                                  uint64_t base = 0);

// The same for a text that is one object of any number of keys (up to limits.max_tensors): its entries in order. Throws Error
// for a key that occurs twice, too.
std::vector<std::pair<std::string, nlohmann::ordered_json>> parse_json_entries(std::string_view text, const std::string& name,
                                                                               const LoadLimits& limits = {}, uint64_t base = 0);

}  // namespace glia::io
