// onnx::load and onnx::run.
#include <glia/layers.h>
#include <glia/onnx.h>
#include <glia/ops.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>

#include "base/error.h"
#include "io/file/input_file.h"
#include "io/onnx/onnx_layer.h"
#include "ir/eager_budget.h"
#include "nn/trace.h"
#include "runtime/executable.h"

namespace glia::onnx {
namespace {

// One executable per combination of input types, with the layer's weights as inputs.
struct Compiled {
  std::shared_ptr<runtime::Executable> exe;
  std::vector<Variable> inputs;  // undefined: an argument
};
Compiled compile_layer(const LayerRef& layer, const std::vector<Tensor>& inputs) {
  Trace t(false);
  Values in;
  for (const Tensor& x : inputs) in.push_back(t.input({x.dtype(), x.shape()}, "x"));
  t.finish(layer.outputs(in));
  return {runtime::compile(*t.graph), t.input_variables};
}
std::vector<Tensor> run_compiled(const Compiled& c, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> all;
  size_t next = 0;
  for (const Variable& v : c.inputs) all.push_back(v.defined() ? v.tensor() : inputs[next++]);
  return c.exe->run(all);
}
std::vector<Tensor> run_layer(const LayerRef& layer, const std::vector<Tensor>& inputs) {
  return run_compiled(compile_layer(layer, inputs), inputs);
}

// Whether an error says that a graph cannot be compiled because the data decide shapes or branches (Node::known).
bool depends_on_data(const Error& e) { return std::string_view(e.what()).find("depends on data") != std::string_view::npos; }

// Extents from ImportOptions::dims; -1 where nothing says.
Shape extents(const OnnxLayer& layer, const ValueInfo& v, const ImportOptions& o) {
  GLIA_CHECK(v.type != 0 && v.has_shape, "{}: the input '{}' is {}. Only arrays of a known rank can be inputs.",
             layer.file().source, v.name, v.type ? "an array without a shape" : "no array");
  DType d;
  GLIA_CHECK(dtype_of_type(v.type, &d), "{}: the input '{}' is {}, which Glia does not have.", layer.file().source,
             v.name, type_name(v.type));
  Shape s;
  for (size_t i = 0; i < v.shape.size(); ++i) {
    int64_t n = v.shape[i].value;
    auto by_place = o.dims.find(fmt::format("{}:{}", v.name, i)), by_name = o.dims.find(v.shape[i].symbol);
    if (by_place != o.dims.end())
      n = by_place->second;
    else if (n < 0 && !v.shape[i].symbol.empty() && by_name != o.dims.end())
      n = by_name->second;
    s.push_back(n);
  }
  double all = 1;
  for (int64_t n : s) all *= static_cast<double>(std::max<int64_t>(n, 1));
  GLIA_CHECK(all <= 68719476736.0, "{}: the input '{}' of shape {} is too large.", layer.file().source, v.name,
             to_string(s));
  return s;
}

// Whether rows of a batch are treated alike: a batch of two against each row alone, on numbers that are no symmetry's
// friend.
// Error when that takes more than `memory` bytes.
bool rows_are_alike(const LayerRef& layer, const std::vector<Shape>& shapes, const OnnxLayer& graph, uint64_t memory) {
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
  const Compiled c = compile_layer(layer, both);
  GLIA_CHECK(c.exe->plan().arena_bytes <= memory, "to see whether its rows are independent of each other would take {} MB of memory",
             c.exe->plan().arena_bytes >> 20);
  const std::vector<Tensor> y = run_compiled(c, both);
  for (int64_t r = 0; r < 2; ++r) {
    const std::vector<Tensor> one = run_layer(layer, alone[static_cast<size_t>(r)]);
    for (size_t o = 0; o < y.size(); ++o) {
      if (y[o].rank() == 0 || one[o].rank() == 0 || one[o].dim(0) == 0 || y[o].dim(0) != 2 * one[o].dim(0) ||
          one[o].dim(0) != n)
        return false;
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

// Slashes separate layers in the names of weights, so a layer's own name has none.
std::string layer_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

Values symbolic_inputs(const OnnxLayer& graph, const std::vector<Shape>& shapes, bool free) {
  Values r;
  for (size_t i = 0; i < shapes.size(); ++i) {
    DType type = DType::f32;
    dtype_of_type(graph.inputs()[i].type, &type);
    Shape s(shapes[i].begin() + 1, shapes[i].end());
    r.push_back(Input(
        s, {.name = layer_name(graph.inputs()[i].name), .dtype = type, .batch_size = free ? -1 : shapes[i][0]}));
  }
  return r;
}

// Outputs get the file's names by way of identity layers, except where a name is taken.
Values named_outputs(const OnnxLayer& graph, Values out) {
  std::set<std::string> taken{graph.name()};
  for (const ValueInfo& v : graph.inputs()) taken.insert(layer_name(v.name));
  for (size_t i = 0; i < out.size(); ++i)
    if (const std::string name = layer_name(graph.file().graph.outputs[i].name); taken.insert(name).second)
      out[i] = layers::Identity(
          {.name = name, .dtype = is_float(out[i].dtype()) ? std::string(dtype_name(out[i].dtype())) : ""})(out[i]);
  return out;
}

// Told at load rather than at the first step.
void check_operators(const File& f) {
  for (const NodeDef& n : f.graph.nodes)
    GLIA_CHECK(find_operator(n.domain, n.op) || f.functions.count(n.domain + ":" + n.op),
               "{}: {}: the operator '{}{}{}' is not supported.", f.source, n.title(), n.domain,
               n.domain.empty() ? "" : ".", n.op);
}

Model build(std::shared_ptr<const File> file, std::span<const uint8_t> bytes, const ImportOptions& options) {
  check_operators(*file);
  auto graph = std::make_shared<OnnxLayer>(file, options);
  graph->keep(bytes);
  LayerRef layer(graph);
  const std::string name = layer_name(options.name.empty() ? file->graph.name : options.name);
  std::vector<Shape> shapes;
  bool batched = true, fixed = false;
  for (const ValueInfo& v : graph->inputs()) {
    shapes.push_back(extents(*graph, v, options));
    batched &= !shapes.back().empty();
  }
  if (!batched || shapes.empty())
    return Model(layer);  // no inputs, or numbers among them: run() takes those, predict cannot cut them
  for (const Shape& s : shapes) fixed |= s[0] >= 0;
  bool same = true;
  for (const Shape& s : shapes) same &= s[0] == shapes[0][0];
  double elements = 0;
  for (const Shape& s : shapes) elements += static_cast<double>(num_elements(s));
  // A file that says little must not make a lot of memory be taken, unless somebody asks for it.
  const bool asked = options.batch == Batch::free;
  const uint64_t memory = asked ? UINT64_MAX : (uint64_t{24} << 20) + 32 * bytes.size();
  if (fixed && same && elements < (asked ? 67108864.0 : static_cast<double>(memory) / 32) && options.batch != Batch::as_declared) {
    graph->batch_free = true;
    bool ok = false;
    std::string why = "its rows are not independent of each other";
    try {
      ok = rows_are_alike(layer, shapes, *graph, memory);
    } catch (const Error& e) {
      why = e.what();
    }
    GLIA_CHECK(ok || options.batch != Batch::free, "{}: the model takes batches of {} only: {}.", file->source,
               graph->declared_batch(), why);
    graph->batch_free = ok;
  }
  Values in = symbolic_inputs(*graph, shapes, graph->batch_free), out;
  try {
    out = layer.outputs(in);
  } catch (const Error& e) {
    if (depends_on_data(e)) return Model(layer);  // run() reads the graph anew for every set of arrays
    if (graph->batch_free && options.batch != Batch::free) {  // not every batch after all
      graph->batch_free = false;
      in = symbolic_inputs(*graph, shapes, false);
      out = layer.outputs(in);
    } else {
      // Extents other than the batch are tried with two numbers to see how the outputs' follow. Some graphs take only
      // certain ones; what theirs are is then told by the data.
      bool open = false;
      for (const Shape& s : shapes) open |= std::count(s.begin() + 1, s.end(), -1) > 0;
      if (!open) throw;
      return Model(layer);
    }
  }
  return Model(in, named_outputs(*graph, out), {.name = name, .trainable = options.trainable});
}

}  // namespace

bool available() { return true; }
void register_layers() { register_onnx_layer(); }

Model load(const std::string& path, const ImportOptions& options) {
  auto file = io::InputFile::open(path, options.limits.max_bytes)->read_all();
  std::string folder = std::filesystem::path(path).parent_path().string();
  return build(std::make_shared<File>(parse(file->bytes(), path, folder.empty() ? "." : folder, options.limits)),
               file->bytes(), options);
}
Model load(std::span<const uint8_t> bytes, const ImportOptions& options) {
  return build(std::make_shared<File>(parse(bytes, "onnx bytes", "", options.limits)), bytes, options);
}

namespace {

// The imported graph of a model, wherever load() put it.
std::shared_ptr<Layer> graph_in(const LayerRef& layer) {
  if (dynamic_cast<OnnxLayer*>(layer.ptr().get())) return layer.ptr();
  for (const LayerRef& inner : layer->sublayers())
    if (auto found = graph_in(inner)) return found;
  return nullptr;
}

// Node by node on the arrays themselves, so that all shapes are known. Slower than a compiled step.
std::vector<Tensor> run_by_node(const LayerRef& graph, const std::vector<Tensor>& inputs) {
  Values in;
  for (const Tensor& x : inputs) in.push_back(Value(x));
  std::vector<Tensor> out;
  for (const Value& y : graph.outputs(in)) out.push_back(y.tensor());
  return out;
}

}  // namespace

std::vector<Tensor> run(const Model& model, const std::vector<Tensor>& inputs, uint64_t max_bytes) {
  struct Entry {
    std::weak_ptr<Layer> layer;
    std::map<std::string, Compiled> by_types;
  };
  static std::mutex mutex;
  static std::map<const Layer*, Entry> cache;
  std::string key;
  for (const Tensor& t : inputs) key += to_string(TensorType{t.dtype(), t.shape()});
  Compiled c;
  {
    std::lock_guard<std::mutex> lock(mutex);
    std::erase_if(cache, [](const auto& e) { return e.second.layer.expired(); });
    Entry& e = cache[model.ptr().get()];
    e.layer = model.ptr();
    if (auto it = e.by_types.find(key); it != e.by_types.end()) {
      c = it->second;
    } else {
      try {
        c = compile_layer(model, inputs);
      } catch (const Error& error) {
        if (!depends_on_data(error)) throw;
      }
      e.by_types[key] = c;
    }
  }
  if (!c.exe) {
    const std::shared_ptr<Layer> graph = graph_in(model);
    GLIA_CHECK(graph, "{}: onnx::run: shapes depend on data, and the model was not imported from ONNX.", model.name());
    std::optional<ir::EagerBudget> budget;
    if (max_bytes != UINT64_MAX) budget.emplace(max_bytes);
    return run_by_node(LayerRef(graph), inputs);
  }
  const plan::Plan& plan = c.exe->plan();
  double needed = static_cast<double>(plan.arena_bytes + plan.kept_bytes);
  for (const TensorType& t : plan.output_types) needed += static_cast<double>(t.elements()) * static_cast<double>(dtype_size(t.dtype));
  GLIA_CHECK(needed <= static_cast<double>(max_bytes), "{}: a step on these inputs takes {:.0f} bytes of memory. The limit is {}.", model.name(),
             needed, max_bytes);
  return run_compiled(c, inputs);
}

}  // namespace glia::onnx
