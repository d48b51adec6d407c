# Install the program, the libraries, the public headers and the machine files, and export the
# targets: find_package(fabricast) then gives fabricast::base, fabricast::schedule and the others.
include(CMakePackageConfigHelpers)
set(fabricast_package ${CMAKE_INSTALL_LIBDIR}/cmake/fabricast)

get_property(fabricast_modules GLOBAL PROPERTY FABRICAST_MODULES)
install(TARGETS fabricast_flags ${fabricast_modules} EXPORT fabricastTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT fabricastTargets NAMESPACE fabricast:: DESTINATION ${fabricast_package})
if(TARGET fabricast)
  install(TARGETS fabricast RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

foreach(directory emulator kernels topologies bench)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${directory}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fabricast FILES_MATCHING PATTERN "*.hpp")
endforeach()
install(DIRECTORY topologies/machines topologies/fabrics DESTINATION ${CMAKE_INSTALL_DATADIR}/fabricast)

configure_package_config_file(scripts/cmake/fabricastConfig.cmake.in
  ${CMAKE_BINARY_DIR}/fabricastConfig.cmake INSTALL_DESTINATION ${fabricast_package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/fabricastConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/fabricastConfig.cmake
  ${CMAKE_BINARY_DIR}/fabricastConfigVersion.cmake DESTINATION ${fabricast_package})
