// Model::summary, character for character as Keras prints it (keras/src/utils/summary_utils.py).
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <regex>

#include "base/error.h"
#include "nn/layer_call.h"
#include "nn/layers/preprocessing.h"
#include "train/functional.h"
#include "train/sequential.h"
#include "train/summary_table.h"
#include "train/trainer.h"

namespace glia {
namespace {

int terminal_columns() {
  if (const char* env = std::getenv("COLUMNS"); env && std::atoi(env) > 0) return std::atoi(env);
  winsize w{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
  return 80;
}

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

// "add" of "add_1".
std::string without_number(const std::string& name) {
  const size_t end = name.find_last_not_of("0123456789");
  return end != std::string::npos && end + 1 < name.size() && name[end] == '_' ? name.substr(0, end) : name;
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

// A model is more than a list of layers when a depth, counted from the outputs, has several calls, when a call takes several tensors,
// or when a layer is called twice.
bool branches(const ir::Graph& g, const std::vector<ir::Ref>& outputs, const std::map<int, std::pair<std::string, int>>& source) {
  std::map<int, int> depth, at_depth;
  for (ir::Ref r : outputs) depth.emplace(r.node, 0);
  for (auto it = source.rbegin(); it != source.rend(); ++it) {
    const auto& [id, name] = *it;
    size_t tensors = 0;
    for (ir::Ref in : tensors_of(g.nodes[id])) {
      if (!source.count(in.node)) continue;
      ++tensors;
      depth[in.node] = std::max(depth[in.node], depth[id] + 1);
    }
    if (tensors > 1 || name.second > 0 || ++at_depth[depth[id]] > 1) return true;
  }
  return false;
}

std::vector<Line> functional_lines(const FunctionalLayer& f, bool& graph_like) {
  const ir::Graph& g = f.graph();
  std::map<int, std::pair<std::string, int>> source;  // node -> name, call number of its layer
  std::map<std::string, int> calls;
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id)
    if (g.nodes[id].op != &ir::constant_op()) source[id] = {f.node_name(id), calls[f.node_name(id)]++};
  graph_like |= branches(g, f.output_refs(), source);
  std::vector<Line> r;
  for (const auto& item : f.items()) {
    const ir::Node& n = g.nodes[item.node];
    Line line{item.name, item.layer ? shown_class(*item.layer) : n.op == &ir::input_op() ? "InputLayer" : camel(without_number(item.name)), {}, item.layer, ""};
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

// The layers that are shown below one: of a model inside, without its ops, or of a Pipeline.
std::vector<Line> nested_lines(const LayerRef& l) {
  std::vector<Line> r;
  if (auto* p = dynamic_cast<nn::Pipeline*>(l.ptr().get()))
    for (size_t i = 0; i < p->layers.size(); ++i)
      r.push_back({p->layers[i]->name(), shown_class(*p->layers[i]), i < p->shapes.size() ? p->shapes[i] : std::vector<Shape>{}, p->layers[i], ""});
  bool ignored = false;
  if (dynamic_cast<FunctionalLayer*>(l.ptr().get()) || dynamic_cast<SequentialLayer*>(l.ptr().get())) r = lines_of(l, ignored);
  std::erase_if(r, [](const Line& line) { return line.layer ? line.layer->is_operation() : line.class_name != "InputLayer"; });
  return r;
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
    if (o.expand_nested && line.layer) add_rows(table, nested_lines(line.layer), graph_like, o, level + 1);
  }
}

// The lines from the first layer to the last one that `range` names, in whichever order.
std::vector<Line> within_range(std::vector<Line> lines, const Strings& range) {
  if (range.empty()) return lines;
  GLIA_CHECK(range.size() == 2, "summary: layer_range must name the first and the last layer. Received {} entries.", range.size());
  std::vector<size_t> matches[2];
  for (int end = 0; end < 2; ++end) {
    std::regex pattern;
    try {
      pattern = std::regex(range[end]);
    } catch (const std::regex_error&) {
      throw_error("summary: layer_range: '{}' is not a regular expression.", range[end]);
    }
    for (size_t i = 0; i < lines.size(); ++i)
      if (std::regex_search(lines[i].name, pattern, std::regex_constants::match_continuous)) matches[end].push_back(i);
    GLIA_CHECK(!matches[end].empty(), "summary: layer_range: no layer's name begins with '{}'.", range[end]);
  }
  size_t first = matches[0].front(), last = matches[1].back();
  if (first > last) first = matches[1].front(), last = matches[0].back();
  return {lines.begin() + static_cast<std::ptrdiff_t>(first), lines.begin() + static_cast<std::ptrdiff_t>(last) + 1};
}

std::string count_line(const char* label, const std::vector<Variable>& vars) {
  int64_t n = 0;
  double bytes = 0;
  for (const Variable& v : vars) n += v.tensor().size(), bytes += static_cast<double>(v.tensor().bytes());
  return fmt::format(" {}: {} ({})", label, with_commas(n), memory_text(bytes));
}

}  // namespace

std::string Model::summary_text(const SummaryOptions& o) {
  bool graph_like = false;
  std::vector<Line> lines = lines_of(*this, graph_like);
  int length = graph_like ? 108 : 88;
  std::vector<double> positions = graph_like ? std::vector<double>{.3, .56, .74, 1.} : std::vector<double>{.45, .80, 1.};
  if (!o.positions.empty()) positions = o.positions;
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
  const int terminal = terminal_columns();
  length = o.line_length ? o.line_length : std::min(length, terminal - 4);
  std::vector<int> widths;
  for (int i = 0, at = 0; i < static_cast<int>(positions.size()); ++i) {
    int width = static_cast<int>(positions[i] * length) - at;
    GLIA_CHECK(width >= 4, "summary: {} columns are too few to print the table. Give .line_length or widen the terminal.", length);
    widths.push_back(width);
    at += width;
  }
  GLIA_CHECK(widths.size() >= header.size(), "summary: positions must have an entry for each of the {} columns. Received {}.",
             header.size() - o.show_trainable, o.positions.size());
  widths.resize(header.size());
  Table table(header, align, widths, length);
  add_rows(table, within_range(std::move(lines), o.layer_range), graph_like, o, 0);
  std::vector<Variable> optimizer_vars;
  if (compiled() && optimizer()->built()) optimizer_vars = optimizer()->variables();
  std::vector<Variable> all = (*this)->weights();
  all.insert(all.end(), optimizer_vars.begin(), optimizer_vars.end());
  const auto columns = static_cast<size_t>(terminal);
  std::string r = folded(fmt::format("Model: \"{}\"", name()), columns) + crop(table.text(), columns) + folded(count_line("Total params", all), columns) +
                  folded(count_line("Trainable params", (*this)->trainable_weights()), columns) +
                  folded(count_line("Non-trainable params", (*this)->non_trainable_weights()), columns);
  if (!optimizer_vars.empty()) r += folded(count_line("Optimizer params", optimizer_vars), columns);
  return r;
}

void Model::summary(const SummaryOptions& o) {
  std::string text = summary_text(o) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace glia
