// Progress on stderr: a line that redraws itself on a terminal, one line per epoch elsewhere.
//
//   model.fit(x, y, {.verbose = 0, .callbacks = {train_progress(context)}});
#pragma once
#include <glia/callback.h>

#include "cli/glia/command.h"

namespace glia::cli {

CallbackRef train_progress(const Context& context);
CallbackRef predict_progress(const Context& context, int64_t rows,
                             int64_t batch_size);  // for work of more than two seconds

}  // namespace glia::cli
