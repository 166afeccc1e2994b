# Filled by the packaging work: install rules and glia-config.cmake.
