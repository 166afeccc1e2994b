// Glia: deep learning in C++20. This header includes the whole public API.
//
//   #include <glia/glia.h>
//   auto [train, test] = glia::datasets::mnist();
#pragma once
#include <glia/error.h>
#include <glia/tensor.h>
