// Errors. glia::Error (public, <glia/error.h>) is for what a user did: it says where, what was received, what was
// expected and how to mend it. GLIA_ASSERT is for our own mistakes and never fires on user input.
//
//   GLIA_CHECK(rank == 2, "dense_1 (Dense): expected rank 2. Received rank {}.", rank);
//   throw_error("{}: unknown activation '{}'.{}", path, name, did_you_mean(name, known));
#pragma once
#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <glia/error.h>

namespace glia {

template <class... Args>
[[noreturn]] inline void throw_error(fmt::format_string<Args...> f, Args&&... args) {
  throw Error(fmt::format(f, std::forward<Args>(args)...));
}

[[noreturn]] void assert_failed(const char* expr, const char* file, int line, const std::string& note);

// " Did you mean 'x'?" for the nearest known name within a small edit distance, else the list of known names.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace glia

#define GLIA_CHECK(cond, ...)                    \
  do {                                           \
    if (!(cond)) ::glia::throw_error(__VA_ARGS__); \
  } while (0)
#define GLIA_ASSERT(cond, ...)                                                              \
  do {                                                                                      \
    if (!(cond)) ::glia::assert_failed(#cond, __FILE__, __LINE__, std::string{__VA_ARGS__}); \
  } while (0)
