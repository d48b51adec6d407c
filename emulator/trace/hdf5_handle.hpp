// The thin layer over HDF5's C API: owned ids, checked calls, the error stack as text.
//
// Invariants: an id is closed exactly once; every close that matters is checked (close()), and a
// destructor closes silently because it runs on error paths whose first error is already on its
// way. HDF5's own printing is silenced while a QuietErrors lives. Not thread safe: HDF5's error
// stack and this layer are used by one thread at a time.
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

namespace fabricast::hdf5 {

// Innermost and outermost messages of HDF5's error stack, on one line; clears the stack.
std::string take_error_stack();

// Throws IoError "HDF5 could not WHAT (stack)" and, when the stack speaks of file locks, the hint
// to set HDF5_USE_FILE_LOCKING=FALSE.
[[noreturn]] void fail(const std::string& what);

class QuietErrors {
 public:
  QuietErrors();
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

class Handle {
 public:
  using Closer = herr_t (*)(hid_t);

  Handle() = default;
  // Takes a fresh id; throws IoError naming `what` when the call that made it failed.
  Handle(hid_t id, Closer closer, const std::string& what) : id_(id), closer_(closer) {
    if (id_ < 0) fail(what);
  }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), closer_(other.closer_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) closer_(id_);
  }

  hid_t get() const { return id_; }
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): for C calls
  void close(const std::string& what);    // checked

 private:
  hid_t id_ = H5I_INVALID_HID;
  Closer closer_ = nullptr;
};

// Passes a non-negative result on; throws IoError otherwise.
template <class Result>
Result check(Result result, const std::string& what) {
  if (result < 0) fail(what);
  return result;
}

// Fixed-length UTF-8, padded with NUL; HDF5 has no strings of length 0, so at least 1.
Handle text_type(std::size_t bytes);

}  // namespace fabricast::hdf5
