# build/<preset>/bin/glia-onnx-backend: ONNX's backend tests. ctest runs the frozen handful of tests/compat/onnx.
if(GLIA_ONNX_FOUND)
  add_executable(glia-onnx-backend ${PROJECT_SOURCE_DIR}/src/cli/onnx_backend/main.cpp)
  target_include_directories(glia-onnx-backend PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(glia-onnx-backend PRIVATE glia glia_flags)
endif()
