// libnvidia-ml, loaded with dlopen; functions by name, so that an old driver lacks some and not all.
//
// NVML's C interface is stable by name (nvml API reference, NVIDIA). Thread safe as NVML is.
#pragma once

#include <dlfcn.h>

#include <string>

namespace fabricast::nvml {

using Device = void*;
inline constexpr int nvml_success = 0;

struct Library {
  explicit Library(const std::string& name) : handle(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle != nullptr) dlclose(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

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

}  // namespace fabricast::nvml
