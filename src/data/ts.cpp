// The .ts format: '#' comments, '@key value' lines up to '@data', then one case a line: dimensions separated by ':',
// values by ',', the label last.
#include <glia/readers.h>

#include <algorithm>
#include <limits>
#include <map>
#include <sstream>

#include "base/error.h"
#include "data/text_limit.h"
#include "io/file/byte_reader.h"
#include "data/number.h"

namespace glia {
namespace {

struct TsHeader {
  bool labelled = false, regression = false;
  int64_t dimensions = 0;  // 0: not announced
  std::vector<std::string> classes;
};

struct TsCase {
  std::vector<std::vector<float>> dims;
  std::string label;
};

std::string lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

void read_key(std::string_view text, const std::string& where, TsHeader& h) {
  std::istringstream in{std::string(text)};
  std::string key, value;
  in >> key >> value;
  key = lower(key);
  if (key == "@timestamps") {
    GLIA_CHECK(lower(value) != "true", "{}: @timestamps true is not supported. Expected evenly spaced series.", where);
  } else if (key == "@univariate" && lower(value) == "true") {
    h.dimensions = 1;
  } else if (key == "@dimension" || key == "@dimensions") {
    auto n = data::parse_integer(value);
    GLIA_CHECK(n && *n >= 1 && *n <= 1 << 20, "{}: '{}' is no number of dimensions.", where, value);
    h.dimensions = *n;
  } else if (key == "@classlabel" && lower(value) == "true") {
    h.labelled = true;
    for (std::string c; in >> c;) h.classes.push_back(c);
    GLIA_CHECK(!h.classes.empty(), "{}: @classLabel true names no classes.", where);
  } else if (key == "@targetlabel" && lower(value) == "true") {
    h.labelled = h.regression = true;
  }
}

std::vector<float> read_series(std::string_view text, const std::string& where) {
  std::vector<float> out;
  if (data::trim(text).empty()) return out;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = std::min(text.find(',', at), text.size());
    std::string_view field = data::trim(text.substr(at, end - at));
    auto number = data::parse_number(field);
    GLIA_CHECK(number || field == "?", "{}: '{}' is not a number.", where, field.substr(0, 40));
    out.push_back(number ? static_cast<float>(*number) : std::numeric_limits<float>::quiet_NaN());
    at = end + 1;
  }
  return out;
}

TsCase read_case(std::string_view text, const std::string& where, const TsHeader& h) {
  TsCase out;
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    std::size_t end = std::min(text.find(':', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (h.labelled) {
    GLIA_CHECK(parts.size() >= 2, "{}: no label after the last ':'.", where);
    out.label = data::trim(parts.back());
    parts.pop_back();
  }
  GLIA_CHECK(h.dimensions == 0 || static_cast<int64_t>(parts.size()) == h.dimensions,
             "{}: {} dimensions. Expected {} as the header announces.", where, parts.size(), h.dimensions);
  for (std::string_view p : parts) out.dims.push_back(read_series(p, where));
  for (auto& d : out.dims) {
    GLIA_CHECK(d.size() == out.dims[0].size(), "{}: its dimensions have different lengths ({} and {}).", where,
               out.dims[0].size(), d.size());
  }
  return out;
}

Sequences assemble(const std::vector<TsCase>& cases, const TsHeader& h, const TsOptions& options,
                   const std::string& path, int64_t text_bytes) {
  auto n = static_cast<int64_t>(cases.size());
  int64_t longest = 0, dims = static_cast<int64_t>(cases[0].dims.size());
  for (auto& c : cases) longest = std::max(longest, static_cast<int64_t>(c.dims[0].size()));
  GLIA_CHECK(options.maxlen == 0 || longest <= options.maxlen,
             "{}: the longest series has {} steps, more than the maxlen {} asked for.", path, longest, options.maxlen);
  // One long series among many short ones makes much padding out of few bytes.
  GLIA_CHECK(options.maxlen > 0 || n * longest <= std::max(int64_t{1} << 23, 16 * text_bytes) / dims,
             "{}: its {} cases of {} dimensions, padded to the longest of {} steps, are more than 16 times the file. Set maxlen "
             "to {} to read it all the same.", path, n, dims, longest, longest);
  if (options.maxlen > 0) longest = options.maxlen;
  Sequences out{Tensor::full({n, longest, dims}, options.padding),
                Tensor::zeros({n}, h.regression ? DType::f32 : DType::i32), Tensor({n}, DType::i32), h.classes};
  std::map<std::string, int32_t> ids;
  for (std::size_t i = 0; i < h.classes.size(); ++i) ids[h.classes[i]] = static_cast<int32_t>(i);
  for (int64_t i = 0; i < n; ++i) {
    const TsCase& c = cases[static_cast<std::size_t>(i)];
    out.lengths.data<int32_t>()[i] = static_cast<int32_t>(c.dims[0].size());
    float* x = out.x.data<float>() + i * longest * dims;
    for (int64_t d = 0; d < dims; ++d) {
      const auto& series = c.dims[static_cast<std::size_t>(d)];
      for (std::size_t t = 0; t < series.size(); ++t) x[static_cast<int64_t>(t) * dims + d] = series[t];
    }
    if (h.regression) {
      auto v = data::parse_number(c.label);
      GLIA_CHECK(v, "{}: case {}: the target '{}' is not a number.", path, i, c.label);
      out.y.data<float>()[i] = static_cast<float>(*v);
    } else if (h.labelled) {
      auto it = ids.find(c.label);
      GLIA_CHECK(it != ids.end(), "{}: case {}: unknown class '{}'.{}", path, i, c.label, did_you_mean(c.label, h.classes));
      out.y.data<int32_t>()[i] = it->second;
    }
  }
  return out;
}

}  // namespace

Sequences read_ts(const std::string& path, const TsOptions& options) {
  std::string text = io::read_whole(path, text_limit(path));
  TsHeader header;
  std::vector<TsCase> cases;
  bool in_data = false;
  int64_t line_number = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = data::trim(std::string_view(text).substr(at, end - at));
    at = end + 1;
    ++line_number;
    if (line.empty() || line[0] == '#') continue;
    std::string where = fmt::format("{}, line {}", path, line_number);
    if (in_data) {
      cases.push_back(read_case(line, where, header));
      GLIA_CHECK(cases.back().dims.size() == cases[0].dims.size(), "{}: {} dimensions. Expected {} as in the first case.",
                 where, cases.back().dims.size(), cases[0].dims.size());
    } else if (line[0] == '@') {
      in_data = lower(std::string(line)) == "@data";
      if (!in_data) read_key(line, where, header);
    } else {
      throw_error("{}: expected a line starting with '@' or '#' before @data. Received '{}'.", where, line.substr(0, 40));
    }
  }
  GLIA_CHECK(!cases.empty(), "{}: no cases found after @data; is this a .ts file?", path);
  return assemble(cases, header, options, path, static_cast<int64_t>(text.size()));
}

}  // namespace glia
