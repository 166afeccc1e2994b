// Patterns of named axes, as in einops.
#include <glia/ops/arrays.h>

#include <algorithm>
#include <cctype>

#include "ops/compose.h"

namespace glia::ops {
namespace {

using Groups = std::vector<std::vector<std::string>>;

// "b (h w) c" -> {{b}, {h, w}, {c}}; the axis "1" has extent 1.
Groups parse(const std::string& text, const std::string& pattern) {
  Groups groups;
  bool open = false;
  std::string name;
  auto finish = [&] {
    if (name.empty()) return;
    if (open) groups.back().push_back(name);
    else groups.push_back({name});
    name.clear();
  };
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
      name += c;
      continue;
    }
    finish();
    GLIA_CHECK(c == ' ' || (c == '(' && !open) || (c == ')' && open), "rearrange: unexpected '{}' in the pattern \"{}\".", c, pattern);
    if (c == '(') groups.emplace_back();
    if (c != ' ') open = c == '(';
  }
  finish();
  GLIA_CHECK(!open, "rearrange: a bracket is not closed in the pattern \"{}\".", pattern);
  return groups;
}

}  // namespace

Value rearrange(const Value& x, const std::string& pattern, const std::map<std::string, int64_t>& sizes) {
  const std::size_t arrow = pattern.find("->");
  GLIA_CHECK(arrow != std::string::npos, "rearrange: the pattern \"{}\" has no \"->\".", pattern);
  const Groups in = parse(pattern.substr(0, arrow), pattern), out = parse(pattern.substr(arrow + 2), pattern);
  GLIA_CHECK(static_cast<int64_t>(in.size()) == x.rank(), "rearrange: the pattern \"{}\" names {} axes but x has shape {}.", pattern, in.size(),
             to_string(x.shape()));
  std::map<std::string, int64_t> extent = sizes;
  std::vector<std::string> names;
  Shape split_shape;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const int64_t n = x.dim(static_cast<int>(i));
    int64_t known = 1;
    std::string open;
    for (const std::string& name : in[i]) {
      if (name == "1") continue;
      if (extent.count(name)) known *= extent[name];
      else {
        GLIA_CHECK(open.empty(), "rearrange: give the size of \"{}\" or \"{}\" in the pattern \"{}\".", open, name, pattern);
        open = name;
      }
    }
    if (!open.empty()) extent[open] = known == 0 ? 0 : n / known;
    GLIA_CHECK((open.empty() ? known : known * extent[open]) == n, "rearrange: axis {} of shape {} does not split into the parts of \"{}\".", i,
               to_string(x.shape()), pattern);
    for (const std::string& name : in[i]) {
      names.push_back(name);
      split_shape.push_back(name == "1" ? 1 : extent[name]);
    }
  }
  Axes order;
  Shape result;
  for (const auto& group : out) {
    int64_t n = 1;
    for (const std::string& name : group) {
      if (name == "1") continue;
      const auto found = std::find(names.begin(), names.end(), name);
      GLIA_CHECK(found != names.end(), "rearrange: \"{}\" does not stand on the left of \"{}\".", name, pattern);
      order.push_back(found - names.begin());
      n *= extent[name];
    }
    result.push_back(n);
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::find(order.begin(), order.end(), static_cast<int64_t>(i)) == order.end()) {
      GLIA_CHECK(names[i] == "1", "rearrange: \"{}\" is missing on the right of \"{}\".", names[i], pattern);
      order.push_back(static_cast<int64_t>(i));
    }
  return reshape(transpose(reshape(x, split_shape), order), result);
}

}  // namespace glia::ops
