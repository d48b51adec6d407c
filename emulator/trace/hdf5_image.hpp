// An HDF5 file that lives in memory, and its bytes once it is closed.
//
// HDF5 never sees the disk. Writing: a full disk, a quota or SIGXFSZ in the middle of a metadata
// flush makes libhdf5 lose rows silently or crash at exit. H5Fget_file_image is of no use for V110
// files: it clears the "open for writing" flag and leaves the superblock's checksum wrong (1.10.8).
// So the core driver hands its memory over when the file closes. Reading: a disk that fails under
// libhdf5 looks to it like a damaged file, and the file may change after its seal was checked.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "emulator/trace/hdf5_handle.hpp"

namespace fabricast::hdf5 {

struct Image {
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes;
  std::size_t size = 0;
};

// Creation properties of an object: links and attributes stay in the object header, whose checksum
// covers them (dense storage would put them into heaps); no object times.
void keep_together(hid_t creation);
// The same for groups, which also keep the order of creation.
void keep_links_together(hid_t creation);

// `image` must outlive the file and receives the bytes when it is closed.
Handle create_in_memory(Image& image);

// A file to read, of the bytes of a whole one. They must outlive it; they are not copied.
Handle open_in_memory(std::string& bytes, const std::string& what);

// After the file is closed: cuts the image at HDF5's own end of file and appends the seal.
void seal_image(Image& image);

}  // namespace fabricast::hdf5
