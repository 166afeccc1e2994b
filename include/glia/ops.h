// All operations: functions over Value (symbolic or concrete) with the names and defaults of keras.ops.
#pragma once
#include <glia/ops/attention.h>
#include <glia/ops/conv.h>
#include <glia/ops/linalg.h>
#include <glia/ops/nn.h>
#include <glia/ops/pointwise.h>
#include <glia/ops/random.h>
#include <glia/ops/reduce.h>
#include <glia/ops/shape.h>
