// Output of nccl-tests, text or JSON: read, judged row by row, and turned into samples.
#include <cmath>
#include <string>
#include <vector>

#include "emulator/profile/nccl_tests_json.hpp"
#include "emulator/profile/nccl_tests_log.hpp"
#include "emulator/profile/nccl_tests_samples.hpp"
#include "tests/fuzz/fuzz_input.hpp"

namespace {

void expect_evidence(const fabricast::SampleSet& samples) {
  for (const fabricast::Sample& sample : samples.samples) {
    if (!std::isfinite(sample.value) || sample.value <= 0) {
      fabricast::report_finding("a sample without a time", std::to_string(sample.value));
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fabricast::parse_or_refuse(
      data, size, "given/run.log", [](const std::string& text, const std::string& file) {
        const auto output = fabricast::looks_like_json(text)
                                ? fabricast::read_nccl_tests_json(text, file)
                                : fabricast::read_nccl_tests_log(text, file);
        fabricast::ImportRules rules;
        fabricast::SampleSet samples;
        std::vector<fabricast::RefusedLine> refused = output.refused;
        for (const auto& run : output.runs) {
          rules.ranks = 8;
          const auto shape = fabricast::shape_of(run, file, rules);
          if (!shape.refusal.empty()) continue;
          fabricast::add_samples(run, shape, rules, {"hgx-h100", file, "0"}, samples, refused);
          static_cast<void>(fabricast::describe(run));
        }
        expect_evidence(samples);
        for (const auto& line : refused) {
          if (!fabricast::is_printable_line(line.reason)) {
            fabricast::report_finding("a reason is no printable line", line.reason);
          }
        }
      });
}
