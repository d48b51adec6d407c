# Install the program, the libraries, the public headers and the machine files; export the targets.
include(GNUInstallDirs)
get_property(fabricast_modules GLOBAL PROPERTY FABRICAST_MODULES)
install(TARGETS fabricast_flags ${fabricast_modules} EXPORT fabricastTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET fabricast)
  install(TARGETS fabricast RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
foreach(dir emulator kernels topologies bench)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${dir} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/fabricast
    FILES_MATCHING PATTERN "*.hpp")
endforeach()
install(DIRECTORY topologies/machines DESTINATION ${CMAKE_INSTALL_DATADIR}/fabricast)
install(EXPORT fabricastTargets NAMESPACE fabricast:: FILE fabricastTargets.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/fabricast)
