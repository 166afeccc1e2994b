// NonMaxSuppression: how many boxes stay depends on the numbers, so they must be known (see run() in load.cpp).
#include <cmath>

#include "io/onnx/interpreter.h"
#include "io/onnx/operator_util.h"

namespace glia::onnx {
namespace {

struct Box {
  double top, left, bottom, right;
  double area() const { return (bottom - top) * (right - left); }
};

Box box_of(const float* p, bool centre) {
  const double a = p[0], b = p[1], c = p[2], d = p[3];
  if (centre) return {b - d / 2, a - c / 2, b + d / 2, a + c / 2};  // x, y, width, height
  return {std::min(a, c), std::min(b, d), std::max(a, c), std::max(b, d)};
}
double overlap(const Box& a, const Box& b) {
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (!(height > 0 && width > 0)) return 0;
  const double both = height * width, all = a.area() + b.area() - both;
  return all > 0 ? both / all : 0;
}

// The boxes of one class that stay: the best first, none that overlaps a better one too much.
void select(const std::vector<Box>& boxes, const float* scores, int64_t most, double iou, const double* least, std::vector<int64_t>& kept) {
  std::vector<int64_t> order;
  for (size_t i = 0; i < boxes.size(); ++i)
    if (!std::isnan(scores[i]) && (!least || scores[i] > *least)) order.push_back(static_cast<int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  kept.clear();
  for (int64_t i : order) {
    if (static_cast<int64_t>(kept.size()) >= most) break;
    const bool free = std::all_of(kept.begin(), kept.end(), [&](int64_t k) {
      return overlap(boxes[static_cast<size_t>(i)], boxes[static_cast<size_t>(k)]) <= iou;
    });
    if (free) kept.push_back(i);
  }
}

Operands import_non_max_suppression(Node& n) {
  const Tensor boxes = n.known(0, "the boxes"), scores = n.known(1, "the scores");
  n.check(boxes.rank() == 3 && boxes.dim(2) == 4 && scores.rank() == 3 && boxes.dtype() == DType::f32 && scores.dtype() == DType::f32 &&
              boxes.dim(0) == scores.dim(0) && boxes.dim(1) == scores.dim(2),
          fmt::format("expected float32 boxes (batch, n, 4) and scores (batch, classes, n). Received {} and {}.", to_string(boxes.shape()),
                      to_string(scores.shape())));
  const double asked = n.has(2) ? n.known_number(2, "max_output_boxes_per_class") : 0;
  const auto most = static_cast<int64_t>(std::max(0.0, std::min(asked, 1e9)));
  const double iou = n.has(3) ? n.known_number(3, "iou_threshold") : 0;
  const double least = n.has(4) ? n.known_number(4, "score_threshold") : 0;
  const bool centre = n.i("center_point_box", 0) != 0;
  std::vector<int64_t> rows, kept;
  const int64_t count = boxes.dim(1);
  for (int64_t b = 0; b < boxes.dim(0); ++b) {
    std::vector<Box> all;
    for (int64_t i = 0; i < count; ++i) all.push_back(box_of(boxes.data<float>() + (b * count + i) * 4, centre));
    for (int64_t c = 0; c < scores.dim(1); ++c) {
      select(all, scores.data<float>() + (b * scores.dim(1) + c) * count, most, iou, n.has(4) ? &least : nullptr, kept);
      for (int64_t i : kept) rows.insert(rows.end(), {b, c, i});
    }
  }
  return {Value(Tensor::from_vector<int64_t>({static_cast<int64_t>(rows.size() / 3), 3}, rows))};
}

}  // namespace

OperatorList box_operators() { return {{"NonMaxSuppression", 10, import_non_max_suppression, {0, 1, 2, 3, 4}}}; }

}  // namespace glia::onnx
