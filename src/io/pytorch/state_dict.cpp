// read_pytorch: the two containers of torch.save, and the tensors that the pickle describes.
#include <glia/pytorch.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "base/error.h"
#include "io/file/checked.h"
#include "io/file/input_file.h"
#include "io/file/path_name.h"
#include "io/pytorch/pickle.h"
#include "io/zip/zip.h"

namespace glia {
namespace io {
namespace {

using V = PickleValue;

struct StoredType {
  const char* storage;  // torch.FloatStorage; none: types of PyTorch 2 lie in untyped storages
  const char* dtype;    // torch.float32
  std::size_t bytes;
  DType type;
};
constexpr StoredType kTypes[] = {
    {"FloatStorage", "float32", 4, DType::f32}, {"DoubleStorage", "float64", 8, DType::f64},
    {"HalfStorage", "float16", 2, DType::f16},  {"BFloat16Storage", "bfloat16", 2, DType::bf16},
    {"LongStorage", "int64", 8, DType::i64},    {"IntStorage", "int32", 4, DType::i32},
    {"ShortStorage", "int16", 2, DType::i16},   {"CharStorage", "int8", 1, DType::i8},
    {"ByteStorage", "uint8", 1, DType::u8},     {"BoolStorage", "bool", 1, DType::bool_},
    {nullptr, "uint16", 2, DType::u16},         {nullptr, "uint32", 4, DType::u32},
    {nullptr, "uint64", 8, DType::u64},         {nullptr, "float8_e4m3fn", 1, DType::f8e4m3fn},
    {nullptr, "float8_e5m2", 1, DType::f8e5m2}, {nullptr, "float8_e4m3fnuz", 1, DType::f8e4m3fnuz},
    {nullptr, "float8_e5m2fnuz", 1, DType::f8e5m2fnuz}};

struct Storage {
  std::shared_ptr<void> owner;
  uint8_t* data = nullptr;
  uint64_t bytes = 0;
};

// Where the bytes of storages come from: a member of the zip, or behind the pickle in the old format.
using FindStorage = std::function<Storage(const std::string& key, uint64_t bytes)>;

class StateDict {
 public:
  StateDict(std::string path, const LoadLimits& limits, FindStorage find, uint64_t file_bytes)
      : path_(std::move(path)),
        limits_(limits),
        find_(std::move(find)),
        copies_left_(file_bytes * 16 + (uint64_t{16} << 20)) {}

  NamedTensors tensors(const V* root) {
    walk(root, "", 0);
    return std::move(found_);
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    throw_error("{}: '{}': {}", path_, printable(name), what);
  }

  void walk(const V* v, const std::string& name, int depth) {
    if (depth > limits_.max_nesting)
      fail(name,
           fmt::format("containers are nested more than {} deep, or contain themselves (LoadLimits::max_nesting).",
                       limits_.max_nesting));
    if (name.size() > limits_.max_name_length)
      fail(name,
           fmt::format("the name has more than {} bytes (LoadLimits::max_name_length).", limits_.max_name_length));
    if (v->kind == V::object) return add(v, name);
    if (v->kind != V::dict && v->kind != V::list && v->kind != V::tuple) return;
    if (++visits_[v] > 16) fail(name, "one container is used in more than 16 places.");
    auto inner = [&](const std::string& key) { return name.empty() ? key : name + "." + key; };
    for (std::size_t i = 0; i < v->items.size(); ++i) walk(v->items[i], inner(std::to_string(i)), depth + 1);
    for (auto& [key, value] : v->pairs) {
      bool leaf =
          value->kind != V::object && value->kind != V::dict && value->kind != V::list && value->kind != V::tuple;
      if (leaf) continue;
      if (key->kind == V::text)
        walk(value, inner(key->s), depth + 1);
      else if (key->kind == V::integer)
        walk(value, inner(std::to_string(key->i)), depth + 1);
    }
  }

  void add(const V* v, const std::string& name) {
    if (v->s == "torch._utils._rebuild_parameter" || v->s == "torch._utils._rebuild_parameter_with_state") {
      if (v->items.empty() || v->items[0]->kind != V::object || v->items[0] == v)
        fail(name, "a parameter without its tensor.");
      if (v->items[0]->s.starts_with("torch._utils._rebuild_parameter")) fail(name, "a parameter of a parameter.");
      return add(v->items[0], name);
    }
    if (!v->s.starts_with("torch._utils._rebuild_tensor")) return;  // torch.Size, torch.device
    if (found_.size() >= limits_.max_tensors)
      fail(name, fmt::format("more than {} tensors (LoadLimits::max_tensors).", limits_.max_tensors));
    if (!names_.insert(name).second) fail(name, "two tensors bear this name.");
    found_.emplace_back(name, tensor(v, name));
  }

  std::vector<int64_t> integers(const V* v, const std::string& name, const char* what) const {
    if (v->kind == V::object && v->s == "torch.Size" && v->items.size() == 1) v = v->items[0];
    if (v->kind != V::tuple && v->kind != V::list) fail(name, fmt::format("its {} is no tuple.", what));
    std::vector<int64_t> r;
    for (const V* i : v->items) {
      if (i->kind != V::integer || i->i < 0)
        fail(name, fmt::format("its {} holds something else than numbers from 0.", what));
      r.push_back(i->i);
    }
    if (r.size() > 32) fail(name, fmt::format("its {} has more than 32 entries.", what));
    return r;
  }

  // persistent id: ("storage", class, key, location, elements[, view])
  Tensor tensor(const V* v, const std::string& name) {
    bool v3 = v->s.ends_with("_v3");
    if (v->items.size() < (v3 ? 7 : 4) || v->items[0]->kind != V::persistent)
      fail(name, "a tensor without its storage.");
    const V* id = v->items[0];
    if (id->items.size() < 5 || id->items[0]->kind != V::text || id->items[0]->s != "storage" ||
        id->items[1]->kind != V::global || id->items[2]->kind != V::text || id->items[4]->kind != V::integer ||
        id->items[4]->i < 0)
      fail(name, "the description of its storage is damaged.");
    const V* dtype = v3 ? v->items[6] : id->items[1];
    const StoredType* type = nullptr;
    for (const StoredType& t : kTypes)
      if (const char* known = v3 ? t.dtype : t.storage; known && dtype->s == std::string("torch.") + known) type = &t;
    if (!type || dtype->kind != V::global)
      fail(name, "the dtype or storage '" + printable(dtype->s) + "' cannot be read.");
    bool untyped = id->items[1]->s == "torch.storage.UntypedStorage";
    auto bytes = checked_mul(static_cast<uint64_t>(id->items[4]->i), untyped ? 1 : type->bytes);
    if (!bytes) fail(name, "its storage is too large.");
    if (id->items.size() > 5 && id->items[5]->kind != V::none)
      fail(name, "views of storages, as PyTorch before 0.4 wrote them, cannot be read.");
    if (v->items[1]->kind != V::integer || v->items[1]->i < 0) fail(name, "its offset is no number from 0.");
    return view(name, *type, storage(id->items[2]->s, *bytes, name), static_cast<uint64_t>(v->items[1]->i),
                integers(v->items[2], name, "shape"), integers(v->items[3], name, "strides"));
  }

  const Storage& storage(const std::string& key, uint64_t bytes, const std::string& name) {
    auto it = storages_.find(key);
    if (it == storages_.end()) it = storages_.emplace(key, find_(key, bytes)).first;
    if (it->second.bytes < bytes)
      fail(name,
           fmt::format("its storage '{}' has {} bytes, {} are needed.", printable(key), it->second.bytes, bytes));
    return it->second;
  }

  Tensor view(const std::string& name, const StoredType& type, const Storage& s, uint64_t offset, const Shape& shape,
              const std::vector<int64_t>& strides) {
    if (shape.size() != strides.size()) fail(name, "shape and strides have different lengths.");
    auto count = checked_product(shape), needed = count ? checked_mul(*count, dtype_size(type.type)) : std::nullopt;
    if (!needed || *needed > limits_.max_bytes)
      fail(name, fmt::format("its shape {} is too large.", to_string(shape)));
    uint64_t elements = s.bytes / type.bytes, last = offset;
    for (std::size_t a = 0; a < shape.size() && *count > 0; ++a) {
      auto reach = checked_mul(static_cast<uint64_t>(shape[a] - 1), static_cast<uint64_t>(strides[a]));
      auto sum = reach ? checked_add(last, *reach) : std::nullopt;
      if (!sum) fail(name, "its strides are too large.");
      last = *sum;
    }
    if (*count > 0 && last >= elements)
      fail(name, fmt::format("shape {} and strides lead to element {} of a storage of {}.", to_string(shape), last,
                             elements));
    int64_t row = 1;
    bool dense = true;
    for (std::size_t a = shape.size(); a-- > 0; row *= shape[a])
      if (shape[a] != 1 && strides[a] != row) dense = false;
    uint8_t* from = s.data + offset * type.bytes;
    if ((dense || *count == 0) && *count > 0) return Tensor::wrap(shape, type.type, from, s.owner);
    if (*needed > copies_left_)
      fail(name, "the file's tensors repeat its storages too often; clone() them before saving.");
    copies_left_ -= *needed;
    return gathered(type, from, shape, strides);
  }

  static Tensor gathered(const StoredType& type, const uint8_t* from, const Shape& shape,
                         const std::vector<int64_t>& strides) {
    Tensor t(shape, type.type);
    std::vector<int64_t> index(shape.size(), 0);
    int64_t at = 0;
    std::size_t item = dtype_size(type.type);
    auto* out = static_cast<uint8_t*>(t.raw());
    for (int64_t i = 0; i < t.size(); ++i, out += item) {
      const uint8_t* p = from + static_cast<std::size_t>(at) * type.bytes;
      std::memcpy(out, p, item);
      for (std::size_t a = shape.size(); a-- > 0;) {
        at += strides[a];
        if (++index[a] < shape[a]) break;
        at -= strides[a] * shape[a];
        index[a] = 0;
      }
    }
    return t;
  }

  std::string path_;
  LoadLimits limits_;
  FindStorage find_;
  uint64_t copies_left_;
  std::map<std::string, Storage> storages_;
  std::map<const V*, int> visits_;
  std::set<std::string> names_;
  NamedTensors found_;
};

Storage own(std::vector<uint8_t> bytes) {
  auto keep = std::make_shared<std::vector<uint8_t>>(std::move(bytes));
  return {keep, keep->data(), keep->size()};
}

NamedTensors read_zip(const std::string& path, const LoadLimits& limits, uint64_t file_bytes) {
  ZipReader zip(path, limits);
  std::string root;
  bool found = false;
  for (auto& m : zip.members())
    if (m.name.ends_with("data.pkl") && (m.name.size() == 8 || m.name[m.name.size() - 9] == '/') && !found) {
      root = m.name.substr(0, m.name.size() - 8);
      found = true;
    }
  GLIA_CHECK(found, "{}: a zip archive without data.pkl, so nothing that torch.save wrote.", path);
  GLIA_CHECK(
      !zip.contains(root + "constants.pkl") || zip.contains(root + "byteorder") || !zip.contains(root + "code/"),
      "{}: a TorchScript archive. In Python: torch.save(model.state_dict(), path).", path);
  if (zip.contains(root + "byteorder"))
    GLIA_CHECK(zip.read_text(root + "byteorder", 64).starts_with("little"),
               "{}: was written on a big-endian machine, which cannot be read.", path);
  uint64_t left = limits.max_bytes;
  ByteReader in = zip.open(root + "data.pkl");
  Pickle pickle(file_bytes);
  const V* value = pickle.parse(in, limits);
  in.expect_end();
  auto find = [&](const std::string& key, uint64_t) {
    std::vector<uint8_t> bytes = zip.read(root + "data/" + key, left);
    left -= bytes.size();
    return own(std::move(bytes));
  };
  return StateDict(path, limits, find, file_bytes).tensors(value);
}

// Magic number, protocol, machine (pickles); the object; the list of storage keys; then for each its length and
// bytes.
NamedTensors read_legacy(const std::string& path, const LoadLimits& limits, const std::shared_ptr<InputFile>& file) {
  ByteReader in = file->reader();
  Pickle header(file->size()), object(file->size()), list(file->size());
  header.parse(in, limits);
  const V* protocol = header.parse(in, limits);
  GLIA_CHECK(protocol->kind == V::integer && protocol->i == 1001,
             "{}: offset {}: an unknown version of PyTorch's old format.", path, in.offset());
  const V* machine = header.parse(in, limits);
  if (machine->kind == V::dict)
    for (auto& [k, v] : machine->pairs)
      GLIA_CHECK(k->s != "little_endian" || v->kind != V::boolean || v->i,
                 "{}: was written on a big-endian machine, which cannot be read.", path);
  const V* value = object.parse(in, limits);
  const V* keys = list.parse(in, limits);
  GLIA_CHECK(keys->kind == V::list, "{}: offset {}: the list of storages is missing.", path, in.offset());
  // The lengths are in elements, whose size only the pickle tells.
  std::map<std::string, uint64_t> item;
  for (const V& v : object.values())
    if (v.kind == V::persistent && v.items.size() >= 3 && v.items[1]->kind == V::global &&
        v.items[2]->kind == V::text)
      for (const StoredType& t : kTypes)
        if (t.storage && v.items[1]->s == std::string("torch.") + t.storage) item[v.items[2]->s] = t.bytes;
  struct Place {
    uint64_t offset, bytes;
  };
  std::map<std::string, Place> places;
  uint64_t at = in.offset();
  for (const V* k : keys->items) {
    auto it = item.find(k->s);
    GLIA_CHECK(it != item.end(), "{}: offset {}: the storage '{}' is described nowhere.", path, at,
               printable(k->s));
    uint64_t count = 0;
    file->read_at(at, &count, sizeof count);
    auto bytes = checked_mul(count, it->second);
    at += sizeof count;
    GLIA_CHECK(bytes && *bytes <= file->size() - at,
               "{}: offset {}: the storage '{}' claims {} elements; the file ends {} bytes behind.", path, at - 8,
               printable(k->s), count, file->size() - at);
    places[k->s] = {at, *bytes};
    at += *bytes;
  }
  auto find = [&](const std::string& key, uint64_t) {
    auto it = places.find(key);
    GLIA_CHECK(it != places.end(), "{}: the storage '{}' is missing.", path, printable(key));
    std::vector<uint8_t> bytes(it->second.bytes);
    file->read_at(it->second.offset, bytes.data(), bytes.size());
    return own(std::move(bytes));
  };
  return StateDict(path, limits, find, file->size()).tensors(value);
}

}  // namespace
}  // namespace io

NamedTensors read_pytorch(const std::string& path, const LoadOptions& options) {
  auto file = io::InputFile::open(path);
  GLIA_CHECK(file->size() >= 4, "{}: offset 0: too short for a file of PyTorch ({} bytes).", path, file->size());
  uint8_t bytes[14] = {};
  file->read_at(0, bytes, std::min<uint64_t>(file->size(), sizeof bytes));
  if (std::memcmp(bytes, "PK\3\4", 4) == 0) return io::read_zip(path, options.limits, file->size());
  constexpr uint8_t magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                               0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};  // behind PROTO n
  GLIA_CHECK(file->size() >= 14 && bytes[0] == 0x80 && std::memcmp(bytes + 2, magic, sizeof magic) == 0,
             "{}: offset 0: not a file of torch.save: neither a zip archive nor its older format.", path);
  return io::read_legacy(path, options.limits, file);
}

}  // namespace glia
