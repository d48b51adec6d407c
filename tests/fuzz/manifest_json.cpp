// Manifests of segment folders, sealed as somebody would who edits one: the seal is no protection.
#include <span>

#include "emulator/trace/manifest.hpp"
#include "emulator/trace/seal.hpp"
#include "tests/fuzz/fuzz_input.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fabricast::parse_or_refuse(
      data, size, "trace.h5.d/manifest.json", [](const std::string& text, const std::string& file) {
        const std::string sealed = text + fabricast::seal_of(std::as_bytes(std::span(text)));
        const auto manifest = fabricast::manifest_from_text(sealed, file);
        static_cast<void>(
            fabricast::manifest_from_text(fabricast::to_text(manifest), "written.json"));
      });
}
