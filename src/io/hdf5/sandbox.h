// Runs a parser that is not trusted with hostile bytes in a child process with limits on memory and time.
//
//   std::string result = run_in_child("model.h5", {.memory = 64 << 20, .milliseconds = 200}, [&] { return encode(parse(bytes)); });
//
// What the function returns comes back; an Error it throws is thrown here; a crash, a hang or too much memory is an Error.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace glia::io {

struct ChildLimits {
  uint64_t memory = uint64_t{64} << 20;  // bytes beyond what the process has when it starts
  int64_t milliseconds = 100;            // of processor time; on the clock twenty times that and two seconds
  uint64_t output = UINT64_MAX;          // bytes of the result
};

// Inside of the child: more time, for bytes that are really there. Nothing elsewhere.
void grant_child_time(uint64_t bytes);
std::string run_in_child(const std::string& name, const ChildLimits& limits, const std::function<std::string()>& body);

}  // namespace glia::io
