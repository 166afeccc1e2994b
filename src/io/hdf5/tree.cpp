#include "io/hdf5/tree.h"

#include <cstring>

#include "base/error.h"
#include "io/file/byte_reader.h"
#include "io/file/checked.h"

namespace glia::io::hdf5 {

Array Array::numbers(Tensor t) {
  Array a;
  a.tensor = std::move(t);
  return a;
}
Array Array::text(std::string s) {
  Array a;
  a.is_text = true;
  a.strings = {std::move(s)};
  return a;
}
Array Array::texts(std::vector<std::string> list) {
  Array a;
  a.is_text = true;
  a.shape = {static_cast<int64_t>(list.size())};
  for (const std::string& s : list) a.fixed_length = std::max(a.fixed_length, static_cast<int64_t>(s.size()));
  a.strings = std::move(list);
  return a;
}

namespace {

// The first part of a path and what follows it; empty parts are skipped.
std::string_view next_part(std::string_view& path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  const std::size_t slash = path.find('/');
  const std::string_view part = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash);
  return part;
}

}  // namespace

Group& Group::at_path(std::string_view path) {
  Group* g = this;
  for (std::string_view part = next_part(path); !part.empty(); part = next_part(path)) {
    auto& child = g->groups[std::string(part)];
    if (!child) child = std::make_unique<Group>();
    g = child.get();
  }
  return *g;
}
const Group* Group::find(std::string_view path) const {
  const Group* g = this;
  for (std::string_view part = next_part(path); g && !part.empty(); part = next_part(path)) {
    auto it = g->groups.find(std::string(part));
    g = it == g->groups.end() ? nullptr : it->second.get();
  }
  return g;
}
const Array* Group::find_array(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  const Group* g = slash == std::string_view::npos ? this : find(path.substr(0, slash));
  if (!g) return nullptr;
  auto it = g->arrays.find(std::string(slash == std::string_view::npos ? path : path.substr(slash + 1)));
  return it == g->arrays.end() ? nullptr : &it->second;
}
const Array* Group::attribute(const std::string& name) const {
  auto it = attributes.find(name);
  return it == attributes.end() ? nullptr : &it->second;
}
std::string Group::text_attribute(const std::string& name) const {
  const Array* a = attribute(name);
  return a && a->is_text && !a->strings.empty() ? a->strings[0] : "";
}
bool Group::has_text_list(const std::string& name) const { return attribute(name) || attribute(name + "0"); }
std::vector<std::string> Group::text_list(const std::string& name) const {
  if (const Array* a = attribute(name)) return a->strings;
  std::vector<std::string> all;
  for (int i = 0; const Array* part = attribute(name + std::to_string(i)); ++i)
    all.insert(all.end(), part->strings.begin(), part->strings.end());
  return all;
}

// ---- as bytes -----------------------------------------------------------------------------------------------------------

namespace {

class Encoder {
 public:
  std::string out;
  void group(const Group& g) {
    number(g.attributes.size());
    for (const auto& [name, a] : g.attributes) text(name), array(a);
    number(g.arrays.size());
    for (const auto& [name, a] : g.arrays) text(name), array(a);
    number(g.groups.size());
    for (const auto& [name, child] : g.groups) text(name), group(*child);
  }

 private:
  void number(uint64_t v) { out.append(reinterpret_cast<const char*>(&v), sizeof v); }
  void text(std::string_view s) { number(s.size()), out.append(s); }
  void shape(const Shape& s) {
    number(s.size());
    for (int64_t d : s) number(static_cast<uint64_t>(d));
  }
  void array(const Array& a) {
    number(a.is_text ? 1 : 0);
    number(a.opaque ? 1 : 0);
    if (a.is_text) {
      number(static_cast<uint64_t>(a.fixed_length));
      shape(a.shape);
      number(a.strings.size());
      for (const std::string& s : a.strings) text(s);
    } else {
      number(static_cast<uint64_t>(a.tensor.dtype()));
      shape(a.tensor.shape());
      text({static_cast<const char*>(a.tensor.craw()), a.tensor.bytes()});
    }
    number(a.attributes.size());
    for (const auto& [name, v] : a.attributes) text(name), array(v);
  }
};

class Decoder {
 public:
  Decoder(std::string_view bytes, const std::string& name)
      : in_({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, name) {}
  Group group(int depth) {
    if (depth > 1000) in_.fail("groups are nested too deeply.");
    Group g;
    for (uint64_t n = count(); n > 0; --n) {
      std::string name = text();
      g.attributes[name] = array(depth + 1);
    }
    for (uint64_t n = count(); n > 0; --n) {
      std::string name = text();
      g.arrays[name] = array(depth + 1);
    }
    for (uint64_t n = count(); n > 0; --n) {
      std::string name = text();
      g.groups[name] = std::make_unique<Group>(group(depth + 1));
    }
    return g;
  }
  void finish() { in_.expect_end(); }

 private:
  uint64_t count() {
    const uint64_t n = in_.u64("a count");
    if (n > in_.left()) in_.fail("a count is larger than the data.");
    return n;
  }
  std::string text() {
    auto bytes = in_.view(in_.u64("a length"), "a text");
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  Shape shape() {
    Shape s;
    for (uint64_t n = count(); n > 0; --n) s.push_back(static_cast<int64_t>(in_.u64("an extent")));
    return s;
  }
  Array array(int depth) {
    if (depth > 1000) in_.fail("attributes are nested too deeply.");
    Array a;
    a.is_text = in_.u64("a kind") == 1;
    a.opaque = in_.u64("a kind") == 1;
    if (a.is_text) {
      a.fixed_length = static_cast<int64_t>(in_.u64("a length"));
      a.shape = shape();
      for (uint64_t n = count(); n > 0; --n) a.strings.push_back(text());
    } else {
      const uint64_t dtype = in_.u64("a dtype");
      if (dtype > static_cast<uint64_t>(DType::u2)) in_.fail("an unknown dtype.");
      Shape s = shape();
      auto bytes = in_.view(in_.u64("a length"), "numbers");
      auto wanted = checked_product(s, dtype_size(static_cast<DType>(dtype)));
      if (!wanted || *wanted != bytes.size()) in_.fail("an array's shape and bytes differ.");
      a.tensor = Tensor(std::move(s), static_cast<DType>(dtype));
      if (!bytes.empty()) std::memcpy(a.tensor.raw(), bytes.data(), bytes.size());
    }
    for (uint64_t n = count(); n > 0; --n) {
      std::string name = text();
      a.attributes[name] = array(depth + 1);
    }
    return a;
  }
  ByteReader in_;
};

}  // namespace

std::string encode(const Group& root) {
  Encoder e;
  e.group(root);
  return std::move(e.out);
}
Group decode(std::string_view bytes, const std::string& name) {
  Decoder d(bytes, name);
  Group g = d.group(0);
  d.finish();
  return g;
}

}  // namespace glia::io::hdf5
