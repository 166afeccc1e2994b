// Words as the answer of a model: its last layer is a StringLookup with invert. Included by <glia/glia.h>.
//
//   Value x = Input({4}), index = ops::argmax(layers::Dense(3)(x), -1);
//   Model model({x}, {layers::StringLookup({.vocabulary = {"cat", "dog"}, .invert = true})(index)});
//   StringTensor words = predict_text(model, Tensor::zeros({2, 4}));   // {"[UNK]", "[UNK]"}: index 0 is the unknown token
#pragma once
#include <cstddef>

#include <glia/model.h>
#include <glia/string_tensor.h>

namespace glia {

// Tensors hold no strings: inside a model such a layer passes its indices on, as int64, and `predict` gives these. predict_text calls
// `predict` and looks output number `output` up. An index outside of the vocabulary gives the oov_token. Throws Error when the
// output does not come from a StringLookup with invert.
StringTensor predict_text(Model& model, const Data& x, std::size_t output = 0, const PredictOptions& options = {});

}  // namespace glia
