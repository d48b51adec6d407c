#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "emulator/base/counter_rng.hpp"
#include "emulator/base/error.hpp"
#include "emulator/trace/seal.hpp"
#include "emulator/trace/trace_file.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

constexpr std::uint64_t seed = 20240611;

class Damage : public testing::Test {
 protected:
  Damage() {
    write_trace(path_, example_trace());
    good_ = file_bytes(path_);
    content_ = read_trace(path_);
  }

  enum class Outcome { refused, unchanged, changed };

  // What reading says of these bytes. Only fabricast's own exceptions may come out.
  Outcome read(const std::string& bytes) {
    put_file(path_, bytes);
    try {
      const TraceContent back = read_trace(path_);
      bool same = back.attributes == content_.attributes && back.documents == content_.documents &&
                  back.tables.size() == content_.tables.size();
      for (const Table& table : content_.tables) {
        const Table* other = back.find(table.path);
        same = same && other != nullptr && other->columns.size() == table.columns.size();
        for (std::size_t i = 0; same && i < table.columns.size(); ++i) {
          same = table.columns[i].values == other->columns[i].values &&
                 table.columns[i].units == other->columns[i].units;
        }
      }
      return same ? Outcome::unchanged : Outcome::changed;
    } catch (const Error&) {
      return Outcome::refused;
    }
  }

  // The good file with one bit of its first `size` bytes flipped; a pure function of `i`.
  std::string flipped(std::uint64_t i, std::size_t size) const {
    std::string bytes = good_;
    const auto at =
        static_cast<std::size_t>(random_int(seed, i, 0, 0, static_cast<std::int64_t>(size) - 1));
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random_int(seed, i, 1, 0, 7)));
    return bytes;
  }

  static std::string sealed(std::string bytes) {
    bytes.resize(bytes.size() - seal_bytes);
    return bytes + seal_of(std::as_bytes(std::span(bytes)));
  }

  bool check_complains() {
    try {
      return !check_trace(path_).empty();
    } catch (const Error&) {
      return true;
    }
  }

  const ScratchDirectory scratch_;
  const std::filesystem::path path_ = scratch_ / "trace.h5";
  std::string good_;
  TraceContent content_;
};

TEST_F(Damage, EveryFlippedBitIsDetected) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    EXPECT_EQ(read(flipped(i, good_.size())), Outcome::refused) << "flip " << i;
    EXPECT_TRUE(check_complains()) << "flip " << i;
  }
}

// libhdf5 leaks and grumbles at exit after damaged files, and might crash: run it in a child that
// leaves without exit handlers. Failures are printed by the child and counted by its exit code.
void expect_good_in_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    body();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// The seal made right again, as a stranger could: HDF5's own checksums, our digest and the checks
// before every allocation must hold on their own. What they cannot see is text that no digest
// covers, and references that only other programs follow.
TEST_F(Damage, FlippedBitsUnderAGoodSealNeverChangeTables) {
  expect_good_in_child([&] {
    int refused = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
      const Outcome outcome = read(sealed(flipped(i, good_.size() - seal_bytes)));
      EXPECT_NE(outcome, Outcome::changed) << "flip " << i;
      if (outcome == Outcome::refused) {
        EXPECT_TRUE(check_complains()) << "flip " << i;
        ++refused;
      }
    }
    EXPECT_GT(refused, 20) << "the flips hit nothing that matters";
  });
}

TEST_F(Damage, EveryTruncationIsRefused) {
  for (std::size_t keep = 0; keep < good_.size(); keep += 1 + good_.size() / 60) {
    EXPECT_EQ(read(good_.substr(0, keep)), Outcome::refused) << keep;
  }
  EXPECT_EQ(read(good_.substr(0, good_.size() - 1)), Outcome::refused);
}

TEST_F(Damage, OverwrittenBlocksUnderAGoodSealNeverChangeTables) {
  expect_good_in_child([&] {
    for (std::uint64_t i = 0; i < 60; ++i) {
      std::string bytes = good_;
      const auto at = static_cast<std::size_t>(
          random_int(seed, i, 2, 0, static_cast<std::int64_t>(good_.size()) - 65));
      for (std::size_t k = 0; k < 64; ++k) {
        bytes[at + k] = i % 2 == 0 ? '\0' : static_cast<char>(random_bits(seed, i, k));
      }
      EXPECT_NE(read(sealed(bytes)), Outcome::changed) << "block at " << at;
    }
  });
}

TEST_F(Damage, OtherFilesAreNamedForWhatTheyAre) {
  const auto message = [&](const std::string& bytes) -> std::string {
    put_file(scratch_ / "other", bytes);
    try {
      read_trace(scratch_ / "other");
    } catch (const IoError& error) {
      return error.what();
    }
    return "no IoError";
  };
  EXPECT_NE(message("").find("shorter than any HDF5 file"), std::string::npos);
  EXPECT_NE(message(std::string(4096, 'x')).find("not an HDF5 file"), std::string::npos);
  EXPECT_NE(message(std::string("\x89HDF\r\n\x1a\n\0", 9) + std::string(999, '\0')).find("layout"),
            std::string::npos);
  EXPECT_THROW(read_trace(scratch_ / "missing"), IoError);
  EXPECT_THROW(read_trace(scratch_.path()), IoError);
  ASSERT_EQ(::mkfifo((scratch_ / "fifo").c_str(), 0600), 0);
  EXPECT_THROW(read_trace(scratch_ / "fifo"), IoError);  // and does not hang
  EXPECT_THROW(check_trace(scratch_ / "missing"), IoError);
}

}  // namespace
}  // namespace fabricast
