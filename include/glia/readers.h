// Readers for the plain file formats that datasets come in. Files ending in .gz are unpacked on the way. A damaged or
// hostile file gives a glia::Error that names the file and the place; it never crashes or allocates what it only promises.
//
//   Tensor images = read_idx("train-images-idx3-ubyte.gz");           // uint8 (60000, 28, 28)
//   CsvTable iris = read_csv("iris.csv");
//   Tensor x = iris.floats({"sepal_length", "petal_length"});         // float32 (150, 2)
//   auto [y, names] = iris.labels("species");                         // int32 (150,), sorted class names
//   Sequences jv = read_ts("JapaneseVowels_TRAIN.ts");                // jv.x (270, 26, 12), jv.lengths (270,)
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <glia/tensor.h>

namespace glia {

// idx, the format of MNIST. uint8, int8, int32, float32 and float64 keep their type; int16 becomes int32.
Tensor read_idx(const std::string& path);

struct CsvOptions {
  char delimiter = ',';
  bool header = true;   // false: the columns are named "0", "1", ...
  int64_t skip_lines = 0;  // lines to drop before the header
  std::vector<std::string> missing = {"", "NA", "N/A", "NaN", "nan", "null", "?"};  // fields that mean "no value"
};

// A table of text fields. Fields may be quoted with "..." and then hold delimiters, line ends and doubled quotes.
class CsvTable {
 public:
  const std::vector<std::string>& columns() const { return names_; }
  int64_t rows() const { return static_cast<int64_t>(lines_.size()); }
  int64_t line_of(int64_t row) const;  // 1-based line of the file where the row starts
  const std::vector<std::string>& strings(std::string_view column) const;

  // float32 (rows, columns.size()); all columns when none are named. A missing value becomes NaN. Any other field that
  // is no number gives an Error with its line and column.
  Tensor floats(const std::vector<std::string>& columns = {}) const;
  // Class ids, int32 (rows,), and the class names; names are sorted, as numbers when all are numbers. A missing value is
  // an Error.
  std::pair<Tensor, std::vector<std::string>> labels(std::string_view column) const;
  // The rows without missing values in the given columns (all columns when none are named).
  CsvTable drop_missing(const std::vector<std::string>& columns = {}) const;

 private:
  friend CsvTable parse_csv(std::string_view text, const CsvOptions& options, const std::string& name);
  std::size_t index_of(std::string_view column) const;
  bool is_missing(const std::string& field) const;
  std::string path_;
  std::vector<std::string> names_, missing_;
  std::vector<std::vector<std::string>> fields_;  // by column
  std::vector<int64_t> lines_;
};

CsvTable read_csv(const std::string& path, const CsvOptions& options = {});
CsvTable parse_csv(std::string_view text, const CsvOptions& options = {}, const std::string& name = "csv");

// Labelled series of one or several dimensions; shorter ones are padded at the end with `padding`.
struct Sequences {
  Tensor x;        // float32 (n, longest, dimensions)
  Tensor y;        // int32 (n,): index into classes; float32 when the file has @targetlabel
  Tensor lengths;  // int32 (n,)
  std::vector<std::string> classes;
};
struct TsOptions {
  int64_t maxlen = 0;     // 0: the longest series of the file; a longer series than maxlen is an Error
  double padding = 0.0;   // missing values ('?') inside a series become NaN
};
// The .ts format of the UCR/UEA archive. Time stamps are not supported.
Sequences read_ts(const std::string& path, const TsOptions& options = {});

// CIFAR-10's binary layout: records of one label byte and 3 x 32 x 32 bytes, channels first.
// Returns uint8 (n, 32, 32, 3), channels last, and int32 (n,).
std::pair<Tensor, Tensor> read_cifar10(const std::vector<std::string>& paths);

std::string read_text(const std::string& path);

// Characters (bytes) of a text <-> ids 0 .. size()-1, in byte order.
class CharVocabulary {
 public:
  explicit CharVocabulary(std::string_view text);
  int64_t size() const { return static_cast<int64_t>(chars_.size()); }
  const std::string& chars() const { return chars_; }
  int64_t id(char c) const { return id_[static_cast<unsigned char>(c)]; }  // -1 when unknown
  Tensor encode(std::string_view text) const;  // int32 (text.size(),); Error for a character that is not known
  std::string decode(const Tensor& ids) const; // any integer dtype
 private:
  std::string chars_;
  int16_t id_[256];
};

}  // namespace glia
