#include <glia/layers.h>
#include <glia/ops.h>
#include <glia/plot.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "io/plot/layout.h"

namespace glia {
namespace {

using namespace layers;

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++n;
  return n;
}

// Every tag that opens closes again, in order; attributes are quoted. Enough of XML for what we write.
void expect_well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (size_t at = 0; (at = xml.find('<', at)) != std::string::npos;) {
    const size_t end = xml.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = xml.substr(at + 1, end - at - 1);
    ASSERT_EQ(count(tag, "\"") % 2, 0u) << tag;
    ASSERT_EQ(tag.find('<'), std::string::npos) << tag;
    if (tag[0] == '/') {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(open.back(), tag.substr(1));
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    at = end;
  }
  EXPECT_TRUE(open.empty());
  for (size_t at = 0; (at = xml.find('&', at)) != std::string::npos; ++at) EXPECT_LT(xml.find(';', at) - at, 7u);
  EXPECT_EQ(count(xml, "nan"), 0u);
}

Model residual_model() {
  Value in = Input({8, 8, 4}, {.name = "image"});
  Value y = Conv2D(4, {3, 3}, {.padding = "same", .activation = "relu", .name = "conv"})(in);
  Value sum = Add()({in, y});
  return Model({in}, {Dense(2, {.name = "head"})(GlobalAveragePooling2D({.name = "pool"})(sum))}, {.name = "net"});
}

TEST(Plot, DotHasABoxPerLayerAndAnArrowPerConnection) {
  const std::string dot = utils::model_to_dot(
      residual_model(), {.show_shapes = true, .show_layer_names = true, .show_layer_activations = true});
  EXPECT_EQ(dot.find("digraph \"net\" {"), 0u);
  EXPECT_NE(dot.find("<b>image (InputLayer)</b><br/>out: (None, 8, 8, 4)"), std::string::npos) << dot;
  EXPECT_NE(dot.find("<b>conv (Conv2D)</b><br/>activation: relu<br/>in: (None, 8, 8, 4)<br/>out: (None, 8, 8, 4)"),
            std::string::npos)
      << dot;
  EXPECT_NE(dot.find("in: (None, 8, 8, 4), (None, 8, 8, 4)"), std::string::npos) << dot;
  EXPECT_NE(dot.find("<b>head (Dense)</b><br/>in: (None, 4)<br/>out: (None, 2)"), std::string::npos) << dot;
  EXPECT_EQ(count(dot, "[label="), 5u);
  EXPECT_EQ(count(dot, " -> "), 5u);
}

TEST(Plot, SvgOfAModelIsWellFormed) {
  for (const char* direction : {"TB", "LR"}) {
    const std::string svg = utils::model_to_svg(residual_model(), {.show_shapes = true, .rankdir = direction});
    expect_well_formed(svg);
    EXPECT_EQ(count(svg, "<rect"), 6u);  // background and five layers
    EXPECT_EQ(count(svg, "marker-end"), 5u);
  }
  EXPECT_THROW(utils::model_to_svg(residual_model(), {.rankdir = "XX"}), Error);
}

TEST(Plot, NestedModelsAreOneBoxOrTheirLayers) {
  Sequential inner({Dense(3, {.name = "a"}), Dense(3, {.name = "b"})}, {.name = "inner"});
  Value in = Input({4});
  Model outer({in}, {Dense(1)(inner(in))});
  EXPECT_EQ(count(utils::model_to_dot(outer), "[label="), 3u);
  const std::string open = utils::model_to_dot(outer, {.expand_nested = true});
  EXPECT_EQ(count(open, "[label=<<b>"), 4u) << open;
  EXPECT_NE(open.find("subgraph cluster_0 {"), std::string::npos);
  EXPECT_NE(open.find("label=<inner>"), std::string::npos);
  EXPECT_EQ(count(open, " -> "), 3u);
  expect_well_formed(utils::model_to_svg(outer, {.expand_nested = true}));
  Sequential alone({Dense(2, {.input_shape = {3}}), layers::Activation("relu")});
  EXPECT_EQ(count(utils::model_to_dot(alone), " -> "), 2u);
}

TEST(Plot, SharedLayersAreDrawnOnceWithAnArrowPerCall) {
  Sequential inner({Dense(4), Dense(3)}, {.name = "inner"});
  LayerRef twice = Dense(5, {.name = "twice"});
  Value a = Input({5}), b = Input({5});
  Model siamese({a, b}, {Dot({1})({inner(a), inner(b)})});
  EXPECT_EQ(count(utils::model_to_dot(siamese), "[label=<<b>"), 4u);
  EXPECT_EQ(count(utils::model_to_dot(siamese), " -> "), 4u) << utils::model_to_dot(siamese);  // two in, two out
  EXPECT_EQ(count(utils::model_to_dot(siamese, {.expand_nested = true}), " -> "), 5u);
  expect_well_formed(utils::model_to_svg(siamese));
  Model again({a}, {twice(twice(a))});  // an arrow from the layer to itself
  EXPECT_EQ(count(utils::model_to_dot(again), " -> "), 2u);
  expect_well_formed(utils::model_to_svg(again));
}

TEST(Plot, MasksAreNotDrawn) {
  Value ids = Input({6}, {.dtype = DType::i32});
  Model m({ids}, {LSTM(3)(Embedding(9, 4, {.mask_zero = true})(ids))});
  const std::string dot = utils::model_to_dot(m, {.show_shapes = true});
  EXPECT_EQ(count(dot, " -> "), 2u) << dot;
  EXPECT_NE(dot.find("in: (None, 6)<br/>out: (None, 6, 4)>"), std::string::npos) << dot;
}

TEST(Plot, LayoutKeepsBoxesApartAndArrowsDownwards) {
  // A diamond with a shortcut past it, and a second input.
  const std::vector<io::plot::Size> sizes{{80, 30}, {60, 30}, {200, 40}, {50, 30}, {90, 30}, {70, 30}};
  const std::vector<io::plot::Arrow> arrows{{0, 1}, {0, 2}, {1, 3}, {2, 3}, {0, 4}, {3, 4}, {5, 4}};
  const io::plot::Layout l = io::plot::layered(sizes, arrows, 20, 30);
  for (const auto& path : l.path)
    for (size_t k = 1; k < path.size(); ++k) EXPECT_GT(path[k].y, path[k - 1].y);
  EXPECT_EQ(l.path[4].size(), 4u);  // 0 -> 4 passes two ranks
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_GE(l.centre[i].x - sizes[i].width / 2, -1e-9);
    EXPECT_LE(l.centre[i].x + sizes[i].width / 2, l.width + 1e-9);
    for (size_t j = 0; j < i; ++j) {
      const bool aside = std::abs(l.centre[i].x - l.centre[j].x) >= (sizes[i].width + sizes[j].width) / 2 - 1e-9;
      const bool below = std::abs(l.centre[i].y - l.centre[j].y) >= (sizes[i].height + sizes[j].height) / 2 - 1e-9;
      EXPECT_TRUE(aside || below) << i << " and " << j << " overlap";
    }
  }
}

TEST(Plot, CurvesOfATraining) {
  History h;
  h.epoch = {0, 1, 2};
  h.history = {{"accuracy", {0.5, 0.7, 0.8}},
               {"loss", {1.5, 0.7, 0.5}},
               {"val_loss", {1.6, std::nan(""), 0.6}},
               {"learning_rate", {1e-3, 1e-3, 1e-3}}};
  const std::string svg = utils::history_to_svg(h, {.title = "a < b & c"});
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "class=\"curve\""), 3u);
  EXPECT_NE(svg.find("a &lt; b &amp; c"), std::string::npos);
  EXPECT_NE(svg.find(">val_loss<"), std::string::npos);
  EXPECT_EQ(svg.find("learning_rate"), std::string::npos);
  expect_well_formed(utils::history_to_svg(h, {.log_scale = true}));
  h.history = {{"loss", {0, 0, 0}}};
  expect_well_formed(utils::history_to_svg(h));
  EXPECT_THROW(utils::history_to_svg(History{}), Error);
}

TEST(Plot, FilesByEnding) {
  const auto dir = std::filesystem::temp_directory_path() / "glia_plot_test";
  std::filesystem::create_directories(dir);
  utils::plot_model(residual_model(), dir / "m.svg");
  utils::plot_model(residual_model(), dir / "m.dot");
  std::stringstream text;
  text << std::ifstream(dir / "m.dot").rdbuf();
  EXPECT_EQ(text.str(), utils::model_to_dot(residual_model()));
  EXPECT_THROW(utils::plot_model(residual_model(), dir / "m.png"), Error);
  std::filesystem::remove_all(dir);
}

}  // namespace
}  // namespace glia
