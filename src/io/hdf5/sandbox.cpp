#include "io/hdf5/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>

#include "base/error.h"

namespace glia::io {
namespace {

constexpr char kResult = 'R', kFailure = 'F';

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // shadow memory is terabytes of address space
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif

uint64_t address_space_now() {
  uint64_t pages = 0;
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[64] = {};
  if (::read(fd, text, sizeof text - 1) > 0) pages = std::strtoull(text, nullptr, 10);
  ::close(fd);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

void restrict_child(const ChildLimits& limits) {
  const int64_t milliseconds = limits.milliseconds * (kSanitized ? 10 : 1);
  for (int s : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT, SIGPIPE, SIGXCPU, SIGPROF}) ::signal(s, SIG_DFL);
  auto set = [](auto what, uint64_t value) {
    rlimit r{static_cast<rlim_t>(value), what == RLIMIT_CPU ? static_cast<rlim_t>(100'000) : static_cast<rlim_t>(value)};
    ::setrlimit(what, &r);
  };
  set(RLIMIT_CORE, 0);
  set(RLIMIT_CPU, static_cast<uint64_t>(milliseconds / 1000 + 2));
  itimerval t{};  // finer than the limit above: SIGPROF ends the process
  t.it_value.tv_sec = milliseconds / 1000;
  t.it_value.tv_usec = milliseconds % 1000 * 1000;
  ::setitimer(ITIMER_PROF, &t, nullptr);
  set(RLIMIT_FSIZE, 0);
  const uint64_t now = address_space_now();
  if (now && !kSanitized) set(RLIMIT_AS, now + limits.memory);
}

bool in_child = false;

bool write_all(int fd, const char* p, std::size_t n) {
  while (n > 0) {
    const ssize_t done = ::write(fd, p, n);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    p += done;
    n -= static_cast<std::size_t>(done);
  }
  return true;
}

[[noreturn]] void child_main(int fd, const ChildLimits& limits, const std::function<std::string()>& body) {
  restrict_child(limits);
  in_child = true;
  char kind = kResult;
  std::string text;
  try {
    text = body();
  } catch (const std::bad_alloc&) {
    kind = kFailure;
    text = "parsing it needs more memory than it may use.";
  } catch (const std::exception& e) {
    kind = kFailure;
    text = e.what();
  }
  write_all(fd, &kind, 1) && write_all(fd, text.data(), text.size());
  ::_exit(0);
}

struct Fd {
  int fd;
  ~Fd() {
    if (fd >= 0) ::close(fd);
  }
};
struct Child {
  pid_t pid;
  bool reaped = false;
  int wait() {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    reaped = true;
    return status;
  }
  ~Child() {
    if (reaped) return;
    ::kill(pid, SIGKILL);
    wait();
  }
};

// All bytes until the child closes its end. Throws Error when they are too many or too late.
std::string drain(int fd, const std::string& name, const ChildLimits& limits) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(2000 + 20 * limits.milliseconds);
  std::string all;
  char buffer[1 << 16];
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd p{fd, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&p, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    GLIA_CHECK(ready > 0, "{}: the file is damaged: parsing it did not end within {} ms.", name, 2000 + 20 * limits.milliseconds);
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(n));
    GLIA_CHECK(all.size() <= limits.output, "{}: the file unpacks to more than {} bytes, the limit given.", name, limits.output);
  }
}

}  // namespace

void grant_child_time(uint64_t bytes) {
  itimerval t{};
  if (!in_child || bytes < (1 << 20) || ::getitimer(ITIMER_PROF, &t) != 0) return;
  const uint64_t us = static_cast<uint64_t>(t.it_value.tv_usec) + bytes / 50;  // 50 MB per second
  t.it_value.tv_sec += static_cast<time_t>(us / 1'000'000);
  t.it_value.tv_usec = static_cast<suseconds_t>(us % 1'000'000);
  rlimit r{RLIM_INFINITY, RLIM_INFINITY};
  if (::getrlimit(RLIMIT_CPU, &r) == 0) {
    r.rlim_cur = std::min<rlim_t>(r.rlim_max, r.rlim_cur + bytes / 50'000'000);
    ::setrlimit(RLIMIT_CPU, &r);
  }
  ::setitimer(ITIMER_PROF, &t, nullptr);
}

std::string run_in_child(const std::string& name, const ChildLimits& limits, const std::function<std::string()>& body) {
  int ends[2];
  GLIA_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "{}: cannot make a pipe to the parsing process: {}.", name, std::strerror(errno));
  Fd in{ends[0]}, out{ends[1]};
  const pid_t pid = ::fork();
  GLIA_CHECK(pid >= 0, "{}: cannot start the parsing process: {}.", name, std::strerror(errno));
  if (pid == 0) child_main(out.fd, limits, body);
  ::close(out.fd);
  out.fd = -1;
  Child child{pid};
  std::string all = drain(in.fd, name, limits);
  const int status = child.wait();
  if (WIFSIGNALED(status)) {
    const int s = WTERMSIG(status);
    const bool slow = s == SIGXCPU || s == SIGPROF || s == SIGKILL;
    throw_error("{}: the file is damaged: the process that parses it {} ({}).", name,
                slow ? "used more than its share of time" : "crashed", ::strsignal(s));
  }
  GLIA_CHECK(!all.empty() && WIFEXITED(status) && WEXITSTATUS(status) == 0,
             "{}: the file is damaged: the process that parses it ended without a result.", name);
  if (all[0] != kResult) throw Error(all.substr(1));
  all.erase(0, 1);
  return all;
}

}  // namespace glia::io
