# SPDX-License-Identifier: Apache-2.0
# Tests of the DPDK back end: each starts EAL, which a process has once, so
# every test of these programs is a process of its own.
add_library(lp_dpdk_lab STATIC ${CMAKE_CURRENT_LIST_DIR}/dpdk_lab.c
	${CMAKE_SOURCE_DIR}/tests/support/ensure.c
	${CMAKE_SOURCE_DIR}/tests/support/veth.c)
target_link_libraries(lp_dpdk_lab PUBLIC lp_port PkgConfig::CHECK)
foreach(test dpdk_eal dpdk_pci port_dpdk port_dpdk_life port_dpdk_vdevs port_dpdk_memif
	port_dpdk_hostile)
	add_executable(test_${test} ${CMAKE_CURRENT_LIST_DIR}/test_${test}.c)
	target_link_libraries(test_${test} lp_dpdk_lab)
	add_test(NAME ${test} COMMAND test_${test})
	set_tests_properties(${test} PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
add_executable(test_ports_dpdk ${CMAKE_CURRENT_LIST_DIR}/test_ports_dpdk.c
	$<TARGET_OBJECTS:lp_hot>)
target_link_libraries(test_ports_dpdk PRIVATE
	lp_dpdk_lab lp_test_cold PkgConfig::XXHASH)
add_test(NAME ports_dpdk COMMAND test_ports_dpdk)
set_tests_properties(ports_dpdk PROPERTIES SKIP_RETURN_CODE 77)
