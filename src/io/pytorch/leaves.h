// The layers of a model that hold weights, with what PyTorch's layout needs to know about their places.
#pragma once
#include <glia/model.h>

#include <string>
#include <vector>

namespace glia::io {

struct Leaf {
  LayerRef layer;
  std::string path;  // "block/dense"
  Shape flattened;   // of its input before a Flatten, channels last; empty when there was none or channels came first
};

// In the model's order. Throws Error, beginning with `who`, for a layer with weights that has no rule (modules.h),
// unless `partial`.
std::vector<Leaf> leaves_of(const Model& model, bool partial, const char* who);

}  // namespace glia::io
