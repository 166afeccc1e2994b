#include <glia/readers.h>

#include "base/error.h"
#include "data/text_limit.h"
#include "io/file/byte_reader.h"

namespace glia {

std::string read_text(const std::string& path) { return io::read_whole(path, text_limit(path)); }

CharVocabulary::CharVocabulary(std::string_view text) {
  bool seen[256] = {};
  for (unsigned char c : text) seen[c] = true;
  for (int c = 0; c < 256; ++c) {
    id_[c] = -1;
    if (seen[c]) id_[c] = static_cast<int16_t>(chars_.size()), chars_ += static_cast<char>(c);
  }
}

Tensor CharVocabulary::encode(std::string_view text) const {
  Tensor out({static_cast<int64_t>(text.size())}, DType::i32);
  int32_t* p = out.data<int32_t>();
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    GLIA_CHECK(id_[c] >= 0, "CharVocabulary::encode: the character {} (byte 0x{:02x}) at position {} is not in the "
               "vocabulary of {} characters. Build the vocabulary from all the text.",
               c >= 32 && c < 127 ? std::string{'\'', text[i], '\''} : std::string("?"), c, i, chars_.size());
    p[i] = id_[c];
  }
  return out;
}

std::string CharVocabulary::decode(const Tensor& ids) const {
  std::string out;
  for (int64_t i = 0; i < ids.size(); ++i) {
    double id = ids.item(i);
    GLIA_CHECK(id >= 0 && id < static_cast<double>(chars_.size()),
               "CharVocabulary::decode: the id {} at position {} is outside 0 to {}.", id, i, chars_.size() - 1);
    out += chars_[static_cast<std::size_t>(id)];
  }
  return out;
}

}  // namespace glia
