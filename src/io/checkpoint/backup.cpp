// callbacks::BackupAndRestore.
#include <glia/callbacks.h>
#include <glia/model.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "io/checkpoint/checkpoint.h"
#include "train/trainer.h"

namespace glia {
namespace fs = std::filesystem;

void io::remove_stale_temporaries(const std::string& path) {
  fs::path target = path;
  std::string start = target.filename().string() + ".tmp.";
  fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    std::string name = it->path().filename().string();
    if (!name.starts_with(start)) continue;
    int fd = ::open(it->path().c_str(), O_RDWR | O_CLOEXEC);
    bool alive = fd < 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0;  // a lock ends with its process
    if (fd >= 0) ::close(fd);
    if (alive) continue;
    std::error_code ignored;
    fs::remove(it->path(), ignored);
  }
}

namespace callbacks {
namespace {

class BackupAndRestoreCallback : public Callback {
 public:
  BackupAndRestoreCallback(std::string dir, BackupAndRestoreOptions o)
      : dir_(std::move(dir)), latest_(dir_ + "/latest.glia"), previous_(dir_ + "/previous.glia"), options_(o) {
    GLIA_CHECK(!dir_.empty(), "BackupAndRestore: backup_dir is empty. Give a folder for the backups.");
    GLIA_CHECK(o.save_freq >= 0,
               "BackupAndRestore: save_freq must be 0 (after each epoch) or a number of batches. Received {}.",
               o.save_freq);
  }

  void on_train_begin(Logs&) override {
    std::error_code ec;
    fs::create_directories(dir_, ec);
    GLIA_CHECK(fs::is_directory(dir_, ec), "BackupAndRestore: the folder '{}' cannot be made: {}.", dir_,
               ec.message());
    io::remove_stale_temporaries(latest_);
    batches_ = 0;
    if (fs::exists(latest_, ec) || fs::exists(previous_, ec)) restore();
  }
  void on_train_batch_end(int64_t, Logs&) override {
    if (options_.save_freq > 0 && ++batches_ >= options_.save_freq) save_later();
  }
  void on_epoch_end(int, Logs&) override {
    if (options_.save_freq == 0) save_later();
  }
  void on_train_end(Logs&) override {
    if (!options_.delete_checkpoint) return;
    std::error_code ec;
    fs::remove(latest_, ec);
    fs::remove(previous_, ec);
    fs::remove(dir_, ec);  // when nothing else lies in it
  }
  std::string state_name() const override { return "BackupAndRestore"; }
  void save_state(CallbackState& s) const override { s.numbers["batches"] = static_cast<double>(batches_); }
  void load_state(const CallbackState& s) override {
    if (auto it = s.numbers.find("batches"); it != s.numbers.end()) batches_ = static_cast<int64_t>(it->second);
  }

 private:
  // The other callbacks of the list see the batch first, so that their state in the file is that after it.
  void save_later() {
    batches_ = 0;
    model().trainer().fit->later.push_back([this] {
      if (options_.double_checkpoint) {
        std::error_code ec;
        fs::remove(previous_, ec);
        fs::create_hard_link(latest_, previous_, ec);  // no moment without a complete latest
      }
      io::Checkpoint::save(model(), latest_);
    });
  }
  void restore() {
    std::error_code ec;
    try {
      io::Checkpoint::read(latest_).go_on(model());
    } catch (const Error& e) {
      if (!fs::exists(previous_, ec)) throw;
      log_warning(fmt::format("BackupAndRestore: the newest backup cannot be read; going on from the one before. {}",
                              e.what()));
      io::Checkpoint::read(previous_).go_on(model());
    }
  }

  std::string dir_, latest_, previous_;
  BackupAndRestoreOptions options_;
  int64_t batches_ = 0;
};

}  // namespace

CallbackRef BackupAndRestore(std::string backup_dir, BackupAndRestoreOptions options) {
  return std::make_shared<BackupAndRestoreCallback>(std::move(backup_dir), options);
}

}  // namespace callbacks
}  // namespace glia
