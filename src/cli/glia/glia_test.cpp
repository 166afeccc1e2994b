// The program `glia` as users run it: arguments, exit status, what it prints, the files it writes.
#include <glia/glia.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"

namespace glia {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

struct Result {
  int status = -1;
  std::string out, err;
};

class Program : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / ("glia_cli_" + std::to_string(::getpid()));
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }

  // Runs `glia ARGUMENTS` in the folder of the test.
  Result run(const std::string& arguments) {
    const std::string command =
        fmt::format("cd '{}' && '{}/bin/glia' {} > out 2> err", dir_.string(), GLIA_BINARY_DIR, arguments);
    Result r;
    const int status = std::system(command.c_str());
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    r.out = text("out"), r.err = text("err");
    return r;
  }
  json run_json(const std::string& arguments) {
    const Result r = run(arguments + " --json");
    EXPECT_EQ(r.status, 0) << arguments << "\n" << r.err;
    json j = json::parse(r.out, nullptr, false);
    EXPECT_FALSE(j.is_discarded()) << r.out;
    return j;
  }
  void fails(const std::string& arguments, int status, const std::string& message) {
    const Result r = run(arguments);
    EXPECT_EQ(r.status, status) << arguments << "\n" << r.out << r.err;
    EXPECT_NE(r.err.find(message), std::string::npos)
        << arguments << "\nexpected: " << message << "\nreceived: " << r.err;
  }
  std::string text(const fs::path& name) {
    std::ifstream f(dir_ / name, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(f)), {});
  }
  void write(const fs::path& name, const std::string& content) {
    fs::create_directories((dir_ / name).parent_path());
    std::ofstream(dir_ / name, std::ios::binary) << content;
  }
  std::string path(const std::string& name) { return (dir_ / name).string(); }
  fs::path dir_;
};

Tensor numbers(Shape shape, DType dtype = DType::f32) {
  Tensor t(std::move(shape), dtype);
  for (int64_t i = 0; i < t.size(); ++i)
    t.set_item(i, is_float(dtype) ? std::sin(static_cast<double>(i)) : static_cast<double>(i * 5 % 7));
  return t;
}

Model two_inputs() {
  Value left = Input({4}, {.name = "left"}), right = Input({3}, {.name = "right"});
  Value joined = layers::Concatenate()({left, right});
  return Model({left, right}, {layers::Dense(2, {.name = "first"})(joined),
                               layers::Dense(5, {.activation = "tanh", .name = "second"})(left)});
}

void expect_same(const Tensor& got, const Tensor& want, double tolerance = 0) {
  ASSERT_EQ(to_string(got.shape()), to_string(want.shape()));
  for (int64_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got.item(i), want.item(i), tolerance) << i;
}

TEST_F(Program, UsageErrorsAreStatus1) {
  fails("", 1, "A subcommand is required");
  fails("sumary x.keras", 1, "unknown command 'sumary'. Did you mean 'summary'?");
  fails("predict", 1, "MODEL is required");
  fails("predict a b --batch-size 0", 1, "glia predict --help");
  fails("bench a --batch-size 0", 1, "must be greater than 0. Received 0.");
  fails("info --nonsense", 1, "--nonsense");
  fails("info --isa mmx", 1, "expected scalar, neon, avx2 or avx512");
  fails("export model.keras", 1, "one of --c++ and --onnx");
}

TEST_F(Program, HelpHasExamples) {
  Result r = run("--help");
  EXPECT_EQ(r.status, 0);
  for (const char* command :
       {"summary", "verify", "convert", "predict", "evaluate", "train", "export", "plot", "info", "bench"}) {
    EXPECT_NE(r.out.find(command), std::string::npos);
    const Result h = run(std::string(command) + " --help");
    EXPECT_EQ(h.status, 0);
    EXPECT_NE(h.out.find("Examples:\n  glia " + std::string(command)), std::string::npos) << h.out;
  }
  r = run("--version");
  EXPECT_EQ(r.status, 0);
  EXPECT_EQ(r.out.rfind("glia 0.", 0), 0u);
}

TEST_F(Program, InfoNamesThisMachine) {
  const json j = run_json("info --threads 2");
  EXPECT_EQ(j["threads"], 2);
  EXPECT_TRUE(j["components"].contains("images"));
  EXPECT_TRUE(j["reads"].is_array());
  EXPECT_EQ(run_json("info --isa scalar")["isa"], "scalar");
}

TEST_F(Program, ModelsThatTakeStrings) {
  Value job = Input({1}, {.name = "job", .dtype = "string"}), age = Input({1}, {.name = "age"});
  LayerRef lookup = layers::StringLookup({.output_mode = "one_hot"});
  adapt(lookup, {"clerk", "nurse", "clerk"});
  Model model({job, age}, {layers::Dense(1, {.name = "out"})(layers::Concatenate()({lookup(job), age}))});
  model.compile({.optimizer = "adam", .loss = "mse"});
  model.save(path("jobs.keras"));
  const StringTensor jobs({3, 1}, {"clerk", "baker, the", "nurse"});
  const Tensor ages = Tensor::from({3, 1}, {1, 2, 3});
  const Tensor want = model.predict({jobs, ages});
  write_npz_arrays(path("in.npz"), {{{"age", ages}}, {{"job", jobs}}});
  EXPECT_EQ(run_json("predict jobs.keras in.npz -o out.npz")["rows"], 3);
  expect_same(read_npz(path("out.npz")).at("output_00"), want);
  write("in.csv", "age,job\n1,clerk\n2,\"baker, the\"\n3,nurse\n");
  EXPECT_EQ(run("predict jobs.keras in.csv -o csv.npz").status, 0);
  expect_same(read_npz(path("csv.npz")).at("output_00"), want);
  EXPECT_EQ(run_json("summary jobs.keras")["inputs"][0]["dtype"], "string");
  write("train.csv", "job,age,y\nclerk,1,0\nnurse,2,1\nclerk,3,0\nbaker,4,1\n");
  write("train.json", R"({"model": "jobs.keras", "data": {"path": "train.csv", "y": "y"}, "fit": {"epochs": 2, "batch_size": 2}, "output": "after.keras"})");
  const json trained = run_json("train train.json");
  EXPECT_EQ(trained["rows"], 4);
  EXPECT_EQ(run_json("evaluate after.keras train.csv --y y")["rows"], 4);
  write_npz(path("numbers.npz"), {{"age", ages}, {"job", ages}});
  fails("predict jobs.keras numbers.npz", 2, "the array 'job' (float32) goes to the input 'job', which takes string");
  EXPECT_EQ(run("verify in.npz").status, 0);
}

TEST_F(Program, PredictMatchesTheLibrary) {
  Model model = two_inputs();
  const Tensor left = numbers({7, 4}), right = numbers({7, 3});
  const std::vector<Tensor> want = model.predict_all(Data(std::vector<Tensor>{left, right}));
  model.save(path("two.keras"));
  write_npz(path("named.npz"), {{"right", right}, {"left", left}});
  const json j = run_json("predict two.keras named.npz -o out.npz");
  EXPECT_EQ(j["rows"], 7);
  EXPECT_EQ(j["arrays"][1],
            json::parse(R"({"array": "output_01", "name": "second", "shape": [7, 5], "dtype": "float32"})"));
  auto got = read_npz(path("out.npz"));
  ASSERT_EQ(got.size(), 2u);
  expect_same(got.at("output_00"), want[0]);
  expect_same(got.at("output_01"), want[1]);

  write_npz(path("sorted.npz"), {{"arr_0", left.astype(DType::f64)}, {"arr_1", right}});  // any names: in their order
  EXPECT_EQ(run("predict two.keras sorted.npz -o sorted_out.npz --batch-size 3 --compress").status, 0);
  got = read_npz(path("sorted_out.npz"));
  expect_same(got.at("output_00"), want[0], 1e-6);

  write_npz(path("missing.npz"), {{"left", left}});
  fails("predict two.keras missing.npz", 2,
        "no array for the input right. The model takes: left float32 (None, 4), right float32 (None, 3)");
  write_npz(path("extra.npz"), {{"left", left}, {"right", right}, {"more", right}});
  fails("predict two.keras extra.npz", 2, "no input of the model: more");
  EXPECT_EQ(run("predict two.keras extra.npz --ignore-extra").status, 0);
  write_npz(path("shape.npz"), {{"left", right}, {"right", right}});
  fails("predict two.keras shape.npz", 2, "Expected (None, 4)");
  write_npz(path("rows.npz"), {{"left", left}, {"right", numbers({6, 3})}});
  fails("predict two.keras rows.npz", 2, "rows");
  write("bad.npz", text("named.npz").substr(0, 100));
  fails("predict two.keras bad.npz", 2, "bad.npz");
  fails("predict two.keras none.npz", 2, "'none.npz' does not exist");
  fails("predict none.keras named.npz", 2, "'none.keras' does not exist");
  fails("predict named.npz named.npz", 2, "named.npz");
  fails("predict two.keras named.npz -o no/such/folder.npz", 2, "no/such/folder.npz");
  const Result r = run("predict two.keras missing.npz --json");
  EXPECT_EQ(r.status, 2);
  EXPECT_EQ(json::parse(r.out)["status"], 2);
}

TEST_F(Program, PredictConvertsNumbers) {
  Sequential ids({layers::Embedding(7, 3), layers::LSTM(4), layers::Dense(2)});
  const Tensor x = numbers({5, 6}, DType::i32);
  const Tensor want = ids.predict(x);
  ids.save(path("ids.keras"));
  for (DType t : {DType::i32, DType::i64, DType::u8, DType::f32, DType::f64}) {
    write_npy(path("x.npy"), x.astype(t));
    ASSERT_EQ(run("predict ids.keras x.npy -o y.npz").status, 0) << dtype_name(t);
    expect_same(read_npz(path("y.npz")).at("output_00"), want, 1e-6);
  }
  Sequential image({layers::Flatten({.input_shape = {4, 4, 1}}), layers::Dense(2)});
  const Tensor bytes = numbers({3, 4, 4}, DType::u8);  // without the axis of channels, as many keep images
  const Tensor scores = image.predict(bytes.astype(DType::f32));
  image.save(path("image.keras"));
  write_npy(path("x.npy"), bytes);
  ASSERT_EQ(run("predict image.keras x.npy -o y.npz").status, 0);
  expect_same(read_npz(path("y.npz")).at("output_00"), scores, 1e-6);
}

TEST_F(Program, SummaryConvertVerify) {
  Model model = two_inputs();
  model.save(path("two.keras"));
  const json s = run_json("summary two.keras");
  EXPECT_EQ(s["params"], model.count_params());
  EXPECT_EQ(
      s["inputs"],
      json::parse(
          R"([{"name":"left","shape":[null,4],"dtype":"float32"},{"name":"right","shape":[null,3],"dtype":"float32"}])"));
  EXPECT_NE(run("summary two.keras").out.find("Total params: 41"), std::string::npos);

  for (const char* to : {"two.h5", "two.glia", "two.json", "two.safetensors", "two.dot", "two.svg", "two.h"}) {
    const Result r = run(fmt::format("convert two.keras {}", to));
    EXPECT_EQ(r.status, 0) << to << r.err;
    EXPECT_GT(fs::file_size(dir_ / to), 100u);
  }
  for (const char* from : {"two.h5", "two.glia"}) {
    Model again = models::load_model(path(from));
    for (size_t i = 0; i < again.get_weights().size(); ++i)
      expect_same(again.get_weights()[i], model.get_weights()[i]);
  }
  EXPECT_EQ(run_json("summary two.json")["params"], model.count_params());
  fails("convert two.keras two.xyz", 2, "the ending decides the format");
  fails("convert two.keras nowhere/two.h5", 2, "folder 'nowhere' does not exist");

  const json v = run_json("verify two.keras two.h5 two.safetensors");
  EXPECT_EQ(v["ok"], true);
  EXPECT_EQ(v["files"][0]["values"], model.count_params());
  std::string damaged = text("two.keras");
  damaged[damaged.size() / 2] ^= 0x10;
  write("bad.keras", damaged);
  write("short.h5", text("two.h5").substr(0, 1000));
  write("words.keras", "this is not a model");
  for (const char* bad : {"bad.keras", "short.h5", "words.keras"}) {
    const Result r = run(fmt::format("verify two.keras {}", bad));
    EXPECT_EQ(r.status, 2) << bad;
    EXPECT_NE(r.out.find("two.keras: ok"), std::string::npos);
    EXPECT_NE(r.out.find(std::string(bad) + ": BAD"), std::string::npos) << r.out;
  }
}

TEST_F(Program, TrainThenEvaluateThenGoOn) {
  auto [train, test] = datasets::digits();
  write_npz(path("train.npz"), {{"x", train.x}, {"y", train.y}});
  write_npz(path("test.npz"), {{"x", test.x}, {"y", test.y}});
  Sequential model({layers::Flatten({.input_shape = {8, 8, 1}}), layers::Dense(32, {.activation = "relu"}),
                    layers::Dense(10, {.activation = "softmax"})});
  write("model.json", models::to_json(model));
  const json config = json::parse(R"({
    "model": "model.json", "output": "digits.keras", "history": "history.json", "plot": "curves.svg", "seed": 1,
    "data": {"path": "train.npz"}, "validation": {"path": "test.npz", "x": "x", "y": ["y"]},
    "compile": {"optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.005}},
                "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]},
    "fit": {"epochs": 6, "batch_size": 32},
    "callbacks": [{"class_name": "EarlyStopping", "config": {"patience": 10}},
                  {"class_name": "CSVLogger", "config": {"filename": "log.csv"}}]})");
  write("train.json", config.dump());
  const json j = run_json("train train.json");
  EXPECT_EQ(j["epochs"], 6);
  EXPECT_EQ(j["rows"], 1437);
  EXPECT_GT(j["history"]["val_accuracy"][5].get<double>(), 0.88);
  EXPECT_LT(j["history"]["loss"][5].get<double>(), j["history"]["loss"][0].get<double>());
  EXPECT_EQ(json::parse(text("history.json"))["history"], j["history"]);
  EXPECT_NE(text("curves.svg").find("val_accuracy"), std::string::npos);
  EXPECT_EQ(text("log.csv").rfind("epoch,", 0), 0u);
  EXPECT_NE(text("err").find("epoch 6/6"), std::string::npos);

  const json e = run_json("evaluate digits.keras test.npz");  // loss and metrics come from the file
  EXPECT_NEAR(e["results"]["accuracy"].get<double>(), j["history"]["val_accuracy"][5].get<double>(), 1e-6);
  EXPECT_NEAR(e["results"]["loss"].get<double>(), j["history"]["val_loss"][5].get<double>(), 1e-5);
  const json mse = run_json(
      "evaluate digits.keras test.npz --loss sparse_categorical_crossentropy --metric "
      "sparse_top_k_categorical_accuracy");
  EXPECT_GT(mse["results"]["sparse_top_k_categorical_accuracy"].get<double>(), 0.97);

  json more = config;  // a compiled model goes on without "compile"
  more["model"] = "digits.keras";
  more.erase("compile");
  write("more.json", more.dump());
  const json k = run_json("train more.json --epochs 2 --output more.keras");
  EXPECT_EQ(k["epochs"], 2);
  EXPECT_LT(k["history"]["loss"][0].get<double>(), j["history"]["loss"][3].get<double>());

  for (const char* in : {"log.csv", "history.json"}) {
    EXPECT_EQ(run(fmt::format("plot {} -o again.svg", in)).status, 0);
    EXPECT_NE(text("again.svg").find("class=\"curve\""), std::string::npos);
  }

  const auto broken = [&](const char* pointer, const json& value, const std::string& message) {
    json c = config;
    c[json::json_pointer(pointer)] = value;
    write("broken.json", c.dump());
    fails("train broken.json", 2, message);
  };
  broken("/dat", 1, "unknown key 'dat'. Did you mean 'data'?");
  json misspelt = config;
  misspelt["modle"] = misspelt["model"];
  misspelt.erase("model");
  write("misspelt.json", misspelt.dump());
  fails("train misspelt.json", 2, "'model' is missing. There is 'modle'; did you mean 'model'?");
  broken("/fit/epoch", 1, "broken.json.fit: unknown key 'epoch'. Did you mean 'epochs'?");
  broken("/fit/epochs", "many", "'epochs' has the wrong type");
  broken("/compile/loss", "sparse_crossentropy", "Did you mean");
  broken("/compile/optimizer/class_name", "Adamm", "Adam");
  broken("/callbacks/0/class_name", "EarlyStoping", "Did you mean 'EarlyStopping'?");
  broken("/callbacks/0/config/patients", 3, "Did you mean 'patience'?");
  broken("/data/y", "labels", "has no array 'labels'");
  broken("/data/path", "nothing.npz", "nothing.npz' does not exist");
  broken("/output", "out.xyz", "the ending decides");
  write("broken.json", "{\"model\": ");
  fails("train broken.json", 2, "broken.json");
}

TEST_F(Program, TrainsOnCsvIdxAndImages) {
  auto [train, test] = datasets::digits();
  std::string csv;
  for (int k = 0; k < 64; ++k) csv += fmt::format("p{},", k);
  csv += "digit\n";
  for (int64_t i = 0; i < 400; ++i) {
    for (int64_t k = 0; k < 64; ++k) csv += fmt::format("{},", train.x.item(i * 64 + k));
    csv += fmt::format("{}\n", "abcdefghij"[static_cast<int>(train.y.item(i))]);
  }
  write("digits.csv", csv);
  std::string images("\0\0\x08\x03\0\0\x01\x2c\0\0\0\x08\0\0\0\x08", 16),
      labels("\0\0\x08\x01\0\0\x01\x2c", 8);  // 300 images of 8x8
  for (int64_t i = 0; i < 300; ++i) {
    for (int64_t k = 0; k < 64; ++k) images += static_cast<char>(std::lround(train.x.item(i * 64 + k) * 255));
    labels += static_cast<char>(train.y.item(i));
  }
  write("idx/train-images-idx3-ubyte", images);
  write("idx/train-labels-idx1-ubyte", labels);
  for (int64_t i = 0; i < 100 && utils::images_available(); ++i) {
    const fs::path folder = dir_ / "photos" / std::to_string(static_cast<int>(train.y.item(i)));
    fs::create_directories(folder);
    utils::save_img(folder / fmt::format("{:03}.png", i),
                    utils::array_to_img(train.x.slice(i, i + 1).reshape({8, 8, 1}), true));
  }
  Sequential table(
      {layers::Dense(24, {.activation = "relu", .input_shape = {64}}), layers::Dense(10, {.activation = "softmax"})});
  Sequential picture({layers::Flatten({.input_shape = {8, 8, 1}}), layers::Dense(24, {.activation = "relu"}),
                      layers::Dense(10, {.activation = "softmax"})});
  const auto learns = [&](const Model& m, const std::string& data, int64_t rows) {
    json c = {{"model", json::parse(models::to_json(m))},
              {"seed", 2},
              {"data", json::parse(data)},
              {"fit", {{"epochs", 30}, {"batch_size", 16}}},
              {"compile",
               {{"optimizer", {{"class_name", "Adam"}, {"config", {{"learning_rate", 0.01}}}}},
                {"loss", "sparse_categorical_crossentropy"},
                {"metrics", {"accuracy"}}}}};
    write("c.json", c.dump());
    const json j = run_json("train c.json");
    EXPECT_EQ(j["rows"], rows) << data;
    EXPECT_GT(j["history"]["accuracy"].back().get<double>(), 0.9) << data;
    return j;
  };
  const json j = learns(table, R"({"path": "digits.csv"})", 400);
  EXPECT_EQ(j["classes"].size(), 10u);
  learns(picture, R"({"path": "idx", "scale": 0.00392156862745098})", 300);
  if (utils::images_available()) learns(picture, R"({"path": "photos", "scale": 0.00392156862745098})", 100);
}

TEST_F(Program, ExportPlotBench) {
  Model model = two_inputs();
  model.save(path("two.keras"));
  EXPECT_EQ(run("export --c++ two.keras -o two.h --name net --weights-file two.weights").status, 0);
  EXPECT_NE(text("two.h").find("namespace net {"), std::string::npos);
  EXPECT_EQ(fs::file_size(dir_ / "two.weights") % 4, 0u);
  Sequential open({layers::LSTM(3, {.input_shape = {-1, 2}})});
  open.save(path("open.keras"));
  fails("export --c++ open.keras -o open.h", 2, "--input-shape");
  EXPECT_EQ(run("export --c++ open.keras -o open.h --input-shape 5x2").status, 0);
  fails("export --c++ open.keras -o open.h --input-shape 5xx2", 1, "--input-shape: expected numbers like");

  EXPECT_EQ(run("plot two.keras -o two.svg --show-shapes --show-layer-names").status, 0);
  EXPECT_NE(text("two.svg").find(">second (Dense)<"), std::string::npos);
  EXPECT_EQ(run("plot two.keras -o two.dot --rankdir LR").status, 0);
  EXPECT_NE(text("two.dot").find("rankdir=LR"), std::string::npos);
  fails("plot two.keras -o two.png", 2, ".svg or .dot");

  const json b = run_json("bench two.keras --batch-size 4 --seconds 0.05");
  EXPECT_EQ(b["results"][0]["batch"], 4);
  EXPECT_GT(b["results"][0]["ms_median"].get<double>(), 0);
}

// Models of Keras 3.15.1 and of PyTorch (frozen in tests/compat, with what Keras and ONNX Runtime answered) through
// the program.
TEST_F(Program, PredictsWhatKerasAndOnnxRuntimePredict) {
  const json info = run_json("info");
  const fs::path compat = fs::path(GLIA_SOURCE_DIR) / "tests/compat";
  int models = 0;
  for (const char* folder : {"keras", "cli"}) {
    if (!info["components"][folder == std::string("cli") ? "onnx" : "hdf5"].get<bool>()) continue;
    for (const auto& e : fs::directory_iterator(compat / folder)) {
      if (e.path().extension() != ".npz") continue;
      const std::string stem = e.path().stem().string();
      fs::path model = compat / folder / (stem + ".keras");
      for (const char* ending : {".h5", ".onnx"})
        if (!fs::exists(model)) model = compat / folder / (stem + ending);
      NpzArrays in, all = read_npz_arrays(e.path().string());
      std::map<std::string, Tensor> want;
      in.strings = all.strings;
      for (auto& [name, t] : all.numbers) {
        if (name.rfind("in_", 0) == 0)
          in.numbers.emplace(name.substr(folder == std::string("cli") ? 3 : 0), t);
        else
          want.emplace("output_" + name.substr(name.rfind('_') + 1), t);
      }
      write_npz_arrays(path("in.npz"), in);
      const Result r = run(fmt::format("predict '{}' in.npz -o out.npz", model.string()));
      ASSERT_EQ(r.status, 0) << stem << ": " << r.err;
      const auto got = read_npz(path("out.npz"));
      ASSERT_EQ(got.size(), want.size()) << stem;
      for (auto& [name, w] : want) {
        const Tensor& g = got.at(name);
        ASSERT_EQ(to_string(g.shape()), to_string(w.shape())) << stem;
        EXPECT_EQ(dtype_name(g.dtype()), dtype_name(w.dtype())) << stem;
        for (int64_t i = 0; i < w.size(); ++i) {
          if (std::isnan(w.item(i)) && std::isnan(g.item(i))) continue;
          ASSERT_NEAR(g.item(i), w.item(i),
                      (stem.find("float16") == std::string::npos ? 1e-5 : 1e-2) * std::max(1.0, std::abs(w.item(i))))
              << stem << " " << name << " " << i;
        }
      }
      ++models;
    }
  }
  EXPECT_GT(models, info["components"]["hdf5"].get<bool>() ? 80 : 0);
}

// Files of other tools, with the scores of ../shared/data/README.md.
TEST_F(Program, FilesOfOtherTools) {
  const fs::path shared = fs::path(GLIA_SHARED_DIR) / "data";
  if (!fs::exists(shared / "models")) GTEST_SKIP() << "no " << shared;
  const Tensor images = read_idx((shared / "mnist/t10k-images-idx3-ubyte.gz").string()),
               labels = read_idx((shared / "mnist/t10k-labels-idx1-ubyte.gz").string());
  const auto correct = [&](const std::string& file) {
    const Tensor scores = read_npz(path(file)).at("output_00");
    int n = 0;
    for (int64_t i = 0; i < scores.dim(0); ++i) {
      int64_t best = 0;
      for (int64_t k = 1; k < 10; ++k)
        if (scores.item(i * 10 + k) > scores.item(i * 10 + best)) best = k;
      n += best == static_cast<int64_t>(labels.item(i));
    }
    return n;
  };
  Tensor scaled = images.astype(DType::f32).clone();
  for (float& v : scaled.span<float>()) v /= 255;
  write_npz(path("scaled.npz"), {{"anything", scaled}});
  write_npz(path("bytes.npz"), {{"x", images.reshape({10000, 1, 28, 28})}});
  const auto predict = [&](const char* model, const char* in) {
    const Result r = run(fmt::format("predict '{}' {} -o y.npz", (shared / "models" / model).string(), in));
    EXPECT_EQ(r.status, 0) << model << ": " << r.err;
    return r.status == 0 ? correct("y.npz") : 0;
  };
  const json info = run_json("info");
  if (info["components"]["hdf5"].get<bool>()) {
    EXPECT_EQ(predict("keras_h5/tinymaix_mnist_valid.h5", "scaled.npz"), 9654);
    EXPECT_EQ(predict("keras_h5/tinymaix_mnist_same.h5", "scaled.npz"), 9528);
  }
  if (info["components"]["onnx"].get<bool>()) {
    EXPECT_EQ(predict("onnx/mnist_cntk.onnx", "bytes.npz"), 9891);
    const std::string bidi = (shared / "models/onnx/tract_byte_bidi_lstm").string();
    EXPECT_EQ(run(fmt::format("predict '{0}/model.onnx' '{0}/io.npz' --ignore-extra -o y.npz", bidi)).status, 0)
        << text("err");
    expect_same(read_npz(path("y.npz")).at("output_00"), read_npz(bidi + "/io.npz").at("Add_26"), 1e-4);
  }
}

}  // namespace
}  // namespace glia
