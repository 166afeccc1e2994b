// A trace of steps as files that viewers of time lines open.
//
//   write_profile("logs/train", events);     // logs/train/plugins/profile/2026_11_24_10_00_00/HOST.{xplane.pb,trace.json.gz}
#pragma once
#include <string>
#include <vector>

#include "runtime/profiler.h"

namespace glia::io {

// TensorFlow's XSpace message (tsl/profiler/protobuf/xplane.proto), serialised.
std::string xplane_of(const std::vector<runtime::TraceEvent>& events, const std::string& host);
// The Trace Event Format of chrome://tracing, as JSON text.
std::string chrome_trace_of(const std::vector<runtime::TraceEvent>& events, const std::string& host);
// Writes both and returns their folder. Throws Error naming the file when that fails.
std::string write_profile(const std::string& log_dir, const std::vector<runtime::TraceEvent>& events);

}  // namespace glia::io
