#include "emulator/trace/hdf5_image.hpp"

#include <cstdint>
#include <cstring>
#include <new>

#include "emulator/base/error.hpp"
#include "emulator/trace/format.hpp"
#include "emulator/trace/seal.hpp"

namespace fabricast::hdf5 {
namespace {

// HDF5 hands its memory over through these callbacks when the file closes.

void* grow_image(void* bytes, std::size_t size, H5FD_file_image_op_t, void* user) {
  void* grown = std::realloc(bytes, size);
  static_cast<Image*>(user)->size = grown != nullptr ? size : 0;
  return grown;
}
void* new_image(std::size_t size, H5FD_file_image_op_t operation, void* user) {
  return grow_image(nullptr, size, operation, user);
}
void* copy_image(void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
  return std::memcpy(to, from, size);
}
herr_t keep_image(void* bytes, H5FD_file_image_op_t, void* user) {
  static_cast<Image*>(user)->bytes.reset(static_cast<std::byte*>(bytes));
  return 0;
}
// To read: HDF5 works on our bytes, which nobody copies or lets go of.
void* our_bytes(std::size_t, H5FD_file_image_op_t, void* user) {
  return static_cast<std::string*>(user)->data();
}
void* nothing_to_copy(void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) {
  return to;
}
void* no_growth(void*, std::size_t, H5FD_file_image_op_t, void*) { return nullptr; }
herr_t nothing_to_free(void*, H5FD_file_image_op_t, void*) { return 0; }

void* same_user(void* user) { return user; }
herr_t release_user(void*) { return 0; }

// Offset and width of the end-of-file address in a version 2 or 3 superblock with 8-byte offsets
// (HDF5 File Format Specification III, "Disk Format: Level 0A").
constexpr std::size_t end_of_file_offset = 28;

}  // namespace

void keep_together(hid_t creation) {
  check(H5Pset_obj_track_times(creation, false), "turn object times off");
  check(H5Pset_attr_phase_change(creation, format::compact_entries, 0), "keep attributes compact");
}

void keep_links_together(hid_t creation) {
  keep_together(creation);
  check(H5Pset_link_phase_change(creation, format::compact_entries, 0), "keep links compact");
  check(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED),
        "keep the order of creation");
}

Handle create_in_memory(Image& image) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "create a property list");
  // V110: object headers and chunk indexes carry checksums.
  check(H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110), "set the file version");
  check(H5Pset_fapl_core(access, 4u << 20, false), "keep the file in memory");
  H5FD_file_image_callbacks_t callbacks{new_image, copy_image,   grow_image, keep_image,
                                        same_user, release_user, &image};
  check(H5Pset_file_image_callbacks(access, &callbacks), "watch the file image");
  Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "create a property list");
  keep_links_together(creation);
  return {H5Fcreate("trace in memory", H5F_ACC_TRUNC, creation, access), H5Fclose,
          "create a file in memory"};
}

Handle open_in_memory(std::string& bytes, const std::string& what) {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "create a property list");
  check(H5Pset_fapl_core(access, 4u << 20, false), "keep the file in memory");
  H5FD_file_image_callbacks_t callbacks{our_bytes, nothing_to_copy, no_growth, nothing_to_free,
                                        same_user, release_user,    &bytes};
  check(H5Pset_file_image_callbacks(access, &callbacks), "share the file image");
  check(H5Pset_file_image(access, bytes.data(), bytes.size()), "set the file image");
  // The core driver refuses an image of a file that exists: this one cannot.
  return {H5Fopen("/dev/null/trace in memory", H5F_ACC_RDONLY, access), H5Fclose, what};
}

void seal_image(Image& image) {
  // The driver rounds its memory up; the superblock knows where the file ends.
  std::uint64_t end = 0;
  if (image.bytes && image.size >= end_of_file_offset + sizeof end) {
    std::memcpy(&end, image.bytes.get() + end_of_file_offset, sizeof end);
  }
  if (end == 0 || end > image.size) {
    throw IoError(
        "HDF5 could not finish a file in memory (its image is incomplete) this is a bug "
        "of fabricast or of libhdf5, please report it");
  }
  const std::string seal = seal_of({image.bytes.get(), static_cast<std::size_t>(end)});
  image.size = static_cast<std::size_t>(end) + seal.size();
  void* sealed = std::realloc(image.bytes.get(), image.size);
  if (sealed == nullptr) throw std::bad_alloc();
  static_cast<void>(image.bytes.release());
  image.bytes.reset(static_cast<std::byte*>(sealed));
  std::memcpy(image.bytes.get() + end, seal.data(), seal.size());
}

}  // namespace fabricast::hdf5
