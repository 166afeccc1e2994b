// GPT-2 and BERT as Hugging Face's transformers saved them (tools/golden/hf.py), and back.
#include <glia/losses.h>
#include <glia/npz.h>
#include <glia/pytorch.h>
#include <glia/safetensors.h>
#include <glia/saving.h>
#include <glia/transformers.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "data/test_files.h"
#include "io/hdf5/hdf5.h"

namespace glia {
namespace {
using test::Scratch;

std::string folder(const std::string& name) { return std::string(GLIA_SOURCE_DIR) + "/tests/compat/pytorch/hf/" + name; }

void expect_near(const Tensor& got, const Tensor& want, double tolerance) {
  ASSERT_EQ(got.shape(), want.shape());
  for (int64_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got.item(i), want.item(i), tolerance * std::max(1.0, std::fabs(want.item(i)))) << i;
}
std::vector<Tensor> run(Model& model, std::map<std::string, Tensor>& a) {
  if (model.input_names().size() == 1) return model.predict_all(a.at("input_ids"));
  return model.predict_all(std::vector<Tensor>{a.at("input_ids"), a.at("attention_mask"), a.at("token_type_ids")});
}
void expect_golden(Model& model, const std::string& name) {
  auto a = read_npz(folder(name) + "/io.npz");
  const std::vector<Tensor> y = run(model, a);
  expect_near(y[0], a.at("out"), 2e-5);
  if (y.size() > 1) expect_near(y[1], a.at("pooled"), 2e-5);
}

TEST(Transformers, LoadWhatHuggingFaceSaved) {
  for (const char* name : {"gpt2", "gpt2_old", "bert", "bert_old"}) {
    SCOPED_TRACE(name);
    Model m = transformers::load(folder(name));
    expect_golden(m, name);
  }
  Model hidden = transformers::load(folder("gpt2_hidden"), {.logits = false});
  expect_golden(hidden, "gpt2_hidden");
}

TEST(Transformers, SaveWithTheirNames) {
  Scratch dir;
  for (const std::string name : {"gpt2", "bert"}) {
    SCOPED_TRACE(name);
    Model m = transformers::load(folder(name));
    save_pytorch_weights(m, dir.path("model.safetensors"), {.names = name});
    std::map<std::string, Tensor> want;
    for (auto& [n, t] : read_safetensors(folder(name) + "/model.safetensors")) want[n.starts_with("transformer.") ? n.substr(12) : n] = t;
    const NamedTensors got = read_safetensors(dir.path("model.safetensors"));
    EXPECT_EQ(got.size(), want.size());
    for (auto& [n, t] : got) {
      ASSERT_TRUE(want.count(n)) << n;
      EXPECT_TRUE(t.equals(want[n])) << n;
    }
  }
  Model m = transformers::load(folder("gpt2"));
  EXPECT_HAS(test::error_of([&] { save_pytorch_weights(m, dir.path("x.safetensors"), {.names = "llama"}); }), "Received \"llama\"");
}

TEST(Transformers, GoOnAsKerasFiles) {
  if (!io::hdf5::available()) GTEST_SKIP() << "built without HDF5";
  Scratch dir;
  for (const std::string name : {"gpt2", "bert"}) {
    SCOPED_TRACE(name);
    Model m = transformers::load(folder(name));
    m.save(dir.path("m.keras"));
    Model again = models::load_model(dir.path("m.keras"));
    expect_golden(again, name);
  }
}

TEST(Transformers, GptTrainsAndIsQuantized) {
  Model m = transformers::load(folder("gpt2"));
  auto a = read_npz(folder("gpt2") + "/io.npz");
  const Tensor x = a.at("input_ids");
  m.compile({.optimizer = "adam", .loss = losses::SparseCategoricalCrossentropy({.from_logits = true})});
  const double first = m.train_on_batch(x, x)["loss"];
  double last = 0;
  for (int i = 0; i < 20; ++i) last = m.train_on_batch(x, x)["loss"];
  EXPECT_LT(last, first);
  const Tensor before = m.predict(x);
  EXPECT_EQ(m.quantize("int8"), 2 + 2 * (4 + 2));
  const Tensor after = m.predict(x);
  double worst = 0, largest = 0;
  for (int64_t i = 0; i < before.size(); ++i) {
    worst = std::max(worst, std::fabs(before.item(i) - after.item(i)));
    largest = std::max(largest, std::fabs(before.item(i)));
  }
  EXPECT_GT(worst, 0);
  EXPECT_LT(worst, 0.1 * largest);
}

TEST(Transformers, RefusesInWords) {
  Scratch dir;
  const auto with_config = [&](const std::string& text) {
    std::ofstream(dir.path("config.json")) << text;
    return test::error_of([&] { transformers::load(dir.path("")); });
  };
  EXPECT_HAS(test::error_of([&] { transformers::load(dir.path("none")); }), "config.json: no such file");
  EXPECT_HAS(with_config(R"({"model_type": "llama"})"), "'model_type' is \"llama\". Expected \"gpt2\" or \"bert\"");
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "n_layer": -4})"), "neither model.safetensors");
  std::filesystem::copy_file(folder("gpt2") + "/model.safetensors", dir.path("model.safetensors"));
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "n_layer": -4})"), "'n_layer' must be a count. Received -4");
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "n_layer": "4"})"), "'n_layer' must be a count");
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "n_embd": 12, "n_head": 5})"), "a multiple of the number of heads");
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": true})"), "Only false is supported");
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "vocab_size": 11, "n_positions": 16, "n_embd": 12, "n_layer": 3, "n_head": 3})"), "h.2.ln_1");
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "vocab_size": 11, "n_positions": 16, "n_embd": 12, "n_layer": 1, "n_head": 3})"), "h.1.");
  EXPECT_HAS(with_config(R"({"model_type": "gpt2", "vocab_size": 2147483648, "n_embd": 1073741824, "n_head": 1})"), "the file has no numbers for so many");
  std::filesystem::remove(dir.path("model.safetensors"));
  std::ofstream(dir.path("model.safetensors.index.json")) << R"({"weight_map": {"a": "../../etc/passwd"}})";
  EXPECT_HAS(with_config(R"({"model_type": "gpt2"})"), "model.safetensors.index.json");
}

}  // namespace
}  // namespace glia
