#include "io/cpp_export/predict_graph.h"

#include <glia/ops.h>

#include <algorithm>

#include "base/error.h"
#include "nn/trace.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"
#include "train/functional.h"
#include "train/sequential.h"

namespace glia::io::cpp_export {
using namespace ir;

namespace {

std::vector<Shape> full_shapes(const Model& model, const PredictGraphOptions& o) {
  std::vector<Shape> r = model.input_shapes();
  GLIA_CHECK(!r.empty() || !o.input_shapes.empty(),
             "export: the model '{}' has no input shape yet. Give one (input_shapes, --input-shape), or call "
             "the model on data first.",
             model.name());
  if (r.empty()) r.resize(o.input_shapes.size());
  GLIA_CHECK(o.input_shapes.empty() || o.input_shapes.size() == r.size(),
             "export: the model '{}' has {} inputs, but {} input shapes were given.", model.name(), r.size(),
             o.input_shapes.size());
  for (size_t i = 0; i < r.size(); ++i) {
    Shape given = o.input_shapes.empty() ? Shape(r[i].begin() + 1, r[i].end()) : o.input_shapes[i];
    for (size_t d = 0; d < given.size(); ++d) {
      const bool fits = o.input_shapes.empty() || r[i].empty() ||
                        (given.size() + 1 == r[i].size() && (r[i][d + 1] < 0 || r[i][d + 1] == given[d]));
      GLIA_CHECK(fits,
                 "export: input {} of '{}' is {}, which does not fit the given shape {} (without the batch axis).", i,
                 model.name(), to_string(r[i]), to_string(given));
      GLIA_CHECK(given[d] >= 0,
                 "export: input {} of '{}' has shape {} with an unknown extent. Give its shape (input_shapes, "
                 "--input-shape).",
                 i, model.name(), to_string(r[i]));
    }
    given.insert(given.begin(), o.batch_size);
    r[i] = given;
  }
  return r;
}

// Weights are inputs of a traced graph; here they become constants.
void bind_weights(Graph& g, const std::vector<Variable>& variables) {
  std::vector<int> plain;
  for (size_t i = 0; i < g.inputs.size(); ++i) {
    const Variable& v = variables[i];
    if (!v.defined()) {
      plain.push_back(g.inputs[i]);
      continue;
    }
    Node& n = g.nodes[static_cast<size_t>(g.inputs[i])];
    const std::string name = n.attrs.s("name");
    n.op = &constant_op();
    n.attrs = {};
    n.constant = v.tensor();
    n.scope = name;
  }
  g.inputs = plain;
}

// Rows of one call: those asked for, else the number that the model was built for, else one.
int64_t rows_of(const Model& model, int64_t asked) {
  if (asked > 0) return asked;
  for (const Shape& s : model.input_shapes())
    if (!s.empty() && s[0] > 0) return s[0];
  return 1;
}

}  // namespace

void widen(Graph& g, const std::vector<DType>& narrow) {
  const auto half = [&](DType t) { return std::find(narrow.begin(), narrow.end(), t) != narrow.end(); };
  for (Node& n : g.nodes) {
    for (TensorType& t : n.types)
      if (half(t.dtype)) t.dtype = DType::f32;
    if (n.constant.defined() && half(n.constant.dtype())) n.constant = n.constant.astype(DType::f32);
    if (const AttrValue* a = n.attrs.find("dtype");
        a && std::holds_alternative<std::string>(*a) && half(dtype_from_name(std::get<std::string>(*a))))
      n.attrs.set("dtype", std::string("float32"));
  }
}

std::vector<DType> input_dtypes(const Model& model, size_t count) {
  std::vector<DType> r;
  if (auto* f = dynamic_cast<FunctionalLayer*>(model.ptr().get()))
    for (ir::Ref in : f->input_refs()) r.push_back(f->graph().type(in).dtype);
  const Layer* first = model.ptr().get();
  if (auto* s = dynamic_cast<const SequentialLayer*>(first); s && !s->input_type().shape.empty() && s->input_type().dtype != DType::f32)
    r.push_back(s->input_type().dtype);  // declared
  while (auto* s = dynamic_cast<const SequentialLayer*>(first)) {
    if (s->layers().empty()) break;
    first = s->layers()[0].ptr().get();
  }
  const std::string name = first->class_name();
  if (name == "TextVectorization" || name == "StringLookup") r.resize(count, kStringDType);
  r.resize(count, name == "Embedding" || name == "CategoryEncoding" ? DType::i32
                  : name == "IntegerLookup" || name == "Hashing"    ? DType::i64
                                                                    : DType::f32);
  return r;
}

PredictGraph predict_graph(const Model& model, const PredictGraphOptions& o) {
  GLIA_CHECK(o.batch_size >= 0, "export: batch_size must not be negative. Received {}.", o.batch_size);
  const std::vector<Shape> shapes = full_shapes(model, {rows_of(model, o.batch_size), o.input_shapes});
  const std::vector<DType> dtypes = input_dtypes(model, shapes.size());
  PredictGraph r;
  r.input_names = model.input_names();
  r.output_names = model.output_names();
  Trace t(false);
  Values x, y;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (r.input_names.size() <= i) r.input_names.push_back(shapes.size() == 1 ? "x" : fmt::format("x{}", i));
    GLIA_CHECK(dtypes[i] != kStringDType,
               "export: the input '{}' takes strings, and what is exported is the numeric part of a model. Make a model of the layers behind the "
               "text layers, and encode the strings (glia::encode) before they enter it.",
               r.input_names[i]);
    x.push_back(t.input({dtypes[i], shapes[i]}, r.input_names[i]));
  }
  for (const Value& v : model.ptr()->apply(x))
    y.push_back(is_float(v.dtype()) && v.dtype() != DType::f64 ? ops::cast(v, DType::f32) : v);
  for (size_t i = r.output_names.size(); i < y.size(); ++i)
    r.output_names.push_back(y.size() == 1 ? "y" : fmt::format("y{}", i));
  t.finish(y);
  r.graph = t.graph->clone();
  r.graph->updates.clear();
  r.graph->outputs.resize(y.size());  // updates (running statistics) follow the outputs
  bind_weights(*r.graph, t.input_variables);
  widen(*r.graph, {DType::bf16, DType::f16});  // there is no such type in C++17, and the result is only more exact
  using passes::run_pass;
  for (const char* pass : {"dce", "lower", "fold", "simplify", "cse"}) run_pass(*r.graph, pass);
  fold_affine(*r.graph);
  for (const char* pass : {"fold", "promote_low_precision", "fuse_epilogue", "fuse_pointwise", "dce_last"})
    run_pass(*r.graph, pass);
  return r;
}

}  // namespace glia::io::cpp_export
