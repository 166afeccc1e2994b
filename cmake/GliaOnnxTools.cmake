# build/<preset>/bin/glia-onnx-backend: ONNX's backend tests. ctest runs the frozen handful of tests/compat/onnx, and all of
# them where the shared archive is.
if(NOT GLIA_ONNX_FOUND)
  return()
endif()
add_executable(glia-onnx-backend ${PROJECT_SOURCE_DIR}/src/cli/onnx_backend/main.cpp)
target_include_directories(glia-onnx-backend PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(glia-onnx-backend PRIVATE glia glia_flags)
add_test(NAME onnx.backend COMMAND glia-onnx-backend --all -v ${PROJECT_SOURCE_DIR}/tests/compat/onnx)
set_tests_properties(onnx.backend PROPERTIES LABELS unit)
set(onnx_archive ${PROJECT_SOURCE_DIR}/../shared/data/onnx_backend_tests.tar.zst)
find_program(GLIA_ZSTD zstd)
if(EXISTS ${onnx_archive} AND GLIA_ZSTD)
  add_test(NAME onnx.backend_all COMMAND sh -c "rm -rf onnx_tests && mkdir onnx_tests && ${GLIA_ZSTD} -dc '${onnx_archive}' | tar -xf - -C onnx_tests && \
'$<TARGET_FILE:glia-onnx-backend>' -v onnx_tests; status=$?; rm -rf onnx_tests; exit $status")
  set_tests_properties(onnx.backend_all PROPERTIES LABELS unit TIMEOUT 300)
endif()
