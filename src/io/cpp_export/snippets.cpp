#include "io/cpp_export/snippets.h"

#include "base/error.h"

namespace glia::io::cpp_export {

static std::vector<Snippet> all_snippets() {
  std::vector<Snippet> all;
  for (auto list : {math_snippets(), product_snippets(), window_snippets(), row_snippets(), order_snippets(), recurrent_snippets()})
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::string helpers_for(const std::set<std::string>& wanted) {
  const std::vector<Snippet> all = all_snippets();
  std::set<std::string, std::less<>> needed(wanted.begin(), wanted.end());
  for (const std::string& name : wanted) {
    bool known = false;
    for (const Snippet& s : all) known = known || s.name == name;
    GLIA_ASSERT(known, "no snippet " + name);
  }
  for (auto s = all.rbegin(); s != all.rend(); ++s)  // needs point to earlier snippets
    if (needed.count(s->name)) needed.insert(s->needs.begin(), s->needs.end());
  std::string text;
  for (const Snippet& s : all)
    if (needed.count(s.name)) text += s.text;
  return text;
}

}  // namespace glia::io::cpp_export
