// model_to_dot, model_to_svg, plot_model.
#include <algorithm>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/plot/boxes.h"
#include "io/plot/layout.h"

namespace glia::utils {
using namespace io::plot;

namespace {

std::string title_of(const Box& b, const PlotOptions& o) {
  return o.show_layer_names && b.name != b.title ? b.name + " (" + b.title + ")" : b.title;
}

void dot_group(const Diagram& d, const PlotOptions& o, int group, const std::string& pad, std::string& out) {
  for (size_t i = 0; i < d.boxes.size(); ++i) {
    const Box& b = d.boxes[i];
    if (b.group != group) continue;
    std::string label = fmt::format("<b>{}</b>", escaped(title_of(b, o)));
    for (const std::string& row : b.rows) label += "<br/>" + escaped(row);
    out += fmt::format("{}n{} [label=<{}>];\n", pad, i, label);
  }
  for (size_t k = 0; k < d.groups.size(); ++k) {
    if (d.groups[k].parent != group) continue;
    out += fmt::format("{}subgraph cluster_{} {{\n{}  label=<{}>; style=dashed;\n", pad, k, pad,
                       escaped(d.groups[k].name));
    dot_group(d, o, static_cast<int>(k), pad + "  ", out);
    out += pad + "}\n";
  }
}

// What a proportional font of 12 pixels needs, roughly; boxes have a margin.
double text_width(const std::string& s) { return 7.0 * static_cast<double>(s.size()); }

constexpr double kLine = 17, kMargin = 16;

Size size_of(const Box& b, const PlotOptions& o) {
  double w = text_width(title_of(b, o)) * 1.1;
  for (const std::string& row : b.rows) w = std::max(w, text_width(row));
  return {std::max(70.0, w + 20), 12 + kLine * static_cast<double>(1 + b.rows.size())};
}

// A colour by kind of layer, pale enough for black text.
const char* colour_of(const std::string& title) {
  const auto has = [&](const char* s) { return title.find(s) != std::string::npos; };
  if (has("Input")) return "#e8e8e8";
  if (has("Conv")) return "#cfe2f3";
  if (has("Pool") || has("Sampling")) return "#d9ead3";
  if (has("Norm")) return "#fff2cc";
  if (has("LSTM") || has("GRU") || has("RNN") || has("Bidirectional") || has("TimeDistributed")) return "#ead1dc";
  if (has("Attention")) return "#d9d2e9";
  if (has("Embedding") || has("Text") || has("Lookup")) return "#fce5cd";
  if (has("Dense")) return "#d0e0e3";
  return "#ffffff";
}

}  // namespace

std::string model_to_dot(const Model& model, const PlotOptions& o) {
  const Diagram d = diagram_of(model, o);
  std::string out = fmt::format(
      "digraph \"{}\" {{\n  rankdir={};\n  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n",
      escaped(model.name()), o.rankdir);
  dot_group(d, o, -1, "  ", out);
  for (const Arrow& a : d.arrows) out += fmt::format("  n{} -> n{};\n", a.from, a.to);
  return out + "}\n";
}

std::string model_to_svg(const Model& model, const PlotOptions& o) {
  const Diagram d = diagram_of(model, o);
  const bool sideways = o.rankdir == "LR";
  std::vector<Size> own, turned;
  for (const Box& b : d.boxes) {
    own.push_back(size_of(b, o));
    turned.push_back(sideways ? Size{own.back().height, own.back().width} : own.back());
  }
  Layout l = layered(turned, d.arrows, 24, 28);
  if (sideways) {
    std::swap(l.width, l.height);
    for (Point& p : l.centre) std::swap(p.x, p.y);
    for (auto& path : l.path)
      for (Point& p : path) std::swap(p.x, p.y);
  }
  const double width = l.width + 2 * kMargin, height = l.height + 2 * kMargin;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"{2} {2} {0:.0f} "
      "{1:.0f}\" "
      "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n<title>{3}</title>\n"
      "<defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" "
      "orient=\"auto\">"
      "<path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n<rect x=\"{2}\" y=\"{2}\" width=\"100%\" height=\"100%\" "
      "fill=\"white\"/>\n",
      width, height, -kMargin, escaped(model.name()));
  for (const auto& path : l.path) {
    out += fmt::format("<path fill=\"none\" stroke=\"#444\" marker-end=\"url(#head)\" d=\"M{:.1f} {:.1f}", path[0].x,
                       path[0].y);
    for (size_t k = 1; k < path.size(); ++k) {
      const Point &a = path[k - 1], &b = path[k];
      if (sideways)
        out += fmt::format("C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", (a.x + b.x) / 2, a.y, (a.x + b.x) / 2, b.y,
                           b.x, b.y);
      else
        out += fmt::format("C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", a.x, (a.y + b.y) / 2, b.x, (a.y + b.y) / 2,
                           b.x, b.y);
    }
    out += "\"/>\n";
  }
  for (size_t i = 0; i < d.boxes.size(); ++i) {
    const Box& b = d.boxes[i];
    const double x = l.centre[i].x, top = l.centre[i].y - own[i].height / 2;
    out += fmt::format(
        "<g text-anchor=\"middle\"><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\" rx=\"5\" fill=\"{}\" stroke=\"#444\"/>",
        escaped(b.name), x - own[i].width / 2, top, own[i].width, own[i].height, colour_of(b.title));
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-weight=\"bold\">{}</text>", x, top + 18,
                       escaped(title_of(b, o)));
    for (size_t k = 0; k < b.rows.size(); ++k)
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x,
                         top + 18 + kLine * static_cast<double>(k + 1), escaped(b.rows[k]));
    out += "</g>\n";
  }
  return out + "</svg>\n";
}

void plot_model(const Model& model, const std::string& to_file, const PlotOptions& o) {
  const auto ends = [&](const char* e) { return to_file.size() > 4 && to_file.substr(to_file.size() - 4) == e; };
  GLIA_CHECK(ends(".svg") || ends(".dot"),
             "plot_model: the file must end in .svg or .dot (which Graphviz turns into png or pdf). Received '{}'.",
             to_file);
  io::write_file(to_file, ends(".svg") ? model_to_svg(model, o) : model_to_dot(model, o));
}

}  // namespace glia::utils
