#include "emulator/base/standard_streams.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <system_error>

namespace fabricast {
namespace {

// Exit code of `body` in a process of its own, whose streams it may ruin.
int in_a_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StandardStreams, AClosedStreamIsNotTakenByTheNextFile) {
  for (const int closed : {0, 1, 2}) {
    EXPECT_EQ(in_a_child([closed] {
                ::close(closed);
                occupy_standard_streams();
                const int next = ::open("/dev/null", O_WRONLY);
                return next > 2 && ::write(closed, "x", 1) < 0 ? 0 : 1;
              }),
              0)
        << closed;
  }
}

TEST(StandardStreams, OpenStreamsStayAsTheyAre) {
  EXPECT_EQ(in_a_child([] {
              int ends[2];
              if (::pipe(ends) != 0 || ::dup2(ends[1], 1) != 1) return 1;
              occupy_standard_streams();
              char byte = 0;
              return ::write(1, "x", 1) == 1 && ::read(ends[0], &byte, 1) == 1 ? 0 : 2;
            }),
            0);
}

TEST(StandardStreams, AFullDiskBehindThemIsAnInputOutputError) {
  EXPECT_EQ(in_a_child([] {
              const int full = ::open("/dev/full", O_WRONLY);
              if (full < 0 || ::dup2(full, 1) != 1) return 1;
              std::fputs("result", stdout);
              try {
                flush_standard_output();
              } catch (const IoError& error) {
                const bool says =
                    std::string(error.what()).find("No space left") != std::string::npos;
                // Also what others throw because of it is this error.
                const std::system_error thrown(ENOSPC, std::generic_category());
                return says && as_error(thrown).code() == ExitCode::io ? 0 : 2;
              }
              return 3;
            }),
            0);
}

TEST(StandardStreams, EveryExceptionHasAnExitCode) {
  EXPECT_EQ(as_error(UsageError("no")).code(), ExitCode::usage);
  EXPECT_STREQ(as_error(UsageError("no")).what(), "no");
  EXPECT_EQ(as_error(std::bad_alloc()).code(), ExitCode::runtime);
  EXPECT_EQ(as_error(std::runtime_error("a bug")).code(), ExitCode::runtime);
  EXPECT_EQ(as_error(std::system_error(EAGAIN, std::generic_category())).code(), ExitCode::runtime);
  const auto error = std::make_error_code(std::errc::permission_denied);
  EXPECT_EQ(as_error(std::filesystem::filesystem_error("status", "/x", error)).code(),
            ExitCode::io);
}

}  // namespace
}  // namespace fabricast
