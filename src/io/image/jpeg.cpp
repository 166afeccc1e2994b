#include "base/error.h"
#include "io/image/codec.h"

#ifdef GLIA_HAVE_IMAGES
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <jpeglib.h>

namespace glia::io {

namespace {

// libjpeg reports by a function that must not return; what it says is kept for the Error.
struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX];
};
[[noreturn]] void on_error(j_common_ptr info) {
  Errors* e = reinterpret_cast<Errors*>(info->err);
  info->err->format_message(info, e->message);
  std::longjmp(e->back, 1);
}
void on_message(j_common_ptr) {}
// A file that ends early or has damaged data is an error, not a grey stripe.
void on_warning(j_common_ptr info, int level) {
  if (level < 0) on_error(info);
}
jpeg_error_mgr* prepare(Errors& e) {
  jpeg_std_error(&e.base);
  e.base.error_exit = on_error;
  e.base.output_message = on_message;
  e.base.emit_message = on_warning;
  e.message[0] = '\0';
  return &e.base;
}

// Every scan of a progressive file passes over the whole image, and costs next to nothing in bytes.
constexpr int kMaxScans = 100;
void on_progress(j_common_ptr info) {
  if (info->is_decompressor && reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans) {
    std::snprintf(reinterpret_cast<Errors*>(info->err)->message, JMSG_LENGTH_MAX, "more than %d scans", kMaxScans);
    std::longjmp(reinterpret_cast<Errors*>(info->err)->back, 1);
  }
}

// The parts between setjmp and longjmp hold no object with a destructor.
bool read_header(jpeg_decompress_struct& d, Errors& e, const uint8_t* bytes, size_t n) {
  if (setjmp(e.back)) return false;
  jpeg_create_decompress(&d);
  jpeg_mem_src(&d, bytes, n);
  jpeg_read_header(&d, TRUE);
  d.out_color_space = d.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  if (d.jpeg_color_space == JCS_CMYK || d.jpeg_color_space == JCS_YCCK) d.out_color_space = JCS_CMYK;
  jpeg_calc_output_dimensions(&d);
  return true;
}
bool read_rows(jpeg_decompress_struct& d, Errors& e, uint8_t* out, size_t row_bytes) {
  if (setjmp(e.back)) return false;
  jpeg_start_decompress(&d);
  while (d.output_scanline < d.output_height) {
    JSAMPROW row = out + d.output_scanline * row_bytes;
    jpeg_read_scanlines(&d, &row, 1);
  }
  jpeg_finish_decompress(&d);
  return true;
}
struct Picture {
  const uint8_t* data;
  int64_t height, width, channels;
};
bool write_rows(jpeg_compress_struct& c, Errors& e, const Picture& p, int quality, unsigned char** out,
                unsigned long* size) {
  if (setjmp(e.back)) return false;
  jpeg_create_compress(&c);
  jpeg_mem_dest(&c, out, size);
  c.image_height = static_cast<JDIMENSION>(p.height);
  c.image_width = static_cast<JDIMENSION>(p.width);
  c.input_components = static_cast<int>(p.channels);
  c.in_color_space = c.input_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&c);
  jpeg_set_quality(&c, quality, TRUE);
  jpeg_start_compress(&c, TRUE);
  while (c.next_scanline < c.image_height) {
    JSAMPROW row = const_cast<uint8_t*>(p.data) + c.next_scanline * p.width * p.channels;
    jpeg_write_scanlines(&c, &row, 1);
  }
  jpeg_finish_compress(&c);
  return true;
}

// Inverted CMYK, as Adobe writes it.
Tensor rgb_of_cmyk(const Tensor& t) {
  Tensor r({t.dim(0), t.dim(1), 3}, DType::u8);
  const uint8_t* from = t.data<uint8_t>();
  uint8_t* to = r.data<uint8_t>();
  for (int64_t i = 0; i < t.dim(0) * t.dim(1); ++i)
    for (int k = 0; k < 3; ++k) to[3 * i + k] = static_cast<uint8_t>(from[4 * i + k] * from[4 * i + 3] / 255);
  return r;
}

}  // namespace

Tensor decode_jpeg(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits) {
  jpeg_decompress_struct d{};
  Errors e;
  d.err = prepare(e);
  struct Destroy {
    jpeg_decompress_struct& d;
    ~Destroy() { jpeg_destroy_decompress(&d); }
  } destroy{d};
  GLIA_CHECK(read_header(d, e, bytes.data(), bytes.size()), "{}: damaged JPEG: {}.", name, e.message);
  const int64_t channels = d.out_color_space == JCS_GRAYSCALE ? 1 : d.out_color_space == JCS_CMYK ? 4 : 3;
  check_image_size(d.output_height, d.output_width, channels, name, limits);
  // A block of 8 x 8 takes a bit at least (arithmetic codes: a small part of one); without bytes there is no image.
  const int64_t most = static_cast<int64_t>(bytes.size()) * 512 * (d.arith_code ? 64 : 1);
  GLIA_CHECK(static_cast<int64_t>(d.output_height) * d.output_width <= most + 65536,
             "{}: damaged JPEG: it claims {} x {} pixels, its {} bytes cannot hold more than {}.", name, d.output_height,
             d.output_width, bytes.size(), most);
  jpeg_progress_mgr progress{};
  progress.progress_monitor = on_progress;
  d.progress = &progress;
  Tensor t({d.output_height, d.output_width, channels}, DType::u8);
  GLIA_CHECK(read_rows(d, e, t.data<uint8_t>(), static_cast<size_t>(d.output_width) * static_cast<size_t>(channels)),
             "{}: damaged JPEG: {}.", name, e.message);
  return channels == 4 ? rgb_of_cmyk(t) : t;
}

std::string encode_jpeg(const Tensor& t, int quality) {
  jpeg_compress_struct c{};
  Errors e;
  c.err = prepare(e);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  const bool ok = write_rows(c, e, {t.data<uint8_t>(), t.dim(0), t.dim(1), t.dim(2)}, quality, &out, &size);
  std::string r;
  if (ok) r.assign(reinterpret_cast<char*>(out), size);
  std::free(out);
  jpeg_destroy_compress(&c);
  GLIA_CHECK(ok, "save_img: {}.", e.message);
  return r;
}

}  // namespace glia::io
#endif
