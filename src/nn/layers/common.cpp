#include "nn/layers/common.h"

#include <algorithm>

namespace glia::nn {

void check_rank(const std::string& title, const Shape& shape, size_t rank, const char* axes) {
  GLIA_CHECK(shape.size() == rank, "{}: expected an input of rank {}, {}. Received shape {} (rank {}).", title, rank, axes,
             to_string(shape), shape.size());
}
void check_min_rank(const std::string& title, const Shape& shape, size_t rank) {
  GLIA_CHECK(shape.size() >= rank, "{}: expected an input of rank {} or more, the batch axis first. Received shape {} (rank {}).",
             title, rank, to_string(shape), shape.size());
}
Value as_float(const Layer& layer, const Value& x) {
  return is_float(x.dtype()) ? x : ops::cast(x, layer.compute_dtype()).with_mask(x.mask());
}
void check_last_axis(const std::string& title, const Shape& shape, int64_t expected) {
  GLIA_CHECK(shape.back() == expected || shape.back() < 0,
             "{}: the last axis of the input is {} but the layer was built for {}. Received shape {}. Use a new layer, or bring "
             "the input to {} features first.",
             title, shape.back(), expected, to_string(shape), expected);
}
void check_input_count(const std::string& title, size_t got, size_t expected) {
  GLIA_CHECK(got == expected, "{}: expected {} inputs. Received {}. Call it as layer({{a, b}}).", title, expected, got);
}
void check_data_format(const std::string& title, const std::string& data_format) {
  check_one_of(title, "data_format", data_format, {"channels_last", "channels_first"});
}
void check_one_of(const std::string& title, const char* what, const std::string& given, std::vector<std::string> known) {
  if (std::find(known.begin(), known.end(), given) != known.end()) return;
  throw_error("{}: unknown {} \"{}\". Expected one of: \"{}\".{}", title, what, given, fmt::join(known, "\", \""),
              did_you_mean(given, known));
}
int64_t known_channels(const std::string& title, const Shape& shape, bool channels_first) {
  int64_t channels = channels_first ? shape[1] : shape.back();
  GLIA_CHECK(channels >= 0, "{}: the channel axis of the input must be known. Received shape {} with data_format \"{}\".", title,
             to_string(shape), channels_first ? "channels_first" : "channels_last");
  return channels;
}
Ints per_axis(const std::string& title, const char* what, const Ints& given, size_t axes) {
  if (given.size() == 1) return Ints(axes, given[0]);
  GLIA_CHECK(given.size() == axes, "{}: {} needs one number, or one for each of the {} spatial axes. Received {} numbers.", title,
             what, axes, given.size());
  return given;
}
void axis_field(Fields& f, const char* name, Ints& axes) {
  if (f.reading() || axes.size() != 1) return f(name, axes);
  int64_t axis = axes[0];
  f(name, axis);
}

}  // namespace glia::nn
