// Owners for libhdf5's handles, and its error text.
//
//   Handle set(H5Dopen2(group, "0", H5P_DEFAULT), H5Dclose);
//   if (!set) ...
#pragma once
#define H5_USE_110_API 1
#include <hdf5.h>

#include <string>
#include <utility>

namespace glia::io::hdf5::native {

class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& o) noexcept : id_(std::exchange(o.id_, -1)), close_(o.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT: used as the handle it owns
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void prepare_library();       // no messages on stderr, no plugins; once
std::string library_error();  // the innermost message of the last failure, which is cleared

}  // namespace glia::io::hdf5::native
