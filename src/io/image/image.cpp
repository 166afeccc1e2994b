// load_img, save_img and what lies between.
#include <glia/image.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "io/file/atomic_file.h"
#include "io/file/input_file.h"
#include "io/image/codec.h"

namespace glia::io {

#ifndef GLIA_HAVE_IMAGES
namespace {
[[noreturn]] void missing(const std::string& name, const char* format) {
  throw_error(
      "{}: this build of Glia cannot read or write {} (it was configured without GLIA_WITH_IMAGES, or libpng and "
      "libjpeg were not there).",
      name, format);
}
}  // namespace
Tensor decode_png(std::span<const uint8_t>, const std::string& name, const LoadLimits&) { missing(name, "PNG"); }
Tensor decode_jpeg(std::span<const uint8_t>, const std::string& name, const LoadLimits&) { missing(name, "JPEG"); }
std::string encode_png(const Tensor&) { missing("save_img", "PNG"); }
std::string encode_jpeg(const Tensor&, int) { missing("save_img", "JPEG"); }
#endif

Tensor decode_image(std::span<const uint8_t> b, const std::string& name, const LoadLimits& limits) {
  const auto starts = [&](std::string_view s) {
    return b.size() >= s.size() && std::memcmp(b.data(), s.data(), s.size()) == 0;
  };
  if (starts("\x89PNG")) return decode_png(b, name, limits);
  if (starts("\xff\xd8\xff")) return decode_jpeg(b, name, limits);
  if (starts("BM")) return decode_bmp(b, name, limits);
  throw_error("{}: not an image that can be read (PNG, JPEG or BMP).", name);
}

static Tensor crop(const Tensor& t, int64_t top, int64_t left, int64_t height, int64_t width) {
  Tensor r({height, width, t.dim(2)}, t.dtype());
  const size_t pixel = static_cast<size_t>(t.dim(2)) * dtype_size(t.dtype());
  for (int64_t y = 0; y < height; ++y)
    std::memcpy(static_cast<char*>(r.raw()) + static_cast<size_t>(y * width) * pixel,
                static_cast<const char*>(t.raw()) + static_cast<size_t>((y + top) * t.dim(1) + left) * pixel,
                static_cast<size_t>(width) * pixel);
  return r;
}

Tensor crop_to_aspect(const Tensor& t, int64_t height, int64_t width) {
  const int64_t h = std::max<int64_t>(1, std::min(t.dim(0), t.dim(1) * height / width)),
                w = std::max<int64_t>(1, std::min(t.dim(1), t.dim(0) * width / height));
  return crop(t, (t.dim(0) - h) / 2, (t.dim(1) - w) / 2, h, w);
}

}  // namespace glia::io

namespace glia::utils {

bool images_available() {
#ifdef GLIA_HAVE_IMAGES
  return true;
#else
  return false;
#endif
}

namespace {

// Weights of ITU-R 601 in 16-bit fixed point, as Pillow's.
uint8_t luma(const uint8_t* p) {
  return static_cast<uint8_t>((p[0] * 19595 + p[1] * 38470 + p[2] * 7471 + 0x8000) >> 16);
}

Tensor with_channels(const Tensor& t, const std::string& mode) {
  const int64_t want = mode == "grayscale" ? 1 : mode == "rgb" ? 3 : mode == "rgba" ? 4 : 0, have = t.dim(2);
  GLIA_CHECK(want, "load_img: color_mode must be \"rgb\", \"rgba\" or \"grayscale\". Received '{}'.", mode);
  if (want == have) return t;
  Tensor r({t.dim(0), t.dim(1), want}, DType::u8);
  const uint8_t* from = t.data<uint8_t>();
  uint8_t* to = r.data<uint8_t>();
  for (int64_t i = 0; i < t.dim(0) * t.dim(1); ++i, from += have, to += want) {
    if (want == 1) {
      to[0] = luma(from);
      continue;
    }
    for (int k = 0; k < 3; ++k) to[k] = from[have == 1 ? 0 : k];
    if (want == 4) to[3] = 255;
  }
  return r;
}

Tensor nearest(const Tensor& t, int64_t height, int64_t width) {
  Tensor r({height, width, t.dim(2)}, t.dtype());
  const size_t pixel = static_cast<size_t>(t.dim(2)) * dtype_size(t.dtype());
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const int64_t from = std::min(t.dim(0) - 1, (2 * y + 1) * t.dim(0) / (2 * height)) * t.dim(1) +
                           std::min(t.dim(1) - 1, (2 * x + 1) * t.dim(1) / (2 * width));
      std::memcpy(static_cast<char*>(r.raw()) + static_cast<size_t>(y * width + x) * pixel,
                  static_cast<const char*>(t.raw()) + static_cast<size_t>(from) * pixel, pixel);
    }
  return r;
}

struct Tap {
  int64_t low, high;
  float part;
};
std::vector<Tap> taps(int64_t from, int64_t to) {
  std::vector<Tap> r;
  for (int64_t i = 0; i < to; ++i) {
    const double at =
        std::max(0.0, (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5);
    const int64_t low = std::min(static_cast<int64_t>(at), from - 1);
    r.push_back({low, std::min(low + 1, from - 1), static_cast<float>(at - static_cast<double>(low))});
  }
  return r;
}
Tensor bilinear(const Tensor& image, int64_t height, int64_t width) {
  const Tensor t = image.astype(DType::f32);
  const int64_t c = t.dim(2), row = t.dim(1) * c;
  const std::vector<Tap> ys = taps(t.dim(0), height), xs = taps(t.dim(1), width);
  Tensor r({height, width, c});
  const float* p = t.data<float>();
  float* to = r.data<float>();
  for (const Tap& y : ys)
    for (const Tap& x : xs)
      for (int64_t k = 0; k < c; ++k) {
        const auto at = [&](int64_t i, int64_t j) { return p[i * row + j * c + k]; };
        const float top = at(y.low, x.low) + (at(y.low, x.high) - at(y.low, x.low)) * x.part;
        const float bottom = at(y.high, x.low) + (at(y.high, x.high) - at(y.high, x.low)) * x.part;
        *to++ = top + (bottom - top) * y.part;
      }
  return r;
}

Tensor bytes_of(const Tensor& t) {  // rounded and cut to 0 .. 255
  Tensor r(t.shape(), DType::u8);
  for (int64_t i = 0; i < t.size(); ++i)
    r.data<uint8_t>()[i] = static_cast<uint8_t>(std::clamp(std::nearbyint(t.data<float>()[i]), 0.0f, 255.0f));
  return r;
}

}  // namespace

Tensor resize_image(const Tensor& image, int64_t height, int64_t width, const std::string& interpolation) {
  GLIA_CHECK(image.defined() && image.rank() == 3, "resize_image: expected (height, width, channels). Received {}.",
             to_string(image.shape()));
  GLIA_CHECK(height > 0 && width > 0 && image.size() > 0,
             "resize_image: the sizes must be positive. Received {} x {} from {}.", height, width,
             to_string(image.shape()));
  if (interpolation == "nearest") return nearest(image, height, width);
  GLIA_CHECK(interpolation == "bilinear",
             "resize_image: interpolation must be \"nearest\" or \"bilinear\". Received '{}'.", interpolation);
  return bilinear(image, height, width);
}

Tensor load_img(const std::string& path, const LoadImgOptions& o) {
  const auto file = io::InputFile::open(path, o.limits.max_bytes)->read_all();
  Tensor t = with_channels(io::decode_image(file->bytes(), path, o.limits), o.color_mode);
  if (o.target_size.empty()) return t;
  GLIA_CHECK(o.target_size.size() == 2 && o.target_size[0] > 0 && o.target_size[1] > 0,
             "load_img: target_size is {{height, width}}. Received {}.", to_string(o.target_size));
  if (o.keep_aspect_ratio) t = io::crop_to_aspect(t, o.target_size[0], o.target_size[1]);
  t = resize_image(t, o.target_size[0], o.target_size[1], o.interpolation);
  return t.dtype() == DType::u8 ? t : bytes_of(t);
}

Tensor img_to_array(const Tensor& image) {
  GLIA_CHECK(image.rank() == 2 || image.rank() == 3,
             "img_to_array: expected (height, width) or (height, width, channels). Received {}.",
             to_string(image.shape()));
  const Tensor t = image.dtype() == DType::f32 ? image : image.astype(DType::f32);
  return t.rank() == 3 ? t : t.reshape({t.dim(0), t.dim(1), 1});
}

Tensor array_to_img(const Tensor& array, bool scale) {
  const Tensor t = img_to_array(array).clone();
  GLIA_CHECK(t.dim(2) == 1 || t.dim(2) == 3 || t.dim(2) == 4,
             "array_to_img: expected 1, 3 or 4 channels. Received {}.", to_string(array.shape()));
  if (scale && t.size()) {
    const auto [low, high] = std::minmax_element(t.data<float>(), t.data<float>() + t.size());
    const float from = *low, span = *high - *low;
    for (float& v : t.span<float>()) v = span > 0 ? (v - from) / span * 255.0f : 0.0f;
    Tensor r(t.shape(), DType::u8);  // Keras cuts the fraction off
    for (int64_t i = 0; i < t.size(); ++i) r.data<uint8_t>()[i] = static_cast<uint8_t>(t.data<float>()[i]);
    return r;
  }
  return bytes_of(t);
}

void save_img(const std::string& path, const Tensor& image, const SaveImgOptions& o) {
  GLIA_CHECK(o.quality >= 1 && o.quality <= 100, "save_img: quality must lie in 1 .. 100. Received {}.", o.quality);
  Tensor t = image.dtype() == DType::u8 ? (image.rank() == 3 ? image : image.reshape({image.dim(0), image.dim(1), 1}))
                                        : array_to_img(image, o.scale);
  GLIA_CHECK(t.dim(2) == 1 || t.dim(2) == 3 || t.dim(2) == 4, "save_img: expected 1, 3 or 4 channels. Received {}.",
             to_string(image.shape()));
  std::string ending = std::filesystem::path(path).extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (ending == ".png") return io::write_file(path, io::encode_png(t));
  if (t.dim(2) == 4) t = with_channels(t, "rgb");  // neither of the others has transparency
  if (ending == ".jpg" || ending == ".jpeg") return io::write_file(path, io::encode_jpeg(t, o.quality));
  if (ending == ".bmp") return io::write_file(path, io::encode_bmp(t));
  throw_error("save_img: '{}' must end in .png, .jpg, .jpeg or .bmp.", path);
}

}  // namespace glia::utils
