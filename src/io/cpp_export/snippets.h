// The C++ functions that generated headers contain, as text. Each has a name and names the others it needs; a header
// gets those that its model calls, in the order of this list.
#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace glia::io::cpp_export {

struct Snippet {
  std::string_view name;
  std::vector<std::string_view> needs;
  std::string_view text;
};

std::vector<Snippet> math_snippets();
std::vector<Snippet> product_snippets();
std::vector<Snippet> window_snippets();
std::vector<Snippet> row_snippets();
std::vector<Snippet> order_snippets();
std::vector<Snippet> recurrent_snippets();

// The text of all that `wanted` needs.
std::string helpers_for(const std::set<std::string>& wanted);

}  // namespace glia::io::cpp_export
