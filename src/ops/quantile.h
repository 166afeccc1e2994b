// Quantiles at places that are values themselves, so that gradients reach them.
#pragma once
#include <glia/ops/statistics.h>

namespace glia::ops {

// q: a scalar or a vector of numbers in [0, 1]; a vector's quantiles lead the result. skip_nan: as nanquantile.
Value quantile_at(const Value& x, const Value& q, std::vector<int64_t> axes, const QuantileOptions& options, bool skip_nan);

}  // namespace glia::ops
