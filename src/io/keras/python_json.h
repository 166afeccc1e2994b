// JSON as Python writes it: NaN and Infinity, which JSON does not have, become the texts "NaN" and "Infinity".
#pragma once
#include <glia/error.h>
#include <glia/load_options.h>

#include <nlohmann/json.hpp>
#include <string>

namespace glia::io::keras {

nlohmann::ordered_json parse_python_json(const std::string& text, const std::string& name, const LoadLimits& limits);
// As Python writes and reads it: NaN, Infinity and -Infinity where JSON has no numbers.
std::string dump_json(const nlohmann::ordered_json& value, int indent = -1);
// Runs `body`; what the JSON library throws for missing or wrong entries becomes an Error that names the file, and an Error that
// names only a layer gets the name of the file in front.
template <class F>
auto with_json_errors(const std::string& name, F body) -> decltype(body());

[[noreturn]] void rethrow_as_error(const std::string& name, const char* what);
[[noreturn]] void rethrow_with_name(const std::string& name, const Error& e);

template <class F>
auto with_json_errors(const std::string& name, F body) -> decltype(body()) {
  try {
    return body();
  } catch (const Error& e) {
    rethrow_with_name(name, e);
  } catch (const nlohmann::json::exception& e) {
    rethrow_as_error(name, e.what());
  } catch (const std::out_of_range& e) {
    rethrow_as_error(name, e.what());
  } catch (const std::length_error& e) {
    rethrow_as_error(name, e.what());
  } catch (const std::bad_alloc&) {
    rethrow_as_error(name, "it asks for more memory than there is");
  }
}

}  // namespace glia::io::keras
