// Decoding and encoding of single images; each format is a file. Decoders never trust sizes: an image of more than
// kMaxPixels, or than the limits allow, is refused before memory is asked for.
#pragma once
#include <glia/load_options.h>
#include <glia/tensor.h>

#include <cstdint>
#include <span>
#include <string>

namespace glia::io {

constexpr int64_t kMaxPixels = int64_t{1} << 28;

// uint8 (height, width, channels) with 1, 3 or 4 channels, as stored. Throws Error naming the file.
Tensor decode_image(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits);
std::string encode_png(const Tensor& image);
std::string encode_jpeg(const Tensor& image, int quality);
std::string encode_bmp(const Tensor& image);

Tensor decode_png(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits);
Tensor decode_jpeg(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits);
Tensor decode_bmp(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits);
void check_image_size(int64_t height, int64_t width, int64_t channels, const std::string& name,
                      const LoadLimits& limits);

// The largest part around the centre with the aspect ratio of height : width.
Tensor crop_to_aspect(const Tensor& image, int64_t height, int64_t width);

}  // namespace glia::io
