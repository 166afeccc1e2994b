// Event files. tools/check_tensorboard.py reads the same with TensorFlow and TensorBoard.
#include <glia/glia.h>
#include <glia/tensorboard.h>

#include <cmath>
#include <cstring>
#include <set>

#include "data/test_files.h"
#include "io/file/byte_reader.h"
#include "io/image/codec.h"
#include "io/tensorboard/event_file.h"
#include "runtime/profiler.h"
#include "support/faults.h"

namespace glia {
using test::contains;
using test::error_of;
using test::Scratch;

namespace {

// A message as its fields, read by an independent parser.
struct Wire {
  std::multimap<int, std::string> fields;  // numbers as 8 bytes
  explicit Wire(const std::string& bytes) {
    size_t at = 0;
    auto varint = [&] {
      uint64_t v = 0;
      for (int shift = 0;; shift += 7) {
        auto b = static_cast<uint8_t>(bytes.at(at++));
        v |= uint64_t{b & 127u} << shift;
        if (b < 128) return v;
      }
    };
    while (at < bytes.size()) {
      uint64_t key = varint(), v = 0;
      std::string content;
      switch (key & 7) {
        case 0:
          v = varint(), content.assign(reinterpret_cast<char*>(&v), 8);
          break;
        case 1:
          content = bytes.substr(at, 8), at += 8;
          break;
        case 2:
          v = varint(), content = bytes.substr(at, v), at += v;
          break;
        case 5:
          content = bytes.substr(at, 4), at += 4;
          break;
        default:
          ADD_FAILURE() << "wire type " << (key & 7);
      }
      fields.emplace(static_cast<int>(key >> 3), content);
    }
  }
  bool has(int f) const { return fields.count(f) > 0; }
  std::string text(int f) const { return has(f) ? fields.find(f)->second : ""; }
  Wire at(int f) const { return Wire(text(f)); }
  int64_t integer(int f) const {
    int64_t v = 0;
    if (has(f)) std::memcpy(&v, text(f).data(), 8);
    return v;
  }
};

struct Entry {
  std::string tag, plugin;
  int64_t step;
  Wire tensor;
  std::string content;
  float number() const {
    float v = 0;
    std::memcpy(&v, tensor.text(4).data(), 4);
    return v;
  }
};

struct Log {
  std::vector<Entry> entries;
  std::string graph, version;
  std::set<std::string> tags(const std::string& plugin) const {
    std::set<std::string> r;
    for (auto& e : entries)
      if (e.plugin == plugin) r.insert(e.tag);
    return r;
  }
  const Entry& find(const std::string& tag, int64_t step) const {
    for (auto& e : entries)
      if (e.tag == tag && e.step == step) return e;
    throw Error("no entry " + tag + " of step " + std::to_string(step));
  }
};

// All event files of a folder, frames checked.
Log read_log(const std::string& folder) {
  Log log;
  for (auto& f : std::filesystem::directory_iterator(folder)) {
    if (!f.is_regular_file() || f.path().string().find("tfevents") == std::string::npos) continue;
    io::ByteReader in(f.path());
    for (uint64_t length; in.read(&length, 8) == 8;) {
      EXPECT_EQ(in.u32("a CRC"), io::masked_crc32c({reinterpret_cast<char*>(&length), 8}));
      std::vector<uint8_t> data = in.read_promised(length, "an event");
      std::string bytes(data.begin(), data.end());
      EXPECT_EQ(in.u32("a CRC"), io::masked_crc32c(bytes));
      Wire event(bytes);
      if (event.has(3)) log.version = event.text(3);
      if (event.has(4)) log.graph = event.text(4);
      if (!event.has(5)) continue;
      Wire value = event.at(5).at(1);
      log.entries.push_back(
          {value.text(1), value.at(9).at(1).text(1), event.integer(2), value.at(8), value.at(9).at(1).text(2)});
    }
  }
  return log;
}

}  // namespace

TEST(EventFile, Crc32cIsCastagnolis) {  // RFC 3720, B.4
  EXPECT_EQ(io::crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(io::crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(io::crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(SummaryWriter, WritesEveryKind) {
  Scratch dir;
  std::string logdir = dir.path("a/b");
  {
    tensorboard::SummaryWriter w(logdir);
    w.scalar("s", 1.25, 7);
    w.histogram("h", Tensor::from({5}, {0, 1, 2, 3, 4}), 3, 4);
    w.histogram("one", Tensor::full({6}, 2), 3);
    w.histogram("nan", Tensor::full({2}, NAN), 3);
    w.text("t", "**bold**", 1);
    w.hparams({{"lr", 0.5}, {"units", 64.0}, {"optimizer", std::string("adam")}, {"bias", true}});
    Tensor image({2, 3, 1});
    for (int i = 0; i < 6; ++i) image.set_item(i, i / 5.0);
    w.image("i", image, 2);
    EXPECT_HAS(error_of([&] { w.image("i", Tensor({2, 3}), 2); }), "expected shape (height, width, channels)");
    EXPECT_HAS(error_of([&] { w.image("i", Tensor({2, 3, 2}), 2); }), "1, 3 or 4 channels are possible");
  }
  Log log = read_log(logdir);
  EXPECT_EQ(log.version, "brain.Event:2");
  EXPECT_EQ(log.find("s", 7).number(), 1.25f);
  EXPECT_EQ(log.find("s", 7).plugin, "scalars");
  std::string raw = log.find("h", 3).tensor.text(4);
  ASSERT_EQ(raw.size(), 4 * 3 * 8u);
  const auto* h = reinterpret_cast<const double*>(raw.data());
  EXPECT_EQ(std::vector<double>(h, h + 12), (std::vector<double>{0, 1, 1, 1, 2, 1, 2, 3, 1, 3, 4, 2}));
  raw = log.find("one", 3).tensor.text(4);
  h = reinterpret_cast<const double*>(raw.data());
  EXPECT_EQ(std::vector<double>(h, h + 3), (std::vector<double>{1.5, 2.5, 6}));
  EXPECT_EQ(log.find("nan", 3).tensor.text(4), "");
  EXPECT_EQ(log.find("t", 1).tensor.text(8), "**bold**");
  const Entry& image = log.find("i", 2);
  auto part = image.tensor.fields.find(8);
  EXPECT_EQ((part++)->second, "3");
  EXPECT_EQ((part++)->second, "2");
  std::string png = part->second;
  Tensor back = io::decode_png({reinterpret_cast<const uint8_t*>(png.data()), png.size()}, "png", {});
  EXPECT_EQ(back.to_vector(), (std::vector<float>{0, 51, 102, 153, 204, 255}));
  Wire start = Wire(log.find("_hparams_/session_start_info", 0).content).at(3);
  EXPECT_EQ(start.fields.count(1), 4u);
}

TEST(TensorBoard, TagsAndStepsOfKeras) {
  Scratch dir;
  Tensor x({40, 3}), y({40, 1});
  for (int64_t i = 0; i < x.size(); ++i) x.set_item(i, std::sin(static_cast<double>(i)));
  for (int64_t i = 0; i < y.size(); ++i) y.set_item(i, std::cos(static_cast<double>(i)));
  Sequential m({layers::Dense(4, {.activation = "relu", .name = "hidden", .input_shape = {3}}),
                layers::Dense(1, {.name = "out"})});
  m.compile({.optimizer = "adam", .loss = "mse", .metrics = {"mae"}});
  History h = m.fit(x, y,
                    {.batch_size = 8,
                     .epochs = 3,
                     .verbose = 0,
                     .callbacks = {callbacks::TensorBoard(
                         dir.path("logs"),
                         {.histogram_freq = 2, .write_images = true, .update_freq = 2, .hparams = {{"units", 4.0}}})},
                     .validation_split = 0.2});
  Log train = read_log(dir.path("logs/train")), val = read_log(dir.path("logs/validation"));
  using Tags = std::set<std::string>;
  EXPECT_EQ(train.tags("scalars"),
            (Tags{"batch_loss", "batch_mae", "epoch_loss", "epoch_mae", "epoch_learning_rate"}));
  EXPECT_EQ(val.tags("scalars"),
            (Tags{"epoch_loss", "epoch_mae", "evaluation_loss_vs_iterations", "evaluation_mae_vs_iterations"}));
  std::string n = m.name() + "/";
  EXPECT_EQ(train.tags("histograms"), (Tags{n + "hidden/bias/histogram", n + "hidden/kernel/histogram",
                                            n + "out/bias/histogram", n + "out/kernel/histogram"}));
  EXPECT_EQ(train.tags("images"), (Tags{n + "hidden/bias/image", n + "hidden/kernel/image", n + "out/kernel/image"}));
  for (int e = 0; e < 3; ++e) {
    EXPECT_FLOAT_EQ(train.find("epoch_loss", e).number(), static_cast<float>(h["loss"][static_cast<size_t>(e)]));
    EXPECT_FLOAT_EQ(val.find("epoch_loss", e).number(), static_cast<float>(h["val_loss"][static_cast<size_t>(e)]));
    EXPECT_FLOAT_EQ(val.find("evaluation_loss_vs_iterations", 4 * (e + 1)).number(),
                    static_cast<float>(h["val_loss"][static_cast<size_t>(e)]));
  }
  EXPECT_NO_THROW(train.find("batch_loss", 12));
  EXPECT_NO_THROW(train.find(n + "hidden/kernel/histogram", 2));
  std::vector<std::pair<std::string, std::string>> nodes;
  Wire graph(train.graph);
  for (auto [it, end] = graph.fields.equal_range(1); it != end; ++it)
    nodes.emplace_back(Wire(it->second).text(1), Wire(it->second).text(3));
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_TRUE(nodes[1].first.ends_with("/hidden") && nodes[2].first.ends_with("/out"));
  EXPECT_EQ(nodes[2].second, nodes[1].first);
  EXPECT_HAS(train.find("keras", 0).tensor.text(8), "\"class_name\":\"Sequential\"");
  EXPECT_EQ(read_log(dir.path("logs")).tags("hparams"),
            (Tags{"_hparams_/session_end_info", "_hparams_/session_start_info"}));
}

TEST(TensorBoard, ProfileOfBatches) {
  Scratch dir;
  Sequential m({layers::Dense(4, {.activation = "relu", .name = "first", .input_shape = {3}}), layers::Dense(1)});
  m.compile({.optimizer = "sgd", .loss = "mse"});
  m.fit(Tensor::full({32, 3}, 1), Tensor::zeros({32, 1}),
        {.batch_size = 8, .epochs = 2, .verbose = 0, .callbacks = {callbacks::TensorBoard(dir.path("logs"), {.profile_batch = {2, 3}})}});
  EXPECT_FALSE(runtime::tracing());
  std::string space, trace;
  for (auto& e : std::filesystem::recursive_directory_iterator(dir.path("logs/train/plugins/profile"))) {
    if (e.path().extension() == ".pb") space = test::file_bytes(e.path().string());
    if (e.path().extension() == ".gz") trace = io::read_whole(e.path());
  }
  const Wire plane = Wire(space).at(1);
  EXPECT_EQ(plane.text(2), "/host:CPU");
  const auto events = plane.at(3).fields.count(4), names = plane.fields.count(4);
  EXPECT_GT(names, 3u);
  EXPECT_EQ(events % 2, 0u);  // two steps of the same plan
  EXPECT_GE(events, 2 * names / 2);
  EXPECT_HAS(trace, "\"traceEvents\"");
  EXPECT_HAS(trace, "first");
  EXPECT_HAS(trace, "\"dur\"");
  for (const Ints& bad : {Ints{0}, Ints{3, 2}, Ints{1, 2, 3}})
    EXPECT_HAS(error_of([&] { callbacks::TensorBoard("logs", {.profile_batch = bad}); }), "profile_batch is one batch");
}

TEST(TensorBoard, EmbeddingsForTheProjector) {
  Scratch dir;
  Sequential m({layers::Embedding(5, 2, {.name = "words", .input_shape = {3}}), layers::Flatten(), layers::Dense(1)});
  m.compile({.loss = "mse"});
  m.fit(Tensor::zeros({4, 3}, DType::i32), Tensor::zeros({4, 1}),
        {.verbose = 0,
         .callbacks = {callbacks::TensorBoard(
             dir.path("l"), {.embeddings_freq = 1, .embeddings_metadata = {{"words", "words.txt"}}})}});
  std::string rows = test::file_bytes(dir.path("l/embedding_words.tsv"));
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 5);
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\t'), 5);
  EXPECT_HAS(test::file_bytes(dir.path("l/projector_config.pbtxt")), "metadata_path: \"words.txt\"");
}

TEST(TensorBoard, ErrorsNameTheFile) {
  Scratch dir;
  dir.write("file", "x");
  EXPECT_HAS(error_of([&] { tensorboard::SummaryWriter(dir.path("file")); }), "cannot be made");
  tensorboard::SummaryWriter w(dir.path("full"));
  test::Faults f;
  f.room = 10;
  io::ScopedFileSystem scoped(std::make_shared<test::Faults>(f));
  w.scalar("a", 1, 1);
  EXPECT_HAS(error_of([&] { w.flush(); }), w.path());
}

}  // namespace glia
