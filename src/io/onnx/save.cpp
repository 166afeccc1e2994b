// onnx::save and to_bytes.
#include <glia/onnx.h>

#include <filesystem>

#include "io/file/atomic_file.h"
#include "io/onnx/exporter.h"
#include "io/onnx/symbolic_graph.h"

namespace glia::onnx {
namespace {

void write_model(const Model& model, const ExportOptions& o, pb::ModelProto& m) {
  GLIA_CHECK(o.opset >= 13 && o.opset <= 22, "onnx::save: opset {} is not written. Opsets 13 to 22 are.", o.opset);
  const SymbolicGraph graph = trace_symbolic(model, o.batch_name, has_rule);
  // The oldest IR version that has the opset, for older readers.
  m.set_ir_version(o.opset >= 21 ? 10 : o.opset >= 19 ? 9 : o.opset >= 15 ? 8 : 7);
  m.set_producer_name(o.producer);
  auto& opset = *m.add_opset_import();
  opset.set_domain(""), opset.set_version(o.opset);
  m.mutable_graph()->set_name(model.name());
  Exporter(graph, o, m).run();
}

uint64_t weight_bytes(const pb::ModelProto& m) {
  uint64_t n = 0;
  for (const auto& t : m.graph().initializer()) n += t.raw_data().size();
  return n;
}
constexpr uint64_t kLimit = uint64_t{2000} << 20;  // protobuf's messages end at 2 GiB

// Larger weights move to a file beside, each at a multiple of 64 bytes.
void move_weights(pb::ModelProto& m, const std::string& path) {
  io::AtomicFile data(path, weight_bytes(m));
  const std::string name = std::filesystem::path(path).filename().string();
  for (auto& t : *m.mutable_graph()->mutable_initializer()) {
    if (t.raw_data().size() < 1024) continue;
    static const char zeros[64] = {};
    if (data.written() % 64) data.write(zeros, 64 - data.written() % 64);
    const auto add = [&](const char* key, const std::string& value) {
      auto& e = *t.add_external_data();
      e.set_key(key), e.set_value(value);
    };
    add("location", name);
    add("offset", std::to_string(data.written()));
    add("length", std::to_string(t.raw_data().size()));
    data.write(t.raw_data());
    t.clear_raw_data();
    t.set_data_location(pb::TensorProto::EXTERNAL);
  }
  data.commit();
}

}  // namespace

std::string to_bytes(const Model& model, const ExportOptions& options) {
  pb::ModelProto m;
  write_model(model, options, m);
  GLIA_CHECK(
      weight_bytes(m) < kLimit,
      "onnx::to_bytes: '{}' has {} bytes of weights; one ONNX message holds 2 GB. Use onnx::save with external_data.",
      model.name(), weight_bytes(m));
  return m.SerializeAsString();
}

void save(const Model& model, const std::string& path, const ExportOptions& options) {
  pb::ModelProto m;
  write_model(model, options, m);
  if (options.external_data || weight_bytes(m) >= kLimit) move_weights(m, path + ".data");
  io::write_file(path, m.SerializeAsString());
}

}  // namespace glia::onnx
