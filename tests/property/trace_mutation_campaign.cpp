// R5 of the reliability bar: mutated traces through what report --check, report and compare do.
//
//   trace_mutation_campaign [--cases N] [--seed S] [--only NUMBER] [--sealed | --content]
//                           [--write FOLDER] TRACE...
//
// Every case runs in a forked child with a time limit, so that a crash or a hang is a count and the
// campaign goes on. Prints what went wrong on stderr, and one line of JSON on stdout.
//   --sealed   makes the seal of every mutated file right again: what is behind it must hold alone
//   --content  writes well-formed traces that say something else (content_mutation.hpp)
//   --write    leaves the mutated files as FOLDER/NUMBER.h5 and reads none
// Without TRACE: the example trace of the unit tests. Exit code 1 for a crash, a hang, a foreign
// exception or damage that --check did not see, 2 for a wrong call.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"
#include "emulator/report/compare.hpp"
#include "emulator/report/compare_view.hpp"
#include "emulator/report/csv.hpp"
#include "emulator/report/json.hpp"
#include "emulator/report/plot.hpp"
#include "emulator/report/table_view.hpp"
#include "emulator/report/why.hpp"
#include "emulator/trace/trace_file.hpp"
#include "tests/property/content_mutation.hpp"
#include "tests/property/trace_mutation.hpp"
#include "tests/unit/trace/example_trace.hpp"

namespace fabricast {
namespace {

constexpr double hang_seconds = 5;                // of processor time: a loaded machine is no hang
constexpr unsigned wall_seconds = 60;             // asleep for ever
constexpr rlim_t memory_limit = rlim_t{4} << 30;  // address space; what counts is the peak below
constexpr std::uint64_t batch = 50;               // cases per child: fork is not free
constexpr std::uint64_t kinds = mutation_kinds;

struct Options {
  std::uint64_t cases = 300, seed = 1, only = UINT64_MAX;
  bool sealed = false, content = false;
  std::string write_to;
  std::vector<std::string> traces;
};

enum class Fate : char {
  refused = 'r',
  accepted = 'a',
  undetected = 'u',
  foreign = 'f',
  slow = 's'
};

struct Counts {
  std::uint64_t cases = 0, refused = 0, accepted = 0, undetected = 0, foreign = 0;
  std::uint64_t crashes = 0, hangs = 0;
  long max_rss_kib = 0;
};

// What the three commands compute from a trace. Refusals are exceptions of fabricast.
template <class Body>
bool refuses(const Body& body) {
  try {
    body();
    return false;
  } catch (const Error&) {
    return true;
  }
}

// What report and compare compute; refusals of one must not hide another.
void show(const TraceContent& content) {
  for (const Table& table : content.tables) render_csv(content, table.path);
  refuses([&] { render_table(content, {}); });
  refuses([&] { render_json(content, {}); });
  refuses([&] { render_busbw_svg(content, {}); });
  for (const std::int64_t row : {0, 3, 29}) refuses([&] { render_why(content, row); });
}

void compare_with(const TraceContent& content, const TraceContent& good) {
  for (const bool base : {true, false}) {
    const std::vector<TraceContent> bases{base ? content : good};
    refuses([&] {
      const Comparison comparison = compare_traces(bases, base ? good : content, {});
      render_comparison(comparison, true);
      render_comparison_json(comparison);
      render_comparison_csv(comparison);
    });
  }
}

Fate fate_of(const std::string& path, const TraceContent& good, bool sealed) {
  bool found = false;
  const bool complained = refuses([&] { found = !check_trace(path).empty(); }) || found;
  const bool read = !refuses([&] {
    const TraceContent content = read_trace(path);
    refuses([&] { show(content); });
    refuses([&] { compare_with(content, good); });
  });
  if (!sealed && !complained) return Fate::undetected;
  return read ? Fate::accepted : Fate::refused;
}

double processor_seconds() {
  double seconds = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    seconds += static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  return seconds;
}

class Campaign {
 public:
  explicit Campaign(Options options) : options_(std::move(options)) {
    if (options_.traces.empty()) {
      write_trace(scratch_ / "example.h5", example_trace());
      options_.traces.push_back((scratch_ / "example.h5").string());
    }
    for (const std::string& path : options_.traces) {
      good_bytes_.push_back(file_bytes(path));
      good_.push_back(read_trace(path));
    }
  }

  int run() {
    const bool one = options_.only != UINT64_MAX;
    std::uint64_t next = one ? options_.only : 0;
    const std::uint64_t end = one ? next + 1 : options_.cases;
    if (!options_.write_to.empty()) {
      for (; next < end; ++next) {
        refuses([&] { write_case(next, fmt::format("{}/{}.h5", options_.write_to, next)); });
      }
      return 0;
    }
    while (next < end) next = run_batch(next, std::min(end, next + batch));
    print();
    return counts_.crashes + counts_.hangs + counts_.undetected + counts_.foreign == 0 ? 0 : 1;
  }

 private:
  // All traces meet all kinds of damage.
  std::size_t trace_of(std::uint64_t number) const { return number / kinds % good_.size(); }

  // Throws CheckError when such content cannot be stored.
  std::string write_case(std::uint64_t number, const std::string& path) const {
    std::string kind = "content";
    if (options_.content) {
      write_trace(path, mutated_content(good_[trace_of(number)], options_.seed, number), {true, 1});
    } else {
      put_file(path, mutated_trace(good_bytes_[trace_of(number)], options_.seed, number,
                                   options_.sealed, kind));
    }
    return kind;
  }

  std::string case_path() const { return (scratch_ / "mutated.h5").string(); }

  // In the child: one byte per finished case. Leaves without exit handlers, because libhdf5 may
  // stumble over its own leftovers of damaged files.
  [[noreturn]] void child(std::uint64_t begin, std::uint64_t end, int out) const {
#ifndef __SANITIZE_ADDRESS__  // whose shadow alone is larger
    const rlimit limit{memory_limit, memory_limit};
    ::setrlimit(RLIMIT_AS, &limit);
#endif
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    for (std::uint64_t number = begin; number < end; ++number) {
      ::alarm(wall_seconds);
      const double before = processor_seconds();
      std::string kind;
      Fate fate = Fate::refused;
      try {
        if (!refuses([&] { kind = write_case(number, case_path()); })) {
          fate = fate_of(case_path(), good_[trace_of(number)], options_.sealed || options_.content);
        }
      } catch (const std::exception& error) {
        fate = Fate::foreign;
        std::fprintf(stderr, "case %llu (%s): foreign exception: %s\n",
                     static_cast<unsigned long long>(number), kind.c_str(), error.what());
      }
      if (processor_seconds() - before > hang_seconds) {
        fate = Fate::slow;
        std::fprintf(stderr, "case %llu (%s): %.1f s of processor time\n",
                     static_cast<unsigned long long>(number), kind.c_str(),
                     processor_seconds() - before);
      }
      if (fate == Fate::undetected) {
        std::fprintf(stderr, "case %llu (%s): undetected\n",
                     static_cast<unsigned long long>(number), kind.c_str());
      }
      if (::write(out, &fate, 1) != 1) ::_exit(3);
    }
    ::_exit(0);
  }

  // Returns the first case that has not run: after a crash or hang, the one after the culprit.
  std::uint64_t run_batch(std::uint64_t begin, std::uint64_t end) {
    int ends[2];
    if (::pipe(ends) != 0) throw RuntimeError("no pipe");
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) throw RuntimeError("cannot fork");
    if (pid == 0) {
      ::close(ends[0]);
      child(begin, end, ends[1]);
    }
    ::close(ends[1]);
    char fate = 0;
    std::uint64_t next = begin;
    while (::read(ends[0], &fate, 1) == 1) {
      take(static_cast<Fate>(fate));
      ++next;
    }
    ::close(ends[0]);
    int status = 0;
    rusage usage{};
    if (::wait4(pid, &status, 0, &usage) != pid) throw RuntimeError("lost a child");
    counts_.max_rss_kib = std::max(counts_.max_rss_kib, usage.ru_maxrss);
    if (next == end && WIFEXITED(status) && WEXITSTATUS(status) == 0) return end;
    blame(next, status);
    return next + 1;
  }

  void take(Fate fate) {
    ++counts_.cases;
    counts_.refused += fate == Fate::refused ? 1 : 0;
    counts_.accepted += fate == Fate::accepted ? 1 : 0;
    counts_.undetected += fate == Fate::undetected ? 1 : 0;
    counts_.foreign += fate == Fate::foreign ? 1 : 0;
    counts_.hangs += fate == Fate::slow ? 1 : 0;
  }

  void blame(std::uint64_t number, int status) {
    ++counts_.cases;
    const bool hang = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    ++(hang ? counts_.hangs : counts_.crashes);
    std::fprintf(stderr, "case %llu: %s\n", static_cast<unsigned long long>(number),
                 hang                  ? "hang"
                 : WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status))
                                       : "unexpected exit");
  }

  void print() const {
    fmt::print(
        "{{\"id\":\"R5\",\"kind\":\"{}\",\"cases\":{},\"crashes\":{},\"hangs\":{},\"undetected\":{}"
        ","
        "\"foreign_exceptions\":{},\"refused\":{},\"accepted\":{},\"max_rss_mib\":{},\"seed\":{}}}"
        "\n",
        options_.content  ? "content"
        : options_.sealed ? "sealed"
                          : "damaged",
        counts_.cases, counts_.crashes, counts_.hangs, counts_.undetected, counts_.foreign,
        counts_.refused, counts_.accepted, counts_.max_rss_kib / 1024, options_.seed);
  }

  Options options_;
  const ScratchDirectory scratch_;
  std::vector<std::string> good_bytes_;
  std::vector<TraceContent> good_;
  Counts counts_;
};

std::uint64_t number_of(const char* text) {
  char* end = nullptr;
  const auto value = std::strtoull(text, &end, 10);
  if (end == text || *end != '\0') throw UsageError(fmt::format("\"{}\" is not a number", text));
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool takes_value =
        word == "--cases" || word == "--seed" || word == "--only" || word == "--write";
    if (takes_value && i + 1 == argc) throw UsageError(word + " needs a value");
    if (word == "--cases") {
      options.cases = number_of(argv[++i]);
    } else if (word == "--seed") {
      options.seed = number_of(argv[++i]);
    } else if (word == "--only") {
      options.only = number_of(argv[++i]);
    } else if (word == "--content") {
      options.content = true;
    } else if (word == "--write") {
      options.write_to = argv[++i];
    } else if (word == "--sealed") {
      options.sealed = true;
    } else if (word.starts_with("-")) {
      throw UsageError("unknown option " + word);
    } else {
      options.traces.push_back(word);
    }
  }
  if (options.sealed && options.content)
    throw UsageError("--sealed and --content exclude each other");
  return options;
}

}  // namespace
}  // namespace fabricast

int main(int argc, char** argv) {
  try {
    return fabricast::Campaign(fabricast::parse(argc, argv)).run();
  } catch (const fabricast::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return static_cast<int>(error.code());
  }
}
