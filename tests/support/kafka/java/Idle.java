/* SPDX-License-Identifier: Apache-2.0 */
/* Idle SERVER ID MECHANISM: alice, connected until it is killed. */
public final class Idle {
	private Idle() {
	}

	public static void main(String[] args) {
		try (var consumer = Clients.consumer(Clients.options(args[0],
		    args[1], SecureWork.user(args[2], "alice",
		        "alice-secret")))) {
			consumer.assign(Clients.partitions("secure"));
			while (true)
				consumer.poll(Clients.POLL);
		}
	}
}
