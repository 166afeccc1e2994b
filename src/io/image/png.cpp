#include "base/error.h"
#include "io/image/codec.h"

#ifdef GLIA_HAVE_IMAGES
#include <png.h>

#include <cstring>

namespace glia::io {

namespace {
struct Image {  // freed whatever happens
  png_image p{};
  Image() { p.version = PNG_IMAGE_VERSION; }
  ~Image() { png_image_free(&p); }
};

// libpng stops at the last pixel; a file that is cut behind it, or among its chunks, is damaged all the same. Returns how many
// bytes of packed pixels there are.
uint64_t check_chunks(std::span<const uint8_t> bytes, const std::string& name) {
  uint64_t packed = 0;
  for (size_t at = 8;;) {
    GLIA_CHECK(bytes.size() >= at + 12, "{}: damaged PNG: offset {}: the file ends without its last chunk, IEND.", name, at);
    const uint8_t* p = bytes.data() + at;
    const size_t length = size_t{p[0]} << 24 | size_t{p[1]} << 16 | size_t{p[2]} << 8 | p[3];
    GLIA_CHECK(length <= bytes.size() - at - 12, "{}: damaged PNG: offset {}: a chunk of {} bytes goes beyond the end.", name, at,
               length);
    if (std::memcmp(p + 4, "IEND", 4) == 0) return packed;
    if (std::memcmp(p + 4, "IDAT", 4) == 0) packed += length;
    at += 12 + length;
  }
}
}  // namespace

Tensor decode_png(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits) {
  const uint64_t packed = check_chunks(bytes, name);
  Image image;
  GLIA_CHECK(png_image_begin_read_from_memory(&image.p, bytes.data(), bytes.size()), "{}: damaged PNG: {}.", name,
             image.p.message);
  const bool colour = image.p.format & PNG_FORMAT_FLAG_COLOR, alpha = image.p.format & PNG_FORMAT_FLAG_ALPHA;
  // Grey stays grey (libpng would weigh colours itself); colour keeps its transparency for the caller to drop.
  image.p.format = colour || alpha ? (alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB) : PNG_FORMAT_GRAY;
  const int64_t channels = PNG_IMAGE_SAMPLE_CHANNELS(image.p.format), height = image.p.height, width = image.p.width;
  check_image_size(height, width, channels, name, limits);
  // Deflate makes at most 1,032 of 1, and a pixel may be one bit.
  GLIA_CHECK(static_cast<uint64_t>(height) * static_cast<uint64_t>(width) / 8 <= 1032 * bytes.size(),
             "{}: damaged PNG: it claims {} x {} pixels, which its {} bytes cannot hold.", name, height, width, bytes.size());
  // What is packed behind the last pixel would be unpacked as well. At most 8 bytes a pixel, 7 passes of rows, packed badly.
  const uint64_t most = 4096 + 2 * static_cast<uint64_t>(height) * (8 * static_cast<uint64_t>(width) + 7);
  GLIA_CHECK(packed <= most, "{}: damaged PNG: {} bytes of packed pixels for {} x {} pixels.", name, packed, height, width);
  Tensor t({height, width, channels}, DType::u8);
  GLIA_CHECK(png_image_finish_read(&image.p, nullptr, t.raw(), 0, nullptr), "{}: damaged PNG: {}.", name,
             image.p.message);
  return t;
}

std::string encode_png(const Tensor& t) {
  Image image;
  image.p.height = static_cast<png_uint_32>(t.dim(0));
  image.p.width = static_cast<png_uint_32>(t.dim(1));
  image.p.format = t.dim(2) == 1 ? PNG_FORMAT_GRAY : t.dim(2) == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image.p);
  std::string out(size, '\0');
  GLIA_CHECK(png_image_write_to_memory(&image.p, out.data(), &size, 0, t.raw(), 0, nullptr), "save_img: {}.",
             image.p.message);
  out.resize(size);
  return out;
}

}  // namespace glia::io
#endif
