// history_to_svg, plot_history.
#include <glia/plot.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/plot/boxes.h"

namespace glia::utils {
using io::plot::escaped;

namespace {

constexpr const char* kColours[] = {"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728",
                                    "#9467bd", "#8c564b", "#e377c2", "#17becf"};

struct Curve {
  std::string name;
  std::vector<double> y;
  std::string colour;
  bool dashed;
};
struct Panel {
  std::vector<Curve> curves;
  bool log = false;
};

// 1, 2 or 5 times a power of ten, so that `span` has four to eight of them.
double step_for(double span) {
  const double power = std::pow(10, std::floor(std::log10(span)));
  for (double f : {0.1, 0.2, 0.5, 1.0})
    if (span / (f * power) <= 8) return f * power;
  return 2 * power;
}

struct Frame {
  double x, y, w, h;
};

std::string number_text(double v, double step) {
  if (v != 0 && (std::abs(v) >= 1e5 || std::abs(v) < 1e-4)) return fmt::format("{:.0e}", v);
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}", v, std::min(digits, 6));
}

std::string draw(const Panel& p, const std::vector<int>& epochs, const Frame& f) {
  const auto value = [&](double v) { return p.log ? std::log10(v) : v; };
  const auto usable = [&](double v) { return std::isfinite(v) && (!p.log || v > 0); };
  double low = 1e300, high = -1e300;
  for (const Curve& c : p.curves)
    for (double v : c.y)
      if (usable(v)) low = std::min(low, value(v)), high = std::max(high, value(v));
  if (low > high) low = 0, high = 1;
  if (high - low < 1e-12 * std::max(1.0, std::abs(high))) low -= 0.5, high += 0.5;
  const double margin = (high - low) * 0.05, first = epochs.empty() ? 0 : epochs.front(),
               last = epochs.empty() ? 1 : epochs.back();
  low -= margin, high += margin;
  const auto at_x = [&](double e) { return f.x + (last > first ? (e - first) / (last - first) : 0.5) * f.w; };
  const auto at_y = [&](double v) { return f.y + f.h - (v - low) / (high - low) * f.h; };

  std::string out = fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" stroke=\"#888\"/>\n", f.x,
      f.y, f.w, f.h);
  const double step = p.log ? 1 : step_for(high - low);
  for (double v = std::ceil(low / step) * step; v <= high; v += step)
    out += fmt::format(
        "<path d=\"M{:.1f} {:.1f}h{:.1f}\" stroke=\"#ddd\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        f.x, at_y(v), f.w, f.x - 5, at_y(v) + 4,
        p.log ? fmt::format("1e{:.0f}", v) : number_text(v == 0 ? 0 : v, step));
  const double epoch_step = std::max(1.0, step_for(std::max(1.0, last - first)));
  for (double e = std::ceil(first / epoch_step) * epoch_step; e <= last; e += epoch_step)
    out += fmt::format(
        "<path d=\"M{:.1f} {:.1f}v4\" stroke=\"#888\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"middle\">{:.0f}</text>\n",
        at_x(e), f.y + f.h, at_x(e), f.y + f.h + 17, e + 1);
  out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">epoch</text>\n", f.x + f.w / 2,
                     f.y + f.h + 34);
  for (const Curve& c : p.curves) {
    std::string path;
    bool pen = false;
    for (size_t i = 0; i < c.y.size() && i < epochs.size(); ++i) {
      if (!usable(c.y[i])) {
        pen = false;
        continue;
      }
      path += fmt::format("{}{:.1f} {:.1f}", pen ? "L" : "M", at_x(epochs[i]), at_y(value(c.y[i])));
      pen = true;
    }
    if (epochs.size() == 1) path += "h0.1";
    out += fmt::format(
        "<path class=\"curve\" d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" "
        "stroke-linecap=\"round\"{}/>\n",
        path, c.colour, c.dashed ? " stroke-dasharray=\"6 4\"" : "");
  }
  // The legend stands where the curves do not end.
  double ends = 0;
  for (const Curve& c : p.curves)
    if (!c.y.empty() && usable(c.y.back())) ends += (value(c.y.back()) - low) / (high - low) - 0.5;
  const double legend = ends > 0 ? f.y + f.h - 16 * static_cast<double>(p.curves.size()) + 6 : f.y + 16;
  for (size_t i = 0; i < p.curves.size(); ++i) {
    const double y = legend + 16 * static_cast<double>(i), x = f.x + f.w - 10;
    out += fmt::format(
        "<path d=\"M{:.1f} {:.1f}h24\" stroke=\"{}\" stroke-width=\"2\"{}/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        x - 24, y - 4, p.curves[i].colour, p.curves[i].dashed ? " stroke-dasharray=\"6 4\"" : "", x - 30, y,
        escaped(p.curves[i].name));
  }
  return out;
}

bool is_loss(const std::string& name) {
  return name == "loss" || (name.size() > 5 && name.compare(name.size() - 5, 5, "_loss") == 0);
}

}  // namespace

std::string history_to_svg(const History& history, const CurvesOptions& o) {
  Panel losses, others;
  losses.log = o.log_scale;
  std::vector<std::string> roots;
  for (auto& [name, values] : history.history) {
    if (name == "learning_rate" || name == "lr") continue;
    const bool validation = name.compare(0, 4, "val_") == 0;
    const std::string root = validation ? name.substr(4) : name;
    auto it = std::find(roots.begin(), roots.end(), root);
    if (it == roots.end()) it = roots.insert(roots.end(), root);
    Panel& panel = is_loss(root) ? losses : others;
    panel.curves.push_back(
        {name, values, kColours[static_cast<size_t>(it - roots.begin()) % std::size(kColours)], validation});
  }
  GLIA_CHECK(!losses.curves.empty() || !others.curves.empty(),
             "plot_history: the history has no curves. Was fit() run for at least one epoch?");
  std::vector<int> epochs = history.epoch;
  size_t longest = 0;
  for (const Panel* p : {&losses, &others})
    for (const Curve& c : p->curves) longest = std::max(longest, c.y.size());
  while (epochs.size() < longest) epochs.push_back(epochs.empty() ? 0 : epochs.back() + 1);
  const std::vector<const Panel*> panels = losses.curves.empty()   ? std::vector<const Panel*>{&others}
                                           : others.curves.empty() ? std::vector<const Panel*>{&losses}
                                                                   : std::vector<const Panel*>{&losses, &others};
  const double top = o.title.empty() ? 16 : 40,
               each = static_cast<double>(o.width) / static_cast<double>(panels.size());
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"Helvetica, Arial, sans-serif\" "
      "font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      o.width, o.height);
  if (!o.title.empty())
    out += fmt::format("<text x=\"{}\" y=\"24\" text-anchor=\"middle\" font-size=\"16\">{}</text>\n", o.width / 2,
                       escaped(o.title));
  for (size_t i = 0; i < panels.size(); ++i)
    out += draw(*panels[i], epochs,
                {each * static_cast<double>(i) + 60, top, each - 76, static_cast<double>(o.height) - top - 48});
  return out + "</svg>\n";
}

void plot_history(const History& history, const std::string& to_file, const CurvesOptions& o) {
  GLIA_CHECK(to_file.size() > 4 && to_file.substr(to_file.size() - 4) == ".svg",
             "plot_history: the file must end in .svg. Received '{}'.", to_file);
  io::write_file(to_file, history_to_svg(history, o));
}

}  // namespace glia::utils
