// The half of tools/check_keras_roundtrip.py that Glia does: with GLIA_ROUNDTRIP_DIR set, every NAME.keras in that folder is
// loaded, saved again as it is (same_NAME.keras, .h5), trained for the steps of NAME.npz, and saved (trained_NAME.keras) with the
// losses and predictions on the way (glia_NAME.npz).
#include <glia/npz.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace glia {
namespace {

namespace fs = std::filesystem;

std::vector<Tensor> with_prefix(const std::map<std::string, Tensor>& arrays, const std::string& prefix) {
  std::vector<Tensor> r;
  for (const auto& [name, t] : arrays)
    if (name.rfind(prefix, 0) == 0) r.push_back(t);
  return r;
}

void train_and_save(const fs::path& folder, const std::string& name) {
  const NpzArrays arrays = read_npz_arrays((folder / (name + ".npz")).string());
  std::map<std::string, Array> inputs;
  for (const auto& [n, t] : arrays.strings) inputs[n] = t;
  for (const auto& [n, t] : arrays.numbers)
    if (n.rfind("in_", 0) == 0) inputs[n] = t;
  std::vector<Array> x;
  for (const auto& [n, a] : inputs) x.push_back(a);
  const int64_t rows = x[0].strings.defined() ? x[0].strings.dim(0) : x[0].numbers.dim(0);
  const std::vector<Tensor> y = with_prefix(arrays.numbers, "target_");
  Model model = models::load_model((folder / (name + ".keras")).string());
  model.save((folder / ("same_" + name + ".keras")).string());
  model.save((folder / ("same_" + name + ".h5")).string());
  std::map<std::string, Tensor> results;
  auto record = [&](const std::string& key) {
    const std::vector<Tensor> out = model.predict_all(x, {.batch_size = rows});
    for (std::size_t i = 0; i < out.size(); ++i) results[key + std::to_string(i)] = out[i];
  };
  record("before_");
  if (!y.empty()) {
    std::vector<double> losses;
    for (int step = 0; step < 40; ++step) {
      if (step == 20) {
        model.save((folder / ("trained_" + name + ".keras")).string());
        record("middle_");
      }
      model.reset_metrics();
      losses.push_back(model.train_on_batch(x, y)["loss"]);
    }
    results["losses"] = Tensor::from_vector<double>({static_cast<int64_t>(losses.size())}, losses);
  }
  write_npz((folder / ("glia_" + name + ".npz")).string(), results);
}

TEST(KerasRoundTrip, FilesOfTheFolder) {
  const char* dir = std::getenv("GLIA_ROUNDTRIP_DIR");
  if (!dir) GTEST_SKIP() << "run by tools/check_keras_roundtrip.py, which needs Keras";
  std::vector<std::string> names;
  for (const auto& e : fs::directory_iterator(dir))
    if (e.path().extension() == ".keras" && e.path().stem().string().find("same_") != 0 && e.path().stem().string().find("trained_") != 0)
      names.push_back(e.path().stem().string());
  for (const std::string& name : names) {
    try {
      train_and_save(dir, name);
    } catch (const std::exception& e) {
      ADD_FAILURE() << name << ": " << e.what();
    }
  }
}

}  // namespace
}  // namespace glia
