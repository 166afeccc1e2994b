// onnx::load and onnx::run.
#include <glia/function.h>
#include <glia/onnx.h>
#include <glia/ops.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "io/file/mapped_file.h"
#include "io/onnx/onnx_layer.h"

namespace glia::onnx {
namespace {

std::vector<Tensor> run_layer(const LayerRef& layer, const std::vector<Tensor>& inputs) {
  Values in(inputs.begin(), inputs.end());
  std::vector<Tensor> r;
  for (const Value& v : compile_function([&](const Values& x) { return layer.outputs(x); })(in)) r.push_back(v.tensor());
  return r;
}

// Extents from ImportOptions::dims; -1 where nothing says.
Shape extents(const OnnxLayer& layer, const ValueInfo& v, const ImportOptions& o) {
  GLIA_CHECK(v.type != 0 && v.has_shape, "{}: the input '{}' is {}. Only arrays of a known rank can be inputs.", layer.file().source, v.name,
             v.type ? "an array without a shape" : "no array");
  DType d;
  GLIA_CHECK(dtype_of_type(v.type, &d), "{}: the input '{}' is {}, which Glia does not have.", layer.file().source, v.name, type_name(v.type));
  Shape s;
  for (size_t i = 0; i < v.shape.size(); ++i) {
    int64_t n = v.shape[i].value;
    auto by_place = o.dims.find(fmt::format("{}:{}", v.name, i)), by_name = o.dims.find(v.shape[i].symbol);
    if (by_place != o.dims.end()) n = by_place->second;
    else if (n < 0 && !v.shape[i].symbol.empty() && by_name != o.dims.end()) n = by_name->second;
    s.push_back(n);
  }
  return s;
}

// Whether rows of a batch are treated alike: a batch of two against each row alone, on numbers that are no symmetry's friend.
bool rows_are_alike(const LayerRef& layer, const std::vector<Shape>& shapes, const OnnxLayer& graph) {
  const int64_t n = graph.declared_batch();
  std::vector<Tensor> both;
  std::vector<std::vector<Tensor>> alone(2);
  for (size_t k = 0; k < shapes.size(); ++k) {
    Shape s = shapes[k];
    for (int64_t& d : s)
      if (d < 0) d = 8;
    s[0] = 2 * n;
    DType type = DType::f32;
    dtype_of_type(graph.inputs()[k].type, &type);
    Tensor t(s, type);
    uint32_t x = 12345 + static_cast<uint32_t>(k);
    for (int64_t i = 0; i < t.size(); ++i) {
      x = x * 1664525u + 1013904223u;
      t.set_item(i, is_float(type) ? static_cast<double>(x >> 8) / 16777216.0 : static_cast<double>((x >> 16) % 2));
    }
    both.push_back(t);
    for (int64_t r = 0; r < 2; ++r) alone[static_cast<size_t>(r)].push_back(t.slice(r * n, (r + 1) * n).clone());
  }
  const std::vector<Tensor> y = run_layer(layer, both);
  for (int64_t r = 0; r < 2; ++r) {
    const std::vector<Tensor> one = run_layer(layer, alone[static_cast<size_t>(r)]);
    for (size_t o = 0; o < y.size(); ++o) {
      if (y[o].rank() == 0 || one[o].rank() == 0 || one[o].dim(0) == 0 || y[o].dim(0) != 2 * one[o].dim(0) || one[o].dim(0) != n) return false;
      const Tensor part = y[o].slice(r * n, (r + 1) * n);
      if (part.shape() != one[o].shape()) return false;
      for (int64_t i = 0; i < part.size(); ++i) {
        const double a = part.item(i), b = one[o].item(i);
        if (!(std::abs(a - b) <= 1e-4 * (1 + std::abs(b))) && !(std::isnan(a) && std::isnan(b))) return false;
      }
    }
  }
  return true;
}

Values symbolic_inputs(const OnnxLayer& graph, const std::vector<Shape>& shapes, bool free) {
  Values r;
  for (size_t i = 0; i < shapes.size(); ++i) {
    DType type = DType::f32;
    dtype_of_type(graph.inputs()[i].type, &type);
    Shape s(shapes[i].begin() + 1, shapes[i].end());
    r.push_back(Input(s, {.name = graph.inputs()[i].name, .dtype = type, .batch_size = free ? -1 : shapes[i][0]}));
  }
  return r;
}

Model build(std::shared_ptr<const File> file, const ImportOptions& options) {
  auto graph = std::make_shared<OnnxLayer>(file, options);
  LayerRef layer(graph);
  const std::string name = options.name.empty() ? file->graph.name : options.name;
  std::vector<Shape> shapes;
  bool batched = true, fixed = false;
  for (const ValueInfo& v : graph->inputs()) {
    shapes.push_back(extents(*graph, v, options));
    batched &= !shapes.back().empty();
  }
  GLIA_CHECK(!shapes.empty(), "{}: the model has no inputs.", file->source);
  if (!batched) return Model(layer);  // numbers among the inputs: run() takes them, predict cannot cut them
  for (const Shape& s : shapes) fixed |= s[0] >= 0;
  bool same = true;
  for (const Shape& s : shapes) same &= s[0] == shapes[0][0];
  if (fixed && same && options.batch != Batch::as_declared) {
    graph->batch_free = true;
    bool ok = false;
    std::string why = "its rows are not independent of each other";
    try {
      ok = rows_are_alike(layer, shapes, *graph);
    } catch (const Error& e) {
      why = e.what();
    }
    GLIA_CHECK(ok || options.batch != Batch::free, "{}: the model takes batches of {} only: {}.", file->source, graph->declared_batch(), why);
    graph->batch_free = ok;
  }
  Values in = symbolic_inputs(*graph, shapes, graph->batch_free);
  return Model(in, layer.outputs(in), {.name = name, .trainable = options.trainable});
}

}  // namespace

bool available() { return true; }

Model load(const std::string& path, const ImportOptions& options) {
  auto mapped = io::MappedFile::open(path, options.limits.max_bytes);
  std::string folder = std::filesystem::path(path).parent_path().string();
  return build(std::make_shared<File>(parse(mapped->bytes(), path, folder.empty() ? "." : folder, options.limits)), options);
}
Model load(std::span<const uint8_t> bytes, const ImportOptions& options) {
  return build(std::make_shared<File>(parse(bytes, "onnx bytes", "", options.limits)), options);
}

std::vector<Tensor> run(const Model& model, const std::vector<Tensor>& inputs) { return run_layer(model, inputs); }

}  // namespace glia::onnx
