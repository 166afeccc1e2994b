// Why the loss of an epoch is NaN.
//
//   if (std::isnan(loss)) explain_nan(last_batch, step, epoch, &all_arrays, told);
#pragma once
#include "train/feed.h"

namespace glia {

// Error when the data shows why: the last batch, else `all` (the whole training data, or null) holds NaN or infinity. Otherwise a
// warning with what to try, once: `told` remembers.
void explain_nan(const FeedBatch& last, int64_t step, int epoch, const FeedBatch* all, bool& told);

}  // namespace glia
