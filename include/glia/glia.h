// All of Glia's public interface.
//
//   #include <glia/glia.h>
//   auto [train, test] = glia::datasets::mnist();
#pragma once
#include <glia/activations.h>
#include <glia/applications.h>
#include <glia/callbacks.h>
#include <glia/checkpoint.h>
#include <glia/constraints.h>
#include <glia/custom_step.h>
#include <glia/dataset.h>
#include <glia/datasets.h>
#include <glia/error.h>
#include <glia/export.h>
#include <glia/feature_space.h>
#include <glia/function.h>
#include <glia/image.h>
#include <glia/initializers.h>
#include <glia/layer.h>
#include <glia/layers.h>
#include <glia/load_options.h>
#include <glia/losses.h>
#include <glia/metrics.h>
#include <glia/model.h>
#include <glia/npz.h>
#include <glia/ops.h>
#include <glia/ops/eig.h>
#include <glia/ops/numbers.h>
#include <glia/optimizers.h>
#include <glia/plot.h>
#include <glia/predict_text.h>
#include <glia/pytorch.h>
#include <glia/random.h>
#include <glia/readers.h>
#include <glia/regularizers.h>
#include <glia/safetensors.h>
#include <glia/schedules.h>
#include <glia/string_tensor.h>
#include <glia/tensor.h>
#include <glia/tensorboard.h>
#include <glia/transformers.h>
#include <glia/utils.h>
#include <glia/value.h>
