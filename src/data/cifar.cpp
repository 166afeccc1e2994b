#include "data/cifar.h"

#include <glia/readers.h>

#include "base/error.h"
#include "io/file/byte_reader.h"

namespace glia {

std::pair<Tensor, Tensor> data::cifar10_from_records(const std::vector<NamedBytes>& files) {
  constexpr int64_t kPixels = 32 * 32, kRecord = 1 + 3 * kPixels;
  int64_t n = 0;
  for (const NamedBytes& f : files) {
    auto bytes = static_cast<int64_t>(f.bytes.size());
    GLIA_CHECK(bytes > 0 && bytes % kRecord == 0,
               "{}: not a CIFAR-10 file: {} bytes is no multiple of {} (one label and 3 x 32 x 32 pixels).", f.name, bytes,
               kRecord);
    n += bytes / kRecord;
  }
  Tensor x({n, 32, 32, 3}, DType::u8), y({n}, DType::i32);
  uint8_t* px = x.data<uint8_t>();
  int32_t* py = y.data<int32_t>();
  for (const NamedBytes& f : files) {
    const uint8_t* end = f.bytes.data() + f.bytes.size();
    for (const uint8_t* r = f.bytes.data(); r != end; r += kRecord, px += 3 * kPixels) {
      GLIA_CHECK(r[0] < 10, "{}: record {} has the label {}. Expected 0 to 9.", f.name, (r - f.bytes.data()) / kRecord,
                 r[0]);
      *py++ = r[0];
      for (int64_t i = 0; i < kPixels; ++i) {
        for (int64_t c = 0; c < 3; ++c) px[3 * i + c] = r[1 + c * kPixels + i];
      }
    }
  }
  return {x, y};
}

std::pair<Tensor, Tensor> read_cifar10(const std::vector<std::string>& paths) {
  std::vector<data::NamedBytes> files;
  for (const std::string& path : paths) files.push_back({path, io::ByteReader(path).read_rest(uint64_t{1} << 32)});
  return data::cifar10_from_records(files);
}

}  // namespace glia
