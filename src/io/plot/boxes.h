// A model as boxes and arrows, before any drawing: what model_to_dot and model_to_svg share.
#pragma once
#include <glia/plot.h>

#include <string>
#include <vector>

namespace glia::io::plot {

struct Box {
  std::string title, name;        // "Dense", "dense_1"
  std::vector<std::string> rows;  // further lines
  int group = -1;                 // the nested model it is in
};
struct Arrow {
  int from, to;
};
struct Group {
  std::string name;
  int parent = -1;
};
struct Diagram {
  std::vector<Box> boxes;
  std::vector<Arrow> arrows;
  std::vector<Group> groups;
};
Diagram diagram_of(const Model& model, const utils::PlotOptions& options);

// <, >, & and quotes, for XML and HTML-like labels.
std::string escaped(const std::string& text);

}  // namespace glia::io::plot
