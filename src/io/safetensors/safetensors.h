// The reader and writer are public: <glia/safetensors.h>. These names are for the files of this room.
#pragma once
#include <glia/safetensors.h>

namespace glia::io {
using glia::NamedTensors;
using glia::read_safetensors;
using glia::write_safetensors;
}  // namespace glia::io
