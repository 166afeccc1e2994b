#include <glia/readers.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "data/text_limit.h"
#include "io/file/byte_reader.h"
#include "data/number.h"

namespace glia {
namespace {

// Cuts text into records of fields; RFC 4180 with LF or CRLF line ends. A quoted field may span lines.
class CsvScanner {
 public:
  CsvScanner(std::string_view text, char delimiter, const std::string& name)
      : text_(text), delimiter_(delimiter), name_(name) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }
  // False at the end of the text. Empty lines are skipped. `most`: fields of the first line; one more is told, not a million.
  bool next(std::vector<std::string>& fields, std::size_t most) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) line_ += text_[at_++] == '\n';
    if (at_ >= text_.size()) return false;
    fields.clear();
    first_line_ = line_;
    for (;;) {
      fields.push_back(field());
      GLIA_CHECK(fields.size() <= most, "{}, line {}: more than {} fields. Expected {} as in the first line.", name_, first_line_, most, most);
      if (at_ < text_.size() && text_[at_] == delimiter_) {
        ++at_;
        continue;
      }
      if (at_ < text_.size() && text_[at_] == '\r') ++at_;
      if (at_ < text_.size() && text_[at_] == '\n') ++at_, ++line_;
      return true;
    }
  }
  void skip_line() {
    std::size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    ++line_;
  }
  int64_t line() const { return first_line_; }

 private:
  std::string field() {
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != delimiter_ && text_[end] != '\n' && text_[end] != '\r') ++end;
    std::string_view raw = data::trim(text_.substr(at_, end - at_));
    at_ = end;
    return std::string(raw);
  }
  std::string quoted() {
    int64_t start = line_;
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      line_ += c == '\n';
      if (c != '"') {
        out += c;
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        out += c;
        ++at_;
      } else {
        ++at_;
        bool ends = at_ >= text_.size() || text_[at_] == delimiter_ || text_[at_] == '\n' || text_[at_] == '\r';
        GLIA_CHECK(ends, "{}, line {}: text follows the closing quote of a field. Double a quote inside a quoted field.",
                   name_, line_);
        return out;
      }
    }
    throw_error("{}, line {}: the quoted field that starts here is never closed.", name_, start);
  }

  std::string_view text_;
  char delimiter_;
  const std::string& name_;
  std::size_t at_ = 0;
  int64_t line_ = 1, first_line_ = 1;
};

}  // namespace

CsvTable parse_csv(std::string_view text, const CsvOptions& options, const std::string& name) {
  CsvTable table;
  table.path_ = name;
  table.missing_ = options.missing;
  CsvScanner scan(text, options.delimiter, name);
  for (int64_t i = 0; i < options.skip_lines; ++i) scan.skip_line();
  std::vector<std::string> fields;
  bool first = true;
  while (scan.next(fields, first ? fields.max_size() : table.names_.size())) {
    if (first) {
      first = false;
      for (std::size_t i = 0; i < fields.size(); ++i)
        table.names_.push_back(options.header ? fields[i] : std::to_string(i));
      table.fields_.resize(fields.size());
      if (options.header) continue;
    }
    GLIA_CHECK(fields.size() == table.names_.size(), "{}, line {}: {} fields. Expected {} as in the first line.", name,
               scan.line(), fields.size(), table.names_.size());
    for (std::size_t i = 0; i < fields.size(); ++i) table.fields_[i].push_back(std::move(fields[i]));
    table.lines_.push_back(scan.line());
  }
  GLIA_CHECK(!first, "{}: the file is empty. Expected at least one line.", name);
  return table;
}

CsvTable read_csv(const std::string& path, const CsvOptions& options) {
  return parse_csv(io::read_whole(path, text_limit(path)), options, path);
}

std::size_t CsvTable::index_of(std::string_view column) const {
  auto it = std::find(names_.begin(), names_.end(), column);
  GLIA_CHECK(it != names_.end(), "{}: no column '{}'.{}", path_, column, did_you_mean(column, names_));
  return static_cast<std::size_t>(it - names_.begin());
}

bool CsvTable::is_missing(const std::string& field) const {
  return std::find(missing_.begin(), missing_.end(), field) != missing_.end();
}

int64_t CsvTable::line_of(int64_t row) const {
  GLIA_CHECK(row >= 0 && row < rows(), "{}: row {} does not exist, there are {}.", path_, row, rows());
  return lines_[static_cast<std::size_t>(row)];
}

const std::vector<std::string>& CsvTable::strings(std::string_view column) const { return fields_[index_of(column)]; }

Tensor CsvTable::floats(const std::vector<std::string>& columns) const {
  const std::vector<std::string>& wanted = columns.empty() ? names_ : columns;
  auto n = rows(), width = static_cast<int64_t>(wanted.size());
  Tensor out({n, width});
  for (int64_t c = 0; c < width; ++c) {
    const auto& column = fields_[index_of(wanted[static_cast<std::size_t>(c)])];
    for (int64_t r = 0; r < n; ++r) {
      const std::string& field = column[static_cast<std::size_t>(r)];
      float value = std::numeric_limits<float>::quiet_NaN();
      if (!is_missing(field)) {
        std::optional<double> number = data::parse_number(field);
        GLIA_CHECK(number, "{}, line {}, column '{}': '{}' is not a number. Choose numeric columns by name, or use labels() "
                   "for classes.", path_, line_of(r), wanted[static_cast<std::size_t>(c)], field.substr(0, 40));
        value = static_cast<float>(*number);
      }
      out.data<float>()[r * width + c] = value;
    }
  }
  return out;
}

std::pair<Tensor, std::vector<std::string>> CsvTable::labels(std::string_view column) const {
  const auto& fields = fields_[index_of(column)];
  for (int64_t r = 0; r < rows(); ++r) {
    GLIA_CHECK(!is_missing(fields[static_cast<std::size_t>(r)]), "{}, line {}, column '{}': the label is missing. Call "
               "drop_missing({{\"{}\"}}) first.", path_, line_of(r), column, column);
  }
  std::vector<std::string> classes(fields);
  bool numeric = std::all_of(classes.begin(), classes.end(), [](auto& c) { return data::parse_number(c).has_value(); });
  auto less = [numeric](const std::string& a, const std::string& b) {
    double x = numeric ? *data::parse_number(a) : 0, y = numeric ? *data::parse_number(b) : 0;
    return x != y ? x < y : a < b;
  };
  std::sort(classes.begin(), classes.end(), less);
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  Tensor out({rows()}, DType::i32);
  for (int64_t r = 0; r < rows(); ++r) {
    auto it = std::lower_bound(classes.begin(), classes.end(), fields[static_cast<std::size_t>(r)], less);
    out.data<int32_t>()[r] = static_cast<int32_t>(it - classes.begin());
  }
  return {out, classes};
}

CsvTable CsvTable::drop_missing(const std::vector<std::string>& columns) const {
  std::vector<std::size_t> checked;
  for (const std::string& name : columns.empty() ? names_ : columns) checked.push_back(index_of(name));
  CsvTable out;
  out.path_ = path_;
  out.names_ = names_;
  out.missing_ = missing_;
  out.fields_.resize(fields_.size());
  for (std::size_t r = 0; r < lines_.size(); ++r) {
    if (std::any_of(checked.begin(), checked.end(), [&](std::size_t c) { return is_missing(fields_[c][r]); })) continue;
    out.lines_.push_back(lines_[r]);
    for (std::size_t c = 0; c < fields_.size(); ++c) out.fields_[c].push_back(fields_[c][r]);
  }
  return out;
}

}  // namespace glia
