#include "io/onnx/testing/export_models.h"

namespace glia::onnx::testing {
namespace L = glia::layers;

namespace {

using Net = std::vector<LayerRef>;
std::function<Model()> sequential(Shape input, std::function<Net()> layers, DType dtype = DType::f32) {
  return [=] {
    Value in = Input(input, {.name = "x", .dtype = dtype}), y = in;
    for (const LayerRef& l : layers()) y = l(y);
    return Model({in}, {y}, {.name = "net"});
  };
}
Value transformer_block(Value x, int64_t heads, int64_t width, bool causal) {
  Value a = L::LayerNormalization()(x);
  Value y = L::MultiHeadAttention(heads, width / heads)({a, a}, {.use_causal_mask = causal});
  x = L::Add()({x, y});
  Value f = L::Dense(2 * width, {.activation = "gelu"})(L::LayerNormalization({.epsilon = 1e-6})(x));
  return L::Add()({x, L::Dense(width)(f)});
}
Value residual_block(Value x, int64_t filters, int64_t stride) {
  Value y = L::Conv2D(filters, {3}, {.strides = {stride}, .padding = "same", .use_bias = false})(x);
  y = L::ReLU()(L::BatchNormalization()(y));
  y = L::BatchNormalization()(L::Conv2D(filters, {3}, {.padding = "same"})(y));
  Value s = stride == 1 ? x : L::BatchNormalization()(L::Conv2D(filters, {1}, {.strides = {stride}})(x));
  return L::ReLU()(L::Add()({y, s}));
}

std::vector<ExportCase> image_cases() {
  std::vector<ExportCase> r;
  r.push_back({"mlp",
               sequential({12},
                          [] {
                            return Net{L::Dense(16, {.activation = "relu"}), L::BatchNormalization(), L::Dropout(0.5),
                                       L::Dense(5, {.activation = "softmax"})};
                          }),
               {{12}}});
  r.push_back({"cnn",
               sequential({28, 28, 1},
                          [] {
                            return Net{L::Rescaling(0.5, 0.1),
                                       L::Conv2D(8, {3}, {.activation = "relu"}),
                                       L::MaxPooling2D(),
                                       L::Conv2D(16, {3}, {.padding = "same", .activation = "relu"}),
                                       L::MaxPooling2D({2}),
                                       L::Flatten(),
                                       L::Dense(20, {.activation = "tanh"}),
                                       L::Dense(10, {.activation = "softmax"})};
                          }),
               {{28, 28, 1}}});
  r.push_back({"cnn_opset13", r.back().make, {{28, 28, 1}}, 0, 13});
  r.push_back({"cnn_opset21", r.back().make, {{28, 28, 1}}, 0, 21});
  r.push_back({"resnet",
               [] {
                 Value in = Input({32, 32, 3}, {.name = "image"}), x = L::Conv2D(8, {3}, {.padding = "same"})(in);
                 x = residual_block(residual_block(residual_block(x, 8, 1), 16, 2), 16, 1);
                 return Model({in}, {L::Dense(10)(L::GlobalAveragePooling2D()(x))}, {.name = "resnet"});
               },
               {{32, 32, 3}}});
  r.push_back({"mobile",
               sequential({20, 20, 4},
                          [] {
                            return Net{L::DepthwiseConv2D({3}, {.padding = "same", .depth_multiplier = 2}),
                                       L::Activation("silu"),
                                       L::SeparableConv2D(6, {3}, {.strides = {2}, .padding = "same"}),
                                       L::Activation("hard_swish"),
                                       L::Conv2D(8, {3}, {.dilation_rate = {2}}),
                                       L::AveragePooling2D({2}, {.padding = "same"}),
                                       L::GlobalMaxPooling2D(),
                                       L::Dense(3)};
                          }),
               {{20, 20, 4}}});
  r.push_back({"grouped",
               sequential({10, 10, 8},
                          [] {
                            return Net{L::Conv2D(12, {3}, {.groups = 4, .activation = "elu"}),
                                       L::GroupNormalization({.groups = 3}), L::Conv2D(2, {1})};
                          }),
               {{10, 10, 8}}});
  r.push_back({"autoencoder",
               sequential({16, 16, 1},
                          [] {
                            return Net{
                                L::Conv2D(6, {3}, {.strides = {2}, .padding = "same", .activation = "relu"}),
                                L::Conv2DTranspose(4, {3}, {.strides = {2}, .padding = "same", .activation = "relu"}),
                                L::Conv2DTranspose(3, {3}, {}),
                                L::Conv2DTranspose(1, {2}, {.strides = {3}, .activation = "sigmoid"})};
                          }),
               {{16, 16, 1}}});
  r.push_back({"unet",
               [] {
                 Value in = Input({16, 16, 2}, {.name = "x"});
                 Value a = L::Conv2D(4, {3}, {.padding = "same", .activation = "relu"})(in),
                       b = L::Conv2D(8, {3}, {.padding = "same", .activation = "relu"})(L::MaxPooling2D()(a));
                 Value up = L::Concatenate()({L::UpSampling2D()(b), a});
                 return Model(
                     {in}, {L::Conv2D(1, {1}, {.activation = "sigmoid"})(L::ZeroPadding2D(1)(L::Cropping2D(1)(up)))},
                     {.name = "unet"});
               },
               {{16, 16, 2}}});
  r.push_back({"fully_convolutional",
               sequential({-1, -1, 3},
                          [] {
                            return Net{L::Conv2D(4, {3}, {.padding = "same", .activation = "relu"}),
                                       L::MaxPooling2D(), L::Conv2D(6, {3}, {.activation = "relu"}),
                                       L::GlobalAveragePooling2D(), L::Dense(2)};
                          }),
               {{26, 18, 3}}});
  r.push_back({"conv1d",
               sequential({30, 4},
                          [] {
                            return Net{L::Conv1D(8, {3}, {.padding = "causal", .activation = "relu"}),
                                       L::MaxPooling1D({2}),
                                       L::SeparableConv1D(6, {3}),
                                       L::Conv1DTranspose(4, {3}, {.strides = {2}}),
                                       L::LayerNormalization(),
                                       L::AveragePooling1D({2}),
                                       L::Flatten(),
                                       L::Dense(3)};
                          }),
               {{30, 4}}});
  r.push_back({"conv3d",
               sequential({6, 8, 8, 2},
                          [] {
                            return Net{L::Conv3D(4, {3}, {.padding = "same", .activation = "relu"}),
                                       L::MaxPooling3D({2}), L::BatchNormalization(), L::Flatten(), L::Dense(3)};
                          }),
               {{6, 8, 8, 2}}});
  r.push_back({"channels_first",
               sequential({3, 12, 12},
                          [] {
                            return Net{L::Conv2D(4, {3}, {.data_format = "channels_first", .activation = "relu"}),
                                       L::BatchNormalization({.axis = 1}),
                                       L::MaxPooling2D({2}, {.data_format = "channels_first"}), L::Flatten(),
                                       L::Dense(4)};
                          }),
               {{3, 12, 12}}});
  r.push_back({"resizing",
               sequential({9, 7, 3},
                          [] {
                            return Net{L::Resizing(12, 14), L::Conv2D(2, {3})};
                          }),
               {{9, 7, 3}}});
  return r;
}

std::vector<ExportCase> sequence_cases() {
  std::vector<ExportCase> r;
  r.push_back({"lstm",
               sequential({9, 5},
                          [] {
                            return Net{L::LSTM(7, {.return_sequences = true}), L::LSTM(6), L::Dense(3)};
                          }),
               {{9, 5}}});
  r.push_back({"lstm_free_length",
               sequential({-1, 5},
                          [] {
                            return Net{L::LSTM(7, {.return_sequences = true}), L::Dense(4, {.activation = "relu"}),
                                       L::LSTM(6), L::Dense(3)};
                          }),
               {{11, 5}}});
  r.push_back(
      {"gru",
       sequential({9, 5},
                  [] {
                    return Net{L::GRU(7, {.return_sequences = true}), L::GRU(6, {.reset_after = false}), L::Dense(3)};
                  }),
       {{9, 5}}});
  r.push_back(
      {"simple_rnn",
       sequential({9, 5},
                  [] {
                    return Net{L::SimpleRNN(7, {.return_sequences = true}), L::SimpleRNN(6, {.go_backwards = true})};
                  }),
       {{9, 5}}});
  r.push_back({"bidirectional",
               sequential({9, 5},
                          [] {
                            return Net{L::Bidirectional(L::LSTM(4, {.return_sequences = true})),
                                       L::Bidirectional(L::GRU(3, {.return_sequences = true}), {.merge_mode = "sum"}),
                                       L::Bidirectional(L::LSTM(4))};
                          }),
               {{9, 5}}});
  r.push_back({"hard_sigmoid_lstm",
               sequential({5, 3}, [] { return Net{L::LSTM(4, {.recurrent_activation = "hard_sigmoid"})}; }),
               {{5, 3}}});
  r.push_back({"text",
               sequential(
                   {10},
                   [] {
                     return Net{L::Embedding(20, 6), L::Conv1D(5, {3}, {.activation = "relu"}),
                                L::GlobalMaxPooling1D(), L::Dense(2, {.activation = "softmax"})};
                   },
                   DType::i32),
               {{10}},
               20});
  r.push_back({"text_masked",
               sequential(
                   {10},
                   [] {
                     return Net{L::Embedding(20, 6, {.mask_zero = true}), L::LSTM(5), L::Dense(2)};
                   },
                   DType::i32),
               {{10}},
               20});
  r.push_back({"time_distributed",
               sequential({6, 8, 8, 1},
                          [] {
                            return Net{L::TimeDistributed(L::Conv2D(3, {3}, {.activation = "relu"})),
                                       L::TimeDistributed(L::Flatten()), L::GRU(4)};
                          }),
               {{6, 8, 8, 1}}});
  r.push_back({"seq2seq",
               [] {
                 Value in = Input({7, 4}, {.name = "source"}), target = Input({5, 3}, {.name = "target"});
                 Values e = L::LSTM(6, {.return_state = true}).outputs({in});
                 Value d = L::LSTM(6, {.return_sequences = true})(target, {.initial_state = {e[1], e[2]}});
                 Value context = L::Attention()({d, L::Dense(6)(in)});
                 return Model(
                     {in, target},
                     {L::Dense(4, {.activation = "softmax", .name = "words"})(L::Concatenate()({d, context}))},
                     {.name = "seq2seq"});
               },
               {{7, 4}, {5, 3}}});
  return r;
}

std::vector<ExportCase> attention_cases() {
  std::vector<ExportCase> r;
  r.push_back({"attention",
               [] {
                 Value q = Input({6, 8}, {.name = "query"}), v = Input({9, 8}, {.name = "value"});
                 return Model({q, v}, {L::Attention({.use_scale = true})({q, v}), L::AdditiveAttention()({q, v})},
                              {.name = "attention"});
               },
               {{6, 8}, {9, 8}}});
  r.push_back({"transformer",
               [] {
                 Value in = Input({12, 16}, {.name = "x"});
                 Value y = transformer_block(transformer_block(in, 4, 16, false), 2, 16, true);
                 return Model({in}, {L::Dense(3)(L::GlobalAveragePooling1D()(y))}, {.name = "transformer"});
               },
               {{12, 16}}});
  r.push_back({"transformer_opset13", r.back().make, {{12, 16}}, 0, 13});
  r.push_back({"transformer_free_length",
               [] {
                 Value in = Input({-1, 16}, {.name = "x"});
                 return Model({in}, {transformer_block(in, 4, 16, true)}, {.name = "decoder"});
               },
               {{10, 16}}});
  r.push_back({"language_model",
               [] {
                 Value in = Input({12}, {.name = "tokens", .dtype = DType::i32});
                 Value x = L::Embedding(30, 16)(in);
                 x = x + L::Embedding(12, 16)(ops::arange(0, 12));
                 for (int i = 0; i < 2; ++i) x = transformer_block(x, 4, 16, true);
                 return Model({in}, {L::Dense(30)(L::LayerNormalization()(x))}, {.name = "lm"});
               },
               {{12}},
               30});
  r.push_back(
      {"grouped_queries",
       [] {
         Value in = Input({6, 16}, {.name = "x"});
         return Model({in}, {L::RMSNormalization()(L::GroupQueryAttention(4, 4, 2)({in, in}))}, {.name = "gqa"});
       },
       {{6, 16}}});
  r.push_back({"einsum",
               sequential({5, 6},
                          [] {
                            return Net{L::EinsumDense("abc,cd->abd", {5, 7}, {.bias_axes = "d"}), L::Permute({2, 1}),
                                       L::UnitNormalization(), L::Reshape({35})};
                          }),
               {{5, 6}}});
  r.push_back({"several",
               [] {
                 Value a = Input({8}, {.name = "a"}), b = Input({8}, {.name = "b"});
                 Value x = L::Dense(6, {.activation = "relu"})(a), y = L::Dense(6, {.activation = "leaky_relu"})(b);
                 Value m = L::Multiply()({x, y}), s = L::Average()({x, y});
                 Value d = L::Dot({1}, {.normalize = true})({x, y});
                 return Model({a, b},
                              {L::Dense(2, {.name = "first"})(L::Concatenate()({m, s, d})),
                               L::Activation("softplus")(L::Maximum()({x, y}))},
                              {.name = "several"});
               },
               {{8}, {8}}});
  r.push_back({"ops",
               [] {
                 Value a = Input({4, 6}, {.name = "a"});
                 Value s = ops::slice_axis(a, 2, 1, 5), t = ops::transpose(s, {0, 2, 1});
                 Value top = ops::top_k(a, 2)[0], c = ops::cumsum(a, 1),
                       m = ops::cast(ops::argmax(a, -1), DType::f32);
                 Value w = ops::where(a > 0.0, ops::log1p(ops::abs(a)), ops::expm1(a)), f = ops::flip(a, {1}),
                       p = ops::pad(a, {{0, 0}, {1, 2}, {0, 1}});
                 return Model({a},
                              {ops::matmul(s, t), top, c, m, w, f, p, ops::std(a, {2}),
                               ops::take(a, ops::constant(Tensor::from({2}, {3, 1}, DType::i32)), 1)},
                              {.name = "ops"});
               },
               {{4, 6}}});
  for (const char* name : {"gelu", "selu", "mish", "softsign", "hard_sigmoid", "exponential", "log_softmax", "relu6",
                           "tanh_shrink", "hard_tanh", "celu", "glu", "sparse_plus", "squareplus"})
    r.push_back(
        {std::string("activation_") + name, sequential({10}, [name] { return Net{L::Activation(name)}; }), {{10}}});
  return r;
}

}  // namespace

namespace {
std::vector<ExportCase> other_cases() {
  std::vector<ExportCase> r;
  r.push_back({"sequential",
               [] {
                 return Model(Sequential({L::Dense(4, {.activation = "swish", .input_shape = {6}}),
                                          L::LayerNormalization(), L::Dense(2)}));
               },
               {{6}}});
  r.push_back({"nested",
               [] {
                 Value in = Input({8}, {.name = "x"}), inner_in = Input({8}, {.name = "inner"});
                 Model inner({inner_in}, {L::Dense(5, {.activation = "relu"})(inner_in)}, {.name = "inner_model"});
                 Value a = inner(in), b = inner(L::Dense(8)(in));
                 return Model({in}, {L::Concatenate()({a, b})}, {.name = "nested"});
               },
               {{8}}});
  r.push_back({"layer_norm_axes",
               sequential({4, 5, 6},
                          [] {
                            return Net{L::LayerNormalization({.axis = {1, 2, 3}}),
                                       L::LayerNormalization({.center = false}),
                                       L::LayerNormalization({.scale = false})};
                          }),
               {{4, 5, 6}}});
  r.push_back(
      {"batch_norm_axis1",
       sequential(
           {4, 6},
           [] {
             return Net{L::BatchNormalization({.axis = 1}), L::BatchNormalization({.center = false, .scale = false})};
           }),
       {{4, 6}}});
  r.push_back({"preprocessing",
               sequential({6, 6, 3},
                          [] {
                            return Net{L::Normalization({.mean = Tensor::from({3}, {0.1, 0.2, 0.3}),
                                                         .variance = Tensor::from({3}, {1.0, 2.0, 0.5})}),
                                       L::CenterCrop(4, 4), L::Rescaling(2.0), L::ZeroPadding2D({{1, 2}, {0, 3}})};
                          }),
               {{6, 6, 3}}});
  r.push_back({"prelu",
               sequential({5, 4},
                          [] {
                            return Net{L::PReLU(), L::LeakyReLU(), L::ELU(),
                                       L::ReLU({.max_value = 1.5, .negative_slope = 0.1}), L::Softmax({.axis = {1}})};
                          }),
               {{5, 4}}});
  r.push_back({"masking",
               sequential({6, 3},
                          [] {
                            return Net{L::Masking(), L::GRU(4, {.return_sequences = true}), L::LSTM(3)};
                          }),
               {{6, 3}}});
  r.push_back({"stacked_cells",
               sequential({5, 3},
                          [] {
                            return Net{L::RNN(L::StackedRNNCells({L::LSTMCell(4), L::GRUCell(3)}))};
                          }),
               {{5, 3}}});
  r.push_back(
      {"states",
       [] {
         Value in = Input({6, 3}, {.name = "x"}), h = Input({5}, {.name = "h"});
         Values y = L::GRU(5, {.return_sequences = true, .return_state = true}).outputs({in}, {.initial_state = {h}});
         return Model({in, h}, {y[0], y[1]}, {.name = "states"});
       },
       {{6, 3}, {5}}});
  r.push_back({"go_backwards",
               sequential({6, 3},
                          [] {
                            return Net{L::LSTM(4, {.return_sequences = true, .go_backwards = true}), L::Dense(3),
                                       L::LSTM(2, {.go_backwards = true})};
                          }),
               {{6, 3}}});
  r.push_back({"conv_lstm",
               sequential({4, 6, 6, 2}, [] { return Net{L::ConvLSTM2D(3, {3}, {.padding = "same"})}; }),
               {{4, 6, 6, 2}}});
  r.push_back({"upsampling_bilinear",
               sequential({5, 4, 2},
                          [] {
                            return Net{L::UpSampling2D({2, 3}, {.interpolation = "bilinear"}), L::UpSampling2D({2}),
                                       L::Cropping2D({{1, 0}, {0, 2}})};
                          }),
               {{5, 4, 2}}});
  r.push_back({"pools_same",
               sequential({11, 9, 2},
                          [] {
                            return Net{L::MaxPooling2D({3}, {.strides = {2}, .padding = "same"}),
                                       L::AveragePooling2D({3}, {.strides = {2}, .padding = "same"}),
                                       L::GlobalAveragePooling2D({.keepdims = true})};
                          }),
               {{11, 9, 2}}});
  r.push_back({"upsampling1d3d",
               [] {
                 Value a = Input({5, 3}, {.name = "a"}), b = Input({3, 4, 4, 2}, {.name = "b"});
                 return Model(
                     {a, b},
                     {L::UpSampling1D(3)(a), L::UpSampling3D()(b), L::Conv3DTranspose(2, {2}, {.strides = {2}})(b),
                      L::AveragePooling3D()(b), L::RepeatVector(3)(L::Flatten()(a))},
                     {.name = "up"});
               },
               {{5, 3}, {3, 4, 4, 2}}});
  r.push_back({"adaptive",
               sequential({9, 7, 2},
                          [] {
                            return Net{L::AdaptiveAveragePooling2D({3, 2}), L::AdaptiveMaxPooling2D({2, 2})};
                          }),
               {{9, 7, 2}}});
  r.push_back({"shared_attention",
               [] {
                 Value in = Input({5, 8}, {.name = "x"});
                 LayerRef mha = L::MultiHeadAttention(2, 4, {.value_dim = 3, .use_bias = false, .output_shape = {6}});
                 return Model({in}, {mha({in, in}), mha({in, L::Dense(8)(in)})}, {.name = "shared"});
               },
               {{5, 8}}});
  r.push_back({"more_ops",
               [] {
                 Value a = Input({3, 8}, {.name = "a"});
                 return Model({a},
                              {ops::sort(a), ops::cast(ops::argsort(a), DType::f32), ops::logsumexp(a, {2}),
                               ops::var(a, {1}), ops::clip(a, -0.5, 0.5), ops::round(a * 3.0), ops::sign(a),
                               ops::mod(a, ops::scalar_like(a, 0.3)), ops::floor_divide(a, ops::scalar_like(a, 0.3)),
                               ops::maximum(a, ops::square(a)), ops::cast(ops::any(a > 0.5, {2}), DType::f32),
                               ops::cast(ops::one_hot(ops::argmax(a), 8), DType::f32), ops::roll(a, 2, 2),
                               ops::tril(a), ops::stack({a, a}, 1), ops::power(ops::abs(a), ops::scalar_like(a, 1.5)),
                               ops::norm(a, "", {2})},
                              {.name = "more"});
               },
               {{3, 8}}});
  r.push_back({"bfloat_policy_off",
               sequential({6},
                          [] {
                            return Net{L::Dense(4, {.dtype = "float64"}), L::Dense(3, {.dtype = "float64"})};
                          }),
               {{6}}});
  return r;
}

// Extents that are open, with constants that follow from them.
std::vector<ExportCase> open_cases() {
  std::vector<ExportCase> r;
  r.push_back({"causal_padding_open",
               [] {
                 Value in = Input({-1}, {.name = "ids", .dtype = DType::i32});
                 Value x = L::Embedding(20, 16, {.mask_zero = true})(in);
                                  Value y = L::MultiHeadAttention(4, 4)({x, x}, {.use_causal_mask = true});
                 return Model({in}, {L::Dense(5)(L::LayerNormalization()(L::Add()({x, y})))}, {.name = "open"});
               },
               {{9}},
               20});
  r.push_back({"unet_open_bilinear",
               [] {
                 Value in = Input({-1, -1, 3}, {.name = "x"});
                 auto conv = [](const Value& v, int64_t n) {
                   return L::Conv2D(n, {3}, {.padding = "same", .activation = "relu"})(v);
                 };
                 Value a = conv(in, 4), b = conv(L::MaxPooling2D()(a), 6), m = conv(L::MaxPooling2D()(b), 8);
                 auto up = [](const Value& v) { return L::UpSampling2D({2}, {.interpolation = "bilinear"})(v); };
                 Value u = conv(L::Concatenate()({up(m), b}), 6);
                 return Model({in}, {L::Conv2D(2, {1})(L::Concatenate()({up(u), a}))}, {.name = "unet"});
               },
               {{16, 24, 3}}});
  r.push_back({"time_distributed_model_open",
               [] {
                 Value step = Input({6}), in = Input({-1, 6}, {.name = "x"});
                 Model each({step}, {L::Dense(3)(L::BatchNormalization()(L::Dense(4)(step)))}, {.name = "each"});
                 return Model({in}, {L::LSTM(3)(L::TimeDistributed(each.ptr())(in))}, {.name = "steps"});
               },
               {{7, 6}}});
  r.push_back({"order_and_repeated_outputs",
               [] {
                 Value a = Input({3, 8}, {.name = "a"}), flipped = ops::transpose(a, {0, 2, 1});
                 Value edges = Tensor::from({3}, {-0.5, 0, 0.5});
                 return Model({a},
                              {flipped, flipped, ops::swapaxes(a, 1, 2), ops::cumprod(a, 2), ops::arctan2(a, a * a - 0.1),
                               ops::cast(ops::searchsorted(edges, a), DType::f32), a},
                              {.name = "order"});
               },
               {{3, 8}}});
  return r;
}
}  // namespace

std::vector<ExportCase> export_cases() {
  std::vector<ExportCase> r = image_cases();
  for (const auto& more : {sequence_cases(), attention_cases(), other_cases(), open_cases()})
    r.insert(r.end(), more.begin(), more.end());
  return r;
}

void scatter_weights(Model& model) {
  std::vector<Tensor> weights = model.get_weights();
  uint32_t x = 7;
  for (size_t k = 0; k < weights.size(); ++k) {
    const bool variance = model->weights()[k].name().find("variance") != std::string::npos;
    for (int64_t i = 0; i < weights[k].size() && is_float(weights[k].dtype()); ++i) {
      x = x * 1664525u + 1013904223u;
      const double u = static_cast<double>(x >> 8) / 16777216.0;
      weights[k].set_item(i, variance                 ? 0.5 + u
                             : weights[k].rank() <= 1 ? weights[k].item(i) + (u - 0.5) * 0.4
                                                      : weights[k].item(i));
    }
  }
  model.set_weights(weights);
}

std::vector<Tensor> inputs_of(const ExportCase& c, int64_t batch) {
  std::vector<Tensor> r;
  uint32_t x = 99;
  for (Shape s : c.inputs) {
    s.insert(s.begin(), batch);
    Tensor t(s, c.classes ? DType::i32 : DType::f32);
    for (int64_t i = 0; i < t.size(); ++i) {
      x = x * 1664525u + 1013904223u;
      const double u = static_cast<double>(x >> 8) / 16777216.0;
      // Rows of tokens end in zeros, as padding does.
      const int64_t column = i % s.back(), length = s.back() - (i / s.back()) % 4;
      t.set_item(i, c.classes
                        ? (column < length ? 1 + static_cast<int64_t>(u * static_cast<double>(c.classes - 1)) : 0)
                        : 2 * u - 1);
    }
    r.push_back(t);
  }
  return r;
}

}  // namespace glia::onnx::testing
