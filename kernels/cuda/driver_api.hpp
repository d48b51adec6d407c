// The calls of the CUDA driver that the runtime does not have: virtual memory with shareable
// handles, and multicast objects.
//
// Found by the runtime when first needed (cudaGetDriverEntryPointByVersion), so that the program
// does not link libcuda and starts where there is no driver. Signatures are those of CUDA's
// cudaTypedefs.h, versions those in which each appeared. Thread safe.
#pragma once

#include <cudaTypedefs.h>

#include <string>

namespace fabricast::cuda {

struct DriverApi {
  PFN_cuGetErrorName_v6000 error_name = nullptr;
  PFN_cuGetErrorString_v6000 error_text = nullptr;
  PFN_cuDeviceGet_v2000 device_get = nullptr;
  PFN_cuDeviceGetAttribute_v2000 device_attribute = nullptr;
  PFN_cuMemGetAllocationGranularity_v10020 memory_granularity = nullptr;
  PFN_cuMemCreate_v10020 memory_create = nullptr;
  PFN_cuMemRelease_v10020 memory_release = nullptr;
  PFN_cuMemExportToShareableHandle_v10020 memory_export = nullptr;
  PFN_cuMemImportFromShareableHandle_v10020 memory_import = nullptr;
  PFN_cuMemAddressReserve_v10020 address_reserve = nullptr;
  PFN_cuMemAddressFree_v10020 address_free = nullptr;
  PFN_cuMemMap_v10020 map = nullptr;
  PFN_cuMemUnmap_v10020 unmap = nullptr;
  PFN_cuMemSetAccess_v10020 set_access = nullptr;
  PFN_cuMulticastGetGranularity_v12010 multicast_granularity = nullptr;
  PFN_cuMulticastCreate_v12010 multicast_create = nullptr;
  PFN_cuMulticastAddDevice_v12010 multicast_add_device = nullptr;
  PFN_cuMulticastBindMem_v12010 multicast_bind = nullptr;
  PFN_cuMulticastUnbind_v12010 multicast_unbind = nullptr;
  std::string missing;  // why some are null; empty: all are there
};
const DriverApi& driver_api();

// Throws RuntimeError unless `code` is success: `what` "failed:", CUDA's words, then `advice`.
void check_driver(CUresult code, const std::string& what, const std::string& advice = "");

// An attribute of the device with that number in the runtime; 0 if it cannot be asked.
int device_attribute(int device, CUdevice_attribute attribute);

}  // namespace fabricast::cuda
