// Files that lie, made by hand: each must be refused with a glia::Error.
#pragma once
#include <filesystem>

#include "fuzz/harness.h"
#include "io/zip/zip.h"

namespace glia::fuzz {

using namespace std::string_literals;  // for bytes that hold zeros

// Bytes of an archive with these members.
inline Bytes zip_of(const NamedBytes& members, bool deflate = false) {
  std::string path =
      (std::filesystem::temp_directory_path() / ("glia_fuzz_zip_" + std::to_string(getpid()))).string();
  {
    io::ZipWriter zip(path);
    for (auto& [name, bytes] : members) zip.add_copy(name, bytes, {.deflate = deflate});
    zip.commit();
  }
  Bytes r = file_of(path);
  std::filesystem::remove(path);
  return r;
}

inline Bytes npy_of(const std::string& dict, const Bytes& data = "", int version = 1) {
  Bytes r("\x93NUMPY", 6);
  r += static_cast<char>(version);
  r += '\0';
  put(r, dict.size(), version == 1 ? 2 : 4);
  return r + dict + data;
}
inline std::string npy_dict(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

inline NamedBytes npy_by_hand(const Bytes&) {
  NamedBytes r;
  auto add = [&](const char* name, Bytes b) { r.emplace_back(name, std::move(b)); };
  for (const char* shape : {"(4611686018427387904, 4)", "(9223372036854775807,)", "(4294967296, 4294967296, 0, 1)",
                            "(1000000000000,)", "(1073741824, 0, 8589934592, 1073741824)", "(-1,)",
                            "(18446744073709551616,)", "(2,", "(2 3)", "2", "(1.5,)", "(0x10,)", "('a',)", "((1,),)"})
    add(shape, npy_of(npy_dict("<f4", shape), "abcdabcd"));
  for (const char* descr : {"|O", "<U8", "|S4", "<c8", "<f16", "<i3", "", "f", "<M8[s]", "\x1b[2J"})
    add(descr, npy_of(npy_dict(descr, "(1,)"), "abcdabcd"));
  std::string many(300, '1');
  for (std::size_t i = 1; i < many.size(); i += 2) many[i] = ',';
  add("150 axes", npy_of(npy_dict("<f4", "(" + many + ")"), "abcd"));
  add("nested", npy_of(std::string(60000, '('), ""));
  add("a header of 4 GB", Bytes("\x93NUMPY\2\0\xff\xff\xff\xff", 12) + "{");
  add("version 9", npy_of(npy_dict("<f4", "(1,)"), "abcd", 9));
  add("a key twice", npy_of("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "abcd"));
  add("text behind", npy_of(npy_dict("<f4", "(1,)") + " import os", "abcd"));
  add("more data", npy_of(npy_dict("<f4", "(1,)"), "abcde"));
  add("nothing", "");
  return r;
}

// What any archive may do wrong, whatever it holds.
inline NamedBytes zip_by_hand(const Bytes& valid) {
  NamedBytes r;
  auto add = [&](const char* name, Bytes b) { r.emplace_back(name, std::move(b)); };
  std::size_t end = valid.rfind(Bytes("PK\5\6", 4)), directory = valid.find(Bytes("PK\1\2", 4));
  auto write = [](Bytes& b, std::size_t at, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) b[at + static_cast<std::size_t>(i)] = static_cast<char>(v >> (8 * i));
  };
  auto patched = [&](std::size_t at, uint64_t v, int bytes) {
    Bytes b = valid;
    write(b, at, v, bytes);
    return b;
  };
  auto every_entry = [&](std::size_t field, uint64_t v, int bytes) {  // whichever members the loader reads
    Bytes b = valid;
    for (std::size_t at = directory; at != Bytes::npos; at = valid.find(Bytes("PK\1\2", 4), at + 4))
      write(b, at + field, v, bytes);
    return b;
  };
  if (valid.find(Bytes("PK\6\6", 4)) == Bytes::npos) {  // else these are told, and read, elsewhere
    add("65535 members", patched(end + 10, 0xffff, 2));
    add("a directory of 4 GB", patched(end + 12, 0xfffffffe, 4));
    add("a directory behind the end", patched(end + 16, 0xfffffff0, 4));
  }
  add("wrong CRC", every_entry(16, 0x12345678, 4));
  add("a packed size of 4 GB", every_entry(20, 0xfffffff0, 4));
  add("an unpacked size of 4 GB", every_entry(24, 0xfffffff0, 4));
  add("zip64 without its field", every_entry(24, 0xffffffff, 4));
  add("a name of 65535 bytes", every_entry(28, 0xffff, 2));
  add("an extra field of 65535 bytes", every_entry(30, 0xffff, 2));
  add("an unknown method", every_entry(10, 77, 2));
  add("data behind the end", every_entry(42, 0x7ffffff0, 4));
  add("no directory", valid.substr(0, directory));
  add("only a directory", valid.substr(directory));
  add("a hundred ends", [&] {
    Bytes b;
    for (int i = 0; i < 100; ++i) b += Bytes("PK\5\6", 4) + Bytes(18, '\xff');
    return b;
  }());
  return r;
}

// A member that unpacks to 96 MB though its header speaks of little: only little may be unpacked.
inline const Bytes& zeros() {
  static const Bytes z(std::size_t{96} << 20, '\0');
  return z;
}

inline NamedBytes npz_by_hand(const Bytes& valid) {
  NamedBytes r = zip_by_hand(valid);
  for (auto& [name, bytes] : npy_by_hand("")) r.emplace_back("npy: " + name, zip_of({{"a.npy", bytes}}));
  r.emplace_back("bomb", zip_of({{"a.npy", npy_of(npy_dict("<f4", "(4,)"), zeros())}}, true));
  Bytes twice = zip_of(
      {{"a.npy", npy_of(npy_dict("<f4", "(1,)"), "abcd")}, {"b.npy", npy_of(npy_dict("<f4", "(1,)"), "abcd")}});
  r.emplace_back("two of one name", replaced(twice, "b.npy", "a.npy"));
  r.emplace_back("no array", zip_of({{"readme.txt", "hello"}}));
  return r;
}

inline Bytes safetensors_of(const std::string& json, const Bytes& data = "") {
  Bytes r;
  put(r, json.size(), 8);
  return r + json + data;
}

inline NamedBytes safetensors_by_hand(const Bytes&) {
  NamedBytes r;
  auto add = [&](const std::string& name, Bytes b) { r.emplace_back(name, std::move(b)); };
  auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return "{\"a\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
  };
  for (const char* shape :
       {"[4611686018427387904,4]", "[9223372036854775807]", "[18446744073709551615]", "[-1]", "[1.0]", "[\"1\"]",
        "[[1]]", "null", "{}", "1", "[1e3]", "[4294967296,4294967296]", "[99999999999999999999]", "[true]"})
    add(shape, safetensors_of(entry("\"F32\"", shape, "[0,4]"), "abcd"));
  for (const char* offsets : {"[4,0]", "[0,18446744073709551615]", "[18446744073709551612,18446744073709551615]",
                              "[0]", "[0,4,8]", "[-4,0]", "null", "[0,\"4\"]", "[1,5]"})
    add(offsets, safetensors_of(entry("\"F32\"", "[1]", offsets), "abcd"));
  for (const char* dtype : {"\"F8_E5M2\"", "\"\"", "null", "7", "\"f32\"", "\"\\u0000\""})
    add(dtype, safetensors_of(entry(dtype, "[1]", "[0,4]"), "abcd"));
  add("nested", safetensors_of(std::string(200000, '['), ""));
  add("nested objects", safetensors_of(
                            [] {
                              std::string s;
                              for (int i = 0; i < 50000; ++i) s += "{\"a\":";
                              return s;
                            }(),
                            ""));
  add("a header of 2^63 bytes", "\0\0\0\0\0\0\0\x80{}"s);
  add("a header of 100 MB", "\0\0\x40\x06\0\0\0\0{}"s);
  add("no UTF-8", safetensors_of("{\"\xff\xfe\":1}"));
  add("a long name",
      safetensors_of("{\"" + std::string(5000, 'n') + "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                     "abcd"));
  add("a list", safetensors_of("[]"));
  add("text behind", safetensors_of("{} x"));
  add("a name twice", safetensors_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],"
                                     "\"data_offsets\":[0,4]}}", "abcd"));
  add("a hundred thousand tensors without data", safetensors_of([] {
        std::string s = "{";
        for (int i = 0; i < 100000; ++i) s += "\"" + std::to_string(i) + "\":0,";
        return s + "\"x\":0}";
      }()));
  add("seven bytes", "1234567");
  return r;
}

// The old format round one pickle; `keys` is the pickle of the list of storages.
inline Bytes legacy_of(const Bytes& pickle, const Bytes& keys = "]", const Bytes& storages = "") {
  return Bytes("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.", 25) +
         "\x80\x02" + pickle + ".\x80\x02" + keys + "." + storages;
}

// {"w": tensor} with its numbers as given, and a storage of 8 floats.
inline Bytes pickled_tensor(const std::string& offset, const std::string& shape, const std::string& strides,
                            const std::string& elements = "K\x08",
                            const std::string& storage = "ctorch\nFloatStorage\n") {
  auto text = [](const std::string& s) {
    Bytes r = "X";
    put(r, s.size(), 4);
    return r + s;
  };
  return "}" + text("w") + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + storage + text("0") +
         text("cpu") + elements + "tQ" + offset + shape + strides + "\x89)tRs";
}

inline NamedBytes pickles_by_hand() {
  NamedBytes r;
  auto add = [&](const char* name, Bytes b) { r.emplace_back(name, std::move(b)); };
  auto long8 = [](uint64_t v) {
    Bytes b = "\x8a\x08";
    put(b, v, 8);
    return b;
  };
  const Bytes zero("K\0"s), one = "K\x01", eight = "K\x08";
  add("os.system", "cposix\nsystem\n(X\x04\0\0\0trueetR"s);
  add("eval",
      "c__builtin__\neval\nX\x01\0\0\0"
      "1\x85R"s);
  add("a global by its stack", "\x8c\x02os\x8c\x06system\x93)R");
  add("an instance", "(ios\nsystem\n");
  add("an object", "(cos\nsystem\no");
  add("an extension", "\x82\x01");
  add("a module", "ctorch.nn.modules.linear\nLinear\n)\x81");
  add("a list within itself",
      "}X\x01\0\0\0w]q\x01h\x01"
      "as"s);
  add("a dictionary within itself", "}q\x01X\x01\0\0\0wh\x01s"s);
  add("a tuple of a list of itself", "}X\x01\0\0\0w]q\x01(h\x01h\x01tas"s);
  add("nested lists", Bytes(100000, ']') + Bytes(99999, 'a'));
  add("nested dictionaries", [] {
    Bytes b;
    for (int i = 0; i < 5000; ++i) b += "}X\x01\0\0\0k"s;
    b += "}";
    return b + Bytes(5000, 's');
  }());
  add("a billion laughs", [] {  // each list holds the one before ten times
    Bytes b = "]q\x01";
    for (int i = 0; i < 40; ++i) {
      b += "](";
      for (int k = 0; k < 10; ++k) b += "h\x01";
      b += "eq\x01";
    }
    return b;
  }());
  add("an empty stack", "0");
  add("no mark", "t");
  add("an unknown memo", "h\x07");
  add("a text of 2^63 bytes", Bytes("\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", 9));
  add("a text of 4 GB", Bytes("X\xff\xff\xff\xff", 5));
  add("an integer of 2 GB", Bytes("\x8b\xff\xff\xff\x7f", 5));
  add("protocol 77", "\x80\x4d");
  add("items in a number", "K\x01K\x02K\x03s");
  add("an unknown opcode", "\xff");
  add("a call of a number", "K\x01)R");
  add("an offset that overflows", pickled_tensor(long8(0x7ffffffffffffff0), "K\x02\x85", one + "\x85"));
  add("a negative offset", pickled_tensor(long8(~uint64_t{3}), "K\x02\x85", one + "\x85"));
  add("an extent that overflows",
      pickled_tensor(zero, long8(uint64_t{1} << 62) + eight + "\x86", eight + one + "\x86"));
  add("a negative extent", pickled_tensor(zero, long8(~uint64_t{0}) + "\x85", one + "\x85"));
  add("a stride that overflows", pickled_tensor(zero, "K\x04\x85", long8(uint64_t{1} << 62) + "\x85"));
  add("a stride beyond the storage", pickled_tensor(zero, "K\x04\x85", "K\x03\x85"));
  add("a negative stride", pickled_tensor(eight, "K\x02\x85", long8(~uint64_t{0}) + "\x85"));
  add("one element a trillion times", pickled_tensor(zero, long8(1000000000000) + "\x85", zero + "\x85"));
  add("one element a billion times", pickled_tensor(zero, long8(1000000000) + "\x85", zero + "\x85"));
  add("shape and strides of different ranks", pickled_tensor(zero, "K\x02\x85", one + one + "\x86"));
  add("a storage of 2^60 elements", pickled_tensor(zero, "K\x02\x85", one + "\x85", long8(uint64_t{1} << 60)));
  add("a storage of negative size", pickled_tensor(zero, "K\x02\x85", one + "\x85", long8(~uint64_t{0})));
  add("a storage of another class",
      pickled_tensor(zero, "K\x02\x85", one + "\x85", eight, "ctorch\nComplexFloatStorage\n"));
  add("a storage that is a text", pickled_tensor(zero, "K\x02\x85", one + "\x85", eight, "X\x01\0\0\0x"s));
  return r;
}

inline NamedBytes legacy_by_hand(const Bytes&) {
  NamedBytes r;
  Bytes storage;
  put(storage, 8, 8);
  storage += Bytes(32, 'x');
  for (auto& [name, pickle] : pickles_by_hand())
    r.emplace_back(name, legacy_of(pickle,
                                   "]X\x01\0\0\0"
                                   "0a"s,
                                   storage));
  Bytes fine = pickled_tensor("K\0"s, "K\x02\x85", "K\x01\x85"), huge;
  put(huge, ~uint64_t{0}, 8);
  r.emplace_back("a storage that claims 2^64 elements", legacy_of(fine,
                                                                  "]X\x01\0\0\0"
                                                                  "0a"s,
                                                                  huge + "abcd"));
  r.emplace_back("a storage that is not there", legacy_of(fine, "]"));
  r.emplace_back("keys that are no list", legacy_of(fine, "}"));
  r.emplace_back("a key of no tensor", legacy_of(fine,
                                                 "]X\x01\0\0\0"
                                                 "7a"s,
                                                 storage));
  return r;
}

inline NamedBytes pytorch_zip_by_hand(const Bytes& valid) {
  NamedBytes r = zip_by_hand(valid);
  for (auto& [name, pickle] : pickles_by_hand())
    r.emplace_back(name, zip_of({{"a/data.pkl", "\x80\x02" + pickle + "."}, {"a/data/0", Bytes(32, 'x')}}));
  Bytes fine = "\x80\x02" + pickled_tensor("K\0"s, "K\x02\x85", "K\x01\x85") + ".";
  r.emplace_back("a storage that is too small", zip_of({{"a/data.pkl", fine}, {"a/data/0", "abc"}}));
  r.emplace_back("a storage that is not there", zip_of({{"a/data.pkl", fine}}));
  r.emplace_back("big-endian", zip_of({{"a/data.pkl", fine}, {"a/byteorder", "big"}, {"a/data/0", Bytes(32, 'x')}}));
  r.emplace_back("no pickle", zip_of({{"a/data/0", Bytes(32, 'x')}}));
  r.emplace_back("a bomb of a pickle",
                 zip_of({{"a/data.pkl", "\x80\x02" + Bytes(std::size_t{40} << 20, ']') + "."}}, true));
  return r;
}

inline NamedBytes glia_by_hand(const Bytes& valid) {
  NamedBytes r = zip_by_hand(valid);
  Bytes array = npy_of(npy_dict("<f4", "(2,)"), "abcdabcd");
  auto add = [&](const char* name, const std::string& json) {
    r.emplace_back(name, zip_of({{"glia.json", json}, {"weights/0.npy", array}, {"random/0.npy", array}}));
  };
  add("no JSON", "glia");
  add("a list", "[]");
  add("another format", R"({"format": "keras", "version": 1, "tensors": {}})");
  add("version 2^63", R"({"format": "glia", "version": 9223372036854775807, "tensors": {}})");
  add("no version", R"({"format": "glia", "tensors": {}})");
  add("no tensors", R"({"format": "glia", "version": 1})");
  add("no weights", R"({"format": "glia", "version": 1, "tensors": {}})");
  add("names that are numbers", R"({"format": "glia", "version": 1, "tensors": {"weights": [1, 2]}})");
  add("a group that leads away",
      R"({"format": "glia", "version": 1, "tensors": {"../weights": ["a"], "weights": []}})");
  add("more tensors than members", R"({"format": "glia", "version": 1, "tensors": {"weights": ["a", "b"]}})");
  add("nested", R"({"format": "glia", "version": 1, "tensors": )" + std::string(100000, '['));
  auto with = [&](const char* name, const std::string& field) {
    add(name, R"({"format": "glia", "version": 1, "tensors": {"weights": ["a"], "callbacks": []}, )" + field + "}");
  };
  with("a position that is text", R"("training": {"epoch": "1"})");
  with("a position of a list", R"("training": [1])");
  with(
      "a negative position",
      R"("training": {"epoch": -1, "batch": 0, "pass_epoch": 0, "pass_batch": 0, "pass_open": false, "shuffle_seed": 0, "stop": false})");
  with("callbacks of numbers", R"("callbacks": [1, 2])");
  with("callbacks that are text", R"("callbacks": "x")");
  with("a callback's number that is none", R"("callbacks": [{"name": "a", "numbers": {"x": "0x1pz"}}])");
  with("a callback's tensors beyond all",
       R"("callbacks": [{"name": "a", "tensors": {"x": [18446744073709551615, 2]}}])");
  r.emplace_back("no manifest", zip_of({{"weights/0.npy", array}}));
  r.emplace_back("a bomb of a manifest",
                 zip_of({{"glia.json", "{\"a\": \"" + Bytes(std::size_t{300} << 20, ' ') + "\"}"}}, true));
  r.emplace_back("a tensor that is a bomb",
                 zip_of({{"glia.json", R"({"format": "glia", "version": 1, "tensors": {"weights": ["a"]}})"},
                         {"weights/0.npy", npy_of(npy_dict("<f4", "(4,)"), zeros())}},
                        true));
  return r;
}

// .glia files that are read as models: the architecture lies.
inline NamedBytes glia_model_by_hand(const Bytes& valid) {
  NamedBytes r = zip_by_hand(valid);
  Bytes array = npy_of(npy_dict("<f4", "(2,)"), "abcdabcd");
  auto add = [&](const char* name, const std::string& model, const std::string& more = "") {
    r.emplace_back(
        name, zip_of({{"glia.json", R"({"format": "glia", "version": 1, "tensors": {"weights": ["a"]})" + more + "}"},
                      {"model.json", model},
                      {"weights/0.npy", array}}));
  };
  auto sequential = [](const std::string& layers) {
    return R"({"class_name": "Sequential", "config": {"name": "s", "layers": [)" + layers + "]}}";
  };
  auto input = [](const std::string& shape) {
    return R"({"class_name": "InputLayer", "config": {"batch_shape": )" + shape +
           R"(, "dtype": "float32", "name": "i"}})";
  };
  auto dense = [](const std::string& units) {
    return R"({"class_name": "Dense", "config": {"name": "d", "units": )" + units + "}}";
  };
  add("no JSON", "{");
  add("a number", "7");
  add("a class that is none", R"({"class_name": "System", "config": {}})");
  add("a Lambda",
      sequential(
          input("[null, 3]") +
          R"(, {"class_name": "Lambda", "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wEA", "defaults": null, "closure": null}}}})"));
  std::string deep = input("[null, 3]");
  for (int i = 0; i < 3000; ++i)
    deep = R"({"class_name": "Sequential", "config": {"name": "s", "layers": [)" + deep + "]}}";
  add("models within models", deep);
  for (const char* units :
       {"9223372036854775807", "4294967296", "1000000000", "-1", "0.5", "\"x\"", "null", "[2]", "1e300"})
    add(units, sequential(input("[null, 3]") + ", " + dense(units)));
  for (const char* shape :
       {"[null, 9223372036854775807]", "[null, 1000000000000]", "[null, -5]", "7", "[null, \"a\"]", "[]"})
    add(shape, sequential(input(shape) + ", " + dense("1000000")));
  add("layers that are no list", R"({"class_name": "Sequential", "config": {"name": "s", "layers": 5}})");
  add("a functional model whose layers call each other",
      R"({"class_name": "Functional", "config": {"name": "f", "layers": [
    {"class_name": "Dense", "name": "a", "config": {"name": "a", "units": 2}, "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [null, 2], "dtype": "float32", "keras_history": ["b", 0, 0]}}], "kwargs": {}}]},
    {"class_name": "Dense", "name": "b", "config": {"name": "b", "units": 2}, "inbound_nodes": [{"args": [{"class_name": "__keras_tensor__", "config": {"shape": [null, 2], "dtype": "float32", "keras_history": ["a", 0, 0]}}], "kwargs": {}}]}],
    "input_layers": [["a", 0, 0]], "output_layers": [["b", 0, 0]]}})");
  add("weights of another model", sequential(input("[null, 3]") + ", " + dense("1")));
  return r;
}

}  // namespace glia::fuzz
