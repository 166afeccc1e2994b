// Model::summary, character for character as Keras prints it (keras/src/utils/summary_utils.py; the table rules are
// those of the Python library rich: fixed column widths reduced evenly, words wrapped, long words cut with an ellipsis).
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "nn/layer_call.h"
#include "train/functional.h"
#include "train/sequential.h"
#include "train/trainer.h"

namespace glia {
namespace {

using Row = std::vector<std::string>;

int terminal_columns() {
  if (const char* env = std::getenv("COLUMNS"); env && std::atoi(env) > 0) return std::atoi(env);
  winsize w{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
  return 80;
}

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

// Breaks a cell into lines of at most `width`: between words, and words that are too long end in an ellipsis.
std::vector<std::string> wrap(const std::string& text, size_t width) {
  std::vector<std::string> g = glyphs(text), lines;
  std::vector<std::pair<size_t, size_t>> words;  // with the spaces around them
  for (size_t i = 0; i < g.size();) {
    size_t start = i;
    while (i < g.size() && g[i] == " ") ++i;
    while (i < g.size() && g[i] != " ") ++i;
    while (i < g.size() && g[i] == " ") ++i;
    words.emplace_back(start, i);
  }
  size_t line_start = 0, used = 0;
  auto flush = [&](size_t end) {
    size_t last = end;
    while (last > line_start && g[last - 1] == " ") --last;
    std::string line = last - line_start > width ? join(g, line_start, line_start + width - 1) + "…" : join(g, line_start, last);
    lines.push_back(line);
    line_start = end;
  };
  for (auto [start, end] : words) {
    size_t length = end - start, bare = length;
    while (bare > 0 && g[start + bare - 1] == " ") --bare;
    if (used + bare <= width) {
      used += length;
      continue;
    }
    if (used && start) flush(start);
    used = length;
  }
  flush(g.size());
  return lines;
}

enum class Align { left, right, center };
std::string pad(const std::string& s, size_t width, Align align) {
  size_t n = glyphs(s).size(), gap = width > n ? width - n : 0;
  size_t before = align == Align::right ? gap : align == Align::center ? gap / 2 : 0;
  return std::string(before, ' ') + s + std::string(gap - before, ' ');
}

class Table {
 public:
  Table(Row header, std::vector<Align> align, std::vector<int> widths, int line_length)
      : header_(std::move(header)), align_(std::move(align)) {
    int n = static_cast<int>(widths.size()), excess = -line_length + n + 1;
    for (int w : widths) excess += w + 2;
    for (int i = 0; i < n; ++i) {  // rich.ratio_reduce with equal ratios
      int cut = static_cast<int>(std::nearbyint(static_cast<double>(excess) / (n - i)));
      widths_.push_back(static_cast<size_t>(std::max(1, widths[i] - cut)));
      excess -= cut;
    }
  }
  void add(Row row) { rows_.push_back(std::move(row)); }
  std::string text() const {
    std::string r = rule("┏", "━", "┳", "┓") + cells(header_, "┃", true) + rule("┡", "━", "╇", "┩");
    for (size_t i = 0; i < rows_.size(); ++i) r += (i ? rule("├", "─", "┼", "┤") : "") + cells(rows_[i], "│");
    return r + rule("└", "─", "┴", "┘");
  }

 private:
  std::string rule(const char* left, const char* line, const char* cross, const char* right) const {
    std::string r = left;
    for (size_t i = 0; i < widths_.size(); ++i) {
      if (i) r += cross;
      for (size_t k = 0; k < widths_[i] + 2; ++k) r += line;
    }
    return r + right + "\n";
  }
  std::string cells(const Row& row, const std::string& bar, bool at_bottom = false) const {
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
  Row header_;
  std::vector<Align> align_;
  std::vector<size_t> widths_;
  std::vector<Row> rows_;
};

std::string with_commas(int64_t n) {
  std::string s = std::to_string(n);
  for (int i = static_cast<int>(s.size()) - 3; i > 0; i -= 3) s.insert(static_cast<size_t>(i), ",");
  return s;
}
std::string memory_text(double bytes) {
  static const char* units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  int u = 0;
  while (bytes >= 1024 && u < 5) bytes /= 1024, ++u;
  return fmt::format("{:.2f} {}", bytes, units[u]);
}
// The name of the class in Python; one is exported under another.
std::string shown_class(const Layer& l) { return l.class_name() == "GroupQueryAttention" ? "GroupedQueryAttention" : l.class_name(); }

std::string shape_text(const Shape& s) {  // Keras has no comma after a single extent
  return s.size() == 1 ? "(" + (s[0] < 0 ? "None" : std::to_string(s[0])) + ")" : to_string(s);
}
std::string shapes_text(const std::vector<Shape>& shapes) {
  if (shapes.empty()) return "?";
  if (shapes.size() == 1) return shape_text(shapes[0]);
  std::string r = "[";
  for (size_t i = 0; i < shapes.size(); ++i) r += (i ? ", " : "") + shape_text(shapes[i]);
  return r + "]";
}

std::string camel(const std::string& snake) {
  std::string r;
  bool up = true;
  for (char c : snake) {
    if (c == '_') up = true;
    else r += up ? static_cast<char>(std::toupper(c)) : c, up = false;
  }
  return r;
}

// The tensors that a call takes, as Keras counts them: its inputs, then the given masks and states by the names of their arguments.
std::vector<ir::Ref> tensors_of(const ir::Node& n) {
  auto* c = dynamic_cast<LayerCall*>(n.callee.get());
  if (!c) return n.inputs;
  size_t at = c->num_inputs;
  std::vector<ir::Ref> r(n.inputs.begin(), n.inputs.begin() + static_cast<std::ptrdiff_t>(at));
  for (bool carried : c->input_has_mask) at += carried;
  std::map<std::string, ir::Ref> named;
  if (c->has_mask_option) named["mask"] = n.inputs[at++];
  const char* names[] = {"query_mask", "value_mask", "key_mask"};
  for (size_t i = 0; i < c->option_masks.size(); ++i)
    if (c->option_masks[i]) named[i < 3 ? names[i] : fmt::format("mask_{}", i)] = n.inputs[at++];
  if (c->has_attention_mask) named["attention_mask"] = n.inputs[at++];
  for (size_t i = 0; i < c->num_states; ++i) named[fmt::format("initial_state_{:03}", i)] = n.inputs[at++];
  for (auto& [name, ref] : named) r.push_back(ref);
  return r;
}

struct Line {
  std::string name, class_name;
  std::vector<Shape> shapes;
  LayerRef layer;   // null for inputs and ops
  std::string connected;
};

std::vector<Line> lines_of(const LayerRef& root, bool& graph_like);

std::vector<Line> sequential_lines(const SequentialLayer& s) {
  std::vector<Line> r;
  for (size_t i = 0; i < s.layers().size(); ++i) {
    const LayerRef& l = s.layers()[i];
    r.push_back({l->name(), shown_class(*l), i < s.output_shapes().size() ? s.output_shapes()[i] : std::vector<Shape>{}, l, ""});
  }
  return r;
}

std::vector<Line> functional_lines(const FunctionalLayer& f, bool& graph_like) {
  const ir::Graph& g = f.graph();
  std::map<int, std::pair<std::string, int>> source;  // node -> name, call number of its layer
  std::map<std::string, int> calls;
  auto name_of = [&](int id) -> std::string {
    if (auto* c = dynamic_cast<LayerCall*>(g.nodes[id].callee.get())) return c->layer->name();
    return g.nodes[id].op == &ir::input_op() ? g.nodes[id].attrs.s("name") : g.nodes[id].op->name;
  };
  std::map<int, int> users;
  int sources = 0;
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
    if (g.nodes[id].op == &ir::constant_op()) continue;
    source[id] = {name_of(id), calls[name_of(id)]++};
    sources += g.nodes[id].inputs.empty();
    for (ir::Ref r : g.nodes[id].inputs) ++users[r.node];
    graph_like |= g.nodes[id].inputs.size() > 1;
  }
  for (auto& [name, n] : calls) graph_like |= n > 1;
  for (auto& [id, n] : users) graph_like |= n > 1;
  graph_like |= sources > 1 || f.output_refs().size() > 1;
  std::vector<Line> r;
  for (const auto& item : f.items()) {
    const ir::Node& n = g.nodes[item.node];
    Line line{item.name, item.layer ? shown_class(*item.layer) : n.op == &ir::input_op() ? "InputLayer" : camel(n.op->name), {}, item.layer, ""};
    auto* call = dynamic_cast<LayerCall*>(n.callee.get());
    size_t outputs = call ? call->output_has_mask.size() : n.types.size();
    for (size_t o = 0; o < outputs; ++o) line.shapes.push_back(n.types[o].shape);
    for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
      if (!source.count(id) || source[id].first != item.name) continue;
      for (ir::Ref in : tensors_of(g.nodes[id])) {
        if (!source.count(in.node)) continue;
        line.connected += fmt::format("{}{}[{}][{}]", line.connected.empty() ? "" : ", ", source[in.node].first, source[in.node].second, in.output);
      }
    }
    if (line.connected.empty()) line.connected = "-";
    r.push_back(line);
  }
  return r;
}

std::vector<Line> lines_of(const LayerRef& root, bool& graph_like) {
  if (auto* f = dynamic_cast<FunctionalLayer*>(root.ptr().get())) return functional_lines(*f, graph_like);
  if (auto* s = dynamic_cast<SequentialLayer*>(root.ptr().get())) return sequential_lines(*s);
  std::vector<Line> r;
  for (const LayerRef& l : root->sublayers()) r.push_back({l->name(), shown_class(*l), {}, l, ""});
  return r;
}

bool is_model(const LayerRef& l) {
  return l && (dynamic_cast<FunctionalLayer*>(l.ptr().get()) || dynamic_cast<SequentialLayer*>(l.ptr().get()));
}

void add_rows(Table& table, const std::vector<Line>& lines, bool graph_like, const SummaryOptions& o, int level) {
  std::string prefix;
  if (level) {
    for (int i = 0; i < level; ++i) prefix += "   ";
    prefix += "└ ";
  }
  for (const Line& line : lines) {
    Row row{fmt::format("{}{} ({})", prefix, line.name, line.class_name), shapes_text(line.shapes)};
    if (!line.layer) row.push_back("0");
    else row.push_back(line.layer->built() ? with_commas(line.layer->count_params()) : "0 (unbuilt)");
    if (graph_like) row.push_back(level ? "-" : line.connected);  // inside, nothing is connected to this model's layers
    if (o.show_trainable) {
      bool weights = line.layer && !line.layer->weights().empty();
      row.push_back(!weights ? "-" : line.layer->trainable() ? "Y" : "N");
    }
    table.add(std::move(row));
    if (o.expand_nested && is_model(line.layer)) {
      bool ignored = false;
      std::vector<Line> inner = lines_of(line.layer, ignored);
      add_rows(table, inner, graph_like, o, level + 1);
    }
  }
}

// Lines that are wider than the terminal are cut.
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

std::string count_line(const char* label, const std::vector<Variable>& vars) {
  int64_t n = 0;
  double bytes = 0;
  for (const Variable& v : vars) n += v.tensor().size(), bytes += static_cast<double>(v.tensor().bytes());
  return fmt::format(" {}: {} ({})\n", label, with_commas(n), memory_text(bytes));
}

}  // namespace

std::string Model::summary_text(const SummaryOptions& o) {
  bool graph_like = false;
  std::vector<Line> lines = lines_of(*this, graph_like);
  int length = graph_like ? 108 : 88;
  std::vector<double> positions = graph_like ? std::vector<double>{.3, .56, .74, 1.} : std::vector<double>{.45, .80, 1.};
  Row header{"Layer (type)", "Output Shape", "Param #"};
  std::vector<Align> align{Align::left, Align::left, Align::right};
  if (graph_like) header.push_back("Connected to"), align.push_back(Align::left);
  if (o.show_trainable) {
    length += 12;
    for (double& p : positions) p *= 0.90;
    positions.push_back(1.0);
    header.push_back("Trainable");
    align.push_back(Align::center);
  }
  length = o.line_length ? o.line_length : std::min(length, terminal_columns() - 4);
  std::vector<int> widths;
  for (int i = 0, at = 0; i < static_cast<int>(positions.size()); ++i) {
    int width = static_cast<int>(positions[i] * length) - at;
    GLIA_CHECK(width >= 4, "summary: {} columns are too few to print the table. Give .line_length or widen the terminal.", length);
    widths.push_back(width);
    at += width;
  }
  Table table(header, align, widths, length);
  add_rows(table, lines, graph_like, o, 0);
  std::vector<Variable> optimizer_vars;
  if (compiled() && optimizer()->built()) optimizer_vars = optimizer()->variables();
  std::vector<Variable> all = (*this)->weights();
  all.insert(all.end(), optimizer_vars.begin(), optimizer_vars.end());
  std::string r = fmt::format("Model: \"{}\"\n", name()) + crop(table.text(), static_cast<size_t>(terminal_columns()));
  r += count_line("Total params", all) + count_line("Trainable params", (*this)->trainable_weights()) +
       count_line("Non-trainable params", (*this)->non_trainable_weights());
  if (!optimizer_vars.empty()) r += count_line("Optimizer params", optimizer_vars);
  return r;
}

void Model::summary(const SummaryOptions& o) {
  std::string text = summary_text(o) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace glia
