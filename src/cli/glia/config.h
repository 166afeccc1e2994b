// Reading the JSON files of `glia train`: every key is checked, mistakes are told with the path to them.
//
//   Config c(json, "config.json");
//   Config fit = c.object("fit");
//   int64_t epochs = fit.get<int64_t>("epochs", 1);
//   c.finish();                                // Error for keys that nobody asked for, with the nearest known one
#pragma once
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/glia/command.h"

namespace glia::cli {

class Config {
 public:
  Config(json value, std::string where) : value_(std::move(value)), where_(std::move(where)) {
    if (!value_.is_object()) throw_error("{}: expected an object {{...}}. Received {}.", where_, value_.dump());
  }
  bool has(const std::string& key) const {
    asked_.insert(key);
    return value_.contains(key) && !value_[key].is_null();
  }
  const json& raw(const std::string& key) const {
    if (!has(key)) {
      std::string written;  // the key as it was misspelt, perhaps
      for (auto& [k, v] : value_.items()) {
        const std::vector<std::string> wanted{key};
        if (!asked_.count(k) && !did_you_mean(k, wanted).empty()) written = fmt::format(" There is '{}'; did you mean '{}'?", k, key);
      }
      throw_error("{}: '{}' is missing.{}", where_, key, written);
    }
    return value_[key];
  }
  template <class T>
  T get(const std::string& key) const {
    try {
      return raw(key).template get<T>();
    } catch (const json::exception&) {
      throw_error("{}: '{}' has the wrong type. Received {}.", where_, key, value_[key].dump());
    }
  }
  template <class T>
  T get(const std::string& key, T otherwise) const {
    return has(key) ? get<T>(key) : otherwise;
  }
  // One string or a list of them; empty when absent.
  std::vector<std::string> strings(const std::string& key) const {
    if (!has(key)) return {};
    if (raw(key).is_string()) return {get<std::string>(key)};
    return get<std::vector<std::string>>(key);
  }
  Config object(const std::string& key) const {
    return Config(has(key) ? raw(key) : json::object(), where_ + "." + key);
  }
  const std::string& where() const { return where_; }
  const json& value() const { return value_; }
  void finish() const {
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    for (auto& [key, v] : value_.items())
      if (!asked_.count(key)) throw_error("{}: unknown key '{}'.{}", where_, key, did_you_mean(key, known));
  }

 private:
  json value_;
  std::string where_;
  mutable std::set<std::string> asked_;
};

}  // namespace glia::cli
