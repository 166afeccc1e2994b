// HDF5 files <-> trees in memory (tree.h), by libhdf5. Built without it, every function throws an Error that says so.
//
//   hdf5::Group file = hdf5::read_file("model.h5", {.untrusted = true});
//   std::string bytes = hdf5::write(tree);      // superblock 0, contiguous data: what h5py and Keras write
#pragma once
#include <glia/load_options.h>

#include <optional>
#include <span>
#include <string>

#include "io/hdf5/tree.h"

namespace glia::io::hdf5 {

bool available();
bool looks_like_hdf5(std::span<const uint8_t> bytes);
// Where the data end, as the superblock among these first bytes claims; none when they do not show it.
std::optional<uint64_t> end_of_file(std::span<const uint8_t> bytes);

// All groups, arrays and attributes. Links out of the file, virtual and external data are refused; sizes are checked
// before memory is taken. libhdf5 itself is not safe against hostile bytes: with options.untrusted it runs in a child
// process that may not use more memory than the file's size and a fixed allowance, nor more than a few seconds; whatever
// happens to it is an Error here. `name` is what errors call the file.
Group read_bytes(std::span<const uint8_t> bytes, const std::string& name, const LoadOptions& options = {});
Group read_file(const std::string& path, const LoadOptions& options = {});

std::string write(const Group& root);

}  // namespace glia::io::hdf5
