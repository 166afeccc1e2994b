// Every layer class, one line each: Keras's name, then how to make one with default options.
#include "nn/class_list.h"
#include "nn/layers/activation.h"
#include "nn/layers/attention.h"
#include "nn/layers/audio.h"
#include "nn/layers/augmentation.h"
#include "nn/layers/augmentation_mix.h"
#include "nn/layers/conv.h"
#include "nn/layers/conv_lstm.h"
#include "nn/layers/convnext.h"
#include "nn/layers/core.h"
#include "nn/layers/dense.h"
#include "nn/layers/gated.h"
#include "nn/layers/merge.h"
#include "nn/layers/norm.h"
#include "nn/layers/pool.h"
#include "nn/layers/preprocessing.h"
#include "nn/layers/regularization.h"
#include "nn/layers/reshape.h"
#include "nn/layers/rnn_wrappers.h"
#include "nn/layers/text.h"

namespace glia {
namespace {

template <class L, class... Args>
ClassEntry entry(const char* name, Args... args) {
  return {"layer", name, "keras.layers", {}, [args...] { return std::make_shared<L>(args...); }, ""};
}
// A class for 1, 2 and 3 spatial axes; "%" in the name stands for the number.
template <class L, class... Args>
void add_spatial(std::vector<ClassEntry>& list, const std::string& pattern, int last, Args... args) {
  for (int n = 1; n <= last; ++n) {
    std::string name = pattern;
    name.replace(name.find('%'), 1, std::to_string(n));
    list.push_back({"layer", name, "keras.layers", {}, [args..., n] { return std::make_shared<L>(args..., n); }, ""});
  }
}

}  // namespace

std::vector<ClassEntry> layer_list() {
  using namespace nn;
  std::vector<ClassEntry> list{
      entry<InputLayer>("InputLayer"),
      entry<Dense>("Dense"),
      entry<EinsumDense>("EinsumDense"),
      entry<Embedding>("Embedding"),
      entry<ReversibleEmbedding>("ReversibleEmbedding"),
      entry<Identity>("Identity"),
      entry<Masking>("Masking"),
      entry<Lambda>("Lambda"),
      entry<ActivationLayer>("Activation"),
      entry<ReLU>("ReLU"),
      entry<LeakyReLU>("LeakyReLU"),
      entry<ELU>("ELU"),
      entry<PReLU>("PReLU"),
      entry<Softmax>("Softmax"),
      entry<Merge>("Add", "Add"),
      entry<Merge>("Subtract", "Subtract"),
      entry<Merge>("Multiply", "Multiply"),
      entry<Merge>("Average", "Average"),
      entry<Merge>("Maximum", "Maximum"),
      entry<Merge>("Minimum", "Minimum"),
      entry<Concatenate>("Concatenate"),
      entry<Dot>("Dot"),
      entry<Flatten>("Flatten"),
      entry<Reshape>("Reshape"),
      entry<Permute>("Permute"),
      entry<RepeatVector>("RepeatVector"),
      entry<Dropout>("Dropout", "Dropout"),
      entry<Dropout>("AlphaDropout", "AlphaDropout"),
      entry<GaussianNoise>("GaussianNoise", false),
      entry<GaussianNoise>("GaussianDropout", true),
      entry<ActivityRegularization>("ActivityRegularization"),
      entry<BatchNormalization>("BatchNormalization"),
      entry<LayerNormalization>("LayerNormalization"),
      entry<GroupNormalization>("GroupNormalization"),
      entry<RMSNormalization>("RMSNormalization"),
      entry<UnitNormalization>("UnitNormalization"),
      entry<SpectralNormalization>("SpectralNormalization"),
      entry<Rescaling>("Rescaling"),
      entry<Normalization>("Normalization"),
      entry<Discretization>("Discretization"),
      entry<CategoryEncoding>("CategoryEncoding"),
      entry<Resizing>("Resizing"),
      entry<CenterCrop>("CenterCrop"),
      entry<Pipeline>("Pipeline"),
      entry<RandomFlip>("RandomFlip"),
      entry<RandomCrop>("RandomCrop"),
      entry<RandomAffine>("RandomRotation", "RandomRotation"),
      entry<RandomAffine>("RandomZoom", "RandomZoom"),
      entry<RandomAffine>("RandomTranslation", "RandomTranslation"),
      entry<RandomAffine>("RandomShear", "RandomShear"),
      entry<RandomColor>("RandomBrightness", "RandomBrightness"),
      entry<RandomColor>("RandomContrast", "RandomContrast"),
      entry<RandomColor>("RandomGrayscale", "RandomGrayscale"),
      entry<RandomColor>("RandomColorDegeneration", "RandomColorDegeneration"),
      entry<RandomColor>("RandomSharpness", "RandomSharpness"),
      entry<RandomColor>("RandomInvert", "RandomInvert"),
      entry<RandomColor>("RandomPosterization", "RandomPosterization"),
      entry<RandomColor>("Solarization", "Solarization"),
      entry<RandomColor>("AutoContrast", "AutoContrast"),
      entry<RandomHsv>("RandomHue", "RandomHue"),
      entry<RandomHsv>("RandomSaturation", "RandomSaturation"),
      entry<RandomColorJitter>("RandomColorJitter"),
      entry<RandomGaussianBlur>("RandomGaussianBlur"),
      entry<RandomErasing>("RandomErasing"),
      entry<RandomPerspective>("RandomPerspective"),
      entry<RandomElasticTransform>("RandomElasticTransform"),
      entry<PairMix>("MixUp", "MixUp"),
      entry<PairMix>("CutMix", "CutMix"),
      entry<RandAugment>("RandAugment"),
      entry<AugMix>("AugMix"),
      entry<Equalization>("Equalization"),
      entry<Clahe>("ContrastLimitedAdaptiveHistogramEqualization"),
      entry<MaxNumBoundingBoxes>("MaxNumBoundingBoxes"),
      entry<StringLookup>("StringLookup"),
      entry<IntegerLookup>("IntegerLookup"),
      entry<TextVectorization>("TextVectorization"),
      entry<Hashing>("Hashing"),
      entry<HashedCrossing>("HashedCrossing"),
      entry<STFTSpectrogram>("STFTSpectrogram"),
      entry<MelSpectrogram>("MelSpectrogram"),
      entry<RNN>("RNN"),
      entry<StackedRNNCells>("StackedRNNCells"),
      entry<Gated<SimpleRNNCell>>("SimpleRNN", "SimpleRNN"),
      entry<Gated<LSTMCell>>("LSTM", "LSTM"),
      entry<Gated<GRUCell>>("GRU", "GRU"),
      entry<SimpleRNNCell>("SimpleRNNCell"),
      entry<LSTMCell>("LSTMCell"),
      entry<GRUCell>("GRUCell"),
      entry<Bidirectional>("Bidirectional"),
      entry<TimeDistributed>("TimeDistributed"),
      entry<Attention>("Attention", false),
      entry<Attention>("AdditiveAttention", true),
      entry<MultiHeadAttention>("MultiHeadAttention"),
      entry<GroupQueryAttention>("GroupQueryAttention"),
  };
  for (ClassEntry e : {entry<LayerScale>("LayerScale"), entry<StochasticDepth>("StochasticDepth")}) {
    e.module = "keras.src.applications.convnext";
    list.push_back(std::move(e));
  }
  list.push_back(entry<CustomScaleLayer>("CustomScaleLayer"));
  list.back().module = "keras.src.applications.inception_resnet_v2";
  for (ClassEntry e : {entry<FeatureConcat>("TFDConcat"), entry<FeatureIdentity>("TFDIdentity")}) {  // of FeatureSpace
    e.module = "keras.src.layers.preprocessing.feature_space";
    list.push_back(std::move(e));
  }
  add_spatial<Conv>(list, "Conv%D", 3);
  add_spatial<ConvTranspose>(list, "Conv%DTranspose", 3);
  add_spatial<DepthwiseConv>(list, "DepthwiseConv%D", 2);
  add_spatial<SeparableConv>(list, "SeparableConv%D", 2);
  add_spatial<Pooling>(list, "MaxPooling%D", 3, true);
  add_spatial<Pooling>(list, "AveragePooling%D", 3, false);
  add_spatial<GlobalPooling>(list, "GlobalMaxPooling%D", 3, true);
  add_spatial<GlobalPooling>(list, "GlobalAveragePooling%D", 3, false);
  add_spatial<AdaptivePooling>(list, "AdaptiveMaxPooling%D", 3, true);
  add_spatial<AdaptivePooling>(list, "AdaptiveAveragePooling%D", 3, false);
  add_spatial<SpatialDropout>(list, "SpatialDropout%D", 3);
  add_spatial<ConvLSTM>(list, "ConvLSTM%D", 3);
  add_spatial<Border>(list, "ZeroPadding%D", 3, false);
  add_spatial<Border>(list, "Cropping%D", 3, true);
  add_spatial<UpSampling>(list, "UpSampling%D", 3);
  // Keras 2's names, and short ones.
  for (ClassEntry& e : list) {
    auto also = [&](const std::string& from, const std::string& to) {
      size_t at = e.class_name.find(from);
      if (at != std::string::npos) e.names.push_back(std::string(e.class_name).replace(at, from.size(), to));
    };
    if (e.class_name.rfind("Conv", 0) == 0 || e.class_name.rfind("Separable", 0) == 0 || e.class_name.rfind("Depthwise", 0) == 0)
      also("Conv", "Convolution");
    also("AveragePooling", "AvgPool");
    also("MaxPooling", "MaxPool");
    also("GroupQuery", "GroupedQuery");  // the Python class behind the exported name
  }
  return list;
}

}  // namespace glia
