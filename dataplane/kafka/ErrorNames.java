// SPDX-License-Identifier: Apache-2.0
/** Prints "NUMBER NAME" of every error code that a release of Kafka knows. */
class ErrorNames {
	public static void main(String[] args) {
		for (var error : org.apache.kafka.common.protocol.Errors.values())
			System.out.println(error.code() + " " + error.name());
	}
}
