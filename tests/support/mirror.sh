# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# MirrorMaker 2, in the clients' namespace.  Sourced after lab.sh.
MIRROR_KAFKA=$LAB_SUPPORT/kafka

# mirror_get: MIRROR_JARS is its class path.  LAB_SKIP if Maven Central cannot
# be reached.
mirror_get() {
	local pom=$MIRROR_KAFKA/mirror.xml version dir

	version=$(awk -F '[<>]' '$2 == "mirror.version" { print $3 }' "$pom")
	dir=$LAB_KAFKA_CACHE/kafka-mirror-$version
	lab_maven_get "$dir" "$pom" || return
	MIRROR_JARS="$dir/*"
}

# mirror_start A B: from the cluster whose brokers are there, to the other one.
# (What the JVM has of the brokers' classes is not for this class path.)
mirror_start() {
	sed -e "s|@A@|$1|" -e "s|@B@|$2|" \
	    "$MIRROR_KAFKA/mirror.properties.in" \
	    >"$LAB_DIR/mirror.properties"
	lab_start mirror client java -Xmx256m -XX:+UseSerialGC \
	    -XX:TieredStopAtLevel=1 -Dlab.log=warn \
	    "-Dlog4j2.configurationFile=$MIRROR_KAFKA/log4j2.properties" \
	    -cp "$MIRROR_JARS" org.apache.kafka.connect.mirror.MirrorMaker \
	    "$LAB_DIR/mirror.properties"
}
