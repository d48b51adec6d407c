#include "emulator/trace/hdf5_handle.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "emulator/base/error.hpp"

namespace fabricast::hdf5 {
namespace {

herr_t collect(unsigned, const H5E_error2_t* error, void* data) {
  auto* messages = static_cast<std::vector<std::string>*>(data);
  if (error->desc != nullptr) messages->emplace_back(error->desc);
  return 0;
}

}  // namespace

std::string take_error_stack() {
  std::vector<std::string> messages;  // outermost first
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, collect, &messages);
  H5Eclear2(H5E_DEFAULT);
  if (messages.empty()) return "no message from HDF5";
  if (messages.size() == 1) return messages.front();
  return messages.front() + ": " + messages.back();
}

void fail(const std::string& what) {
  const std::string stack = take_error_stack();
  const bool lock = stack.find("lock file") != std::string::npos;
  throw IoError(fmt::format("HDF5 could not {} ({}){}", what, stack,
                            lock ? " on a file system without locks set "
                                   "HDF5_USE_FILE_LOCKING=FALSE; otherwise wait for the writer"
                                 : ""));
}

QuietErrors::QuietErrors() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietErrors::~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }

void Handle::close(const std::string& what) {
  const hid_t id = std::exchange(id_, H5I_INVALID_HID);
  if (id >= 0 && closer_(id) < 0) fail("close " + what);
}

Handle text_type(std::size_t bytes) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "copy the string type");
  check(H5Tset_size(type, std::max<std::size_t>(bytes, 1)), "size a string type");
  check(H5Tset_strpad(type, H5T_STR_NULLPAD), "pad a string type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "set a string type to UTF-8");
  return type;
}

}  // namespace fabricast::hdf5
