// The calls into libhdf5, whose state is global: hold the lock around each.
#pragma once
#include <glia/load_options.h>

#include <mutex>
#include <span>
#include <string>

#include "io/hdf5/tree.h"

namespace glia::io::hdf5::native {

std::unique_lock<std::mutex> lock();
Group read_image(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits);
Group read_path(const std::string& path, uint64_t bytes, const LoadLimits& limits);
std::string write(const Group& root);

}  // namespace glia::io::hdf5::native
