// What a reader of files may spend on one file, and whether the file is trusted.
//
//   read_npz("arrays.npz", {.limits = {.max_bytes = 1 << 20}});    // Error when it unpacks to more than 1 MiB
//
// Memory always grows with the bytes that really arrive, never with what a header promises, so a small file that
// claims terabytes costs nothing. The limits bound files that do hold what they claim; the defaults fit every honest
// model.
#pragma once
#include <cstdint>

namespace glia {

struct LoadLimits {
  uint64_t max_bytes = uint64_t{1} << 34;  // bytes that a file may unpack to (16 GiB)
  uint64_t max_tensors = 1'000'000;        // tensors, members of an archive, nodes of a graph: each
  int max_nesting = 256;                   // lists in lists, layers in layers, dictionaries in dictionaries
  uint64_t max_name_length = 4096;         // bytes of a name of a tensor, layer or member
};

struct LoadOptions {
  bool compile = true;  // models: restore optimizer (with its state), loss and metrics where the file has them
  LoadLimits limits = {};
  bool untrusted =
      false;  // parse in a child process with limits on memory and time, where the format needs it (HDF5)
  // safetensors: map the file instead of reading it. Opening then costs nothing (reading: about 0.5 s per GB), but who
  // cuts the file short while a tensor of it lives ends this process (SIGBUS). For files that nobody else writes to.
  bool map = false;
};

}  // namespace glia
