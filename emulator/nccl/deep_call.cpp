#include "emulator/nccl/deep_call.hpp"

#include <pthread.h>

#include <cstring>
#include <exception>
#include <string>

#include "emulator/base/error.hpp"

namespace fabricast::nccl {
namespace {

struct Call {
  const std::function<void()>& body;
  std::exception_ptr failure;
};

void* run(void* argument) {
  auto& call = *static_cast<Call*>(argument);
  try {
    call.body();
  } catch (...) {
    call.failure = std::current_exception();
  }
  return nullptr;
}

}  // namespace

void call_with_stack(std::size_t bytes, const std::function<void()>& body) {
  Call call{body, nullptr};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_t thread{};
  int error = pthread_attr_setstacksize(&attributes, bytes);
  if (error == 0) error = pthread_create(&thread, &attributes, run, &call);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    throw RuntimeError(std::string("no thread for a deep search (") + std::strerror(error) +
                       "); free memory or raise the limit of processes");
  }
  pthread_join(thread, nullptr);
  if (call.failure) std::rethrow_exception(call.failure);
}

}  // namespace fabricast::nccl
