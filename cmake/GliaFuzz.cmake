# build/<preset>/bin/glia-fuzz: random damage to files of every format (tests/fuzz). In ctest for a minute a format, label "long".
# Steered by coverage, with clang: tools/libfuzzer.
add_executable(glia-fuzz ${PROJECT_SOURCE_DIR}/tests/fuzz/driver.cpp)
target_include_directories(glia-fuzz PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
target_compile_definitions(glia-fuzz PRIVATE GLIA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_compile_options(glia-fuzz PRIVATE $<$<CONFIG:Release>:-O1>)
target_link_libraries(glia-fuzz PRIVATE glia glia_flags ZLIB::ZLIB)
foreach(loader IN ITEMS npy npz npz_deflated safetensors pytorch pytorch_legacy glia glia_model model_json keras keras_config
              keras_h5 weights_h5 weights_json onnx
              npz_strings transformers transformers_bert transformers_weights transformers_index tf_keras keras_int8
              keras2_h5 onnx_sequences onnx_trees onnx_quantised idx csv ts tar png jpeg bmp)
  add_test(NAME fuzz.${loader} COMMAND glia-fuzz ${loader} 60)
  set_tests_properties(fuzz.${loader} PROPERTIES LABELS long TIMEOUT 300)
endforeach()
add_test(NAME fuzz.report COMMAND glia-fuzz --report)
set_tests_properties(fuzz.report PROPERTIES LABELS long TIMEOUT 600)
