/* SPDX-License-Identifier: Apache-2.0 */
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/*
 * Workloads PLAIN SASL TLS KEYSTORE RELEASE: everything that Kafka's own
 * clients do, through three listeners, in one process; SASL and TLS may be "-"
 * where there are none.  Prints a line of JSON for each workload, {"workload": "big", "ok": true, "ms": 812}, and then for
 * each client what it says of itself (Truth.java).
 *
 * Each workload checks what it reads: records whole, none twice, in the state
 * that it expects.  Every client has an id of its own.
 */
public final class Workloads {
	interface Work {
		void run() throws Exception;
	}

	private static int failed;

	private Workloads() {
	}

	public static void main(String[] args) throws Exception {
		if (args.length != 5) {
			System.err.println("usage: Workloads PLAIN SASL TLS " +
			    "KEYSTORE RELEASE");
			System.exit(2);
		}
		String plain = args[0];
		boolean newest = !args[4].startsWith("3.");

		run("admin", new AdminWork(plain)::run);
		together(parts(plain, newest));
		run("throttle", new ProduceWork(plain)::throttled);
		if (!args[1].equals("-"))
			run("sasl", new SecureWork(args[1])::sasl);
		if (!args[2].equals("-"))
			run("tls", () -> new SecureWork(args[2]).tls(args[3]));
		run("errors", new AdminWork(plain)::errors);
		Truth.print();
		System.out.flush();
		System.exit(failed == 0 ? 0 : 1);
	}

	private static Map<String, Work> parts(String plain, boolean newest) {
		ProduceWork produce = new ProduceWork(plain);
		GroupWork group = new GroupWork(plain);
		Map<String, Work> parts = new LinkedHashMap<>();

		parts.put("codecs", produce::codecs);
		parts.put("transactions", produce::transactions);
		parts.put("big", produce::big);
		parts.put("sessions", produce::sessions);
		parts.put("group", () -> group.run("classic"));
		if (newest) {
			parts.put("group-848", () -> group.run("consumer"));
			parts.put("share", group::share);
		}
		return parts;
	}

	/* Those that mostly wait wait together. */
	private static void together(Map<String, Work> parts)
	    throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(3);
		List<Future<?>> all = new ArrayList<>();

		for (var part : parts.entrySet())
			all.add(threads.submit(
			    () -> run(part.getKey(), part.getValue())));
		for (Future<?> one : all)
			one.get();
		threads.shutdown();
	}

	private static void run(String name, Work work) {
		long begin = System.nanoTime();
		String why = null;

		try {
			work.run();
		} catch (Throwable thrown) {
			StringWriter trace = new StringWriter();

			thrown.printStackTrace(new PrintWriter(trace));
			why = trace.toString();
		}
		long ms = (System.nanoTime() - begin) / 1_000_000;

		synchronized (Workloads.class) {
			System.out.println("{\"workload\": \"" + name +
			    "\", \"ok\": " + (why == null) + ", \"ms\": " +
			    ms + "}");
			System.out.flush();
			if (why != null) {
				failed++;
				System.err.println(name + " failed: " + why);
			}
		}
	}
}
