# SPDX-License-Identifier: Apache-2.0
# Tests of trace and capture: planes, and the cold modules beside them.
foreach(module capture trace trace_inline trace_rules)
	add_executable(test_${module}
		${CMAKE_CURRENT_LIST_DIR}/test_${module}.c)
	target_link_libraries(test_${module} PRIVATE
		lp_test_plane lp_dataplane_cold)
	add_test(NAME dataplane/${module} COMMAND test_${module})
endforeach()
target_sources(test_trace_inline PRIVATE ${CMAKE_CURRENT_LIST_DIR}/bump.c)
