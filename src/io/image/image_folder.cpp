// image_dataset_from_directory.
#include <glia/image.h>
#include <glia/utils.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "base/philox.h"
#include "io/image/codec.h"

namespace glia::utils {

namespace fs = std::filesystem;

namespace {

struct Files {
  std::vector<std::string> class_names, file_paths;
  std::vector<int64_t> labels;
};

bool is_image(const fs::path& p) {
  std::string e = p.extension().string();
  for (char& c : e) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return e == ".png" || e == ".jpg" || e == ".jpeg" || e == ".bmp";
}
std::vector<std::string> images_below(const fs::path& folder) {
  std::vector<std::string> r;
  for (const auto& e : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied))
    if (e.is_regular_file() && is_image(e.path())) r.push_back(e.path().string());
  std::sort(r.begin(), r.end());
  return r;
}

std::vector<std::string> classes_of(const fs::path& folder, const ImageDatasetOptions& o) {
  std::vector<std::string> found;
  for (const auto& e : fs::directory_iterator(folder))
    if (e.is_directory() && e.path().filename().string()[0] != '.') found.push_back(e.path().filename().string());
  std::sort(found.begin(), found.end());
  if (o.class_names.empty()) return found;
  std::vector<std::string> given = o.class_names;
  std::sort(given.begin(), given.end());
  GLIA_CHECK(given == found,
             "image_dataset_from_directory: class_names must be the folders in '{}': {}. Received {}.",
             folder.string(), fmt::join(found, ", "), fmt::join(o.class_names, ", "));
  return o.class_names;
}

void list_files(Files& d, const fs::path& folder, const ImageDatasetOptions& o) {
  if (o.labels.empty()) {
    d.file_paths = images_below(folder);
    return;
  }
  d.class_names = classes_of(folder, o);
  GLIA_CHECK(!d.class_names.empty(),
             "image_dataset_from_directory: '{}' has no folders, but labels come from their names. Use .labels = "
             "\"\" for images without labels.",
             folder.string());
  for (size_t c = 0; c < d.class_names.size(); ++c)
    for (std::string& f : images_below(folder / d.class_names[c])) {
      d.file_paths.push_back(std::move(f));
      d.labels.push_back(static_cast<int64_t>(c));
    }
}

// The same permutation for both subsets, so that they share no file.
void choose_subset(Files& d, const ImageDatasetOptions& o) {
  const size_t n = d.file_paths.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  if (o.shuffle || o.validation_split > 0) {
    PhiloxStream rng(o.seed, 0x696d67);
    for (size_t i = n; i > 1; --i) std::swap(order[i - 1], order[rng.below(i)]);
  }
  const size_t held_out = static_cast<size_t>(o.validation_split * static_cast<double>(n));
  size_t first = 0, last = n;
  if (o.subset == "training")
    last = n - held_out;
  else if (o.subset == "validation")
    first = n - held_out;
  if (!o.shuffle)
    std::sort(order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(last));
  Files r;
  for (size_t i = first; i < last; ++i) {
    r.file_paths.push_back(d.file_paths[order[i]]);
    if (!d.labels.empty()) r.labels.push_back(d.labels[order[i]]);
  }
  d.file_paths = r.file_paths;
  d.labels = r.labels;
}

void check(const ImageDatasetOptions& o) {
  const char* name = "image_dataset_from_directory";
  GLIA_CHECK(o.labels == "inferred" || o.labels.empty(), "{}: labels must be \"inferred\" or empty. Received '{}'.",
             name, o.labels);
  GLIA_CHECK(o.label_mode == "int" || o.label_mode == "categorical" || o.label_mode == "binary",
             "{}: label_mode must be \"int\", \"categorical\" or \"binary\". Received '{}'.", name, o.label_mode);
  GLIA_CHECK(o.image_size.size() == 2 && o.image_size[0] > 0 && o.image_size[1] > 0,
             "{}: image_size is {{height, width}}. Received {}.", name, to_string(o.image_size));
  GLIA_CHECK(o.validation_split >= 0 && o.validation_split < 1,
             "{}: validation_split must lie in [0, 1). Received {}.", name, o.validation_split);
  GLIA_CHECK((o.validation_split > 0) == !o.subset.empty() &&
                 (o.subset.empty() || o.subset == "training" || o.subset == "validation"),
             "{}: validation_split and subset (\"training\" or \"validation\") go together. Received {} and '{}'.",
             name, o.validation_split, o.subset);
  GLIA_CHECK(o.batch_size >= 0, "{}: batch_size must not be negative. Received {}.", name, o.batch_size);
}

}  // namespace

ImageDataset image_dataset_from_directory(const std::string& directory, const ImageDatasetOptions& o) {
  check(o);
  GLIA_CHECK(fs::is_directory(directory), "image_dataset_from_directory: '{}' is no folder.", directory);
  Files d;
  list_files(d, directory, o);
  GLIA_CHECK(o.label_mode != "binary" || d.class_names.size() == 2 || o.labels.empty(),
             "image_dataset_from_directory: label_mode \"binary\" needs two classes. '{}' has {}.", directory,
             d.class_names.size());
  choose_subset(d, o);
  GLIA_CHECK(!d.file_paths.empty(),
             "image_dataset_from_directory: there are no images (.png .jpg .jpeg .bmp) below '{}'{}.", directory,
             o.subset.empty() ? "" : " for this subset");

  std::vector<int64_t> numbers(d.file_paths.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  const auto count = static_cast<int64_t>(numbers.size());
  Dataset data = Dataset::from_tensors(Tensor::from_vector<int64_t>({count}, numbers));
  if (o.shuffle) data = data.shuffle({.seed = o.seed});
  const auto classes = static_cast<int64_t>(d.class_names.size());
  data = data.map([files = d.file_paths, labels = d.labels, o, classes](Batch b) {
    const auto i = static_cast<size_t>(b.x[0].data<int64_t>()[0]);
    const int64_t h = o.image_size[0], w = o.image_size[1];
    Tensor image = load_img(files[i], {.color_mode = o.color_mode});
    if (o.crop_to_aspect_ratio) image = io::crop_to_aspect(image, h, w);
    if (image.dim(0) != h || image.dim(1) != w) image = resize_image(image, h, w, o.interpolation);
    Batch r;
    r.x = {image.astype(DType::f32)};
    if (labels.empty()) return r;
    const double label = static_cast<double>(labels[i]);
    if (o.label_mode == "int")
      r.y = {Tensor::scalar(label, DType::i32)};
    else if (o.label_mode == "binary")
      r.y = {Tensor::full({1}, label)};
    else {
      r.y = {Tensor::zeros({classes})};
      r.y[0].set_item(labels[i], 1);
    }
    return r;
  });
  if (o.batch_size > 0) data = data.batch(o.batch_size);
  return {data.prefetch(2), d.class_names, d.file_paths, d.labels};
}

}  // namespace glia::utils
