// What the two inception networks are built from.
#pragma once
#include <string>
#include <vector>

#include "train/applications/common.h"

namespace glia::applications {

struct Step {  // one convolution
  int64_t filters, rows, columns, stride = 1;
};
// Convolution without bias, normalisation without scale, relu: `name`, `name`_bn and `name`_ac, or numbered.
Value unit(const Value& x, const Step& s, const char* padding = "same", const std::string& name = {});
// One convolution after the other; those with a stride see no padding.
Value branch(Value x, const std::vector<Step>& steps);
Value shrink(const Value& x);  // 3 x 3 max pooling, stride 2
Value join(const Values& branches, const std::string& name = {});
// From the image to 35 x 35 (for one of 299) x 192.
Value inception_stem(const Value& image);

}  // namespace glia::applications
