#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "emulator/base/error.hpp"
#include "emulator/trace/partial_file.hpp"
#include "emulator/trace/publish.hpp"
#include "emulator/trace/trace_file.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

namespace fs = std::filesystem;

// The message of the IoError that writing the example there raises.
std::string refusal(const fs::path& path, bool force) {
  try {
    write_trace(path, example_trace(), {force, 1});
  } catch (const IoError& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Publish, AnExistingFileIsRefusedUnchangedAndReplacedOnlyWithForce) {
  const ScratchDirectory scratch;
  const fs::path path = scratch / "trace.h5";
  put_file(path, "precious");
  EXPECT_THROW(check_writable(path, false), IoError);
  EXPECT_TRUE(contains(refusal(path, false), "it exists"));
  EXPECT_EQ(file_bytes(path), "precious");
  EXPECT_NO_THROW(check_writable(path, true));
  write_trace(path, example_trace(), {true, 1});
  EXPECT_TRUE(check_trace(path).empty());
  EXPECT_EQ(scratch.entries(), 1u);
}

TEST(Publish, OnlyRegularFilesAreTargets) {
  const ScratchDirectory scratch;
  fs::create_directory(scratch / "directory");
  ASSERT_EQ(::mkfifo((scratch / "fifo").c_str(), 0600), 0);
  put_file(scratch / "precious", "precious");
  fs::create_symlink(scratch / "precious", scratch / "link");
  fs::create_symlink(scratch / "nowhere", scratch / "dangling");
  const std::size_t entries = scratch.entries();
  for (const bool force : {false, true}) {
    EXPECT_TRUE(contains(refusal(scratch / "directory", force), "a directory"));
    EXPECT_TRUE(contains(refusal(scratch / "fifo", force), "FIFO"));
    EXPECT_TRUE(contains(refusal(scratch / "link", force), "a symbolic link"));
    EXPECT_TRUE(contains(refusal(scratch / "dangling", force), "a symbolic link"));
    EXPECT_TRUE(contains(refusal("/dev/null", force), "a device"));
    EXPECT_TRUE(contains(refusal("", force), "names no file"));
    EXPECT_TRUE(contains(refusal(scratch / "", force), "names no file"));
    EXPECT_TRUE(contains(refusal(scratch / "missing" / "t.h5", force), "No such file"));
    EXPECT_TRUE(contains(refusal(scratch / "precious" / "t.h5", force), "Not a directory"));
  }
  EXPECT_EQ(file_bytes(scratch / "precious"), "precious");
  EXPECT_EQ(scratch.entries(), entries);
}

TEST(Publish, AFileThatAppearsMeanwhileIsNotReplaced) {
  const ScratchDirectory scratch;
  const fs::path path = scratch / "trace.h5";
  const std::string text = "mine";
  const auto appear = [&](const fs::path&) { put_file(path, "theirs"); };
  EXPECT_THROW(publish_file(path, std::as_bytes(std::span(text)), false, appear), IoError);
  EXPECT_EQ(file_bytes(path), "theirs");
  EXPECT_EQ(scratch.entries(), 1u);
}

TEST(Publish, AFailedVerificationLeavesNothing) {
  const ScratchDirectory scratch;
  const std::string text = "data";
  fs::path partial;
  const auto refuse = [&](const fs::path& path) {
    partial = path;
    EXPECT_EQ(file_bytes(path), text);
    throw IoError("no");
  };
  EXPECT_THROW(publish_file(scratch / "t", std::as_bytes(std::span(text)), false, refuse), IoError);
  EXPECT_EQ(scratch.entries(), 0u);
  EXPECT_TRUE(contains(partial.filename().string(), std::to_string(::getpid())));
}

TEST(Publish, APartialOfADeadProcessIsRemoved) {
  const ScratchDirectory scratch;
  put_file(scratch / ("t.h5." + std::to_string(::getpid()) + ".partial"), "left over");
  put_file(scratch / "t.h5.4000000-3.partial", "left over");
  put_file(scratch / "other.h5.4000000.partial", "not of this name");
  put_file(scratch / "t.h5.mine.partial", "not one of ours");
  write_trace(scratch / "t.h5", example_trace());
  EXPECT_TRUE(check_trace(scratch / "t.h5").empty());
  EXPECT_EQ(scratch.entries(), 3u);
  EXPECT_EQ(file_bytes(scratch / "t.h5.mine.partial"), "not one of ours");
}

// A writer in the middle of its work, and another one of the same name.
TEST(Publish, APartialOfALivingProcessStays) {
  const ScratchDirectory scratch;
  const std::string first = "first", second = "second";
  fs::path partial;
  const auto meanwhile = [&](const fs::path& path) {
    partial = path;
    remove_stale_partials(scratch / "t");
    EXPECT_EQ(file_bytes(path), first);
    publish_file(scratch / "t", std::as_bytes(std::span(second)), false, [](const fs::path&) {});
    EXPECT_EQ(file_bytes(path), first);
  };
  EXPECT_THROW(publish_file(scratch / "t", std::as_bytes(std::span(first)), false, meanwhile),
               IoError);
  EXPECT_EQ(file_bytes(scratch / "t"), second);
  EXPECT_EQ(scratch.entries(), 1u);
}

TEST(Publish, ANameWithoutRoomForThePartialFileIsRefusedAtOnce) {
  const ScratchDirectory scratch;
  EXPECT_NO_THROW(check_writable(scratch / std::string(200, 'n'), false));
  for (const std::size_t length : {240u, 255u, 256u, 5000u}) {
    try {
      check_writable(scratch / std::string(length, 'n'), false);
      FAIL() << length;
    } catch (const IoError& error) {
      EXPECT_TRUE(contains(error.what(), "choose a shorter name")) << error.what();
    }
  }
}

// Every file size limit below the trace's size: an error, nothing left, the old file untouched.
TEST(Publish, AFileSizeLimitIsAnErrorThatLeavesNothing) {
  const ScratchDirectory scratch;
  write_trace(scratch / "trace.h5", example_trace());
  const std::string before = file_bytes(scratch / "trace.h5");
  struct rlimit old {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  for (rlim_t limit = 0; limit < before.size(); limit += before.size() / 16) {
    const struct rlimit small { limit, old.rlim_max };
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string fresh = refusal(scratch / "new.h5", false);
    const std::string replaced = refusal(scratch / "trace.h5", true);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    EXPECT_TRUE(contains(fresh, "File too large") && contains(fresh, "new.h5")) << fresh;
    EXPECT_TRUE(contains(replaced, "File too large")) << replaced;
    EXPECT_EQ(file_bytes(scratch / "trace.h5"), before);
    EXPECT_EQ(scratch.entries(), 1u);
  }
}

// In a child with its own mounts, so that nothing stays mounted whatever happens.
int write_to_full_disk(const fs::path& mount_point) {
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64k") != 0) {
    return 77;
  }
  put_file(mount_point / "trace.h5", "precious");
  const std::string message = refusal(mount_point / "trace.h5", true);
  std::fprintf(stderr, "%s\n", message.c_str());
  if (!contains(message, "No space left on device") || !contains(message, "trace.h5")) return 1;
  if (file_bytes(mount_point / "trace.h5") != "precious") return 2;
  std::size_t entries = 0;
  for (const auto& entry : fs::directory_iterator(mount_point)) entries += entry.exists() ? 1 : 0;
  return entries == 1 ? 0 : 3;
}

TEST(Publish, AFullDiskIsAnErrorThatLeavesNothing) {
  const ScratchDirectory scratch;
  fs::create_directory(scratch / "disk");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(write_to_full_disk(scratch / "disk"));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting a small tmpfs needs root";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace fabricast
