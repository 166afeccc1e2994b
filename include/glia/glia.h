// Glia: deep learning in C++20. This header includes the whole public API.
//
//   #include <glia/glia.h>
//   auto [train, test] = glia::datasets::mnist();
#pragma once
#include <glia/datasets.h>
#include <glia/error.h>
#include <glia/readers.h>
#include <glia/tensor.h>
