// MSCCL XML as a test writes it down: elements in the order of the calls, closing what must be
// closed.
#pragma once

#include <string>

#include <fmt/format.h>

namespace fabricast {

class MscclWriter {
 public:
  MscclWriter(const std::string& name, const std::string& collective, int p, int chunks,
              int channels, bool in_place, const std::string& protocol = "Simple",
              const std::string& more = "") {
    text_ = fmt::format(
        "<algo name=\"{}\" proto=\"{}\" nchannels=\"{}\" nchunksperloop=\"{}\" ngpus=\"{}\" "
        "coll=\"{}\" inplace=\"{}\" outofplace=\"{}\"{}>\n",
        name, protocol, channels, chunks, p, collective, in_place ? 1 : 0, in_place ? 0 : 1, more);
  }
  void gpu(int id, int in, int out, int scratch) {
    close_gpu();
    text_ += fmt::format("  <gpu id=\"{}\" i_chunks=\"{}\" o_chunks=\"{}\" s_chunks=\"{}\">\n", id,
                         in, out, scratch);
    in_gpu_ = true;
    blocks_ = 0;
  }
  int block(int send, int recv, int channel = 0) {
    close_block();
    text_ += fmt::format("    <tb id=\"{}\" send=\"{}\" recv=\"{}\" chan=\"{}\">\n", blocks_, send,
                         recv, channel);
    in_block_ = true;
    steps_ = 0;
    return blocks_++;
  }
  int step(const std::string& type, char from, int from_chunk, char to, int to_chunk, int count = 1,
           int after_block = -1, int after_step = -1) {
    text_ += fmt::format(
        "      <step s=\"{}\" type=\"{}\" srcbuf=\"{}\" srcoff=\"{}\" dstbuf=\"{}\" dstoff=\"{}\" "
        "cnt=\"{}\" depid=\"{}\" deps=\"{}\" hasdep=\"1\"/>\n",
        steps_, type, from, from_chunk, to, to_chunk, count, after_block, after_step);
    return steps_++;
  }
  void wait(int block, int step) { this->step("nop", 'i', -1, 'o', -1, 0, block, step); }
  std::string finish() {
    close_gpu();
    return text_ + "</algo>\n";
  }

 private:
  void close_block() {
    if (in_block_) text_ += "    </tb>\n";
    in_block_ = false;
  }
  void close_gpu() {
    close_block();
    if (in_gpu_) text_ += "  </gpu>\n";
    in_gpu_ = false;
  }
  std::string text_;
  bool in_gpu_ = false, in_block_ = false;
  int blocks_ = 0, steps_ = 0;
};

}  // namespace fabricast
