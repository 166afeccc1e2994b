// Models that take strings: what goes in and how, errors, datasets, files. Numbers against Keras: tests/golden/strings.jsonl.gz
// and tests/compat/keras/strings_*.
#include <glia/checkpoint.h>
#include <glia/glia.h>
#include <glia/saving.h>
#include <gtest/gtest.h>

#include <atomic>

#include "data/test_files.h"
#include "nn/layers/text.h"

namespace glia {
namespace {

const Strings kTexts{"good film", "bad film", "very good", "very bad", "a good one", "a bad bad one", "so good", "so bad"};
Tensor labels() { return Tensor::from({8}, {1, 0, 1, 0, 1, 0, 1, 0}); }

Sequential classifier(std::optional<int64_t> length = 4) {
  LayerRef words = layers::TextVectorization({.output_sequence_length = length, .name = "words", .input_shape = {1}});
  adapt(words, kTexts);
  Sequential m({words, layers::Embedding(20, 8), layers::GlobalAveragePooling1D(), layers::Dense(1, {.activation = "sigmoid"})});
  m.compile({.optimizer = optimizers::Adam({.learning_rate = 0.1}), .loss = "binary_crossentropy", .metrics = {"accuracy"}});
  return m;
}

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Strings, LearnsFromRawText) {
  set_random_seed(3);
  Sequential m = classifier();
  History h = m.fit(kTexts, labels(), {.batch_size = 4, .epochs = 15, .verbose = 0});
  EXPECT_EQ(h["accuracy"].back(), 1.0);
  EXPECT_EQ(m.evaluate(StringTensor({8, 1}, kTexts), labels(), {.verbose = 0})["accuracy"], 1.0);
  Tensor p = m.predict({"a good good film", "so very bad"});
  EXPECT_GT(p.item(0), 0.5);
  EXPECT_LT(p.item(1), 0.5);
}

TEST(Strings, EveryWayToGiveTheDataTrainsAlike) {
  auto run = [](auto&& fit) {
    clear_session();
    set_random_seed(5);
    Sequential m = classifier({});  // as wide as the longest text of a batch
    fit(m);
    return m.get_weights();
  };
  const FitOptions o{.batch_size = 3, .epochs = 2, .verbose = 0, .shuffle = false};
  auto want = run([&](Sequential& m) { m.fit(kTexts, labels(), o); });
  auto dataset = run([&](Sequential& m) { m.fit(Dataset::from_tensors(StringTensor(kTexts), labels()).batch(3), {.epochs = 2, .verbose = 0}); });
  auto streamed = run([&](Sequential& m) {  // examples of their own, stacked
    m.fit(Dataset::from_tensors(StringTensor({8, 1}, kTexts), labels()).map([](Batch b) { return b; }).batch(3).prefetch(2), {.epochs = 2, .verbose = 0});
  });
  auto by_hand = run([&](Sequential& m) {
    for (int epoch = 0; epoch < 2; ++epoch)
      for (int64_t i = 0; i < 8; i += 3) {
        const StringTensor x = StringTensor(kTexts).slice(i, std::min<int64_t>(8, i + 3));
        m.train_on_batch(x, labels().slice(i, std::min<int64_t>(8, i + 3)));
      }
  });
  for (size_t k = 0; k < want.size(); ++k) {
    EXPECT_TRUE(dataset[k].equals(want[k])) << k;
    EXPECT_TRUE(streamed[k].equals(want[k])) << k;
    EXPECT_TRUE(by_hand[k].equals(want[k])) << k;
  }
}

TEST(Strings, EncodedOnceOrPerBatchIsTheSame) {
  auto run = [](bool once) {
    clear_session();
    set_random_seed(7);
    LayerRef words = layers::TextVectorization({.output_sequence_length = 4, .vocabulary = {"good", "bad", "film"}, .input_shape = {1}});
    Sequential m({words, layers::Embedding(20, 8), layers::GlobalAveragePooling1D(), layers::Dense(1)});
    m.compile({.optimizer = "sgd", .loss = "mse"});
    if (once) m.fit(kTexts, labels(), {.batch_size = 3, .epochs = 3, .verbose = 0});
    else m.fit(Dataset::from_tensors(StringTensor(kTexts), labels()).batch(8), {.epochs = 1, .verbose = 0});
    return m.predict(kTexts);
  };
  EXPECT_EQ(run(true).shape(), (Shape{8, 1}));
  EXPECT_EQ(run(false).shape(), (Shape{8, 1}));
}

TEST(Strings, ShufflesTextAndLabelsTogether) {
  set_random_seed(3);
  Sequential m = classifier({});
  History h = m.fit(kTexts, labels(), {.batch_size = 3, .epochs = 25, .verbose = 0});
  EXPECT_EQ(h["accuracy"].back(), 1.0);
}

Model table() {
  Value job = Input({1}, {.name = "job", .dtype = "string"}), age = Input({1}, {.name = "age"});
  LayerRef lookup = layers::StringLookup({.output_mode = "one_hot", .name = "jobs"});
  adapt(lookup, {"clerk", "nurse", "clerk"});
  Value h = layers::Concatenate()(Values{lookup(job), age});
  return Model({job, age}, {layers::Dense(1, {.kernel_initializer = "ones"})(h)});
}

TEST(Strings, BesideNumbersInAnyForm) {
  Model m = table();
  const StringTensor jobs{"nurse", "pilot"};
  const Tensor ages = Tensor::from({2, 1}, {30, 40});
  for (const Tensor& p : {m.predict({jobs, ages}), m.predict({{"age", ages}, {"job", jobs}}), m.predict(std::map<std::string, Array>{{"age", ages}, {"job", jobs}}),
                          m.predict(std::vector<Array>{jobs, ages}), m.predict_on_batch({jobs, ages})[0],
                          m.predict_all(Dataset::from_tensors(Batch{{Tensor(), ages}, {}, {}, {jobs, {}}}).batch(1))[0]}) {
    EXPECT_EQ(p.to_vector(), (std::vector<float>{31, 41}));
  }
}

TEST(Strings, ModelsThatEndInWords) {
  Value x = Input({3}, {.name = "x"});
  LayerRef words = layers::StringLookup({.vocabulary = {"cat", "dog"}, .invert = true, .name = "words"});
  Model m({x}, {words(ops::argmax(x, -1)), layers::Dense(1)(x)});
  const Tensor rows = Tensor::from({3, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0});
  EXPECT_EQ(predict_text(m, rows).values, (Strings{"dog", "[UNK]", "cat"}));
  EXPECT_EQ(m.predict(rows).dtype(), DType::i64);
  EXPECT_EQ(m.predict(rows).item(0), 2);
  EXPECT_HAS(message([&] { predict_text(m, rows, 1); }), "does not come from a StringLookup with invert");
  EXPECT_HAS(message([&] { predict_text(m, rows, 2); }), "has 2 outputs");
  EXPECT_HAS(message([&] { words(x); }), "words (StringLookup): with invert the layer takes integers. Received float32");
  test::Scratch dir;
  const std::string path = dir.path("m.keras");
  m.save(path);
  Model again = models::load_model(path);
  EXPECT_EQ(predict_text(again, rows).values, (Strings{"dog", "[UNK]", "cat"}));
}

TEST(Strings, KerasFileThatEndsInWords) {  // tools/golden/strings.py
  Model m = models::load_model(std::string(GLIA_SOURCE_DIR) + "/tests/compat/keras/inverted_lookup.keras");
  EXPECT_EQ(predict_text(m, Tensor::from({3, 3}, {0, 0, 1, 1, 0, 0, 0, 1, 0})).values, (Strings{"dog", "[UNK]", "cat"}));
}

TEST(Strings, LayersAdaptedLaterAreFollowed) {
  Sequential m = classifier();
  Tensor before = m.predict({"zebra"});
  adapt(m.get_layer("words"), {"zebra zebra", "lion"});
  EXPECT_EQ(get_vocabulary(m.get_layer("words"))[2], "zebra");
  EXPECT_FALSE(m.predict({"zebra"}).equals(before));
}

TEST(Strings, IntegersGoToHostLayersToo) {
  Value id = Input({1}, {.name = "id", .dtype = "int64"}), city = Input({1}, {.name = "city", .dtype = "string"});
  Value bins = layers::Hashing(6)(id), both = layers::HashedCrossing(7)({id, city});
  Value rooms = layers::IntegerLookup({.vocabulary = {3, 5}, .output_mode = "one_hot"})(id);
  Model m({id, city}, {bins, both, rooms});
  const Tensor ids = Tensor::from_vector<int64_t>({2, 1}, {3, 9});
  auto got = m.predict_all({ids, StringTensor({2, 1}, {"Oslo", "Rome"})});
  EXPECT_TRUE(got[0].equals(encode(layers::Hashing(6), ids)));
  EXPECT_EQ(got[1].dtype(), DType::i64);
  EXPECT_EQ(got[2].dtype(), DType::i64);  // as Keras: the symbol says float32, the layer gives int64
  EXPECT_EQ(got[2].to_vector(), (std::vector<float>{0, 1, 0, 1, 0, 0}));
}

TEST(Strings, InsideModelsInsideAndSubclassedOnes) {
  Value text = Input({}, {.name = "text", .dtype = "string"});
  LayerRef bag = layers::TextVectorization({.output_mode = "count", .vocabulary = {"good", "bad"}});
  Model prepare({text}, {bag(text)}, {.name = "prepare"});
  Value outer_in = Input({}, {.name = "t", .dtype = "string"});
  Model outer({outer_in}, {layers::Dense(1, {.kernel_initializer = "ones"})(prepare(outer_in))});
  EXPECT_EQ(outer.predict({"good good bad", "film"}).to_vector(), (std::vector<float>{3, 1}));
  EXPECT_EQ(Sequential({prepare, layers::Dense(1, {.kernel_initializer = "ones"})}).predict({"good good bad", "film"}).to_vector(), (std::vector<float>{3, 1}));

  struct Own : Layer {
    LayerRef bag = layers::TextVectorization({.output_mode = "multi_hot", .vocabulary = {"good", "bad"}}), dense = layers::Dense(2);
    std::string class_name() const override { return "Own"; }
    void build(const std::vector<Shape>&) override { track(bag), track(dense); }
    Value call(const Value& x) override { return dense(bag(x)); }
  };
  Model own(make_layer<Own>());
  own.compile({.optimizer = "adam", .loss = "mse"});
  own.fit(StringTensor(kTexts), Tensor::zeros({8, 2}), {.epochs = 2, .verbose = 0});
  EXPECT_EQ(own.predict(kTexts).shape(), (Shape{8, 2}));
}

TEST(Strings, ErrorsSayWhatToDo) {
  Sequential m = classifier();
  EXPECT_HAS(message([&] { m.predict(Tensor::zeros({2, 1})); }), "input 0 takes strings. Received float32 (2, 1). Give a StringTensor.");
  Model t = table();
  EXPECT_HAS(message([&] { t.predict({StringTensor{"a"}, StringTensor{"b"}}); }), "input 1 'age' takes numbers. Received strings of shape (1,)");
  EXPECT_HAS(message([&] { m.fit(kTexts, StringTensor(kTexts), {.verbose = 0}); }), "y must be numbers. Received strings.");
  EXPECT_HAS(message([&] { m.fit(kTexts, labels().slice(0, 3), {.verbose = 0}); }), "x has 8, y has 3");
  Value x = Input({3});
  EXPECT_HAS(message([&] { layers::StringLookup({.vocabulary = {"a"}, .name = "late"})(layers::Dense(2)(x)); }),
             "late (StringLookup): the layer takes strings. Received float32 (2, 2). Make it the first layer");
  Value s = Input({1}, {.dtype = "string"});
  EXPECT_HAS(message([&] { layers::Dense(2, {.name = "d"})(s); }), "takes numbers. Received strings of shape");
  EXPECT_HAS(message([&] { s + s; }), "takes numbers. Received strings");
  EXPECT_HAS(message([&] { layers::StringLookup({.output_mode = "one_hot", .name = "empty"})(s); }), "empty (StringLookup): with output_mode \"one_hot\"");
  LayerRef raw = layers::StringLookup({.name = "raw"});
  Model never({s}, {raw(s)});
  EXPECT_HAS(message([&] { never.predict({"a"}); }), "raw (StringLookup): the layer has no vocabulary yet. Call adapt(layer, data)");
  Value n = Input({1}, {.dtype = "int64"});
  Model computed({n}, {layers::Hashing(4, {.name = "deep"})(n + 1.0)});
  EXPECT_HAS(message([&] { computed.predict(Tensor::zeros({1, 1}, DType::i64)); }), "deep (Hashing): the layer runs before the compiled part");
  EXPECT_HAS(message([] { encode(layers::TextVectorization({.ngrams = {-1}, .vocabulary = {"a"}}), {"a b"}); }), "ngrams must be positive");
  EXPECT_HAS(message([] { encode(layers::TextVectorization({.output_sequence_length = -3, .vocabulary = {"a"}}), {"a b"}); }), "must be positive");
  EXPECT_HAS(message([] { encode(layers::StringLookup({.num_oov_indices = -2, .vocabulary = {"a"}}), {"a b"}); }), "num_oov_indices must not be negative");
  EXPECT_HAS(message([] { Input({1}, {.dtype = "strin"}); }), "Unknown dtype");
  EXPECT_HAS(message([] { Tensor({1}, kStringDType); }), "StringTensor");
}

TEST(Strings, FilesKeepTheText) {
  test::Scratch dir;
  Sequential m = classifier();
  m.fit(kTexts, labels(), {.epochs = 2, .verbose = 0});
  for (const char* file : {"m.keras", "m.h5", "m.glia"}) {
    const std::string path = dir.path(file);
    if (std::string(file) == "m.glia") save_checkpoint(m, path);
    else m.save(path);
    Model again = models::load_model(path);
    EXPECT_TRUE(again.predict(kTexts).equals(m.predict(kTexts))) << file;
    EXPECT_EQ(get_vocabulary(again.get_layer("words")), get_vocabulary(m.get_layer("words"))) << file;
  }
  EXPECT_TRUE(models::clone_model(m).layers().size() == 4);
  EXPECT_HAS(models::to_json(m), "\"dtype\":\"string\"");
}

// idf weights are no part of the vocabulary: Keras keeps them among the weights, .glia files in a text beside it.
TEST(Strings, IdfWeightsTravelInGliaFiles) {
  test::Scratch dir;
  Value text = Input({}, {.dtype = "string"});
  LayerRef bag = layers::TextVectorization({.output_mode = "tf_idf", .name = "bag"});
  adapt(bag, kTexts);
  Model m({text}, {layers::Dense(2)(bag(text))});
  m.compile({.optimizer = "adam", .loss = "mse"});
  for (const char* file : {"m.glia", "m.keras", "m.h5"}) {
    const std::string path = dir.path(file);
    if (std::string(file) == "m.glia") save_checkpoint(m, path);
    else m.save(path);
    Model again = models::load_model(path);
    EXPECT_TRUE(encode(again.get_layer("bag"), kTexts).equals(encode(bag, kTexts))) << file;
    EXPECT_TRUE(again.predict(kTexts).equals(m.predict(kTexts))) << file;
  }
  load_checkpoint(m, dir.path("m.glia"));
  EXPECT_EQ(get_vocabulary(bag)[1], "bad");
}

}  // namespace
}  // namespace glia
