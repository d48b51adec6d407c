// Building the bytes of a trace file in memory, with HDF5's core driver.
//
// HDF5 never sees the disk here: a full disk, a quota or SIGXFSZ in the middle of a metadata flush
// makes libhdf5 lose rows silently or crash at exit. The image is finished and closed in memory and
// then written with plain, checked system calls (publish.hpp).
// Invariants: equal content and equal `created` give equal bytes (object timestamps off).
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "emulator/trace/table.hpp"

namespace fabricast::hdf5 {

struct Image {
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes;
  std::size_t size = 0;
};

// `content` must have passed check_storable(). gzip_level 0..9. Throws IoError.
Image build_image(const TraceContent& content, const std::string& created, int gzip_level);

}  // namespace fabricast::hdf5
