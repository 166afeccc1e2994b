#include "train/summary_table.h"

#include <algorithm>
#include <cmath>

namespace glia {
namespace {

std::vector<std::string> glyphs(const std::string& s) {  // UTF-8 code points
  std::vector<std::string> r;
  for (char c : s) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) r.emplace_back();
    if (r.empty()) r.emplace_back();
    r.back() += c;
  }
  return r;
}
std::string join(const std::vector<std::string>& g, size_t begin, size_t end) {
  std::string r;
  for (size_t i = begin; i < end; ++i) r += g[i];
  return r;
}

enum class Long { cut, fold };  // words longer than a line end in an ellipsis, or go on in the next line

std::vector<std::string> wrap(const std::string& text, size_t width, Long how = Long::cut) {
  const std::vector<std::string> g = glyphs(text);
  std::vector<std::string> lines;
  size_t line_start = 0, used = 0;
  auto flush = [&](size_t end) {
    size_t last = end;
    while (last > line_start + (how == Long::fold ? width : 0) && g[last - 1] == " ") --last;  // a fold keeps spaces that have room
    lines.push_back(last - line_start > width ? join(g, line_start, line_start + width - 1) + "…" : join(g, line_start, last));
    line_start = end;
  };
  for (size_t start = 0, end = 0; start < g.size(); start = end) {  // words with the spaces around them
    while (end < g.size() && g[end] == " ") ++end;
    while (end < g.size() && g[end] != " ") ++end;
    size_t bare = end - start;
    while (end < g.size() && g[end] == " ") ++end;
    const size_t length = end - start;
    if (used + bare <= width) {
      used += length;
    } else if (bare > width && how == Long::fold) {
      if (start > line_start) flush(start);
      for (; end - line_start > width;) flush(line_start + width);
      used = end - line_start;
    } else {
      if (used && start) flush(start);
      used = length;
    }
  }
  flush(g.size());
  return lines;
}

std::string pad(const std::string& s, size_t width, Align align) {
  size_t n = glyphs(s).size(), gap = width > n ? width - n : 0;
  size_t before = align == Align::right ? gap : align == Align::center ? gap / 2 : 0;
  return std::string(before, ' ') + s + std::string(gap - before, ' ');
}

}  // namespace

Table::Table(Row header, std::vector<Align> align, std::vector<int> widths, int line_length)
    : header_(std::move(header)), align_(std::move(align)) {
  const int n = static_cast<int>(widths.size());
  int total = 0;
  for (int w : widths) total += w + 2;
  int rest = line_length - (n + 1) - total;  // negative: every column gives the same; else each gets by its width
  for (int i = 0; i < n; ++i) {
    const int w = widths[i] + 2;
    const int change = rest < 0 ? -static_cast<int>(std::nearbyint(static_cast<double>(-rest) / (n - i)))
                                : static_cast<int>(std::ceil(static_cast<double>(w) * rest / total));
    widths_.push_back(static_cast<size_t>(std::max(1, widths[i] + change)));
    rest -= change, total -= w;
  }
}

std::string Table::text() const {
  std::string r = rule("┏", "━", "┳", "┓") + cells(header_, "┃", true) + rule("┡", "━", "╇", "┩");
  for (size_t i = 0; i < rows_.size(); ++i) r += (i ? rule("├", "─", "┼", "┤") : "") + cells(rows_[i], "│");
  return r + rule("└", "─", "┴", "┘");
}


std::string Table::rule(const char* left, const char* line, const char* cross, const char* right) const {
  std::string r = left;
  for (size_t i = 0; i < widths_.size(); ++i) {
    if (i) r += cross;
    for (size_t k = 0; k < widths_[i] + 2; ++k) r += line;
  }
  return r + right + "\n";
}

std::string Table::cells(const Row& row, const std::string& bar, bool at_bottom) const {
  std::vector<std::vector<std::string>> lines;
  size_t height = 1;
  for (size_t i = 0; i < row.size(); ++i) {
    lines.push_back(wrap(row[i], widths_[i]));
    height = std::max(height, lines.back().size());
  }
  std::string r;
  for (size_t h = 0; h < height; ++h) {
    r += bar;
    for (size_t i = 0; i < row.size(); ++i) {
      const size_t above = at_bottom ? height - lines[i].size() : 0;  // empty lines above the text
      r += " " + pad(h >= above && h - above < lines[i].size() ? lines[i][h - above] : "", widths_[i], align_[i]) + " " + bar;
    }
    r += "\n";
  }
  return r;
}

std::string crop(const std::string& text, size_t columns) {
  std::string r;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::vector<std::string> line = glyphs(text.substr(at, end - at));
    r += join(line, 0, std::min(line.size(), columns)) + "\n";
    at = end + 1;
  }
  return r;
}

std::string folded(const std::string& line, size_t columns) {
  std::string r;
  for (const std::string& part : wrap(line, columns, Long::fold)) r += part + "\n";
  return r;
}

}  // namespace glia
