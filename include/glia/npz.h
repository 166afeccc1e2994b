// NumPy's array files: .npy holds one array, .npz a zip archive of named ones. What numpy.save, savez and
// savez_compressed write is read, and the other way round.
//
//   write_npz("data.npz", {{"x", x}, {"y", y}});               // np.load("data.npz")["x"]
//   std::map<std::string, Tensor> arrays = read_npz("data.npz");
//   Tensor w = read_npy("w.npy");
//
// Dtypes: float16, float32, float64, int8, uint8, int32, int64, bool; bfloat16 as ml_dtypes stores it (two-byte
// "void"). int16 and uint16 are read as int32, uint32 and uint64 as int64 (Error for values that do not fit). Both
// byte orders and Fortran order are read. Strings, of bytes ("S", as they are) and of Unicode ("U", to UTF-8), are read by
// read_npz_arrays and read_npy_strings and written as "U". Arrays of objects hold pickled Python code and are refused, as are
// records.
//
// Errors: glia::Error naming the file, the member and the offset for a missing or damaged file, and for one beyond
// the limits; what is written appears under its name only when it is complete.
#pragma once
#include <map>
#include <string>

#include <glia/load_options.h>
#include <glia/string_tensor.h>
#include <glia/tensor.h>

namespace glia {

struct NpzOptions {
  bool compress = false;  // deflate, as numpy.savez_compressed
};

Tensor read_npy(const std::string& path, const LoadOptions& options = {});
void write_npy(const std::string& path, const Tensor& array);
// By name, without the ending ".npy" that the members bear.
std::map<std::string, Tensor> read_npz(const std::string& path, const LoadOptions& options = {});
void write_npz(const std::string& path, const std::map<std::string, Tensor>& arrays, const NpzOptions& options = {});


// Archives that may hold strings as well.
struct NpzArrays {
  std::map<std::string, Tensor> numbers;
  std::map<std::string, StringTensor> strings;
};
NpzArrays read_npz_arrays(const std::string& path, const LoadOptions& options = {});
void write_npz_arrays(const std::string& path, const NpzArrays& arrays, const NpzOptions& options = {});
StringTensor read_npy_strings(const std::string& path, const LoadOptions& options = {});

}  // namespace glia
