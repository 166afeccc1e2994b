// Weights, optimizer state and vocabularies of a model <-> the tree of a model.weights.h5.
//
//   hdf5::Group tree = weights_tree(model);
//   apply_weights(model, tree, "model.keras", {});
#pragma once
#include <glia/model.h>

#include <functional>
#include <string>

#include "io/hdf5/tree.h"
#include "io/keras/walk.h"

namespace glia::io::keras {

struct ApplyOptions {
  bool skip_mismatch = false;   // warn instead of throwing
  bool optimizer = true;        // restore its state, where the model is compiled
};

// All layers' variables by path, and the optimizer's when the model is compiled.
hdf5::Group weights_tree(const Model& model);
// Throws Error that lists the layers whose variables the tree lacks or has in other shapes.
void apply_weights(const Model& model, const hdf5::Group& tree, const std::string& name, const ApplyOptions& options);

// Vocabularies beside the weights: ("assets/layers/string_lookup/vocabulary.txt", text).
using Assets = std::vector<std::pair<std::string, std::string>>;
Assets assets_of(const Model& model);
Assets idf_assets_of(const Model& model);  // for .glia files: what .keras files keep among the weights
// read(path) gives a member's text, or null when there is none.
void apply_assets(const Model& model, const hdf5::Group& tree, const std::string& name,
                  const std::function<std::unique_ptr<std::string>(const std::string&)>& read);

// Gives `to` the numbers of `from` in its own dtype. Throws Error when the shapes differ.
void assign(const Variable& to, const hdf5::Array& from, const std::string& where);

}  // namespace glia::io::keras
