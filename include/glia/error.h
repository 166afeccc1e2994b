// glia::Error: thrown for every mistake a caller can make (shapes, names, files, labels, missing data).
// what() says where, what was received, what was expected and how to mend it.
//
//   try { model.fit(x, y); } catch (const glia::Error& e) { std::cerr << e.what() << '\n'; }
#pragma once
#include <stdexcept>
#include <string>

namespace glia {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace glia
