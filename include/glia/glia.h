// All of Glia's public interface.
#pragma once
#include <glia/datasets.h>
#include <glia/error.h>
#include <glia/readers.h>
#include <glia/function.h>
#include <glia/ops.h>
#include <glia/tensor.h>
#include <glia/value.h>
