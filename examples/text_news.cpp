// Text classification from raw strings: AG News headlines and texts in four classes. The model takes two strings and holds the
// vocabulary itself, so the one file it is saved to is all that a program needs to classify new text.
//   build/release/bin/text_news [epochs] [path of test.csv]
#include <glia/glia.h>
#include <glia/saving.h>

#include <cstdlib>
#include <iostream>
using namespace glia;

struct News {
  StringTensor titles, texts;
  Tensor labels;  // 0 .. 3
};

News read_news(const std::string& path) {
  const CsvTable table = read_csv(path, {.header = false});
  return {table.strings("1"), table.strings("2"), table.labels("0").first};
}

Model make_model(const News& train) {
  LayerRef words = layers::TextVectorization({.max_tokens = 12000, .output_sequence_length = 48, .name = "words"});
  Strings all = train.titles.values;
  all.insert(all.end(), train.texts.values.begin(), train.texts.values.end());
  adapt(words, all);
  LayerRef embed = layers::Embedding(12000, 64, {.name = "embed"});  // shared by both inputs, as the vocabulary is
  Value title = Input({1}, {.name = "title", .dtype = "string"}), text = Input({1}, {.name = "text", .dtype = "string"});
  Value a = layers::GlobalAveragePooling1D()(embed(words(title)));
  Value b = layers::GlobalMaxPooling1D()(layers::Conv1D(64, {3}, {.activation = "relu"})(embed(words(text))));
  Value h = layers::Dropout(0.4)(layers::Concatenate()({a, b}));
  return Model({title, text}, {layers::Dense(4, {.activation = "softmax"})(h)}, {.name = "news"});
}

int main(int argc, char** argv) {
  const int epochs = argc > 1 ? std::atoi(argv[1]) : 6;
  const News news = read_news(argc > 2 ? argv[2] : "../shared/data/text/ag_news/test.csv");
  std::vector<int64_t> rows[2];  // every sixth row is held back
  for (int64_t i = 0; i < news.titles.dim(0); ++i) rows[i % 6 == 0].push_back(i);
  auto part = [&](const std::vector<int64_t>& at) { return News{news.titles.take(at), news.texts.take(at), news.labels.take(at)}; };
  const News train = part(rows[0]), test = part(rows[1]);

  set_random_seed(1);
  Model model = make_model(train);
  model.compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  model.summary();
  model.fit({train.titles, train.texts}, train.labels,
            {.batch_size = 64, .epochs = epochs, .validation_data = ValidationData{{test.titles, test.texts}, test.labels, {}}});

  model.save("news.keras");
  Model shipped = models::load_model("news.keras");
  const char* classes[] = {"World", "Sports", "Business", "Science and technology"};
  const Tensor p = shipped.predict({StringTensor{"Striker scores twice in cup final", "Chip maker raises profit forecast"},
                                    StringTensor{"The captain was injured before half time.", "Shares rose after the company's quarterly report."}});
  for (int64_t row = 0; row < 2; ++row) {
    int64_t best = 0;
    for (int64_t k = 1; k < 4; ++k)
      if (p.item(row * 4 + k) > p.item(row * 4 + best)) best = k;
    std::cout << classes[best] << " (" << p.item(row * 4 + best) << ")\n";
  }
  std::cout << "Accuracy: " << shipped.evaluate({test.titles, test.texts}, test.labels, {.verbose = 0})["accuracy"] << "\n";
}
