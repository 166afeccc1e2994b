// Layers that prepare data: scaling, encoding, image size.
//
//   layers::Rescaling(1.0 / 255)
#pragma once
#include <glia/layers/options.h>

namespace glia::layers {

// A number, or one number per channel.
struct Scale : Floats {
  Scale(double v) : Floats{v} {}                               // NOLINT
  Scale(std::initializer_list<double> v) : Floats(v) {}        // NOLINT
  Scale(Floats v) : Floats(std::move(v)) {}                    // NOLINT
};

// inputs * scale + offset, in the layer's dtype. Each may be a list that broadcasts over the last axis.
LayerRef Rescaling(Scale scale, Scale offset = 0.0, PlainOptions options = {});

}  // namespace glia::layers
