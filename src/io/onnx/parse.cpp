// Bytes of an ONNX file -> File. Nothing in the bytes is trusted: sizes are compared with the bytes that are there
// before memory is taken, nesting is limited, external data never leaves the model's folder.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstring>

#include <glia_onnx.pb.h>
#include "base/error.h"
#include "io/file/checked.h"
#include "io/file/input_file.h"
#include "io/file/path_name.h"
#include "io/onnx/graph.h"
#include "io/onnx/wire_check.h"

namespace glia::onnx {
namespace pb = glia::onnx_pb;

namespace {

constexpr const char* kTypeNames[] = {
    "undefined", "float",      "uint8",      "int8",         "uint16",         "int16",      "int32",
    "int64",     "string",     "bool",       "float16",      "double",         "uint32",     "uint64",
    "complex64", "complex128", "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
    "uint4",     "int4",       "float4e2m1", "float8e8m0",   "uint2",          "int2"};

constexpr const char* kWeight = "glia: weight";  // marks tensors whose data a skeleton leaves out

struct Reader {
  const std::string& source;
  const std::string& folder;
  const LoadLimits& limits;
  bool weightless = false;
  uint64_t tensors = 0, nodes = 0;

  [[noreturn]] void fail(const std::string& text) const { throw_error("{}: {}", source, text); }
  std::string name(const std::string& s) const {
    if (s.size() > limits.max_name_length)
      fail(fmt::format("a name of {} bytes. The limit is {} (LoadLimits::max_name_length).", s.size(),
                       limits.max_name_length));
    return s;
  }
  Tensor tensor(const pb::TensorProto& t, int* type);
  void fill(const pb::TensorProto& t, const Tensor& out, const std::string& where);
  void external(const pb::TensorProto& t, const Tensor& out, const std::string& where);
  Tensor sparse(const pb::SparseTensorProto& t, int* type);
  ValueInfo value_info(const pb::ValueInfoProto& v);
  Attribute attribute(const pb::AttributeProto& a, int depth);
  NodeDef node(const pb::NodeProto& n, int depth);
  Body body(const pb::GraphProto& g, int depth);
  Body function(const pb::FunctionProto& f);
};

// Copies a repeated field of another width.
template <class T, class Field>
void copy_field(const Field& field, const Tensor& out) {
  T* to = static_cast<T*>(out.raw());
  for (int i = 0; i < field.size(); ++i) to[i] = static_cast<T>(field.Get(i));
}

// Bytes of n elements in a file: those of 4 and 2 bits lie side by side in bytes, the first in the low bits.
int element_bits(DType d) {
  switch (d) {
    case DType::f4e2m1fn:
    case DType::i4:
    case DType::u4: return 4;
    case DType::i2:
    case DType::u2: return 2;
    default: return 8 * static_cast<int>(dtype_size(d));
  }
}
uint64_t file_bytes(DType d, uint64_t n) {
  const auto bits = static_cast<uint64_t>(element_bits(d));
  return bits >= 8 ? n * (bits / 8) : n / (8 / bits) + (n % (8 / bits) != 0);
}
template <class ByteAt>
void unpack(const ByteAt& byte_at, const Tensor& out) {
  const int bits = element_bits(out.dtype()), per_byte = 8 / bits;
  const bool sign = out.dtype() == DType::i4 || out.dtype() == DType::i2;
  auto* to = static_cast<uint8_t*>(out.raw());
  for (int64_t i = 0; i < out.size(); ++i) {
    int v = byte_at(i / per_byte) >> (static_cast<int>(i % per_byte) * bits) & ((1 << bits) - 1);
    if (sign && v >> (bits - 1)) v -= 1 << bits;
    to[i] = static_cast<uint8_t>(v);
  }
}

void Reader::fill(const pb::TensorProto& t, const Tensor& out, const std::string& where) {
  const auto expect = [&](int64_t n) {
    if (n != out.size())
      fail(
          fmt::format("{}: holds {} elements. Its shape {} needs {}.", where, n, to_string(out.shape()), out.size()));
  };
  if (t.data_location() == pb::TensorProto::EXTERNAL) return external(t, out, where);
  if (t.has_raw_data()) {
    const uint64_t wanted = file_bytes(out.dtype(), static_cast<uint64_t>(out.size()));
    if (t.raw_data().size() != wanted)
      fail(fmt::format("{}: holds {} bytes. Its shape {} needs {}.", where, t.raw_data().size(),
                       to_string(out.shape()), wanted));
    if (is_cast_only(out.dtype()))
      unpack([&](int64_t i) { return static_cast<uint8_t>(t.raw_data()[static_cast<size_t>(i)]); }, out);
    else
      std::memcpy(out.raw(), t.raw_data().data(), out.bytes());
    return;
  }
  switch (out.dtype()) {
    case DType::f32:
      expect(t.float_data_size()), copy_field<float>(t.float_data(), out);
      break;
    case DType::f64:
      expect(t.double_data_size()), copy_field<double>(t.double_data(), out);
      break;
    case DType::i64:
      expect(t.int64_data_size()), copy_field<int64_t>(t.int64_data(), out);
      break;
    case DType::i32:
      expect(t.int32_data_size()), copy_field<int32_t>(t.int32_data(), out);
      break;
    case DType::u8:
      expect(t.int32_data_size()), copy_field<uint8_t>(t.int32_data(), out);
      break;
    case DType::i8:
      expect(t.int32_data_size()), copy_field<int8_t>(t.int32_data(), out);
      break;
    case DType::f16:
    case DType::bf16:
      expect(t.int32_data_size()), copy_field<uint16_t>(t.int32_data(), out);
      break;
    case DType::i16:
    case DType::u16:
      expect(t.int32_data_size()), copy_field<uint16_t>(t.int32_data(), out);
      break;
    case DType::u32:
      expect(t.uint64_data_size()), copy_field<uint32_t>(t.uint64_data(), out);
      break;
    case DType::u64:
      expect(t.uint64_data_size()), copy_field<uint64_t>(t.uint64_data(), out);
      break;
    default:  // is_cast_only
      unpack([&](int64_t i) { return static_cast<uint8_t>(t.int32_data(static_cast<int>(i))); }, out);
      break;
    case DType::bool_:
      expect(t.int32_data_size());
      for (int i = 0; i < t.int32_data_size(); ++i) static_cast<uint8_t*>(out.raw())[i] = t.int32_data(i) != 0;
      break;
  }
}

void Reader::external(const pb::TensorProto& t, const Tensor& out, const std::string& where) {
  std::string location;
  const uint64_t wanted = file_bytes(out.dtype(), static_cast<uint64_t>(out.size()));
  uint64_t offset = 0, length = wanted;
  for (const auto& e : t.external_data()) {
    const auto number = [&] {
      uint64_t v = 0;
      for (char c : e.value()) {
        if (c < '0' || c > '9' || v > UINT64_MAX / 16)
          fail(fmt::format("{}: external data: {} is '{}', not a number.", where, e.key(), io::printable(e.value())));
        v = v * 10 + static_cast<uint64_t>(c - '0');
      }
      return v;
    };
    if (e.key() == "location")
      location = e.value();
    else if (e.key() == "offset")
      offset = number();
    else if (e.key() == "length")
      length = number();
  }
  if (folder.empty())
    fail(fmt::format("{}: its data is in another file, '{}', and the model was given as bytes. Load it by its path.",
                     where, io::printable(location)));
  const std::string path = io::safe_join(folder, location, source);
  auto file = io::InputFile::open(path, limits.max_bytes);
  if (length != wanted)
    fail(fmt::format("{}: external data of {} bytes. Its shape {} needs {}.", where, length, to_string(out.shape()),
                     wanted));
  if (offset > file->size() || length > file->size() - offset)
    fail(fmt::format("{}: external data at {} + {} bytes of '{}', which has {}.", where, offset, length, path,
                     file->size()));
  if (!is_cast_only(out.dtype())) return file->read_at(offset, out.raw(), out.bytes());
  std::vector<uint8_t> packed(length);
  file->read_at(offset, packed.data(), length);
  unpack([&](int64_t i) { return packed[static_cast<std::size_t>(i)]; }, out);
}

Tensor Reader::tensor(const pb::TensorProto& t, int* type) {
  const std::string where = fmt::format("tensor '{}'", io::printable(t.name()));
  if (++tensors > limits.max_tensors)
    fail(fmt::format("more than {} tensors (LoadLimits::max_tensors).", limits.max_tensors));
  *type = t.data_type();
  DType dtype;
  if (!dtype_of_type(t.data_type(), &dtype)) return {};
  Shape shape(t.dims().begin(), t.dims().end());
  if (shape.size() > 32) fail(fmt::format("{}: {} axes. At most 32 are read.", where, shape.size()));
  auto bytes = io::checked_product(shape, dtype_size(dtype));
  if (!bytes) fail(fmt::format("{}: bad shape {}.", where, to_string(shape)));
  if (weightless && t.doc_string() == kWeight) {
    if (*bytes > uint64_t{1} << 31)
      fail(fmt::format("{}: a weight of shape {} is too large for a configuration.", where, to_string(shape)));
    return Tensor::zeros(shape, dtype);
  }
  // The bytes must be here before memory is taken for them: a byte of the file holds at most four elements.
  if (t.data_location() != pb::TensorProto::EXTERNAL) {
    const bool packed = element_bits(dtype) < 8;
    const uint64_t elements = *bytes / dtype_size(dtype), wanted = packed ? file_bytes(dtype, elements) : elements;
    const uint64_t held = t.has_raw_data()
                              ? t.raw_data().size() / dtype_size(dtype)
                              : static_cast<uint64_t>(std::max({t.float_data_size(), t.double_data_size(), t.int64_data_size(),
                                                                t.int32_data_size(), t.uint64_data_size()}));
    if (held != wanted)
      fail(fmt::format("{}: holds {} {}. Its shape {} needs {}.", where, held, packed ? "bytes" : "elements", to_string(shape), wanted));
  } else if (*bytes > limits.max_bytes) {
    fail(fmt::format("{}: {} bytes. The limit is {} (LoadLimits::max_bytes).", where, *bytes, limits.max_bytes));
  }
  if (t.data_location() == pb::TensorProto::EXTERNAL && *bytes > (uint64_t{1} << 20)) {
    // A promise about another file is checked against that file before memory is taken.
    for (const auto& e : t.external_data())
      if (e.key() == "location" && !folder.empty() &&
          io::InputFile::open(io::safe_join(folder, e.value(), source), limits.max_bytes)->size() < *bytes)
        fail(fmt::format("{}: its shape {} needs {} bytes; the external file is shorter.", where, to_string(shape),
                         *bytes));
  }
  Tensor out(shape, dtype);
  fill(t, out, where);
  return out;
}

Tensor Reader::sparse(const pb::SparseTensorProto& t, int* type) {
  int index_type = 0;
  Tensor values = tensor(t.values(), type), at = tensor(t.indices(), &index_type);
  Shape shape(t.dims().begin(), t.dims().end());
  auto bytes = io::checked_product(shape, 8);
  if (!values.defined() || !at.defined() || at.dtype() != DType::i64 || !bytes || *bytes > (uint64_t{1} << 32))
    fail(
        fmt::format("sparse tensor '{}': bad type or shape {}.", io::printable(t.values().name()), to_string(shape)));
  const int64_t n = values.size(), rank = static_cast<int64_t>(shape.size()), all = num_elements(shape);
  if (at.size() != n && at.size() != n * rank)
    fail(
        fmt::format("sparse tensor '{}': {} values and {} indices.", io::printable(t.values().name()), n, at.size()));
  const bool linear = at.rank() == 1;
  Tensor out = Tensor::zeros(shape, values.dtype());
  for (int64_t i = 0; i < n; ++i) {
    int64_t flat = 0;
    bool ok = true;
    if (linear)
      flat = at.data<int64_t>()[i];
    else
      for (int64_t d = 0; d < rank; ++d) {
        const int64_t k = at.data<int64_t>()[i * rank + d];
        ok &= k >= 0 && k < shape[d];
        flat = flat * shape[d] + (ok ? k : 0);
      }
    if (!ok || flat < 0 || flat >= all)
      fail(fmt::format("sparse tensor '{}': an index lies outside of {}.", io::printable(t.values().name()),
                       to_string(shape)));
    const size_t size = dtype_size(out.dtype());
    std::memcpy(static_cast<char*>(out.raw()) + static_cast<size_t>(flat) * size,
                static_cast<char*>(values.raw()) + static_cast<size_t>(i) * size, size);
  }
  return out;
}

ValueInfo Reader::value_info(const pb::ValueInfoProto& v) {
  ValueInfo r{.name = name(v.name())};
  if (!v.type().has_tensor_type()) return r;
  r.type = v.type().tensor_type().elem_type();
  r.has_shape = v.type().tensor_type().has_shape();
  for (const auto& d : v.type().tensor_type().shape().dim()) {
    r.shape.push_back({d.has_dim_value() ? d.dim_value() : -1, name(d.dim_param())});
    if (r.shape.back().value < -1 || r.shape.size() > 32)
      fail(fmt::format("'{}': bad shape.", io::printable(r.name)));
  }
  return r;
}

Attribute Reader::attribute(const pb::AttributeProto& a, int depth) {
  Attribute r;
  r.reference = name(a.ref_attr_name());
  int type = a.type();
  // Files of IR version 1 left the type out.
  if (type == 0)
    type = a.has_f()          ? 1
           : a.has_i()        ? 2
           : a.has_s()        ? 3
           : a.has_t()        ? 4
           : a.has_g()        ? 5
           : a.floats_size()  ? 6
           : a.ints_size()    ? 7
           : a.strings_size() ? 8
                              : 0;
  switch (type) {
    case pb::AttributeProto::FLOAT:
      r.kind = Attribute::number, r.f = a.f();
      break;
    case pb::AttributeProto::INT:
      r.kind = Attribute::integer, r.i = a.i();
      break;
    case pb::AttributeProto::STRING:
      r.kind = Attribute::text, r.s = a.s();
      break;
    case pb::AttributeProto::TENSOR:
      r.kind = Attribute::tensor, r.t = tensor(a.t(), &r.tensor_type);
      break;
    case pb::AttributeProto::SPARSE_TENSOR:
      r.kind = Attribute::tensor, r.t = sparse(a.sparse_tensor(), &r.tensor_type);
      break;
    case pb::AttributeProto::GRAPH:
      r.kind = Attribute::graph;
      r.body = std::make_shared<Body>(body(a.g(), depth + 1));
      break;
    case pb::AttributeProto::FLOATS:
      r.kind = Attribute::numbers, r.floats.assign(a.floats().begin(), a.floats().end());
      break;
    case pb::AttributeProto::INTS:
      r.kind = Attribute::integers, r.ints.assign(a.ints().begin(), a.ints().end());
      break;
    case pb::AttributeProto::STRINGS:
      r.kind = Attribute::texts, r.strings.assign(a.strings().begin(), a.strings().end());
      break;
    default:
      r.kind = r.reference.empty() ? Attribute::other : Attribute::none;
      break;
  }
  return r;
}

NodeDef Reader::node(const pb::NodeProto& n, int depth) {
  if (++nodes > limits.max_tensors)
    fail(fmt::format("more than {} nodes (LoadLimits::max_tensors).", limits.max_tensors));
  NodeDef r{
      .op = name(n.op_type()), .domain = n.domain() == "ai.onnx" ? "" : name(n.domain()), .name = name(n.name())};
  for (const auto& s : n.input()) r.inputs.push_back(name(s));
  for (const auto& s : n.output()) r.outputs.push_back(name(s));
  for (const auto& a : n.attribute()) r.attributes[name(a.name())] = attribute(a, depth);
  return r;
}

Body Reader::body(const pb::GraphProto& g, int depth) {
  if (depth > limits.max_nesting)
    fail(fmt::format("graphs nested more than {} deep (LoadLimits::max_nesting).", limits.max_nesting));
  Body r{.name = name(g.name())};
  for (const auto& t : g.initializer()) {
    Initializer i{.name = name(t.name())};
    i.tensor = tensor(t, &i.type);
    r.initializers.push_back(std::move(i));
  }
  for (const auto& t : g.sparse_initializer()) {
    Initializer i{.name = name(t.values().name())};
    i.tensor = sparse(t, &i.type);
    r.initializers.push_back(std::move(i));
  }
  for (const auto& n : g.node()) r.nodes.push_back(node(n, depth));
  for (const auto& v : g.input()) r.inputs.push_back(value_info(v));
  for (const auto& v : g.output()) r.outputs.push_back(value_info(v));
  return r;
}

Body Reader::function(const pb::FunctionProto& f) {
  Body r{.name = name(f.name())};
  for (const auto& s : f.input()) r.inputs.push_back({.name = name(s)});
  for (const auto& s : f.output()) r.outputs.push_back({.name = name(s)});
  for (const auto& n : f.node()) r.nodes.push_back(node(n, 0));
  for (const auto& o : f.opset_import()) r.opsets[o.domain() == "ai.onnx" ? "" : name(o.domain())] = o.version();
  return r;
}

}  // namespace

std::string type_name(int t) {
  return t >= 0 && t < static_cast<int>(std::size(kTypeNames)) ? kTypeNames[t] : fmt::format("type {}", t);
}
// ONNX's number of each type, at the place of the dtype.
static constexpr int kTypeOf[] = {1, 11, 16, 10, 6, 7, 2, 3, 9, 5, 4, 12, 13, 17, 19, 18, 20, 24, 23, 22, 21, 26, 25};
static_assert(std::size(kTypeOf) == static_cast<size_t>(DType::u2) + 1);

bool dtype_of_type(int t, DType* out) {
  for (size_t i = 0; i < std::size(kTypeOf); ++i)
    if (kTypeOf[i] == t) return *out = static_cast<DType>(i), true;
  return false;
}
int type_of_dtype(DType d) { return kTypeOf[static_cast<size_t>(d)]; }

std::string raw_bytes(const Tensor& t) {
  if (element_bits(t.dtype()) >= 8) return {static_cast<const char*>(t.craw()), t.bytes()};
  const int bits = element_bits(t.dtype()), per_byte = 8 / bits;
  std::string r(file_bytes(t.dtype(), static_cast<uint64_t>(t.size())), '\0');
  for (int64_t i = 0; i < t.size(); ++i) {
    const int v = static_cast<const uint8_t*>(t.craw())[i] & ((1 << bits) - 1);
    char& to = r[static_cast<size_t>(i / per_byte)];
    to = static_cast<char>(static_cast<uint8_t>(to) | v << (static_cast<int>(i % per_byte) * bits));
  }
  return r;
}

std::string NodeDef::title() const {
  return name.empty() ? fmt::format("node {} -> '{}'", op, io::printable(outputs.empty() ? "" : outputs[0]))
                      : fmt::format("node '{}' ({})", io::printable(name), op);
}

File parse(std::span<const uint8_t> bytes, const std::string& source, const std::string& folder,
           const LoadLimits& limits, bool weightless) {
  if (bytes.size() > limits.max_bytes)
    throw_error("{}: {} bytes. The limit is {} (LoadLimits::max_bytes).", source, bytes.size(), limits.max_bytes);
  if (bytes.size() > INT32_MAX)
    throw_error("{}: {} bytes. An ONNX file has at most 2 GB; larger models keep their weights in external data.",
                source, bytes.size());
  check_wire(bytes, source, limits);
  namespace gio = google::protobuf::io;
  gio::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
  gio::CodedInputStream in(&stream);
  in.SetRecursionLimit(std::max(100, 4 * limits.max_nesting));
  pb::ModelProto m;
  GLIA_CHECK(m.ParseFromCodedStream(&in) && in.ConsumedEntireMessage(),
             "{}: offset {}: the bytes are not an ONNX model: damaged, cut short, or another format.", source,
             in.CurrentPosition());
  GLIA_CHECK(m.has_graph() && (m.opset_import_size() || m.ir_version() > 0),
             "{}: the bytes hold no ONNX model: there is no graph.", source);
  Reader r{source, folder, limits, weightless};
  File f{.source = source, .ir_version = m.ir_version()};
  for (const auto& o : m.opset_import()) f.opsets[o.domain() == "ai.onnx" ? "" : r.name(o.domain())] = o.version();
  if (f.opsets.empty()) f.opsets[""] = 1;
  f.graph = r.body(m.graph(), 0);
  for (const auto& fn : m.functions()) f.functions[r.name(fn.domain()) + ":" + r.name(fn.name())] = r.function(fn);
  return f;
}

Tensor parse_tensor(std::span<const uint8_t> bytes, const std::string& source, int* type) {
  pb::TensorProto t;
  *type = 0;
  GLIA_CHECK(bytes.size() < INT32_MAX && t.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())),
             "{}: the bytes are no ONNX tensor.", source);
  const std::string no_folder;
  const LoadLimits limits;
  return Reader{source, no_folder, limits}.tensor(t, type);
}

std::string skeleton(std::span<const uint8_t> bytes, const File& file, const std::set<std::string>& weights,
                     const std::map<std::string, Tensor>& constants) {
  pb::ModelProto m;
  GLIA_CHECK(m.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())), "{}: the bytes are not an ONNX model.",
             file.source);
  pb::GraphProto& g = *m.mutable_graph();
  const auto strip = [](pb::TensorProto& t) {
    t.clear_raw_data(), t.clear_float_data(), t.clear_double_data(), t.clear_int32_data(), t.clear_external_data(),
        t.clear_data_location();
    t.set_doc_string(kWeight);
  };
  for (int i = 0; i < g.initializer_size(); ++i) {
    pb::TensorProto& t = *g.mutable_initializer(i);
    t.clear_doc_string();
    if (weights.count(t.name())) {
      strip(t);
    } else if (t.data_location() == pb::TensorProto::EXTERNAL) {
      const Tensor& known = file.graph.initializers[static_cast<size_t>(i)].tensor;
      GLIA_CHECK(known.defined(), "{}: the external tensor '{}' cannot be kept.", file.source,
                 io::printable(t.name()));
      t.clear_external_data(), t.clear_data_location();
      t.set_raw_data(raw_bytes(known));
    }
  }
  for (auto& n : *g.mutable_node()) {
    n.clear_doc_string();
    if (n.op_type() == "Constant" && n.output_size() == 1 && weights.count(n.output(0)))
      for (auto& a : *n.mutable_attribute())
        if (a.name() == "value") strip(*a.mutable_t());
  }
  g.clear_value_info(), g.clear_doc_string(), m.clear_doc_string(), m.clear_metadata_props(), m.clear_training_info();
  auto& inputs = *g.mutable_input();
  inputs.erase(
      std::remove_if(inputs.begin(), inputs.end(), [&](const auto& v) { return constants.count(v.name()) > 0; }),
      inputs.end());
  for (auto& [name, t] : constants) {
    pb::TensorProto& p = *g.add_initializer();
    p.set_name(name), p.set_data_type(type_of_dtype(t.dtype()));
    for (int64_t d : t.shape()) p.add_dims(d);
    p.set_raw_data(t.craw(), t.bytes());
  }
  return m.SerializeAsString();
}

}  // namespace glia::onnx
