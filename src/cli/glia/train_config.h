// compile(), fit() and callbacks as JSON, with Keras's names.
#pragma once
#include <glia/model.h>

#include "cli/glia/config.h"

namespace glia::cli {

// {"optimizer": name or {class_name, config}, "loss": ..., "metrics": [...], "loss_weights": [...]}
CompileOptions compile_options(const Config& c);
LossSpec loss_spec(const json& value, const std::string& where);
MetricsSpec metrics_spec(const json& value, const std::string& where);
// {"epochs", "batch_size", "shuffle", "validation_split", "class_weight", ...}; callbacks and data are added by the
// caller.
FitOptions fit_options(const Config& c);
// [{"class_name": "EarlyStopping", "config": {...}}, ...]; relative paths start at `folder`.
std::vector<CallbackRef> callbacks_of(const json& list, const std::string& where, const std::string& folder);

}  // namespace glia::cli
