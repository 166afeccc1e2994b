// Every layer through run_layer_test, and the messages of wrong use. Numbers from Keras: the parity vectors of kind "layer".
#include "support/layer_test.h"

namespace glia {
namespace {

TEST(Layers, Core) {
  run_layer_test([] { return layers::Dense(4, {.activation = "tanh"}); }, {{3, 5}}, {.output = {3, 4}, .weights = 2, .params = 24});
  run_layer_test([] { return layers::Dense(4, {.use_bias = false}); }, {{2, 3, 5}}, {.output = {2, 3, 4}, .weights = 1, .params = 20});
  run_layer_test([] { return layers::EinsumDense("abc,cd->abd", {-1, 4}, {.bias_axes = "d"}); }, {{2, 3, 5}},
                 {.output = {2, 3, 4}, .weights = 2, .params = 24});
  run_layer_test([] { return layers::Embedding(7, 4, {.mask_zero = true}); }, {{2, 3}},
                 {.output = {2, 3, 4}, .weights = 1, .params = 28, .low = 0, .high = 6.9, .input = DType::i32});
  run_layer_test([] { return layers::Identity(); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::Masking(); }, {{2, 3, 4}}, {.output = {2, 3, 4}});
}

TEST(Layers, Activations) {
  run_layer_test([] { return layers::Activation("tanh"); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::ReLU({.max_value = 0.7, .negative_slope = 0.1, .threshold = 0.2}); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::LeakyReLU(); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::ELU({.alpha = 0.5}); }, {{2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::PReLU({.alpha_initializer = "ones", .shared_axes = {1}}); }, {{2, 3, 4}},
                 {.output = {2, 3, 4}, .weights = 1, .params = 4});
  run_layer_test([] { return layers::Softmax({.axis = {1, 2}}); }, {{2, 3, 4}}, {.output = {2, 3, 4}});
}

TEST(Layers, Shapes) {
  run_layer_test([] { return layers::Flatten(); }, {{2, 3, 4}}, {.output = {2, 12}});
  run_layer_test([] { return layers::Reshape({-1, 6}); }, {{2, 3, 4}}, {.output = {2, 2, 6}});
  run_layer_test([] { return layers::Permute({2, 1}); }, {{2, 3, 4}}, {.output = {2, 4, 3}});
  run_layer_test([] { return layers::RepeatVector(5); }, {{2, 3}}, {.output = {2, 5, 3}});
  run_layer_test([] { return layers::ZeroPadding1D({1, 2}); }, {{2, 3, 4}}, {.output = {2, 6, 4}});
  run_layer_test([] { return layers::ZeroPadding2D({{1, 0}, {2, 1}}); }, {{2, 3, 4, 1}}, {.output = {2, 4, 7, 1}});
  run_layer_test([] { return layers::Cropping1D({1, 0}); }, {{2, 3, 4}}, {.output = {2, 2, 4}});
  run_layer_test([] { return layers::Cropping2D(1); }, {{2, 3, 4, 1}}, {.output = {2, 1, 2, 1}});
  run_layer_test([] { return layers::UpSampling1D(2); }, {{2, 3, 4}}, {.output = {2, 6, 4}});
  run_layer_test([] { return layers::UpSampling2D({2, 3}, {.interpolation = "bilinear"}); }, {{1, 2, 3, 2}}, {.output = {1, 4, 9, 2}});
}

TEST(Layers, Merging) {
  for (auto make : {layers::Add, layers::Multiply, layers::Average, layers::Maximum, layers::Minimum, layers::Subtract})
    run_layer_test([&] { return make({}); }, {{2, 3}, {2, 3}}, {.output = {2, 3}});
  run_layer_test([] { return layers::Concatenate({.axis = 1}); }, {{2, 3}, {2, 4}}, {.output = {2, 7}});
  run_layer_test([] { return layers::Dot({2, 1}, {.normalize = true}); }, {{2, 3, 4}, {2, 4, 5}}, {.output = {2, 3, 5}});
}

TEST(Layers, Convolutions) {
  run_layer_test([] { return layers::Conv1D(3, {2}, {.padding = "causal", .dilation_rate = {2}}); }, {{2, 6, 2}},
                 {.output = {2, 6, 3}, .weights = 2, .params = 15});
  run_layer_test([] { return layers::Conv2D(4, {3, 3}, {.strides = {2}, .padding = "same", .groups = 2, .activation = "tanh"}); },
                 {{2, 5, 5, 2}}, {.output = {2, 3, 3, 4}, .weights = 2, .params = 40});
  run_layer_test([] { return layers::Conv2DTranspose(3, {3, 3}, {.strides = {2}}); }, {{1, 3, 3, 2}},
                 {.output = {1, 7, 7, 3}, .weights = 2, .params = 57});
  run_layer_test([] { return layers::DepthwiseConv2D({3, 3}, {.depth_multiplier = 2}); }, {{1, 4, 4, 2}},
                 {.output = {1, 2, 2, 4}, .weights = 2, .params = 40});
  run_layer_test([] { return layers::SeparableConv2D(3, {2, 2}); }, {{1, 4, 4, 2}}, {.output = {1, 3, 3, 3}, .weights = 3, .params = 17});
  run_layer_test([] { return layers::Conv3D(2, {2}); }, {{1, 3, 3, 3, 1}}, {.output = {1, 2, 2, 2, 2}, .weights = 2, .params = 18});
}

TEST(Layers, Pooling) {
  run_layer_test([] { return layers::MaxPooling2D({2, 2}); }, {{2, 4, 4, 2}}, {.output = {2, 2, 2, 2}});
  run_layer_test([] { return layers::AveragePooling1D({3}, {.strides = {1}, .padding = "same"}); }, {{2, 5, 2}}, {.output = {2, 5, 2}});
  run_layer_test([] { return layers::GlobalAveragePooling2D(); }, {{2, 4, 3, 2}}, {.output = {2, 2}});
  run_layer_test([] { return layers::GlobalMaxPooling1D({.keepdims = true}); }, {{2, 4, 3}}, {.output = {2, 1, 3}});
  run_layer_test([] { return layers::AdaptiveAveragePooling2D({2, 3}); }, {{1, 5, 4, 2}}, {.output = {1, 2, 3, 2}});
}

TEST(Layers, Normalisation) {
  run_layer_test([] { return layers::BatchNormalization(); }, {{4, 3}}, {.output = {4, 3}, .weights = 4, .params = 12});
  run_layer_test([] { return layers::LayerNormalization(); }, {{4, 3}}, {.output = {4, 3}, .weights = 2, .params = 6});
  run_layer_test([] { return layers::LayerNormalization({.axis = {1}}); }, {{2, 3, 4}}, {.output = {2, 3, 4}, .weights = 2, .params = 6});
  run_layer_test([] { return layers::GroupNormalization({.groups = 2}); }, {{2, 3, 4}}, {.output = {2, 3, 4}, .weights = 2, .params = 8});
  run_layer_test([] { return layers::RMSNormalization(); }, {{4, 3}}, {.output = {4, 3}, .weights = 1, .params = 3});
  run_layer_test([] { return layers::UnitNormalization(); }, {{4, 3}}, {.output = {4, 3}});
}

TEST(Layers, Recurrent) {
  run_layer_test([] { return layers::SimpleRNN(4); }, {{2, 5, 3}}, {.output = {2, 4}, .weights = 3, .params = 32});
  run_layer_test([] { return layers::LSTM(4, {.return_sequences = true}); }, {{2, 5, 3}},
                 {.output = {2, 5, 4}, .weights = 3, .params = 128});
  run_layer_test([] { return layers::LSTM(4, {.recurrent_activation = "hard_sigmoid", .go_backwards = true}); }, {{2, 3, 3}},
                 {.output = {2, 4}, .weights = 3, .params = 128});
  run_layer_test([] { return layers::GRU(4); }, {{2, 5, 3}}, {.output = {2, 4}, .weights = 3, .params = 108});
  run_layer_test([] { return layers::GRU(4, {.reset_after = false}); }, {{2, 5, 3}}, {.output = {2, 4}, .weights = 3, .params = 96});
  run_layer_test([] { return layers::Bidirectional(layers::LSTM(2, {.return_sequences = true})); }, {{2, 3, 3}},
                 {.output = {2, 3, 4}, .weights = 6, .params = 96});
  run_layer_test([] { return layers::RNN(layers::StackedRNNCells({layers::GRUCell(3), layers::SimpleRNNCell(2)})); }, {{2, 3, 3}},
                 {.output = {2, 2}, .weights = 6, .params = 84});
  run_layer_test([] { return layers::TimeDistributed(layers::Dense(2)); }, {{2, 3, 4}}, {.output = {2, 3, 2}, .weights = 2, .params = 10});
}

TEST(Layers, Attention) {
  run_layer_test([] { return layers::Attention({.use_scale = true}); }, {{2, 3, 4}, {2, 5, 4}}, {.output = {2, 3, 4}, .weights = 1, .params = 1});
  run_layer_test([] { return layers::AdditiveAttention(); }, {{2, 3, 4}, {2, 5, 4}}, {.output = {2, 3, 4}, .weights = 1, .params = 4});
  run_layer_test([] { return layers::MultiHeadAttention(2, 3); }, {{2, 3, 4}, {2, 5, 4}}, {.output = {2, 3, 4}, .weights = 8, .params = 118});
  run_layer_test([] { return layers::GroupQueryAttention(3, 4, 2); }, {{2, 3, 4}, {2, 5, 4}},
                 {.output = {2, 3, 4}, .weights = 8, .params = 172});
}

struct Leaky : RNNCell {  // a user's cell
  std::string class_name() const override { return "Leaky"; }
  Ints state_size() const override { return {3}; }
  Values step(const Value& x, const Values& states, bool) override {
    Value h = states[0] * 0.5 + x;
    return {h, h};
  }
};

TEST(Layers, RunACellOfTheUser) {
  LayerRef rnn = layers::RNN(make_layer<Leaky>());
  EXPECT_EQ(rnn(Tensor::full({1, 3, 3}, 1)).tensor().to_vector(), (std::vector<float>{1.75, 1.75, 1.75}));
}

TEST(Layers, KeepAndForgetStatesWhenStateful) {
  LayerRef rnn = layers::SimpleRNN(1, {.activation = "linear", .kernel_initializer = "ones", .recurrent_initializer = "ones", .stateful = true});
  Value x = Tensor::full({1, 2, 1}, 1);
  EXPECT_EQ(rnn(x).tensor().item(), 2);
  EXPECT_EQ(rnn(x).tensor().item(), 4);
  reset_states(rnn);
  EXPECT_EQ(rnn(x).tensor().item(), 2);
}

TEST(Layers, DropTheRightShareOnlyInTraining) {
  set_random_seed(7);
  LayerRef drop = layers::Dropout(0.25);
  Value x = Tensor::full({100, 100}, 1);
  EXPECT_EQ(drop(x).tensor().to_vector(), x.tensor().to_vector());
  Tensor y = drop(x, {.training = true}).tensor();
  int zeros = 0;
  for (int64_t i = 0; i < y.size(); ++i) {
    if (y.item(i) == 0) ++zeros;
    else EXPECT_NEAR(y.item(i), 1 / 0.75, 1e-6);
  }
  EXPECT_NEAR(zeros / 10000.0, 0.25, 0.02);
  Tensor channels = layers::SpatialDropout1D(0.5)(Tensor::full({8, 5, 40}, 1), {.training = true}).tensor();
  for (int64_t i = 0; i < 8 * 5 * 40; ++i) EXPECT_EQ(channels.item(i), channels.item(i / 200 * 200 + i % 40));
  double mean = ops::mean(layers::GaussianNoise(0.5)(x, {.training = true})).tensor().item();
  EXPECT_NEAR(mean, 1, 0.03);
}

TEST(Layers, LearnVocabularies) {
  LayerRef text = layers::TextVectorization({.output_sequence_length = 4});
  adapt(text, {"the cat sat", "The dog, sat!"});
  EXPECT_EQ(get_vocabulary(text), (Strings{"", "[UNK]", "the", "sat", "dog", "cat"}));
  EXPECT_EQ(encode(text, {"the bird sat"}).to_vector(), (std::vector<float>{2, 1, 3, 0}));
  LayerRef back = layers::StringLookup({.vocabulary = {"a", "b"}, .invert = true});
  EXPECT_EQ(decode(back, Tensor::from({2}, {2, 0}, DType::i64)).values, (Strings{"b", "[UNK]"}));
}

TEST(Layers, SayWhatIsWrong) {
  auto x = [](Shape s) { return Value(Tensor::zeros(std::move(s))); };
  EXPECT_EQ(error_of([&] { layers::Dense(4, {.name = "head"})(x({3})); }),
            "head (Dense): expected an input of rank 2 or more, the batch axis first. Received shape (3,) (rank 1).");
  LayerRef dense = layers::Dense(4, {.name = "head"});
  dense(x({2, 3}));
  EXPECT_EQ(error_of([&] { dense(x({2, 5})); }),
            "head (Dense): the last axis of the input is 5 but the layer was built for 3. Received shape (2, 5). Use a new layer, or bring "
            "the input to 3 features first.");
  EXPECT_EQ(error_of([&] { layers::Conv2D(4, {3, 3}, {.name = "c"})(x({2, 28, 28})); }),
            "c (Conv2D): expected an input of rank 4, (batch, spatial axes, channels). Received shape (2, 28, 28) (rank 3).");
  EXPECT_EQ(error_of([&] { layers::Conv2D(4, {3, 3}, {.name = "c"})(x({1, 2, 5, 1})); }),
            "c (Conv2D): the kernel spans 3 cells of spatial axis 0 but the input has 2. Received shape (1, 2, 5, 1). Use padding \"same\" or a "
            "smaller kernel.");
  EXPECT_EQ(error_of([&] { layers::LSTM(4, {.name = "l"})(x({2, 3})); }),
            "l (LSTM): expected an input of rank 3, (batch, steps, features). Received shape (2, 3) (rank 2).");
  EXPECT_EQ(error_of([&] { layers::Concatenate({.name = "cat"})({x({2, 3}), x({3, 3})}); }),
            "cat (Concatenate): the inputs must have equal shapes except along axis -1. Received (2, 3), (3, 3).");
  EXPECT_EQ(error_of([&] { layers::Reshape({5}, {.name = "r"})(x({2, 3})); }),
            "r (Reshape): cannot reshape (2, 3) into target_shape (5,): 3 elements per example do not fit.");
  EXPECT_EQ(error_of([&] { layers::Attention({.name = "a"})(x({2, 3, 4})); }),
            "a (Attention): expected the inputs {query, value} or {query, value, key}. Received 1 inputs.");
  EXPECT_EQ(error_of([&] { layers::MaxPooling2D({2, 2}, {.padding = "sam", .name = "p"})(x({1, 4, 4, 1})); }),
            "p (MaxPooling2D): unknown padding \"sam\". Expected one of: \"valid\", \"same\". Did you mean 'same'?");
}

}  // namespace
}  // namespace glia
