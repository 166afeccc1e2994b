// Places boxes of given sizes in ranks (each below all it reads), with bends for arrows that pass ranks by: the
// method of Sugiyama, Tagawa and Toda 1981 with barycentre sweeps.
#pragma once
#include <vector>

#include "io/plot/boxes.h"

namespace glia::io::plot {

struct Size {
  double width, height;
};
struct Point {
  double x, y;
};
struct Layout {
  std::vector<Point> centre;             // of each box
  std::vector<std::vector<Point>> path;  // of each arrow: from border to border, with bends between
  double width = 0, height = 0;
};
// From top to bottom; for left to right, swap what goes in and comes out.
Layout layered(const std::vector<Size>& boxes, const std::vector<Arrow>& arrows, double gap, double rank_gap);

}  // namespace glia::io::plot
