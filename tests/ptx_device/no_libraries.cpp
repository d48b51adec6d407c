// NVIDIA's libraries would look for a real GPU: linked with --wrap=dlopen, so that a machine that
// has them is as one that has none, or has those of the folder FABRICAST_PTX_LIBRARIES.
#include <dlfcn.h>

#include <cstdlib>
#include <string>

extern "C" {
void* __real_dlopen(const char* name, int flags);
void* __wrap_dlopen(const char* name, int flags) {
  if (name == nullptr) return __real_dlopen(name, flags);
  std::string wanted = name;
  const char* folder = std::getenv("FABRICAST_PTX_LIBRARIES");
  const std::string instead = folder != nullptr ? folder : "/nowhere-on-the-PTX-device";
  for (const char* each : {"libcublas", "libcuda.", "libnccl", "libnvidia-ml"}) {
    if (wanted.rfind(each, 0) == 0) wanted = instead + "/" + name;
  }
  return __real_dlopen(wanted.c_str(), flags);  // which says if there is none
}
}
