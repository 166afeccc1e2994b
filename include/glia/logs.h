// Logs: named numbers in the order Keras prints them. Those given to batch hooks are computed only when looked at.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace glia {

class Logs {
 public:
  using Entry = std::pair<std::string, double>;
  Logs() = default;
  explicit Logs(std::function<std::vector<Entry>()> compute) : compute_(std::move(compute)) {}

  double operator[](const std::string& name) const;  // throws Error with "did you mean" for an unknown name
  bool contains(const std::string& name) const;
  void set(const std::string& name, double value);   // appends or replaces
  const std::vector<Entry>& entries() const { fill(); return entries_; }
  std::vector<Entry>::const_iterator begin() const { return entries().begin(); }
  std::vector<Entry>::const_iterator end() const { return entries().end(); }
  bool empty() const { return entries().empty(); }

 private:
  void fill() const;
  mutable std::function<std::vector<Entry>()> compute_;
  mutable std::vector<Entry> entries_;
};

// What fit returns: history["loss"][epoch].
struct History {
  std::vector<int> epoch;
  std::vector<std::pair<std::string, std::vector<double>>> history;  // in Keras's order
  const std::vector<double>& operator[](const std::string& name) const;
  bool contains(const std::string& name) const;
};

}  // namespace glia
