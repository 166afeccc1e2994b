#if GLIA_HAVE_HDF5
#include "io/hdf5/h5_handle.h"

#include "io/hdf5/h5_native.h"

namespace glia::io::hdf5::native {

std::unique_lock<std::mutex> lock() {
  static std::mutex mutex;
  return std::unique_lock<std::mutex>(mutex);
}

void prepare_library() {
  static const bool done = [] {
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);  // a file may not make us load code
    return true;
  }();
  (void)done;
}

std::string library_error() {
  std::string text;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* e, void* out) -> herr_t {
        if (n == 0 && e->desc) *static_cast<std::string*>(out) = e->desc;
        return 0;
      },
      &text);
  H5Eclear2(H5E_DEFAULT);
  return text.empty() ? "unknown failure" : text;
}

}  // namespace glia::io::hdf5::native
#endif
