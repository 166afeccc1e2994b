// Comparison of what Glia computed with what Keras computed: the outcome of one parity line.
//
//   Check check;
//   check.tensor("y", got, line["y"], tolerance(line));
//   if (!check.passed()) std::cout << check.report();   // y: [1, 3] got 0.25 want 0.5 (abs 0.25, rel 0.5; 2 of 12 elements)
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/parity/json_tensor.h"

namespace glia::parity {

// An element passes when |got - want| <= atol + rtol * |want|; NaN equals NaN, infinities must be equal.
struct Tolerance {
  double rtol = 1e-5;
  double atol = 1e-6;
};
Tolerance tolerance(const json& line);           // "tol"
Tolerance gradient_tolerance(const json& line);  // "grad_tol", else rtol 1e-4, atol 1e-5

// The class or function of a line does not exist in Glia. (A refused option is an Error and counts as a failure.)
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Check {
 public:
  // Compares shape, dtype (floats may differ in width unless exact_dtype) and every element with an array of the file.
  void tensor(std::string_view what, const Tensor& got, const json& want, Tolerance tol, bool exact_dtype = true);
  void number(std::string_view what, double got, double want, Tolerance tol);
  void text(std::string_view what, const std::string& got, const std::string& want);  // first differing line is shown
  void that(bool ok, std::string_view what, const std::string& note);
  void fail(std::string_view what, const std::string& note) { that(false, what, note); }

  bool passed() const { return failures_.empty(); }
  int compared() const { return compared_; }  // things compared; a line that compares nothing has not passed
  const std::string& report() const;          // the worst failure, and how many others there are
  double worst() const { return worst_; }     // largest |got - want| / (atol + rtol |want|) over all passed or failed

 private:
  std::vector<std::string> failures_;
  std::size_t worst_failure_ = 0;
  double worst_excess_ = -1;
  double worst_ = 0;
  int compared_ = 0;
  mutable std::string report_;
};

}  // namespace glia::parity
