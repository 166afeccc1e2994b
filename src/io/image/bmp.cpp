// BMP: uncompressed, 8 (palette), 24 or 32 bits. Layout: Microsoft, BITMAPINFOHEADER.
#include <algorithm>

#include "base/error.h"
#include "io/image/codec.h"

namespace glia::io {

void check_image_size(int64_t height, int64_t width, int64_t channels, const std::string& name,
                      const LoadLimits& limits) {
  GLIA_CHECK(height > 0 && width > 0, "{}: an image of {} x {} pixels is empty.", name, height, width);
  GLIA_CHECK(height <= kMaxPixels / width && static_cast<uint64_t>(height * width * channels) <= limits.max_bytes,
             "{}: an image of {} x {} pixels is beyond the limit.", name, height, width);
}

Tensor decode_bmp(std::span<const uint8_t> b, const std::string& name, const LoadLimits& limits) {
  const auto need = [&](size_t n, const char* what) {
    GLIA_CHECK(n <= b.size(), "{}: damaged BMP: the file ends in the {} (offset {}).", name, what, b.size());
  };
  const auto number = [&](size_t at, int n) {
    uint32_t v = 0;
    for (int i = n; i-- > 0;) v = v << 8 | b[at + static_cast<size_t>(i)];
    return v;
  };
  need(54, "header");
  const uint32_t data = number(10, 4), header = number(14, 4), bits = number(28, 2), compression = number(30, 4);
  const int64_t width = static_cast<int32_t>(number(18, 4)), signed_height = static_cast<int32_t>(number(22, 4));
  const int64_t height = signed_height < 0 ? -signed_height : signed_height;
  GLIA_CHECK(bits == 8 || bits == 24 || bits == 32, "{}: a BMP of {} bits a pixel is not supported (8, 24 or 32).",
             name, bits);
  GLIA_CHECK(compression == 0 || (compression == 3 && bits == 32),
             "{}: a compressed BMP (method {}) is not supported.", name, compression);
  check_image_size(height, width, 3, name, limits);
  const size_t bytes = bits / 8, row = (static_cast<size_t>(width) * bytes + 3) / 4 * 4,
               palette = 14 + static_cast<size_t>(header);
  need(static_cast<size_t>(data) + row * static_cast<size_t>(height), "pixels");
  const size_t colours = bits != 8 ? 0 : number(46, 4) == 0 ? 256 : std::min<uint32_t>(number(46, 4), 256);
  need(palette + 4 * colours, "palette");
  Tensor t({height, width, 3}, DType::u8);
  uint8_t* to = t.data<uint8_t>();
  for (int64_t y = 0; y < height; ++y) {
    const size_t from = data + row * static_cast<size_t>(signed_height < 0 ? y : height - 1 - y);
    for (int64_t x = 0; x < width; ++x, to += 3) {
      size_t at = from + static_cast<size_t>(x) * bytes;
      if (bits == 8) {
        GLIA_CHECK(b[at] < colours, "{}: damaged BMP: colour {} of {} at offset {}.", name, b[at], colours, at);
        at = palette + size_t{4} * b[at];
      }
      to[0] = b[at + 2], to[1] = b[at + 1], to[2] = b[at];
    }
  }
  return t;
}

std::string encode_bmp(const Tensor& t) {
  const int64_t height = t.dim(0), width = t.dim(1), channels = t.dim(2);
  const size_t row = (static_cast<size_t>(width) * 3 + 3) / 4 * 4, size = 54 + row * static_cast<size_t>(height);
  std::string out(size, '\0');
  const auto put = [&](size_t at, uint64_t v, int n) {
    for (int i = 0; i < n; ++i) out[at + static_cast<size_t>(i)] = static_cast<char>(v >> (8 * i));
  };
  out[0] = 'B', out[1] = 'M';
  put(2, size, 4), put(10, 54, 4), put(14, 40, 4), put(18, static_cast<uint64_t>(width), 4),
      put(22, static_cast<uint64_t>(height), 4);
  put(26, 1, 2), put(28, 24, 2), put(34, size - 54, 4);
  const uint8_t* from = t.data<uint8_t>();
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t k = 0; k < 3; ++k)
        out[54 + row * static_cast<size_t>(height - 1 - y) + static_cast<size_t>(3 * x + k)] =
            static_cast<char>(from[(y * width + x) * channels + (channels == 1 ? 0 : 2 - k)]);
  return out;
}

}  // namespace glia::io
