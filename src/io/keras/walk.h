// Where Keras keeps what: the layers of a model with their paths inside model.weights.h5 and assets/.
//
//   for (const Saveable& s : walk(model)) ...     // {"layers/dense", dense}, {"layers/lstm/cell", cell}, ...
#pragma once
#include <glia/layer.h>

#include <string>
#include <vector>

namespace glia::io::keras {

struct Saveable {
  std::vector<std::string> paths;  // the first is where it is written; older files may use the others
  LayerRef layer;
};

// The root ("") first, then every layer below it once: where it is met first.
std::vector<Saveable> walk(const LayerRef& root);
// A layer's own variables in the file's order: trainable ones, then the others.
std::vector<Variable> own_variables(const Layer& layer);
// The name of the layer's class inside paths: "conv2d", "max_pooling2d".
std::string path_class(const Layer& layer);

}  // namespace glia::io::keras
