import { listen } from "../../../src/http/listen.ts";
import { createLatchkey } from "../../../src/index.ts";

/** Another node on the same data, in a process of its own: `node second-process.ts`, its options in `LATCHKEY_TEST_OPTIONS`. */
const { port, aheadBy = 0, ...options } = JSON.parse(process.env.LATCHKEY_TEST_OPTIONS ?? "{}");
const latchkey = await createLatchkey({ logLevel: "silent", ...options, now: () => Date.now() + aheadBy });
const listening = await listen(latchkey, { port, host: "127.0.0.1" });
process.stdout.write("ready\n");
process.once("SIGTERM", async () => {
  await listening.close();
  await latchkey.close();
});
