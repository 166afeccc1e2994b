#include "data/locate.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace glia::data {
namespace fs = std::filesystem;

static std::string env(const char* name) {
  const char* v = std::getenv(name);
  return v ? v : "";
}

fs::path cache_dir() {
  if (std::string xdg = env("XDG_CACHE_HOME"); !xdg.empty()) return fs::path(xdg) / "glia";
  if (std::string home = env("HOME"); !home.empty()) return fs::path(home) / ".cache" / "glia";
  return {};
}

std::vector<fs::path> search_roots(const datasets::Options& options) {
  if (!options.dir.empty()) return {options.dir};
  std::vector<fs::path> roots;
  if (std::string dir = env("GLIA_DATA_DIR"); !dir.empty()) roots.emplace_back(dir);
  std::error_code ec;
  for (fs::path at = fs::current_path(ec); !ec && !at.empty(); at = at.parent_path()) {
    fs::path candidate = at / "shared" / "data";
    std::error_code absent;
    if (fs::is_directory(candidate, absent)) roots.push_back(candidate);
    if (at == at.parent_path()) break;
  }
  if (fs::path cache = cache_dir(); !cache.empty()) roots.push_back(cache);
  return roots;
}

static std::optional<Paths> all_in(const FileSet& set, const fs::path& folder) {
  Paths found;
  for (const RemoteFile& f : set.files) {
    std::error_code ec;
    auto hit = std::find_if(f.names.begin(), f.names.end(),
                            [&](const std::string& name) { return fs::is_regular_file(folder / name, ec); });
    if (hit == f.names.end()) return std::nullopt;
    found.push_back(folder / *hit);
  }
  return found;
}

std::optional<Paths> find_local(const FileSet& set, const datasets::Options& options) {
  for (const fs::path& root : search_roots(options)) {
    for (const std::string& folder : set.folders) {
      if (auto found = all_in(set, folder.empty() ? root : root / folder)) return found;
    }
  }
  return std::nullopt;
}

// Fetches what is missing into the cache; an empty string, or why it failed.
static std::string fetch_all(const FileSet& set, const fs::path& folder) {
  std::error_code ec;
  fs::create_directories(folder, ec);
  if (ec) return fmt::format("the cache folder {} cannot be made: {}", folder.string(), ec.message());
  for (const RemoteFile& f : set.files) {
    fs::path to = folder / f.names[0];
    if (fs::is_regular_file(to, ec)) continue;
    std::string problem = "no download address is known";
    for (const std::string& url : f.urls) {
      problem = download(url, to, f.sha256);
      if (problem.empty()) break;
      problem = url + ": " + problem;
    }
    if (!problem.empty()) return problem;
  }
  return "";
}

Paths locate(const FileSet& set, const datasets::Options& options) {
  if (auto found = find_local(set, options)) return *found;
  std::string why;
  if (!options.dir.empty()) {
    why = "Options::dir was given, so nothing else was tried";
  } else if (set.files[0].urls.empty()) {
    why = "this dataset has no download";
  } else if (!options.download) {
    why = "Options::download is false";
  } else if (!env("GLIA_OFFLINE").empty() && env("GLIA_OFFLINE") != "0") {
    why = "GLIA_OFFLINE is set";
  } else if (cache_dir().empty()) {
    why = "neither XDG_CACHE_HOME nor HOME is set, so there is no cache to download into";
  } else {
    fs::path folder = cache_dir() / set.folders[0];
    why = fetch_all(set, folder);
    if (why.empty()) return *all_in(set, folder);
  }
  std::string places, names;
  for (const fs::path& root : search_roots(options)) {
    for (const std::string& folder : set.folders) places += "\n  " + (folder.empty() ? root : root / folder).string();
  }
  for (const RemoteFile& f : set.files) names += (names.empty() ? "" : ", ") + f.names[0];
  throw_error("datasets: {} was not found. Looked for {} (all in one folder) in:{}\nDownload: {}.\nPut the files into one "
              "of these folders, or set GLIA_DATA_DIR to a folder that holds {}/.",
              set.dataset, names, places, why, set.folders[0]);
}

}  // namespace glia::data
