// A table of text as the Python library rich lays it out: fixed column widths, reduced or widened to the line; words wrapped, long words cut
// with an ellipsis.
//
//   Table table({"Layer", "Param #"}, {Align::left, Align::right}, {40, 20}, 70);
//   table.add({"dense (Dense)", "1,024"});
//   std::string text = table.text();
#pragma once
#include <string>
#include <vector>

namespace glia {

using Row = std::vector<std::string>;
enum class Align { left, right, center };

class Table {
 public:
  Table(Row header, std::vector<Align> align, std::vector<int> widths, int line_length);
  void add(Row row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::string rule(const char* left, const char* line, const char* cross, const char* right) const;
  std::string cells(const Row& row, const std::string& bar, bool at_bottom = false) const;
  Row header_;
  std::vector<Align> align_;
  std::vector<size_t> widths_;
  std::vector<Row> rows_;
};

// Each line of the text cut after `columns` characters.
std::string crop(const std::string& text, size_t columns);
// One line broken between words, words that are too long anywhere, each part with a line end.
std::string folded(const std::string& line, size_t columns);

}  // namespace glia
