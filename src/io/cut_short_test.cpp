// Somebody cuts a large file short while it is read, or afterwards: an Error or the whole content, never a signal.
#include <glia/glia.h>
#include <glia/onnx.h>
#include <glia/saving.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "data/test_files.h"
#include "io/hdf5/hdf5.h"

namespace glia::io {
namespace {
using test::Scratch;

constexpr int64_t kRows = 1 << 11, kCols = 2500;  // 20 MB

Model large_model() {
  Sequential m({layers::Dense(kCols, {.use_bias = false, .kernel_initializer = "ones", .input_shape = {kRows}})});
  return m;
}

struct Format {
  std::string ending;
  std::function<void(const std::string&)> write;
  std::function<Tensor(const std::string&)> read;  // an array of ones
};

std::vector<Format> formats() {
  const auto ones = [] { return Tensor::full({kRows, kCols}, 1.0); };
  const auto kernel = [](const std::string& p) { return models::load_model(p).get_weights()[0]; };
  std::vector<Format> r = {
      {".npy", [=](auto& p) { write_npy(p, ones()); }, [](auto& p) { return read_npy(p); }},
      {".npz", [=](auto& p) { write_npz(p, {{"a", ones()}}); }, [](auto& p) { return read_npz(p).at("a"); }},
      {".safetensors", [=](auto& p) { write_safetensors(p, {{"a", ones()}}); },
       [](auto& p) { return read_safetensors(p)[0].second; }},
      {".glia", [](auto& p) { large_model().save(p); }, kernel},
  };
  if (hdf5::available()) {
    r.push_back({".keras", [](auto& p) { large_model().save(p); }, kernel});
    r.push_back({".h5", [](auto& p) { large_model().save(p); }, kernel});
  }
  if (onnx::available())
    r.push_back({".onnx", [](auto& p) { onnx::save(large_model(), p); },
                 [](auto& p) { return onnx::load(p).predict(Tensor::full({1, kRows}, 1.0 / kRows)); }});
  return r;
}

TEST(CutShort, LoadersGiveAnErrorOrTheContent) {
  Scratch dir;
  for (const Format& f : formats()) {
    SCOPED_TRACE(f.ending);
    const std::string whole = dir.path("whole" + f.ending), path = dir.path("cut" + f.ending);
    f.write(whole);
    const auto size = std::filesystem::file_size(whole);
    ASSERT_GT(size, std::uintmax_t{1} << 24);
    for (int round = 0; round < 6; ++round) {
      std::filesystem::copy_file(whole, path, std::filesystem::copy_options::overwrite_existing);
      std::atomic<bool> started = false;
      std::thread cutter([&] {
        while (!started) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::milliseconds(round * 2));
        std::filesystem::resize_file(path, size * static_cast<unsigned>(round % 3) / 3);
      });
      Tensor t;
      const std::string error = test::error_of([&] {
        started = true;
        t = f.read(path);
      });
      cutter.join();
      if (error != "(no error)") {
        EXPECT_HAS(error, path);
        continue;
      }
      for (int64_t i = 0; i < t.size(); i += 1000) ASSERT_NEAR(t.item(i), 1, 1e-5);  // the file is short by now
    }
  }
}

}  // namespace
}  // namespace glia::io
