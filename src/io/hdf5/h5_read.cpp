#if GLIA_HAVE_HDF5
#include <algorithm>
#include <cstring>
#include <set>

#include "base/error.h"
#include "io/file/checked.h"
#include "io/file/path_name.h"
#include "io/hdf5/h5_handle.h"
#include "io/hdf5/h5_native.h"
#include "io/hdf5/sandbox.h"

namespace glia::io::hdf5::native {
namespace {

// How items of a file's type are read.
struct Items {
  enum Kind { skipped, numbers, text } kind = skipped;
  DType dtype = DType::f32;
  hid_t memory = -1;       // a predefined type; -1: the file's own type, little-endian
  bool opaque = false;
  bool variable = false;   // text
  std::size_t length = 0;  // fixed text
};

Items integer_items(std::size_t size, bool is_signed) {
  Items t{Items::numbers};
  switch (size) {
    case 1: t.dtype = is_signed ? DType::i8 : DType::u8, t.memory = is_signed ? H5T_NATIVE_INT8 : H5T_NATIVE_UINT8; break;
    case 2: t.dtype = is_signed ? DType::i16 : DType::u16, t.memory = is_signed ? H5T_NATIVE_INT16 : H5T_NATIVE_UINT16; break;
    case 4: t.dtype = is_signed ? DType::i32 : DType::u32, t.memory = is_signed ? H5T_NATIVE_INT32 : H5T_NATIVE_UINT32; break;
    default: t.dtype = is_signed ? DType::i64 : DType::u64, t.memory = is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64;
  }
  return t;
}

Items float_items(hid_t type, std::size_t size) {
  Items t{Items::numbers};
  if (size == 4) t.dtype = DType::f32, t.memory = H5T_NATIVE_FLOAT;
  else if (size == 2) {
    std::size_t spos, epos, esize, mpos, msize;
    if (H5Tget_fields(type, &spos, &epos, &esize, &mpos, &msize) < 0) return {};
    t.dtype = esize == 8 ? DType::bf16 : DType::f16;
  } else t.dtype = DType::f64, t.memory = H5T_NATIVE_DOUBLE;
  return t;
}

Items items_of(hid_t type) {
  const std::size_t size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: return integer_items(size, H5Tget_sign(type) == H5T_SGN_2);
    case H5T_FLOAT: return float_items(type, size);
    case H5T_ENUM: {
      Items t{Items::numbers};
      t.dtype = DType::bool_;
      return size == 1 ? t : Items{};
    }
    case H5T_OPAQUE: {
      Items t{Items::numbers};
      t.dtype = DType::bf16, t.opaque = true;
      return size == 2 ? t : Items{};
    }
    case H5T_STRING: {
      Items t{Items::text};
      t.variable = H5Tis_variable_str(type) > 0;
      t.length = size;
      return t;
    }
    default: return {};
  }
}

class Reader {
 public:
  Reader(std::string name, uint64_t file_bytes, const LoadLimits& limits) : name_(std::move(name)), bytes_(file_bytes), limits_(limits) {}
  Group read(hid_t file);

 private:
  Group group(hid_t id, const std::string& path, int depth);
  void child(hid_t parent, const std::string& child_name, const std::string& path, int depth, Group& out);
  Array dataset(hid_t id, const std::string& path);
  void attributes(hid_t id, const std::string& path, Attributes& out);
  template <class Read>
  bool values(hid_t type, hid_t space, uint64_t stored, const std::string& path, Read read, Array& out);
  template <class Read>
  void text(const Items& t, hid_t type, hid_t space, uint64_t count, const std::string& path, Read read, Array& out);
  Shape extents(hid_t space, const std::string& path) const;
  void charge(uint64_t bytes, const std::string& path);
  [[noreturn]] void fail(const std::string& path, const std::string& text) const {
    throw_error("{}: '{}': {}", name_, printable(path.empty() ? "/" : path), text);
  }
  [[noreturn]] void fail_library(const std::string& path) const { fail(path, "damaged: " + library_error() + "."); }

  std::string name_;
  uint64_t bytes_, used_ = 0, arrays_ = 0;
  LoadLimits limits_;
  std::set<haddr_t> seen_;
};

Shape Reader::extents(hid_t space, const std::string& path) const {
  if (H5Sget_simple_extent_type(space) == H5S_NULL) return {0};
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > H5S_MAX_RANK) fail_library(path);
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank) + 1);
  if (H5Sget_simple_extent_dims(space, dims.data(), nullptr) < 0) fail_library(path);
  Shape s;
  for (int i = 0; i < rank; ++i) {
    if (dims[static_cast<std::size_t>(i)] > (hsize_t{1} << 62)) fail(path, "an extent is too large.");
    s.push_back(static_cast<int64_t>(dims[static_cast<std::size_t>(i)]));
  }
  return s;
}

void Reader::charge(uint64_t bytes, const std::string& path) {
  used_ += bytes;
  if (used_ > limits_.max_bytes || ++arrays_ > limits_.max_tensors)
    fail(path, fmt::format("the file unpacks to more than the limits given: {} bytes, {} arrays.", limits_.max_bytes, limits_.max_tensors));
}

template <class Read>
void Reader::text(const Items& t, hid_t type, hid_t space, uint64_t count, const std::string& path, Read read, Array& out) {
  out.is_text = true;
  out.fixed_length = t.variable ? 0 : static_cast<int64_t>(t.length);
  if (count > bytes_ + (1 << 20)) fail(path, fmt::format("it claims {} texts, more than the file's bytes.", count));
  if (!t.variable) {
    const auto all = checked_mul(count, t.length);
    if (!all || *all > bytes_ + (uint64_t{64} << 20)) fail(path, "its texts are longer than the file.");
    charge(*all, path);
    std::string raw(static_cast<std::size_t>(*all), '\0');
    if (count > 0 && read(type, raw.data()) < 0) fail_library(path);
    for (uint64_t i = 0; i < count; ++i) {
      std::string s = raw.substr(static_cast<std::size_t>(i * t.length), t.length);
      s.resize(std::strlen(s.c_str()) < s.size() ? std::strlen(s.c_str()) : s.size());
      out.strings.push_back(std::move(s));
    }
    return;
  }
  charge(count * sizeof(char*), path);
  std::vector<char*> pointers(static_cast<std::size_t>(count), nullptr);
  Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(memory, H5T_VARIABLE);
  H5Tset_cset(memory, H5Tget_cset(type));
  if (count > 0 && read(memory, pointers.data()) < 0) fail_library(path);
  for (char* p : pointers) out.strings.emplace_back(p ? p : "");
  if (count > 0) H5Dvlen_reclaim(memory, space, H5P_DEFAULT, pointers.data());
  for (const std::string& s : out.strings) charge(s.size(), path);
}

// Reads the items of a dataset or attribute. False for a type that has no meaning here (references, compounds).
template <class Read>
bool Reader::values(hid_t type, hid_t space, uint64_t stored, const std::string& path, Read read, Array& out) {
  const Items t = items_of(type);
  if (t.kind == Items::skipped) return false;
  Shape shape = extents(space, path);
  if (t.kind == Items::text) {
    const auto count = checked_product(shape);
    if (!count) fail(path, "its shape is too large.");
    out.shape = shape;
    text(t, type, space, *count, path, read, out);
    return true;
  }
  const auto wanted = checked_product(shape, dtype_size(t.dtype));
  // Deflate makes at most 1,032 of 1; what claims more has no data behind it.
  const uint64_t honest = (uint64_t{16} << 20) + 1032 * std::min(stored, uint64_t{1} << 50);
  if (!wanted || *wanted > honest)
    fail(path, fmt::format("it claims shape {} but only {} bytes are stored.", to_string(shape), stored));
  charge(*wanted, path);
  grant_child_time(*wanted);
  out.opaque = t.opaque;
  out.tensor = Tensor::zeros(shape, t.dtype);
  if (*wanted == 0) return true;
  if (t.memory >= 0) {
    if (read(t.memory, out.tensor.raw()) < 0) fail_library(path);
    return true;
  }
  Handle memory(H5Tcopy(type), H5Tclose);
  if (!t.opaque) H5Tset_order(memory, H5T_ORDER_LE);
  if (read(memory, out.tensor.raw()) < 0) fail_library(path);
  if (t.dtype == DType::bool_)
    for (auto *p = static_cast<uint8_t*>(out.tensor.raw()), *end = p + out.tensor.size(); p != end; ++p) *p = *p != 0;
  return true;
}

void Reader::attributes(hid_t id, const std::string& path, Attributes& out) {
  H5O_info_t info;
  if (H5Oget_info2(id, &info, H5O_INFO_NUM_ATTRS) < 0) fail_library(path);
  if (info.num_attrs > limits_.max_tensors) fail(path, "it has too many attributes.");
  for (hsize_t i = 0; i < info.num_attrs; ++i) {
    Handle a(H5Aopen_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_NATIVE, i, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (!a) fail_library(path);
    const ssize_t length = H5Aget_name(a, 0, nullptr);
    if (length < 0 || static_cast<uint64_t>(length) > limits_.max_name_length) fail(path, "an attribute's name is too long.");
    std::string attribute(static_cast<std::size_t>(length), '\0');
    H5Aget_name(a, attribute.size() + 1, attribute.data());
    Handle type(H5Aget_type(a), H5Tclose), space(H5Aget_space(a), H5Sclose);
    if (!type || !space) fail_library(path);
    Array v;
    auto read = [&](hid_t memory, void* to) { return H5Aread(a, memory, to); };
    if (values(type, space, bytes_, path + "@" + attribute, read, v)) out.emplace(std::move(attribute), std::move(v));
  }
}

Array Reader::dataset(hid_t id, const std::string& path) {
  Handle plist(H5Dget_create_plist(id), H5Pclose);
  if (!plist) fail_library(path);
  if (H5Pget_layout(plist) == H5D_VIRTUAL) fail(path, "a virtual dataset leads to other files, which is refused.");
  if (H5Pget_external_count(plist) > 0) fail(path, "its data lies in another file, which is refused.");
  Handle type(H5Dget_type(id), H5Tclose), space(H5Dget_space(id), H5Sclose);
  if (!type || !space) fail_library(path);
  Array v;
  auto read = [&](hid_t memory, void* to) { return H5Dread(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, to); };
  const uint64_t stored = H5Dget_storage_size(id);
  if (stored > bytes_ * 4 + (1 << 20)) fail(path, fmt::format("it claims {} stored bytes in a file of {}.", stored, bytes_));
  if (!values(type, space, stored, path, read, v)) fail(path, "its type is neither numbers nor text.");
  attributes(id, path, v.attributes);
  return v;
}

void Reader::child(hid_t parent, const std::string& child_name, const std::string& path, int depth, Group& out) {
  H5L_info_t link;
  if (H5Lget_info(parent, child_name.c_str(), &link, H5P_DEFAULT) < 0) fail_library(path);
  if (link.type != H5L_TYPE_HARD) fail(path, "a link to another place or file, which is refused.");
  Handle id(H5Oopen(parent, child_name.c_str(), H5P_DEFAULT), H5Oclose);
  if (!id) fail_library(path);
  const H5I_type_t kind = H5Iget_type(id);
  if (kind == H5I_GROUP) out.groups[child_name] = std::make_unique<Group>(group(id, path, depth + 1));
  else if (kind == H5I_DATASET) out.arrays[child_name] = dataset(id, path);
}

Group Reader::group(hid_t id, const std::string& path, int depth) {
  if (depth > limits_.max_nesting) fail(path, fmt::format("groups are nested more than {} deep.", limits_.max_nesting));
  H5O_info_t info;
  if (H5Oget_info2(id, &info, H5O_INFO_BASIC) < 0) fail_library(path);
  if (!seen_.insert(info.addr).second) fail(path, "the same group is reached by two ways.");
  Group g;
  attributes(id, path, g.attributes);
  std::vector<std::string> names;
  auto collect = [](hid_t, const char* n, const H5L_info_t*, void* list) -> herr_t {
    auto* l = static_cast<std::vector<std::string>*>(list);
    if (l->size() > 10'000'000) return -1;
    l->emplace_back(n);
    return 0;
  };
  if (H5Literate(id, H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, collect, &names) < 0) fail_library(path);
  for (const std::string& n : names) {
    if (n.size() > limits_.max_name_length) fail(path, "a name is too long.");
    child(id, n, path.empty() ? n : path + "/" + n, depth, g);
  }
  return g;
}

Group Reader::read(hid_t file) {
  Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
  if (!root) fail_library("");
  return group(root, "", 0);
}

Group read_open(Handle file, const std::string& name, uint64_t bytes, const LoadLimits& limits) {
  if (!file) throw_error("{}: damaged or not an HDF5 file: {}.", name, library_error());
  return Reader(name, bytes, limits).read(file);
}

}  // namespace

Group read_image(std::span<const uint8_t> bytes, const std::string& name, const LoadLimits& limits) {
  prepare_library();
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, 1 << 20, 0);
  H5Pset_file_image(access, const_cast<uint8_t*>(bytes.data()), bytes.size());  // copied
  return read_open(Handle(H5Fopen("memory", H5F_ACC_RDONLY, access), H5Fclose), name, bytes.size(), limits);
}

Group read_path(const std::string& path, uint64_t bytes, const LoadLimits& limits) {
  prepare_library();
  return read_open(Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose), path, bytes, limits);
}

}  // namespace glia::io::hdf5::native
#endif
