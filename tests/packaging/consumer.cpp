// The smallest program: the whole public API in one include, one tensor, one line of output.
#include <glia/glia.h>

#include <iostream>

int main() {
  glia::Tensor x = glia::Tensor::from({2, 2}, {1, 2, 3, 4});
  std::cout << "hello " << x.to_string() << '\n';
  return x.size() == 4 ? 0 : 1;
}
