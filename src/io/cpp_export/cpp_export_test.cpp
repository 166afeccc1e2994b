// Models of many kinds are exported, compiled into one program by the compiler of this build, and must give what
// model.predict gives.
#include <glia/glia.h>
#include <glia/export.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <fstream>
#include <cmath>
#include <cstring>
#include <random>

#include "base/error.h"

namespace glia {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;
  Model model;
  std::vector<Tensor> inputs;
  models::ExportCppOptions options;
};

Tensor noise(Shape shape, double scale = 1) {
  static std::mt19937 generator(7);
  std::normal_distribution<float> normal(0, static_cast<float>(scale));
  Tensor t(std::move(shape));
  for (float& v : t.span<float>()) v = normal(generator);
  return t;
}
Tensor ids(Shape shape, int64_t below) {
  Tensor t(std::move(shape), DType::i32);
  for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, static_cast<double>((i * 7 + 3) % below));
  return t;
}
// Every weight random, so that biases, betas and moving statistics matter; variances positive.
Model shaken(Model m) {
  for (const Variable& v : m.ptr()->weights()) {
    Tensor t = v.tensor();
    const Tensor n = noise(t.shape(), 0.4);
    const bool positive =
        v.name().find("variance") != std::string::npos || v.name().find("gamma") != std::string::npos;
    for (int64_t i = 0; i < t.size(); ++i) t.set_item(i, positive ? 0.5 + std::abs(n.item(i)) : n.item(i));
  }
  return m;
}

Value residual(const Value& x, int64_t filters, int64_t stride) {
  Value y = layers::Conv2D(filters, {3, 3}, {.strides = {stride, stride}, .padding = "same", .use_bias = false})(x);
  y = layers::Activation("relu")(layers::BatchNormalization()(y));
  y = layers::BatchNormalization()(layers::Conv2D(filters, {3, 3}, {.padding = "same"})(y));
  Value side = stride == 1 ? x : layers::Conv2D(filters, {1, 1}, {.strides = {stride, stride}})(x);
  return layers::ReLU()(layers::Add()({y, side}));
}

std::vector<Case> cases() {
  std::vector<Case> r;
  auto add = [&](const std::string& name, Model m, std::vector<Tensor> in, models::ExportCppOptions o = {}) {
    m.predict_all(Data(in));  // builds it
    r.push_back({name, shaken(m), std::move(in), std::move(o)});
  };
  using namespace layers;
  add("cnn",
      Sequential({Conv2D(20, {3, 3}, {.activation = "relu", .input_shape = {12, 13, 2}}), BatchNormalization(),
                  MaxPooling2D({2, 2}), Dropout(0.3),
                  Conv2D(7, {3, 2}, {.padding = "same", .dilation_rate = {2, 1}, .activation = "tanh"}), Flatten(),
                  Dense(33, {.activation = "gelu"}), Dense(10, {.activation = "softmax"})}),
      {noise({1, 12, 13, 2})});
  add("batched",
      Sequential({Dense(70, {.activation = "silu", .input_shape = {9}}), Dense(5, {.activation = "sigmoid"})}),
      {noise({7, 9})}, {.batch_size = 7});
  {
    Value in = Input({16, 16, 3}), y = in;
    y = residual(residual(residual(y, 3, 1), 18, 2), 18, 1);
    y = Dense(4)(GlobalAveragePooling2D()(y));
    add("resnet", Model({in}, {y}), {noise({1, 16, 16, 3})});
  }
  add("separable",
      Sequential({SeparableConv2D(9, {3, 3}, {.padding = "same", .activation = "relu", .input_shape = {9, 9, 5}}),
                  Conv2DTranspose(6, {3, 3}, {.strides = {2, 2}, .padding = "same"}),
                  DepthwiseConv2D({3, 3}, {.strides = {2, 2}, .depth_multiplier = 2}),
                  Conv2D(8, {3, 3}, {.padding = "same", .groups = 4, .activation = "elu"}),
                  AveragePooling2D({3, 3}, {.strides = {2, 2}, .padding = "same"}), UpSampling2D({2, 2}),
                  ZeroPadding2D({1, 2}), Cropping2D({1, 1}), GlobalMaxPooling2D()}),
      {noise({1, 9, 9, 5})});
  add("series",
      Sequential({Conv1D(12, {5}, {.padding = "causal", .activation = "leaky_relu", .input_shape = {20, 3}}),
                  MaxPooling1D({2}), Conv1DTranspose(5, {4}, {.strides = {3}}), LayerNormalization(),
                  Bidirectional(LSTM(9, {.return_sequences = true})), GRU(7, {.return_sequences = true}),
                  SimpleRNN(6, {.return_sequences = true, .go_backwards = true}), GRU(5, {.reset_after = false}),
                  Dense(3)}),
      {noise({1, 20, 3})});
  add("masked",
      Sequential({Embedding(11, 6, {.mask_zero = true}), LSTM(8, {.return_sequences = true}), Bidirectional(GRU(4)),
                  Dense(2)}),
      {ids({1, 9}, 11)}, {.input_shapes = {{9}}});
  {
    Value in = Input({7, 12});
    Value a = MultiHeadAttention(3, 5)({in, in}, {.use_causal_mask = true});
    Value x = LayerNormalization()(Add()({in, a}));
    Value f = Dense(12)(Dense(40, {.activation = "gelu"})(x));
    add("transformer", Model({in}, {LayerNormalization()(Add()({x, f}))}), {noise({1, 7, 12})});
  }
  {
    Value a = Input({4}, {.name = "left"}), b = Input({3}, {.name = "right"});
    Value joined = Concatenate()({Dense(8, {.activation = "softplus"})(a), Multiply()({Dense(8)(b), Dense(8)(a)}),
                                  Maximum()({Dense(8)(a), Dense(8)(b)})});
    Value sum = Dense(2, {.activation = "log_softmax"})(joined), shape = Permute({2, 1})(Reshape({4, 6})(joined));
    add("branches", Model({a, b}, {sum, shape, Dot({1})({Dense(5)(a), Dense(5)(b)})}),
        {noise({1, 4}), noise({1, 3})});
  }
  return r;
}

std::string pointer_arguments(const Case& c, size_t outputs) {
  std::string r;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    r += fmt::format("{}read<{}>(\"{}.in{}\").data()", i ? ", " : "",
                     c.inputs[i].dtype() == DType::i32 ? "std::int32_t" : "float", c.name, i);
  for (size_t o = 0; o < outputs; ++o) r += fmt::format(", y{}.data()", o);
  return r;
}

std::vector<float> read_floats(const fs::path& p) {
  std::ifstream f(p, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(f)), {});
  std::vector<float> r(bytes.size() / 4);
  std::memcpy(r.data(), bytes.data(), r.size() * 4);
  return r;
}

class CppExport : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / fmt::format("glia_cpp_export_{}", std::random_device{}());
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(dir_ / name, std::ios::binary) << text;
  }
  // Exit status of a command run in the folder; its output goes to the test's.
  int run(const std::string& command) {
    return std::system(fmt::format("cd '{}' && {}", dir_.string(), command).c_str());
  }
  fs::path dir_;
};

TEST_F(CppExport, GeneratedCodePredictsAsTheModel) {
  std::vector<Case> all = cases();
  std::string includes, calls;
  std::vector<std::vector<Tensor>> want;
  for (Case& c : all) {
    want.push_back(c.model.predict_all(Data(c.inputs)));
    models::export_cpp(c.model, dir_ / (c.name + ".h"), c.options);
    for (size_t i = 0; i < c.inputs.size(); ++i)
      write(fmt::format("{}.in{}", c.name, i),
            std::string(static_cast<const char*>(c.inputs[i].raw()), c.inputs[i].bytes()));
    includes += fmt::format("#include \"{}.h\"\n", c.name);
    calls += fmt::format("  {{\n    {}::Predictor model;\n", c.name);
    for (size_t o = 0; o < want.back().size(); ++o)
      calls += fmt::format("    std::vector<float> y{}({});\n", o, want.back()[o].size());
    const std::string call = fmt::format("    model.predict({});\n", pointer_arguments(c, want.back().size()));
    calls += call + "    count = 0;\n" + call + "    allocations += count - " + std::to_string(c.inputs.size()) +
             ";\n";  // read() allocates once each
    for (size_t o = 0; o < want.back().size(); ++o)
      calls += fmt::format("    save(\"{}.out{}\", y{});\n", c.name, o, o);
    calls += "  }\n";
  }
  write("main.cpp", includes + R"(#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <vector>
static int count = 0, allocations = 0;
void* operator new(std::size_t n) { ++count; void* p = std::malloc(n); if (!p) std::abort(); return p; }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
template <class T> std::vector<T> read(const char* path) {
  std::FILE* f = std::fopen(path, "rb");
  std::fseek(f, 0, SEEK_END);
  std::vector<T> v(static_cast<std::size_t>(std::ftell(f)) / sizeof(T));
  std::rewind(f);
  if (std::fread(v.data(), sizeof(T), v.size(), f) != v.size()) std::abort();
  std::fclose(f);
  return v;
}
void save(const char* path, const std::vector<float>& v) {
  std::FILE* f = std::fopen(path, "wb");
  std::fwrite(v.data(), 4, v.size(), f);
  std::fclose(f);
}
int main() {
)" + calls + "  return allocations == 0 ? 0 : 3;\n}\n");
  ASSERT_EQ(run(std::string(GLIA_CXX) + " -std=c++17 -O1 -Wall -Wextra -Werror main.cpp -o main"), 0);
  ASSERT_EQ(run("./main"), 0) << "crashed, or predict() allocated memory";
  for (size_t c = 0; c < all.size(); ++c)
    for (size_t o = 0; o < want[c].size(); ++o) {
      const std::vector<float> got = read_floats(dir_ / fmt::format("{}.out{}", all[c].name, o));
      ASSERT_EQ(got.size(), static_cast<size_t>(want[c][o].size())) << all[c].name;
      float worst = 0, largest = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        const float w = want[c][o].data<float>()[i];
        worst = std::max(worst, std::abs(got[i] - w)), largest = std::max(largest, std::abs(w));
        ASSERT_EQ(std::isfinite(got[i]), std::isfinite(w)) << all[c].name;
      }
      EXPECT_LE(worst, 2e-5f * (1 + largest)) << all[c].name << " output " << o;
      EXPECT_GT(largest, 0) << all[c].name;
    }
}

// The promise of docs/deploy.md: a program that only predicts, static and stripped, stays under 2 MB.
TEST_F(CppExport, StaticPredictorOfTheMnistCnnIsSmall) {
  using namespace layers;
  Sequential model({Conv2D(32, {3, 3}, {.activation = "relu", .input_shape = {28, 28, 1}}), MaxPooling2D({2, 2}),
                    Conv2D(64, {3, 3}, {.activation = "relu"}), MaxPooling2D({2, 2}), Flatten(),
                    Dense(64, {.activation = "relu"}), Dense(10, {.activation = "softmax"})});
  const Tensor x = noise({1, 28, 28, 1});
  const Tensor want = model.predict(x);
  models::export_cpp(model, dir_ / "mnist.h", {.weights_file = dir_ / "mnist.weights"});
  write("x.bin", std::string(static_cast<const char*>(x.raw()), x.bytes()));
  write("main.cpp", R"(#include "mnist.h"
int main() {
  try {
    static float x[mnist::Predictor::kInputSize], y[mnist::Predictor::kOutputSize];
    mnist::Predictor model;
    std::FILE* f = std::fopen("x.bin", "rb");
    if (std::fread(x, 4, 784, f) != 784) return 1;
    model.predict(x, y);
    f = std::fopen("y.bin", "wb");
    std::fwrite(y, 4, 10, f);
    std::fclose(f);
  } catch (const std::exception& e) {
    std::puts(e.what());
    return 2;
  }
}
)");
  ASSERT_EQ(run(std::string(GLIA_CXX) + " -std=c++17 -O2 -Wall -Werror -static -s main.cpp -o main"), 0);
  ASSERT_EQ(run("./main"), 0);
  const std::vector<float> got = read_floats(dir_ / "y.bin");
  ASSERT_EQ(got.size(), 10u);
  for (size_t i = 0; i < 10; ++i) EXPECT_NEAR(got[i], want.data<float>()[i], 1e-6);
  const auto bytes = fs::file_size(dir_ / "main") + fs::file_size(dir_ / "mnist.weights");
  EXPECT_LT(bytes, 2u << 20);
  RecordProperty("bytes", std::to_string(bytes));

  fs::resize_file(dir_ / "mnist.weights", fs::file_size(dir_ / "mnist.weights") - 1);
  EXPECT_EQ(WEXITSTATUS(run("./main > message")), 2);
  std::ifstream message(dir_ / "message");
  std::string text;
  std::getline(message, text);
  EXPECT_EQ(text, "not the weights of this model: mnist.weights");
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing thrown";
}

TEST_F(CppExport, WhatCannotBeExportedIsNamed) {
  Value in = Input({3, 3});
  Model top({in}, {ops::det(in)});
  const std::string refused = message_of([&] { models::to_cpp(top); });
  EXPECT_NE(refused.find("'slogdet' has no C++ form"), std::string::npos) << refused;
  EXPECT_NE(refused.find("conv"), std::string::npos) << refused;

  Sequential open({layers::LSTM(3, {.input_shape = {-1, 2}})});
  const std::string unknown = message_of([&] { models::to_cpp(open); });
  EXPECT_NE(unknown.find("unknown extent"), std::string::npos) << unknown;
  EXPECT_NE(models::to_cpp(open, {.input_shapes = {{5, 2}}}).header.find("float32 (1, 5, 2)"), std::string::npos);
  EXPECT_NE(message_of([&] {
              models::to_cpp(open, {.input_shapes = {{5, 3}}});
            }).find("does not fit"),
            std::string::npos);
  EXPECT_NE(message_of([&] {
              models::export_cpp(open, dir_ / "no/such/folder.h", {.input_shapes = {{5, 2}}});
            }).find("cannot be written"),
            std::string::npos);
}

}  // namespace
}  // namespace glia
