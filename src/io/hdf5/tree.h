// What an HDF5 file holds, as a tree in memory: groups with attributes and arrays of numbers or strings. Reading and writing
// HDF5 itself is hdf5.h's; everything above works on this tree.
//
//   Group file;
//   file.at_path("layers/dense/vars").arrays["0"] = Array{tensor};
//   const Array* kernel = file.find_array("layers/dense/vars/0");   // null when there is none
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <glia/tensor.h>

namespace glia::io::hdf5 {

struct Array;
using Attributes = std::map<std::string, Array>;

// Numbers in `tensor`, or text in `strings` (row-major, of shape `shape`).
struct Array {
  Tensor tensor;
  bool is_text = false;
  std::vector<std::string> strings;
  Shape shape;                 // of strings; {} is a single one
  int64_t fixed_length = 0;    // text: 0 is variable length
  bool opaque = false;         // two-byte items without a type, Keras's bfloat16
  Attributes attributes;

  static Array numbers(Tensor t);
  static Array text(std::string s);
  static Array texts(std::vector<std::string> list);
};

struct Group {
  std::map<std::string, Array> arrays;
  std::map<std::string, std::unique_ptr<Group>> groups;
  Attributes attributes;

  Group& at_path(std::string_view path);                    // creates what is missing; "" is the group itself
  const Group* find(std::string_view path) const;           // null when there is none
  const Array* find_array(std::string_view path) const;
  const Array* attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;                 // "" when there is none
  std::vector<std::string> text_list(const std::string& name) const;         // also split as name0, name1, ...
  bool has_text_list(const std::string& name) const;
};

// The tree as bytes of our own, to hand it from one process to another. decode throws Error on damaged bytes.
std::string encode(const Group& root);
Group decode(std::string_view bytes, const std::string& name);

}  // namespace glia::io::hdf5
