# SPDX-License-Identifier: Apache-2.0
# Tests of the port back ends.
foreach(test pool port_memory)
	add_executable(test_${test} ${CMAKE_CURRENT_LIST_DIR}/test_${test}.c)
	target_link_libraries(test_${test} lp_port PkgConfig::CHECK)
	add_test(NAME ${test} COMMAND test_${test})
endforeach()
if(LP_AF_XDP)
	add_library(lp_port_lab STATIC ${CMAKE_CURRENT_LIST_DIR}/port_lab.c
		${CMAKE_CURRENT_LIST_DIR}/steer_frame.c
		${CMAKE_SOURCE_DIR}/tests/support/ensure.c
		${CMAKE_SOURCE_DIR}/tests/support/veth.c)
	target_link_libraries(lp_port_lab PUBLIC lp_port PkgConfig::CHECK
		PkgConfig::BPF)
	foreach(test steer steer_inline port_xdp port_xdp_life)
		add_executable(test_${test}
			${CMAKE_CURRENT_LIST_DIR}/test_${test}.c)
		target_link_libraries(test_${test} lp_port_lab PkgConfig::BPF)
		add_test(NAME ${test} COMMAND test_${test})
		set_tests_properties(${test} PROPERTIES SKIP_RETURN_CODE 77)
	endforeach()
	add_executable(port_forward ${CMAKE_CURRENT_LIST_DIR}/port_forward.c)
	target_link_libraries(port_forward lp_port)
	add_test(NAME port_xdp_hosts
		COMMAND ${CMAKE_CURRENT_LIST_DIR}/test_port_xdp.sh
			$<TARGET_FILE:port_forward>)
	set_tests_properties(port_xdp_hosts PROPERTIES SKIP_RETURN_CODE 77)
endif()
