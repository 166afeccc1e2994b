// Finds the files of a dataset: search order, then download (see glia/datasets.h).
//
//   Files f = locate("mnist", {"mnist", ""}, {{"t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz", url, sha}}, {});
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <glia/datasets.h>

namespace glia::data {

struct RemoteFile {
  std::vector<std::string> names;  // any of these will do; the first is the name in the cache
  std::vector<std::string> urls;   // tried in order; empty: cannot be downloaded
  std::string sha256;              // of what the url serves
};

struct FileSet {
  std::string dataset;                // for messages
  std::vector<std::string> folders;   // below each root, tried in order; "" is the root itself. [0] is used in the cache
  std::vector<RemoteFile> files;      // all must lie in one folder
};

using Paths = std::vector<std::filesystem::path>;

std::vector<std::filesystem::path> search_roots(const datasets::Options& options);
std::optional<Paths> find_local(const FileSet& set, const datasets::Options& options);
// find_local, else download. Throws Error naming every folder looked at and what went wrong with the download.
Paths locate(const FileSet& set, const datasets::Options& options);

std::filesystem::path cache_dir();

// Downloads url to `to` (through a temporary file beside it) when the content has the given SHA-256.
// Returns an empty string, or what went wrong.
std::string download(const std::string& url, const std::filesystem::path& to, const std::string& sha256);

}  // namespace glia::data
