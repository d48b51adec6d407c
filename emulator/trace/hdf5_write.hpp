// Building the bytes of a trace file in memory, with HDF5's core driver.
//
// The image is finished and closed in memory (hdf5_image.hpp) and then written with plain, checked
// system calls (publish.hpp).
// Invariants: equal content and equal `created` give equal bytes (object timestamps off).
#pragma once

#include <string>

#include "emulator/trace/hdf5_image.hpp"
#include "emulator/trace/table.hpp"

namespace fabricast::hdf5 {

// `content` must have passed check_storable(). gzip_level 0..9. Throws IoError.
Image build_image(const TraceContent& content, const std::string& created, int gzip_level);

}  // namespace fabricast::hdf5
