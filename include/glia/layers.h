// All layers of Keras 3 as functions in namespace glia::layers; each returns a LayerRef. Options are structs with Keras's
// argument names in Keras's order, used with designated initialisers.
//
//   Sequential model({
//       layers::Conv2D(32, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}}),
//       layers::MaxPooling2D({2, 2}),
//       layers::Flatten(),
//       layers::Dense(10, {.activation = "softmax"}),
//   });
#pragma once
#include <glia/layers/attention.h>
#include <glia/layers/audio.h>
#include <glia/layers/augmentation.h>
#include <glia/layers/conv.h>
#include <glia/layers/core.h>
#include <glia/layers/merge.h>
#include <glia/layers/norm.h>
#include <glia/layers/pool.h>
#include <glia/layers/preprocessing.h>
#include <glia/layers/regularization.h>
#include <glia/layers/reshape.h>
#include <glia/layers/rnn.h>
#include <glia/layers/text.h>
