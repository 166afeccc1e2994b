// Runs the example of every layer's doc comment (extracted by tools/layer_examples.py) and checks the shapes it promises.
#include <glia/function.h>
#include <glia/glia.h>
#include <gtest/gtest.h>

#include <functional>

namespace glia::layers {  // the examples are written as inside it
namespace {

enum class Kind { number_, int_, text_ };
struct Array {
  Kind kind;
  Shape shape;
};
struct Example {
  const char* name;
  std::function<LayerRef()> make;
  std::vector<Array> takes, gives;
};

const std::vector<Example>& examples() {
  static const std::vector<Example> all{
#include "layer_examples.inc"
  };
  return all;
}

Tensor numbers(const Array& a) {
  Tensor t(a.shape, a.kind == Kind::int_ ? DType::i32 : DType::f32);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, a.kind == Kind::int_ ? static_cast<double>(i % 3) : 0.1 * static_cast<double>(i % 7));
  return t;
}

StringTensor words(const Array& a) {
  int64_t n = 1;
  for (int64_t d : a.shape) n *= d;
  std::vector<std::string> v;
  for (int64_t i = 0; i < n; ++i) v.push_back(i % 2 ? "dog" : "hello world");
  return StringTensor(a.shape, v);
}

std::vector<Shape> run(const LayerRef& layer, const std::vector<Array>& takes) {
  if (takes[0].kind == Kind::text_) {
    std::vector<StringTensor> features;
    for (const Array& a : takes) features.push_back(words(a));
    return {(features.size() > 1 ? encode(layer, features) : encode(layer, features[0])).shape()};
  }
  Values inputs;
  for (const Array& a : takes) inputs.push_back(numbers(a));
  std::vector<Shape> r;
  for (const Value& y : layer.outputs(inputs, {.training = true})) r.push_back(y.tensor().shape());
  return r;
}

TEST(DocComments, TheExampleOfEveryLayerRuns) {
  EXPECT_GT(examples().size(), 130u);
  for (const Example& e : examples()) {
    SCOPED_TRACE(e.name);
    std::vector<Shape> want;
    for (const Array& a : e.gives) want.push_back(a.shape);
    try {
      EXPECT_EQ(run(e.make(), e.takes), want);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

}  // namespace
}  // namespace glia::layers
