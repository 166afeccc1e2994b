// The array form of parity and golden files, {"dtype", "shape", "v"}, and exact pseudo-random arrays that need no file.
//
//   for_each_line("activation.jsonl.gz", [](const json& line) {
//     Tensor x = to_tensor(line["x"]);
//   });
//   Tensor w = golden_uniform({3, 3, 1, 32}, 4100, -0.1, 0.1);   // the same bits as tools/golden/golden.py
#pragma once
#include <functional>
#include <string>

#include <glia/tensor.h>

#include "io/keras_ops/call_args.h"

namespace glia::parity {

using keras_ops::json;

using keras_ops::is_array;
using keras_ops::is_string_array;
using keras_ops::to_number;
using keras_ops::to_shape;
using keras_ops::to_tensor;
using CallArgs = keras_ops::CallArgs;

// Calls `fn` for each line of a file of JSON lines, plain or gzip. Throws Error naming file and line.
void for_each_line(const std::string& path, const std::function<void(const json&)>& fn);

// value[i] = lo + (hi - lo) * (splitmix64((seed << 32) + i) >> 40) / 2^24, computed in double and rounded to
// float32. golden_integers: the same hash modulo count, as int32.
Tensor golden_uniform(Shape shape, uint32_t seed, double lo = -1.0, double hi = 1.0);
Tensor golden_integers(Shape shape, uint32_t seed, uint64_t count);

}  // namespace glia::parity
