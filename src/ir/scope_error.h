// Errors that say which layer asked for the op.
//
//   return naming_the_layer([&] { return op.infer(call); });   // Error: "dense_1 (Dense): ..."
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "ir/graph.h"

namespace glia::ir {

// f(); an Error that it throws starts with the title of the layer being called, once.
template <class F>
auto naming_the_layer(F&& f) {
  const std::string title = current_scope_title();
  try {
    return f();
  } catch (const Error& e) {
    if (title.empty() || std::string_view(e.what()).substr(0, title.size()) == title) throw;
    throw Error(title + ": " + e.what());
  }
}

}  // namespace glia::ir
