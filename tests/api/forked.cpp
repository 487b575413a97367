// Children of fork(): they end, they compute, and they never touch their parent's threads and drivers.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/worker_pool.hpp"
#include "convoy/deconvolution.hpp"
#include "engine/background_jobs.hpp"
#include "support/device_under_test.hpp"

using namespace convoy;

namespace {

constexpr unsigned kPatienceSeconds = 60;
constexpr int kRight = 0;
constexpr int kWrong = 3;

bool can_fork() {
#if defined(__SANITIZE_THREAD__)
  std::puts("SKIPPED: ThreadSanitizer ends forked children that start threads");
  return false;
#else
  return true;
#endif
}

/// AddressSanitizer of gcc 12 does not release its allocator's locks in a child: one that is forked while another
/// thread allocates waits for ever in its first malloc().
bool can_fork_beside_threads() {
#if defined(__SANITIZE_ADDRESS__)
  return false;
#else
  return can_fork();
#endif
}

struct Problem {
  ConvolutionSpec spec;
  std::vector<float> image, kernel, expected;

  Problem() {
    setenv("CONVOY_THREADS", "3", 1);  // also where there is one processor
    spec.image = {64, 48, 40};
    spec.kernel = {3, 3, 5};
    image.resize(static_cast<std::size_t>(num_voxels(spec.image)));
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i % 251);
    kernel.assign(45, 1);
    expected = output(open_device("cpu"));
  }

  std::vector<float> output(const Device& device) const {
    const Image output = convolve({image, spec.image}, {kernel, spec.kernel}, spec, device);
    const auto voxels = output.voxels<float>();
    return {voxels.begin(), voxels.end()};
  }
  bool is_right(const std::vector<float>& found) const { return found == expected; }
};

const Problem& problem() {
  static const Problem one;
  return one;
}

/// A child that ends as programs end, by exit(), with what `body` returns.
pid_t child(const std::function<int()>& body) {
  std::fflush(nullptr);
  const pid_t id = fork();
  if (id != 0) return id;
  alarm(kPatienceSeconds);
  int code = kWrong;
  try {
    code = body();
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "child: %s\n", problem.what());
  }
  std::exit(code);
}

/// The child's exit code, or the negative number of the signal that ended it: -14 is that of alarm().
int outcome(pid_t id) {
  int status = 0;
  REQUIRE(waitpid(id, &status, 0) == id);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int convolves(const char* device = "cpu") {
  return problem().is_right(problem().output(open_device(device))) ? kRight : kWrong;
}

}  // namespace

TEST_CASE("a child of an idle parent exits, convolves, and forks in turn") {
  if (!can_fork()) return;
  REQUIRE(convolves() == kRight);
  CHECK(outcome(child([] { return kRight; })) == kRight);
  CHECK(outcome(child([] { return convolves(); })) == kRight);
  CHECK(outcome(child([] {
          if (convolves() != kRight) return kWrong;
          return outcome(child([] { return convolves(); }));
        })) == kRight);
  CHECK(convolves() == kRight);
}

TEST_CASE("four children at a time convolve, with the parent's convolver and with their own") {
  if (!can_fork()) return;
  const Problem& one = problem();
  Convolver convolver(one.spec, {one.kernel, one.spec.kernel}, open_device("cpu"));
  const auto both = [&] {
    std::vector<float> output(one.image.size());
    convolver.run({one.image, one.spec.image}, {std::span(output), one.spec.image});
    return one.is_right(output) ? convolves() : kWrong;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) children.push_back(child(both));
  CHECK(both() == kRight);
  for (const pid_t id : children) CHECK(outcome(id) == kRight);
}

TEST_CASE("children that are forked while other threads convolve and plan") {
  if (!can_fork_beside_threads()) return;
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int i = 0; i < 2; ++i) {
    busy.emplace_back([&] {
      while (!stop) convolves();
    });
  }
  int right = 0;
  for (int i = 0; i < 20; ++i) right += outcome(child([] { return convolves(); })) == kRight ? 1 : 0;
  stop = true;
  for (std::thread& thread : busy) thread.join();
  CHECK(right == 20);
}

TEST_CASE("a child has its own threads in pools of its parent") {
  if (!can_fork()) return;
  WorkerPool pool(3);
  const auto sum = [&] {
    std::atomic<std::int64_t> total{0};
    pool.for_each(1000, 1, [&](int, std::int64_t begin, std::int64_t) { total += begin; });
    return total.load() == 999 * 1000 / 2 ? kRight : kWrong;
  };
  REQUIRE(sum() == kRight);
  CHECK(outcome(child(sum)) == kRight);

  BackgroundJobs jobs(2);
  BackgroundJobs::Group group;
  CHECK(outcome(child([&] {
          try {
            jobs.wait(group);
          } catch (const Error& refusal) {
            return refusal.code() == Errc::unsupported ? kRight : kWrong;
          }
          return kWrong;
        })) == kRight);
}

TEST_CASE("a GPU that the parent used is refused in the child") {
  if (!can_fork()) return;
  const Device device = device_under_test();
  const std::string backend = device.info().id.substr(0, device.info().id.find(':'));
  if (backend == "cpu") return;
  const Problem& one = problem();
  auto convolver = std::make_unique<Convolver>(one.spec, ImageView(one.kernel, one.spec.kernel), device);
  const auto refused = [](Errc code, const std::function<void()>& use) {
    try {
      use();
    } catch (const Error& refusal) {
      return refusal.code() == code && std::string(refusal.what()).find("fork") != std::string::npos;
    }
    return false;
  };
  CHECK(outcome(child([&] {
          std::vector<float> output(one.image.size());
          const bool right = refused(Errc::unsupported,
                                     [&] {
                                       convolver->run({one.image, one.spec.image}, {std::span(output), one.spec.image});
                                     }) &&
                             refused(Errc::unsupported, [&] { one.output(device); }) &&
                             refused(Errc::backend_unavailable, [&] { open_device(backend); });
          convolver.reset();
          return right ? convolves() : kWrong;
        })) == kRight);
}
