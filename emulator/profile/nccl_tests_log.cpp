#include "emulator/profile/nccl_tests_log.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "emulator/profile/log_line.hpp"
#include "emulator/profile/nccl_settings.hpp"
#include "emulator/profile/nccl_tests_head.hpp"
#include "emulator/profile/nccl_tests_row.hpp"

namespace fabricast {
namespace {

// One process's output.
struct Stream {
  std::optional<NcclTestsRun> run;
  NcclTestsColumns columns;
  std::optional<RowPieces> pending;
};

class Reader {
 public:
  Reader(std::string_view text, const std::string& file) : text_(text) { made_.file = file; }

  NcclTestsOutput read() {
    while (!text_.empty()) {
      const auto end = text_.find('\n');
      ++made_.lines;
      if (end == nowhere) {  // killed while it wrote: a number may lack its last digits
        made_.cut = true;
        made_.refused.push_back({made_.lines, "the file ends in the middle of this line"});
        break;
      }
      read_line(text_.substr(0, end));
      text_.remove_prefix(end + 1);
    }
    for (auto& [label, stream] : streams_) close(stream);
    std::stable_sort(made_.runs.begin(), made_.runs.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    std::stable_sort(made_.refused.begin(), made_.refused.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    if (versions_.size() == 1) {  // its line may come anywhere: other streams are buffered
      for (NcclTestsRun& run : made_.runs) {
        if (run.nccl_version.empty()) run.nccl_version = *versions_.begin();
      }
    }
    return std::move(made_);
  }

 private:
  void read_line(std::string_view raw) {
    const LogLine line = read_log_line(raw, hosts_);
    Stream& stream = streams_[line.stream];
    if (!line.library.empty()) {
      ++made_.library_lines;
      read_library(line.library, stream);
    }
    const bool blank = line.text.find_first_not_of(" \t") == std::string::npos;
    if (blank) return;
    if (read_row(line.text, stream)) return;
    const auto start = line.text.find_first_not_of(" \t");
    if (line.text[start] == '#' && read_comment(line.text, line.stream, stream)) return;
    if (line.text.compare(start, 12, "rccl-tests: ") == 0) {  // behind the head's first line
      read_versions(line.text, open(stream, made_.lines));
      return;
    }
    if (!read_shell(line.text) && line.library.empty()) ++made_.unknown_lines;
  }

  // ---- rows

  bool read_row(std::string_view text, Stream& stream) {
    if (auto pieces = row_start(text, stream.columns)) {
      end_row(stream);
      pieces->row.line = made_.lines;
      stream.pending = std::move(pieces);
    } else if (!stream.pending || !continue_row(text, *stream.pending)) {
      return false;
    }
    if (is_whole(*stream.pending, stream.columns)) end_row(stream);
    return true;
  }

  void end_row(Stream& stream) {
    if (!stream.pending) return;
    RowPieces pieces = std::move(*stream.pending);
    stream.pending.reset();
    const auto problem = finish_row(pieces, stream.columns);
    if (!problem.empty()) {
      made_.refused.push_back({pieces.row.line, problem});
      return;
    }
    open(stream, pieces.row.line).rows.push_back(std::move(pieces.row));
  }

  // ---- runs

  NcclTestsRun& open(Stream& stream, std::int64_t line) {
    if (!stream.run) {
      stream.run.emplace();
      stream.run->line = line;
      stream.run->program = std::exchange(program_, {});
      stream.run->environment = exported_;
      for (auto& [name, value] : std::exchange(once_, {})) {
        stream.run->environment[name] = value;
      }
      stream.run->nccl_version = std::exchange(early_version_, {});
      stream.run->rccl = std::exchange(early_rccl_, false);
    }
    return *stream.run;
  }

  void close(Stream& stream) {
    end_row(stream);
    if (stream.run && (!stream.run->rows.empty() || !stream.run->devices.empty())) {
      stream.run->cpu_time = stream.columns.cpu_time;
      made_.runs.push_back(std::move(*stream.run));
    }
    stream.run.reset();
    stream.columns = {};
  }

  // A new run begins where the last one has rows, or devices before the first line of a head.
  NcclTestsRun& head(Stream& stream, const std::string& label, bool first = true) {
    end_row(stream);
    if (stream.run && (!stream.run->rows.empty() || (first && !stream.run->devices.empty()))) {
      close(stream);
    }
    NcclTestsRun& run = open(stream, made_.lines);
    run.stream = label;
    return run;
  }

  // ---- lines that begin with #

  bool read_comment(std::string_view text, const std::string& label, Stream& stream) {
    if (text.find("# nccl-tests version ") != nowhere ||
        text.find("# rccl-tests version ") != nowhere) {
      read_versions(text, head(stream, label));
    } else if (text.find("Collective test starting:") != nowhere) {
      head(stream, label).program = shell_settings(text).program;
    } else if (text.find("# nThread ") != nowhere || text.find("# nThreads: ") != nowhere) {
      read_options(text, head(stream, label));
    } else if (auto device = device_of(text)) {
      read_device(std::move(*device), label, stream);
    } else if (const auto columns = columns_of(text)) {
      // Runs without any head are told apart by their tables.
      if (stream.run && stream.run->complete) close(stream);
      end_row(stream);
      open(stream, made_.lines).stream = label;
      stream.columns = *columns;
    } else if (stream.run) {
      read_tail(text, stream);
    }
    return true;
  }

  void read_device(NcclTestsDevice device, const std::string& label, Stream& stream) {
    NcclTestsRun& run = head(stream, label, false);
    hosts_.insert(device.host);
    hosts_.insert(device.host.substr(0, device.host.find('.')));
    if (device.name.ends_with("...")) run.devices_cut = true;
    run.devices.push_back(std::move(device));
  }

  void read_tail(std::string_view text, Stream& stream) {
    NcclTestsRun& run = *stream.run;
    if (text.find("Out of bounds values") != nowhere) {
      end_row(stream);
      run.failed = text.find("FAILED") != nowhere;
    } else if (text.find("Avg bus bandwidth") != nowhere ||
               text.find("Collective test concluded") != nowhere) {
      end_row(stream);
      run.complete = true;
    } else if (text.find("# Blocking Enabled") != nowhere) {
      run.blocking = true;
    } else if (words_of(text).size() == 1 && text.ends_with("...")) {
      run.devices_cut = true;
    }
  }

  // ---- NCCL and the shell

  void read_library(std::string_view text, Stream& stream) {
    if (const auto version = nccl_version_in(text); !version.empty()) {
      versions_.insert(version);
      // Of the process's own run, or of the one that begins next.
      if (stream.run && stream.run->rows.empty()) {
        stream.run->nccl_version = version;
        stream.run->rccl = stream.run->rccl || text.starts_with("RCCL ");
      } else {
        early_version_ = version;
        early_rccl_ = text.starts_with("RCCL ");
      }
    }
    NcclTestsRun* run = latest(stream);
    if (auto setting = setting_in(text)) {
      if (run != nullptr) {
        run->environment.insert(std::move(*setting));
      } else {
        once_.insert(std::move(*setting));
      }
    }
    if (auto made = choice_in(text); made && run != nullptr) {
      run->choices[{made->function, made->bytes}] = made->choice;
    }
  }

  // Only one process writes the table; the others' library lines are of its run.
  NcclTestsRun* latest(Stream& own) {
    if (own.run && !own.run->complete) return &*own.run;
    NcclTestsRun* found = nullptr;
    for (auto& [label, stream] : streams_) {
      if (stream.run && !stream.run->complete &&
          (found == nullptr || stream.run->line > found->line)) {
        found = &*stream.run;
      }
    }
    return found;
  }

  bool read_shell(std::string_view text) {
    ShellSettings settings = shell_settings(text);
    if (settings.empty()) return false;
    for (auto& [name, value] : settings.exported) exported_[name] = value;
    for (auto& [name, value] : settings.once) once_[name] = value;
    exported_.erase(settings.unset);
    if (!settings.program.empty()) program_ = settings.program;
    return true;
  }

  std::string_view text_;
  NcclTestsOutput made_;
  std::map<std::string, Stream> streams_;  // by label
  std::set<std::string> hosts_, versions_;
  std::map<std::string, std::string> exported_, once_;  // settings of the shell
  std::string program_, early_version_;                 // of the run that begins next
  bool early_rccl_ = false;                             // as early_version_
};

}  // namespace

NcclTestsOutput read_nccl_tests_log(std::string_view text, const std::string& file) {
  return Reader(text, file).read();
}

}  // namespace fabricast
