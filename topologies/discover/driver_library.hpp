// A library of the NVIDIA driver, loaded with dlopen; functions by name, so that an old driver
// lacks some and not all. Thread safe as that library is.
#pragma once

#include <dlfcn.h>

#include <string>

namespace fabricast {

struct DriverLibrary {
  static constexpr int stays_loaded = RTLD_NODELETE;  // until the process ends

  explicit DriverLibrary(const std::string& name, int flags = 0)
      : handle(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | flags)) {}
  ~DriverLibrary() {
    if (handle != nullptr) dlclose(handle);
  }
  DriverLibrary(const DriverLibrary&) = delete;
  DriverLibrary& operator=(const DriverLibrary&) = delete;

  bool has(const char* name) const { return dlsym(handle, name) != nullptr; }

  // Calls `name` if the library has it; any non-zero result means it said no.
  template <class... Args>
  int call(const char* name, Args... args) const {
    using Function = int (*)(Args...);
    // POSIX guarantees this conversion for dlsym.
    const auto function = reinterpret_cast<Function>(dlsym(handle, name));
    return function == nullptr ? -1 : function(args...);
  }

  void* handle;
};

// NVML's C interface is stable by name (nvml API reference, NVIDIA).
namespace nvml {
using Device = void*;
inline constexpr int nvml_success = 0;
using Library = DriverLibrary;
}  // namespace nvml

}  // namespace fabricast
