// Zip archives through libzip: members by name, read within limits and checked by their CRC; archives written beside
// and renamed. .npz, .keras and PyTorch's .pt are such archives.
//
//   ZipReader zip("model.keras");
//   std::string config = zip.read_text("config.json", 32 << 20);
//   ByteReader in = zip.open("weights/0.npy");                 // streams
//
//   ZipWriter out("arrays.npz");
//   out.add("a.npy", {header_bytes, data_bytes});              // the memory stays alive until commit()
//   out.add_copy("readme.txt", text, {.deflate = true});
//   out.commit();
#pragma once
#include <glia/load_options.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file/byte_reader.h"

namespace glia::io {

class ZipReader {
 public:
  struct Member {
    std::string name;
    uint64_t size = 0;  // unpacked, as the directory claims it
    uint64_t packed_size = 0;
  };
  // Throws Error for a file that is no zip archive, two members of one name, and more members or longer names than
  // allowed.
  explicit ZipReader(const std::string& path, const LoadLimits& limits = {});

  const std::vector<Member>& members() const { return members_; }  // in the order of the file
  bool contains(const std::string& name) const { return index_.count(name) > 0; }
  const Member& member(const std::string& name) const;  // throws Error with "did you mean"

  // Unpacks piece by piece; the end of the stream checks the CRC, so call expect_end(). Valid as long as this object.
  ByteReader open(const std::string& name) const;
  // The whole member. Throws Error when it unpacks to more than `limit` bytes, or to another size than the directory
  // says.
  std::vector<uint8_t> read(const std::string& name, uint64_t limit = UINT64_MAX) const;
  std::string read_text(const std::string& name, uint64_t limit = UINT64_MAX) const;
  const std::string& path() const { return path_; }

 private:
  ByteReader open_within(const std::string& name, uint64_t limit) const;
  std::string path_;
  LoadLimits limits_;
  std::shared_ptr<void> zip_;  // zip_t
  std::vector<Member> members_;
  std::map<std::string, std::size_t> index_;
};

struct ZipEntryOptions {
  bool deflate = false;  // else stored as it is
};

class ZipWriter {
 public:
  explicit ZipWriter(std::string path);
  ~ZipWriter();
  ZipWriter(const ZipWriter&) = delete;
  // A member made of the pieces one after another; their memory must stay alive until commit().
  void add(const std::string& name, std::vector<std::span<const uint8_t>> pieces, ZipEntryOptions options = {});
  void add_copy(const std::string& name, std::string bytes, ZipEntryOptions options = {});
  // Writes the archive. Every member bears the date 1980-01-01, so equal content gives equal files.
  void commit();

 private:
  struct Entry;
  std::string path_;
  std::list<Entry> entries_;
};

}  // namespace glia::io
