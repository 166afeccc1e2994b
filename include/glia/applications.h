// Well-known image classifiers as functional models: the topologies, layer names and initializers of keras.applications, so that
// Keras's published weight files fit. Weights start at random; nothing is downloaded.
//
//   Model model = applications::ResNet50();                               // (224, 224, 3) -> 1000 classes
//   model.load_weights("resnet50_weights_tf_dim_ordering_tf_kernels.h5");
//   Tensor p = model.predict(applications::preprocess_input(images, "caffe"));
//
//   Model features = applications::MobileNetV2({.include_top = false, .input_shape = {96, 96, 3}, .pooling = "avg"});
#pragma once
#include <string>

#include <glia/model.h>

namespace glia::applications {

struct ApplicationOptions {
  bool include_top = true;                        // the classifier at the end
  Shape input_shape = {};                         // (height, width, channels); empty: the published size
  std::string pooling = {};                       // without the top: "" (feature maps), "avg" or "max"
  int64_t classes = 1000;
  std::string classifier_activation = "softmax";  // "linear" for logits
  std::string name = {};                          // empty: Keras's name of the model
};

// All throw Error for an unknown pooling, for fewer than one class, for an input_shape that has not three axes and for images that
// are too small for the network.

// Simonyan, Zisserman 2014, "Very deep convolutional networks for large-scale image recognition". preprocess_input: "caffe".
Model VGG16(const ApplicationOptions& options = {});
Model VGG19(const ApplicationOptions& options = {});

// He, Zhang, Ren, Sun 2015, "Deep residual learning for image recognition". preprocess_input: "caffe".
Model ResNet50(const ApplicationOptions& options = {});
Model ResNet101(const ApplicationOptions& options = {});
Model ResNet152(const ApplicationOptions& options = {});
// The same authors 2016, "Identity mappings in deep residual networks". preprocess_input: "tf".
Model ResNet50V2(const ApplicationOptions& options = {});
Model ResNet101V2(const ApplicationOptions& options = {});
Model ResNet152V2(const ApplicationOptions& options = {});

// Huang, Liu, van der Maaten, Weinberger 2016, "Densely connected convolutional networks". preprocess_input: "torch".
Model DenseNet121(const ApplicationOptions& options = {});
Model DenseNet169(const ApplicationOptions& options = {});
Model DenseNet201(const ApplicationOptions& options = {});

// alpha scales the filters of every layer.
struct MobileNetOptions {
  double alpha = 1.0;
  int64_t depth_multiplier = 1;  // of the depthwise convolutions; MobileNet only
  double dropout = 1e-3;         // MobileNet only
  ApplicationOptions common = {};
};
// Howard et al. 2017, "MobileNets"; Sandler et al. 2018, "MobileNetV2". preprocess_input: "tf".
Model MobileNet(const MobileNetOptions& options = {});
Model MobileNetV2(const MobileNetOptions& options = {});

// minimalistic: without squeeze and excitation, hard_swish and 5x5 kernels. Images of any size by default; pixels of 0 to 255 as they
// are (without include_preprocessing: -1 to 1). Howard et al. 2019, "Searching for MobileNetV3".
struct MobileNetV3Options {
  double alpha = 1.0;
  bool minimalistic = false;
  double dropout_rate = 0.2;
  bool include_preprocessing = true;
  ApplicationOptions common = {};
};
Model MobileNetV3Small(const MobileNetV3Options& options = {});
Model MobileNetV3Large(const MobileNetV3Options& options = {});

// Chollet 2016, "Xception: deep learning with depthwise separable convolutions"; (299, 299, 3). preprocess_input: "tf".
Model Xception(const ApplicationOptions& options = {});

// Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2015, "Rethinking the inception architecture"; (299, 299, 3). preprocess_input: "tf".
Model InceptionV3(const ApplicationOptions& options = {});

// Szegedy, Ioffe, Vanhoucke, Alemi 2016, "Inception-v4, Inception-ResNet"; (299, 299, 3). preprocess_input: "tf".
Model InceptionResNetV2(const ApplicationOptions& options = {});

// Zoph, Vasudevan, Shlens, Le 2017, "Learning transferable architectures"; (224, 224, 3) and (331, 331, 3). preprocess_input: "tf".
Model NASNetMobile(const ApplicationOptions& options = {});
Model NASNetLarge(const ApplicationOptions& options = {});

// Liu et al. 2022, "A ConvNet for the 2020s". Pixels of 0 to 255 as they are (without include_preprocessing: normalized).
struct ConvNeXtOptions {
  bool include_preprocessing = true;
  ApplicationOptions common = {};
};
Model ConvNeXtTiny(const ConvNeXtOptions& options = {});
Model ConvNeXtSmall(const ConvNeXtOptions& options = {});
Model ConvNeXtBase(const ConvNeXtOptions& options = {});
Model ConvNeXtLarge(const ConvNeXtOptions& options = {});
Model ConvNeXtXLarge(const ConvNeXtOptions& options = {});

// Tan, Le 2019, "EfficientNet". They take pixels of 0 to 255 as they are: scaling is part of the model.
Model EfficientNetB0(const ApplicationOptions& options = {});
Model EfficientNetB1(const ApplicationOptions& options = {});
Model EfficientNetB2(const ApplicationOptions& options = {});
Model EfficientNetB3(const ApplicationOptions& options = {});
Model EfficientNetB4(const ApplicationOptions& options = {});
Model EfficientNetB5(const ApplicationOptions& options = {});
Model EfficientNetB6(const ApplicationOptions& options = {});
Model EfficientNetB7(const ApplicationOptions& options = {});

// Tan, Le 2021, "EfficientNetV2". Pixels as for EfficientNet.
Model EfficientNetV2B0(const ApplicationOptions& options = {});
Model EfficientNetV2B1(const ApplicationOptions& options = {});
Model EfficientNetV2B2(const ApplicationOptions& options = {});
Model EfficientNetV2B3(const ApplicationOptions& options = {});
Model EfficientNetV2S(const ApplicationOptions& options = {});
Model EfficientNetV2M(const ApplicationOptions& options = {});
Model EfficientNetV2L(const ApplicationOptions& options = {});

// Pixels of 0 to 255, (..., 3) in the order red, green, blue, as the networks were trained. mode "tf": -1 to 1; "torch": 0 to 1, then
// ImageNet's mean and deviation per channel; "caffe": blue, green, red less ImageNet's mean. float32. Throws Error for other modes.
Tensor preprocess_input(const Tensor& images, const std::string& mode = "caffe");

}  // namespace glia::applications
