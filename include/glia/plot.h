// Pictures: a model as a diagram (DOT for Graphviz, or SVG without it) and a training as curves (SVG).
//
//   utils::plot_model(model, "model.svg", {.show_shapes = true});
//   utils::plot_history(model.fit(x, y, {.epochs = 20}), "curves.svg");
//   std::string dot = utils::model_to_dot(model);            // dot -Tpng
#pragma once
#include <string>

#include <glia/model.h>

namespace glia::utils {

struct PlotOptions {  // names and defaults of keras.utils.plot_model
  bool show_shapes = false;
  bool show_dtype = false;
  bool show_layer_names = false;
  std::string rankdir = "TB";  // "TB": from top to bottom, "LR": from left to right
  bool expand_nested = false;  // models inside are drawn with their layers
  bool show_layer_activations = false;
  bool show_trainable = false;
};
std::string model_to_dot(const Model& model, const PlotOptions& options = {});
std::string model_to_svg(const Model& model, const PlotOptions& options = {});
// Writes .svg or .dot, by the ending. Throws Error for another ending and when the file cannot be written.
void plot_model(const Model& model, const std::string& to_file = "model.svg", const PlotOptions& options = {});

struct CurvesOptions {
  std::string title = {};
  int width = 720, height = 420;  // of the whole picture, in pixels
  bool log_scale = false;         // of losses; values <= 0 are left out
};
// Two panels: losses and what is measured in their unit on the left, other metrics on the right (if any); validation
// dashed.
std::string history_to_svg(const History& history, const CurvesOptions& options = {});
void plot_history(const History& history, const std::string& to_file = "history.svg",
                  const CurvesOptions& options = {});

}  // namespace glia::utils
