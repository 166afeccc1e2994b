#include "base/error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace glia {

void assert_failed(const char* expr, const char* file, int line, const std::string& note) {
  std::fprintf(stderr, "glia: internal error: %s at %s:%d %s\nPlease report this as a bug of Glia.\n", expr, file, line,
               note.c_str());
  std::abort();
}

namespace {
// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), case ignored.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  auto same = [&](size_t i, size_t j) { return std::tolower(a[i - 1]) == std::tolower(b[j - 1]); };
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same(i, j) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j)) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}
}  // namespace

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  std::string_view hit;
  std::vector<std::pair<size_t, std::string_view>> by_distance;
  for (const auto& k : known) {
    size_t d = edit_distance(name, k);
    if (d < best) best = d, hit = k;
    by_distance.emplace_back(d, k);
  }
  if (!hit.empty()) return fmt::format(" Did you mean '{}'?", hit);
  constexpr size_t kMost = 40, kNearest = 8;  // of long lists only the nearest names are shown
  const bool all = known.size() <= kMost;
  if (!all) std::stable_sort(by_distance.begin(), by_distance.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::string list;
  for (size_t i = 0; i < (all ? known.size() : kNearest); ++i) list += (list.empty() ? "" : ", ") + std::string(by_distance[i].second);
  if (list.empty()) return "";
  return all ? fmt::format(" Known names: {}.", list) : fmt::format(" Nearest of {} known names: {}.", known.size(), list);
}

}  // namespace glia
