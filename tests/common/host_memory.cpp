// Memory that the machine, control groups and the process' own limits leave, as made-up /proc and /sys say.
#include "base/host_memory.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>

using namespace convoy;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20;

class MadeUpRoot {
 public:
  MadeUpRoot() {
    std::string name = (fs::temp_directory_path() / "convoy-host-memory-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:    8388608 kB\n");
  }
  ~MadeUpRoot() { fs::remove_all(path_); }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path_ / file).parent_path());
    std::ofstream(path_ / file) << text;
  }
  void check(std::uint64_t total_mebi, std::uint64_t available_mebi) const {
    const MemoryAllowance found = memory_allowance(path_);
    CHECK(found.total == total_mebi * kMebi);
    CHECK(found.available == available_mebi * kMebi);
  }

 private:
  fs::path path_;
};

std::string bytes(std::uint64_t mebi) { return std::to_string(mebi * kMebi) + "\n"; }

const std::string kMountOfVersion2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

}  // namespace

TEST_CASE("without control groups the machine alone counts") { MadeUpRoot().check(16384, 8192); }

TEST_CASE("version 2: each group up to the outermost may set a limit, and the page cache is not use") {
  const MadeUpRoot root;
  root.write("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + kMountOfVersion2);
  root.write("proc/self/cgroup", "0::/user.slice/session.scope/job\n");
  const std::string group = "sys/fs/cgroup/user.slice/session.scope/";
  root.write(group + "job/memory.max", "max\n");
  root.write(group + "memory.max", bytes(4096));
  root.write(group + "memory.high", "max\n");
  root.write(group + "memory.current", bytes(3000));
  root.write(group + "memory.stat", "anon 5\nfile 9\ninactive_file " + bytes(1500) + "active_file " + bytes(500));
  root.check(4096, 3096);
  root.write("sys/fs/cgroup/user.slice/memory.max", bytes(2048));
  root.write("sys/fs/cgroup/user.slice/memory.current", bytes(1900));
  root.check(2048, 148);
  root.write(group + "job/memory.high", bytes(64));
  root.write(group + "job/memory.current", bytes(100));
  root.check(64, 0);
}

TEST_CASE("version 1, as Slurm sets it, beside version 2 without memory") {
  const MadeUpRoot root;
  root.write("proc/self/mountinfo",
             "31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
             "32 30 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
             "33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  root.write("proc/self/cgroup", "9:cpu:/\n7:memory:/slurm/uid_7/job_8/step_0\n0::/\n");
  const std::string job = "sys/fs/cgroup/memory/slurm/uid_7/job_8/";
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  root.write(job + "step_0/memory.limit_in_bytes", "9223372036854771712\n");
  root.write(job + "memory.limit_in_bytes", bytes(1024));
  root.write(job + "memory.usage_in_bytes", bytes(1000));
  root.write(job + "memory.stat", "inactive_file 1\ntotal_inactive_file " + bytes(600) + "total_active_file 0\n");
  root.check(1024, 624);
}

TEST_CASE("containers: the group's own folder is mounted, with and without names of its own") {
  const MadeUpRoot root;
  root.write("sys/fs/cgroup/memory.max", bytes(512));
  root.write("sys/fs/cgroup/memory.current", bytes(12));
  root.write("proc/self/mountinfo", kMountOfVersion2);
  for (const char* group : {"0::/\n", "0::/../../outside\n", "0::/docker/4711\n"}) {
    root.write("proc/self/cgroup", group);
    root.check(512, 500);
  }
  root.write("proc/self/mountinfo", "30 24 0:26 /docker/4711 /sys/fs/cgroup ro - cgroup2 cgroup ro\n");
  root.write("proc/self/cgroup", "0::/docker/4711/inner\n");
  root.write("sys/fs/cgroup/inner/memory.max", bytes(256));
  root.check(256, 256);
}

TEST_CASE("files of nonsense are no limits") {
  const MadeUpRoot root;
  root.write("proc/self/mountinfo", "nonsense\n - \n1 2 3 - cgroup2\n" + kMountOfVersion2);
  root.write("proc/self/cgroup", "nonsense\n0:\n0::/a\n");
  root.write("sys/fs/cgroup/a/memory.max", "many\n");
  root.check(16384, 8192);
}

TEST_CASE("limits of the process itself") {
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    const pid_t child = fork();
    if (child == 0) {
      const struct rlimit limit { 512 * kMebi, 512 * kMebi };
      const bool kept = ::setrlimit(resource, &limit) == 0 && total_host_bytes() <= 512 * kMebi &&
                        available_host_bytes() < 512 * kMebi;
      ::_exit(kept ? 0 : 1);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their address space is beyond any limit
    CHECK(status == 0);
#endif
  }
}
