#if GLIA_HAVE_HDF5
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "io/hdf5/h5_handle.h"
#include "io/hdf5/h5_native.h"

namespace glia::io::hdf5::native {
namespace {

void check(bool ok, const std::string& what) { GLIA_CHECK(ok, "save: HDF5 cannot write '{}': {}.", what, library_error()); }

Handle half_type() {
  Handle t(H5Tcopy(H5T_IEEE_F32LE), H5Tclose);
  H5Tset_fields(t, 15, 10, 5, 0, 10);
  H5Tset_size(t, 2);
  H5Tset_ebias(t, 15);
  return t;
}
Handle bool_type() {  // as h5py keeps booleans
  Handle t(H5Tenum_create(H5T_STD_I8LE), H5Tclose);
  for (int8_t v : {0, 1}) H5Tenum_insert(t, v ? "TRUE" : "FALSE", &v);
  return t;
}
Handle number_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return {H5Tcopy(H5T_IEEE_F32LE), H5Tclose};
    case DType::f64: return {H5Tcopy(H5T_IEEE_F64LE), H5Tclose};
    case DType::f16: return half_type();
    case DType::bf16: {  // Keras: two bytes without a type, and an attribute that names it
      Handle t(H5Tcreate(H5T_OPAQUE, 2), H5Tclose);
      H5Tset_tag(t, "");
      return t;
    }
    case DType::i32: return {H5Tcopy(H5T_STD_I32LE), H5Tclose};
    case DType::i64: return {H5Tcopy(H5T_STD_I64LE), H5Tclose};
    case DType::u8: return {H5Tcopy(H5T_STD_U8LE), H5Tclose};
    case DType::i8: return {H5Tcopy(H5T_STD_I8LE), H5Tclose};
    case DType::bool_: return bool_type();
    case DType::i16: return {H5Tcopy(H5T_STD_I16LE), H5Tclose};
    case DType::u16: return {H5Tcopy(H5T_STD_U16LE), H5Tclose};
    case DType::u32: return {H5Tcopy(H5T_STD_U32LE), H5Tclose};
    case DType::u64: return {H5Tcopy(H5T_STD_U64LE), H5Tclose};
    default: throw_error("HDF5 files hold no {} as Keras writes them. Cast the array to float16 or int8 first.", dtype_name(dtype));
  }
  return {-1, H5Tclose};
}
Handle text_type(int64_t fixed) {
  Handle t(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(t, fixed > 0 ? static_cast<std::size_t>(fixed) : H5T_VARIABLE);
  if (fixed > 0) H5Tset_strpad(t, H5T_STR_NULLPAD);
  else H5Tset_cset(t, H5T_CSET_UTF8);
  return t;
}
Handle space_of(const Shape& shape) {
  if (shape.empty()) return {H5Screate(H5S_SCALAR), H5Sclose};
  std::vector<hsize_t> dims(shape.begin(), shape.end());
  return {H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), H5Sclose};
}

// The memory that H5Awrite and H5Dwrite take for this array.
struct Source {
  std::vector<const char*> pointers;
  std::string packed;
  const void* data = nullptr;
  explicit Source(const Array& a) {
    if (!a.is_text) {
      data = a.tensor.craw();
    } else if (a.fixed_length > 0) {
      packed.assign(a.strings.size() * static_cast<std::size_t>(a.fixed_length), '\0');
      for (std::size_t i = 0; i < a.strings.size(); ++i)
        std::memcpy(packed.data() + i * static_cast<std::size_t>(a.fixed_length), a.strings[i].data(), a.strings[i].size());
      data = packed.data();
    } else {
      for (const std::string& s : a.strings) pointers.push_back(s.c_str());
      data = pointers.data();
    }
  }
};
Handle type_of(const Array& a) { return a.is_text ? text_type(a.fixed_length) : number_type(a.tensor.dtype()); }
const Shape& shape_of(const Array& a) { return a.is_text ? a.shape : a.tensor.shape(); }
int64_t count_of(const Array& a) { return num_elements(shape_of(a)); }

void write_attributes(hid_t owner, const Attributes& attributes) {
  for (const auto& [name, a] : attributes) {
    Handle type = type_of(a), space = space_of(shape_of(a));
    Handle id(H5Acreate2(owner, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    check(static_cast<bool>(id), "@" + name);
    Source source(a);
    if (count_of(a) > 0) check(H5Awrite(id, type, source.data) >= 0, "@" + name);
  }
}

void write_group(hid_t id, const Group& group) {
  write_attributes(id, group.attributes);
  for (const auto& [name, a] : group.arrays) {
    Handle type = type_of(a), space = space_of(shape_of(a)), plist(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(plist, false);
    Handle set(H5Dcreate2(id, name.c_str(), type, space, H5P_DEFAULT, plist, H5P_DEFAULT), H5Dclose);
    check(static_cast<bool>(set), name);
    Source source(a);
    if (count_of(a) > 0) check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, source.data) >= 0, name);
    write_attributes(set, a.attributes);
    if (!a.is_text && a.tensor.dtype() == DType::bf16) write_attributes(set, {{"dtype", Array::text("bfloat16")}});
  }
  for (const auto& [name, child] : group.groups) {
    Handle g(H5Gcreate2(id, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
    check(static_cast<bool>(g), name);
    write_group(g, *child);
  }
}

}  // namespace

std::string write(const Group& root) {
  prepare_library();
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fapl_core(access, 4 << 20, 0);
  H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
  Handle file(H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose);
  check(static_cast<bool>(file), "a file in memory");
  {
    Handle top(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
    write_group(top, root);
  }
  check(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0, "a file in memory");
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check(size > 0, "a file in memory");
  std::string bytes(static_cast<std::size_t>(size), '\0');
  check(H5Fget_file_image(file, bytes.data(), bytes.size()) == size, "a file in memory");
  return bytes;
}

}  // namespace glia::io::hdf5::native
#endif
