#include "cli/parity/check.h"

#include <cmath>
#include <sstream>

#include "base/error.h"

namespace glia::parity {
namespace {

Tolerance read(const json& line, const char* key, Tolerance fallback) {
  if (!line.contains(key) || line[key].is_null()) return fallback;
  return {line[key].value("rtol", fallback.rtol), line[key].value("atol", fallback.atol)};
}

std::string place(const Shape& shape, int64_t flat) {
  std::vector<int64_t> at(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    at[i] = flat % shape[i];
    flat /= shape[i];
  }
  return fmt::format("[{}]", fmt::join(at, ", "));
}

// How many times the allowed difference this one is; above 1 fails.
double excess(double got, double want, Tolerance tol) {
  if (std::isnan(got) || std::isnan(want)) return std::isnan(got) && std::isnan(want) ? 0 : INFINITY;
  if (std::isinf(got) || std::isinf(want)) return got == want ? 0 : INFINITY;
  const double difference = std::fabs(got - want);
  const double allowed = tol.atol + tol.rtol * std::fabs(want);
  if (difference == 0) return 0;
  return allowed == 0 ? INFINITY : difference / allowed;
}

std::string describe(double got, double want) {
  const double difference = std::fabs(got - want);
  return fmt::format("got {:.9g} want {:.9g} (abs {:.3g}, rel {:.3g})", got, want, difference, difference / std::fabs(want));
}

bool same_kind(DType got, DType want, bool exact) { return got == want || (!exact && is_float(got) && is_float(want)); }

}  // namespace

Tolerance tolerance(const json& line) { return read(line, "tol", {1e-5, 1e-6}); }
Tolerance gradient_tolerance(const json& line) { return read(line, "grad_tol", {1e-4, 1e-5}); }

void Check::that(bool ok, std::string_view what, const std::string& note) {
  ++compared_;
  if (ok) return;
  failures_.push_back(fmt::format("{}: {}", what, note));
  if (worst_excess_ < 0) worst_failure_ = failures_.size() - 1;
}

void Check::number(std::string_view what, double got, double want, Tolerance tol) {
  ++compared_;
  const double e = excess(got, want, tol);
  worst_ = std::max(worst_, e);
  if (e <= 1) return;
  failures_.push_back(fmt::format("{}: {}", what, describe(got, want)));
  if (e <= worst_excess_) return;
  worst_excess_ = e;
  worst_failure_ = failures_.size() - 1;
}

void Check::text(std::string_view what, const std::string& got, const std::string& want) {
  if (got == want) return that(true, what, "");
  std::istringstream a(got), b(want);
  std::string x, y;
  for (int number = 1;; ++number) {
    const bool more_a = static_cast<bool>(std::getline(a, x)), more_b = static_cast<bool>(std::getline(b, y));
    if (!more_a) x = "<end>";
    if (!more_b) y = "<end>";
    if (x != y || !more_a) return fail(what, fmt::format("line {}: got '{}' want '{}'", number, x, y));
  }
}

void Check::tensor(std::string_view what, const Tensor& got, const json& want, Tolerance tol, bool exact_dtype) {
  ++compared_;
  if (!got.defined() && num_elements(to_shape(want["shape"])) != 0) return fail(what, "there is no value");
  const Tensor expected = to_tensor(want);
  if (got.shape() != expected.shape())
    return fail(what, fmt::format("shape {} want {}", to_string(got.shape()), to_string(expected.shape())));
  if (!same_kind(got.dtype(), expected.dtype(), exact_dtype))
    return fail(what, fmt::format("dtype {} want {}", dtype_name(got.dtype()), dtype_name(expected.dtype())));
  const Tolerance use = is_float(expected.dtype()) ? tol : Tolerance{0, 0};
  int64_t bad = 0, worst_at = 0;
  double worst_here = 0;
  for (int64_t i = 0; i < got.size(); ++i) {
    const double e = excess(got.item(i), expected.item(i), use);
    if (e > 1) ++bad;
    if (e <= worst_here) continue;
    worst_here = e;
    worst_at = i;
  }
  worst_ = std::max(worst_, worst_here);
  if (bad == 0) return;
  failures_.push_back(fmt::format("{}: {} {}; {} of {} elements", what, place(got.shape(), worst_at),
                                  describe(got.item(worst_at), expected.item(worst_at)), bad, got.size()));
  if (worst_here <= worst_excess_) return;
  worst_excess_ = worst_here;
  worst_failure_ = failures_.size() - 1;
}

const std::string& Check::report() const {
  report_.clear();
  if (failures_.empty()) return report_;
  report_ = failures_[worst_failure_];
  if (failures_.size() > 1) report_ += fmt::format(" (and {} more)", failures_.size() - 1);
  return report_;
}

}  // namespace glia::parity
