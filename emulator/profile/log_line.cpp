#include "emulator/profile/log_line.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace fabricast {
namespace {

constexpr int most_prefixes = 4;  // a label, a time, and both again from a collector of logs
constexpr char escape = '\x1b';

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_space(char c) { return c == ' ' || c == '\t'; }
bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' ||
         c == '/';
}

// Without colours, and as a terminal shows it: what precedes a carriage return is overwritten.
std::string visible(std::string_view line) {
  while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (const auto last = line.rfind('\r'); last != nowhere) line.remove_prefix(last + 1);
  std::string text;
  text.reserve(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != escape) {
      const bool control = static_cast<unsigned char>(line[i]) < 0x20 && line[i] != '\t';
      if (!control) text += line[i];
      continue;
    }
    if (i + 1 >= line.size() || line[i + 1] != '[') continue;
    i += 2;  // ESC [ parameters letter
    while (i < line.size() && std::isalpha(static_cast<unsigned char>(line[i])) == 0) ++i;
  }
  return text;
}

// Length of `pattern` at the start of `text` ('0' any digit, else itself), or 0.
std::size_t matches(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '0' ? !is_digit(text[i]) : text[i] != pattern[i]) return 0;
  }
  return pattern.size();
}

std::size_t spaces(std::string_view text, std::size_t from) {
  while (from < text.size() && is_space(text[from])) ++from;
  return from;
}

// "2025-01-02T03:04:05.678Z ", "[2025-01-02 03:04:05] ", "03:04:05 ": its length, or 0.
std::size_t time_stamp(std::string_view text) {
  std::size_t at = text.starts_with('[') ? 1 : 0;
  const bool bracket = at == 1;
  std::size_t length = 0;
  for (const auto pattern : {"0000-00-00T00:00:00", "0000-00-00 00:00:00", "00:00:00"}) {
    length = std::max(length, matches(text.substr(at), pattern));
  }
  if (length == 0) return 0;
  at += length;
  if (at < text.size() && (text[at] == '.' || text[at] == ',')) {
    ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
  }
  if (at < text.size() && text[at] == 'Z') ++at;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    at += matches(text.substr(at + 1), "00:00") + 1;
  }
  if (bracket) {
    if (at >= text.size() || text[at] != ']') return 0;
    ++at;
  }
  if (at < text.size() && text[at] == ':') ++at;
  if (at < text.size() && !is_space(text[at])) return 0;
  return std::min(at + 1, text.size());
}

// "[1,0]<stdout>:", with a job's name before the rank and perhaps a date before the bracket.
std::size_t mpirun_label(std::string_view text, std::string& stream) {
  for (const std::string_view mark : {"]<stdout>", "]<stderr>"}) {
    const auto end = text.find(mark);
    const auto open = end == nowhere ? nowhere : text.rfind('[', end);
    const auto comma = end == nowhere ? nowhere : text.rfind(',', end);
    if (open == nowhere || comma == nowhere || comma < open) continue;
    const auto rank = text.substr(comma + 1, end - comma - 1);
    if (rank.empty() || !std::all_of(rank.begin(), rank.end(), is_digit)) continue;
    auto after = spaces(text, end + mark.size());
    if (after >= text.size() || text[after] != ':') continue;
    stream = std::string(rank);
    return after + 1;
  }
  return 0;
}

// "0: " or "node1: " or "pod-0 | "; a name counts only before what nccl-tests writes.
std::size_t short_label(std::string_view text, std::string& stream) {
  const std::size_t start = spaces(text, 0);
  std::size_t at = start;
  while (at < text.size() && is_name(text[at])) ++at;
  if (at == start) return 0;
  const auto label = text.substr(start, at - start);
  const std::size_t mark = spaces(text, at);
  if (mark >= text.size() || (text[mark] != ':' && text[mark] != '|')) return 0;
  if (text[mark] == ':' && mark != at) return 0;
  if (mark + 1 < text.size() && !is_space(text[mark + 1])) return 0;
  if (!std::all_of(label.begin(), label.end(), is_digit)) {
    const std::size_t next = spaces(text, mark + 1);
    if (next >= text.size() || (text[next] != '#' && !is_digit(text[next]))) return 0;
  }
  stream = std::string(label);
  return mark + 1;
}

// "(head, rank=0, pid=3808) " of SkyPilot, "(Worker pid=3808, ip=10.0.0.1) " of Ray.
std::size_t parenthesis_label(std::string_view text, std::string& stream) {
  const std::size_t end = text.starts_with('(') ? text.find(") ") : nowhere;
  if (end == nowhere) return 0;
  const auto label = text.substr(1, end - 1);
  if (label.find("pid=") == nowhere) return 0;
  stream = std::string(label);
  return end + 2;
}

// "[0] " of MPICH's launcher, "[pod/worker-0/nccl] " of kubectl; only before what nccl-tests
// writes.
std::size_t bracket_label(std::string_view text, std::string& stream) {
  const std::size_t start = spaces(text, 0);
  const std::size_t end =
      start < text.size() && text[start] == '[' ? text.find(']', start) : nowhere;
  if (end == nowhere) return 0;
  const auto label = text.substr(start + 1, end - start - 1);
  if (label.empty() || !std::all_of(label.begin(), label.end(), is_name)) return 0;
  const std::size_t next = spaces(text, end + 1);
  if (next == end + 1 || next >= text.size() || (text[next] != '#' && !is_digit(text[next])))
    return 0;
  // "[5.000005] ": seconds, as of dmesg.
  const bool seconds =
      label.find('.') != nowhere && label.find_first_not_of("0123456789.") == nowhere;
  if (!seconds) stream = std::string(label);
  return end + 1;
}

// "host:pid:tid".
bool is_process(std::string_view word) {
  const auto pid = word.find(':');
  if (pid == nowhere || pid + 1 >= word.size() || !is_digit(word[pid + 1])) return false;
  const auto tid = word.find(':', pid + 1);
  return tid != nowhere && tid + 1 < word.size() && is_digit(word[tid + 1]);
}

// Where NCCL's log line begins ("host:pid:tid [device] NCCL INFO"), or none.
std::size_t library_start(std::string_view text, const std::set<std::string>& hosts) {
  const auto trimmed = spaces(text, 0);
  for (const auto* head : {"NCCL version ", "RCCL version ", "HIP version  : ", "ROCm version : ",
                           "Hostname     : ", "Librccl path : "}) {
    if (text.substr(trimmed).starts_with(head)) return trimmed;
  }
  std::size_t mark = nowhere;
  for (const auto* level : {" NCCL INFO ", " NCCL WARN ", " NCCL TRACE ", " NCCL ABORT "}) {
    mark = std::min(mark, text.find(level));
  }
  if (mark == nowhere) return nowhere;
  // The word with host:pid:tid; the device in brackets and the source's line may stand between.
  const auto before = text.substr(0, mark);
  auto word = nowhere;
  for (std::size_t end = before.size(); end > 0 && word == nowhere;) {
    auto start = before.find_last_of(" \t", end - 1);
    start = start == nowhere ? 0 : start + 1;
    if (is_process(before.substr(start, end - start))) word = start;
    end = start == 0 ? 0 : start - 1;
  }
  if (word == nowhere) return mark;
  const auto glued = before.substr(word, before.find(':', word) - word);
  for (const auto& host : hosts) {
    const auto at = glued.find(host);
    if (at != nowhere && at + host.size() == glued.size()) return word + at;
  }
  const auto letter = std::find_if(glued.begin(), glued.end(), [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
  });
  return word + static_cast<std::size_t>(letter - glued.begin());
}

}  // namespace

LogLine read_log_line(std::string_view line, const std::set<std::string>& hosts) {
  const std::string shown = visible(line);
  std::string_view text = shown;
  LogLine made;
  // Quoted, as in a reply to an issue or a mail.
  for (int i = 0; i < most_prefixes && text.starts_with('>'); ++i) {
    text.remove_prefix(text.starts_with("> ") ? 2 : 1);
  }
  for (int i = 0; i < most_prefixes; ++i) {
    std::string stream;
    auto length = mpirun_label(text, stream);
    if (length == 0) length = time_stamp(text.substr(spaces(text, 0)));
    if (length == 0 && made.stream.empty()) length = parenthesis_label(text, stream);
    if (length == 0 && made.stream.empty()) length = short_label(text, stream);
    if (length == 0 && made.stream.empty()) length = bracket_label(text, stream);
    if (length == 0) break;
    if (stream.empty()) length += spaces(text, 0);
    if (!stream.empty()) made.stream = std::move(stream);
    text.remove_prefix(std::min(length, text.size()));
  }
  const auto library = library_start(text, hosts);
  made.text = std::string(text.substr(0, library));
  if (library != nowhere) made.library = std::string(text.substr(library));
  return made;
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = spaces(text, 0); at < text.size(); at = spaces(text, at)) {
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace fabricast
