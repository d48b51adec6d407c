#include "emulator/coordinator/agreement.hpp"

#include "emulator/base/standard_streams.hpp"

namespace fabricast {

std::string agree(const Communicator& communicator, const std::function<std::string()>& on_root) {
  std::string payload;
  std::int64_t code = 0;
  if (communicator.is_root()) {
    try {
      payload = on_root();
    } catch (const std::exception& exception) {
      const Error error = as_error(exception);
      code = static_cast<std::int64_t>(error.code());
      payload = error.what();
    }
  }
  communicator.broadcast(code);
  communicator.broadcast(payload);
  if (code != 0) throw AgreedError(static_cast<ExitCode>(code), payload);
  return payload;
}

void agree_that(const Communicator& communicator, const std::function<void()>& on_root) {
  agree(communicator, [&] {
    on_root();
    return std::string();
  });
}

}  // namespace fabricast
