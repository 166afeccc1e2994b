// One checkpoint: what save_checkpoint writes, and the steps in which it is put back.
//
//   Checkpoint::save(model, "a.glia");
//   Checkpoint c = Checkpoint::read("a.glia");
//   c.go_on(model);            // in on_train_begin: the running fit continues there
#pragma once
#include <glia/load_options.h>
#include <glia/model.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/fit_state.h"

namespace glia::io {

struct GliaFile;

class Checkpoint {
 public:
  static void save(const Model& model, const std::string& path);
  static Checkpoint read(const std::string& path, const LoadOptions& options = {});

  const FitPosition& position() const { return at_; }
  // The model that was saved; compiled as it was when `compile` and the file can say how. Throws Error without an
  // architecture.
  Model make_model(bool compile) const;
  // Weights, and unless `weights_only` optimizer and random state; all or nothing.
  void restore_model(const Model& model, bool weights_only = false) const;
  void go_on(const Model& model) const;

 private:
  void restore_fit(const Model& model) const;

  std::string path_;
  std::shared_ptr<GliaFile> file_;
  FitPosition at_;
  std::vector<std::pair<std::string, CallbackState>> callbacks_;
};

// Removes what killed processes have left beside `path` while they wrote it.
void remove_stale_temporaries(const std::string& path);

}  // namespace glia::io
