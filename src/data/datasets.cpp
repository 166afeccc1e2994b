#include <glia/datasets.h>
#include <glia/readers.h>

#include <array>

#include "base/error.h"
#include "io/file/byte_reader.h"
#include "data/cifar.h"
#include "data/locate.h"
#include "data/tar.h"

namespace glia::datasets {
namespace {
using data::FileSet;
using data::Paths;

// float32 = uint8 / 255, as `x.astype("float32") / 255` computes it.
Tensor scaled(const Tensor& bytes, Shape shape) {
  std::array<float, 256> table;
  for (int i = 0; i < 256; ++i) table[static_cast<std::size_t>(i)] = static_cast<float>(i) / 255.0f;
  Tensor out(std::move(shape));
  const uint8_t* src = bytes.data<uint8_t>();
  float* dst = out.data<float>();
  for (int64_t i = 0; i < bytes.size(); ++i) dst[i] = table[src[i]];
  return out;
}

FileSet idx_set(const std::string& dataset, std::vector<std::string> folders, const std::vector<std::string>& bases,
                const std::array<const char*, 4>& sums) {
  FileSet set{dataset, std::move(folders), {}};
  constexpr const char* kNames[4] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                     "t10k-labels-idx1-ubyte"};
  for (std::size_t i = 0; i < 4; ++i) {
    std::string gz = std::string(kNames[i]) + ".gz";
    data::RemoteFile f{{gz, kNames[i]}, {}, sums[i]};
    for (const std::string& base : bases) f.urls.push_back(base + gz);
    set.files.push_back(std::move(f));
  }
  return set;
}

FileSet mnist_set() {
  return idx_set("MNIST", {"mnist", "MNIST/raw", ""},
                 {"https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"},
                 {"440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                  "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"});
}

// No "" among the folders: the file names are MNIST's.
FileSet fashion_set() {
  return idx_set("Fashion-MNIST", {"fashion_mnist", "fashion-mnist", "fashion", "FashionMNIST/raw"},
                 {"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"},
                 {"3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                  "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                  "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                  "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"});
}

Split idx_split(const std::filesystem::path& images, const std::filesystem::path& labels, bool raw) {
  Tensor x = read_idx(images.string()), y = read_idx(labels.string());
  GLIA_CHECK(x.dtype() == DType::u8 && x.rank() == 3, "{}: expected uint8 images of rank 3. Received {} {}.",
             images.string(), dtype_name(x.dtype()), to_string(x.shape()));
  GLIA_CHECK(y.dtype() == DType::u8 && y.rank() == 1 && y.dim(0) == x.dim(0),
             "{}: expected {} uint8 labels, one for each image. Received {} {}.", labels.string(), x.dim(0),
             dtype_name(y.dtype()), to_string(y.shape()));
  if (!raw) x = scaled(x, {x.dim(0), x.dim(1), x.dim(2), 1});
  return {x, y.astype(DType::i32)};
}

TrainTest load_idx(const FileSet& set, const Options& options) {
  Paths p = data::locate(set, options);
  return {idx_split(p[0], p[1], options.raw), idx_split(p[2], p[3], options.raw)};
}

const std::vector<std::string> kCifarFolders = {"cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin", ""};

FileSet cifar_set() {
  FileSet set{"CIFAR-10", kCifarFolders, {}};
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                           "data_batch_5.bin", "test_batch.bin"})
    set.files.push_back({{name}, {}, ""});
  return set;
}
FileSet cifar_subset() {
  return {"CIFAR-10 (subset)", kCifarFolders, {{{"cifar10_train_10k.bin"}, {}, ""}, {{"cifar10_test_2k.bin"}, {}, ""}}};
}
FileSet cifar_archive() {
  return {"CIFAR-10", kCifarFolders,
          {{{"cifar-10-binary.tar.gz"}, {"https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"},
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"}}};
}

FileSet vowels_set() {
  return {"JapaneseVowels", {"series_tab/uea_ucr", "japanese_vowels", ""},
          {{{"JapaneseVowels_TRAIN.ts"}, {}, ""}, {{"JapaneseVowels_TEST.ts"}, {}, ""}}};
}
FileSet shakespeare_set() {
  return {"tiny shakespeare", {"tinyshakespeare", "tiny_shakespeare"},
          {{{"input.txt"},
            {"https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"},
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"}}};
}

Split cifar_split(const std::vector<data::NamedBytes>& files, bool raw) {
  auto [x, y] = data::cifar10_from_records(files);
  return {raw ? x : scaled(x, x.shape()), y};
}

std::vector<data::NamedBytes> read_files(const Paths& paths) {
  std::vector<data::NamedBytes> out;
  for (const auto& p : paths) out.push_back({p.string(), io::ByteReader(p).read_rest(uint64_t{1} << 32)});
  return out;
}

// The six files of the official archive, in cifar_set()'s order.
std::vector<data::NamedBytes> read_archive(const std::filesystem::path& archive) {
  std::vector<data::NamedBytes> out;
  for (const auto& f : cifar_set().files) out.push_back({f.names[0], {}});
  data::for_each_tar_member(archive.string(), [&](const std::string& name, std::vector<uint8_t> bytes) {
    for (auto& file : out) {
      if (std::filesystem::path(name).filename() == file.name) file.bytes = std::move(bytes);
    }
  });
  for (auto& file : out) file.name = archive.string() + ": " + file.name;
  return out;
}

}  // namespace

TrainTest mnist(const Options& options) { return load_idx(mnist_set(), options); }
TrainTest fashion_mnist(const Options& options) { return load_idx(fashion_set(), options); }

TrainTest cifar10(const Options& options) {
  std::vector<data::NamedBytes> files;
  if (auto whole = data::find_local(cifar_set(), options)) {
    files = read_files(*whole);
  } else if (auto archive = data::find_local(cifar_archive(), options)) {
    files = read_archive(archive->front());
  } else if (auto subset = data::find_local(cifar_subset(), options)) {
    files = read_files(*subset);
  } else {
    files = read_archive(data::locate(cifar_archive(), options).front());
  }
  std::vector<data::NamedBytes> test;
  test.push_back(std::move(files.back()));
  files.pop_back();
  return {cifar_split(files, options.raw), cifar_split(test, options.raw)};
}

SequenceTrainTest japanese_vowels(const Options& options) {
  Paths p = data::locate(vowels_set(), options);
  constexpr int64_t kLongest = 29;
  Sequences train = read_ts(p[0].string(), {.maxlen = kLongest}), test = read_ts(p[1].string(), {.maxlen = kLongest});
  return {{train.x, train.y, train.lengths}, {test.x, test.y, test.lengths}};
}

std::string tiny_shakespeare(const Options& options) {
  return read_text(data::locate(shakespeare_set(), options).front().string());
}

bool available(const std::string& name, const Options& options) {
  auto has = [&](const FileSet& set) { return data::find_local(set, options).has_value(); };
  if (name == "digits") return true;
  if (name == "mnist") return has(mnist_set());
  if (name == "fashion_mnist") return has(fashion_set());
  if (name == "cifar10") return has(cifar_set()) || has(cifar_archive()) || has(cifar_subset());
  if (name == "japanese_vowels") return has(vowels_set());
  if (name == "tiny_shakespeare") return has(shakespeare_set());
  const std::vector<std::string> known = {"mnist", "fashion_mnist", "cifar10", "digits", "japanese_vowels",
                                          "tiny_shakespeare"};
  throw_error("datasets::available: unknown dataset '{}'.{}", name, did_you_mean(name, known));
}

}  // namespace glia::datasets
