import { listen } from "../../src/http/listen.ts";
import { createLatchkey } from "../../src/index.ts";

/** A server that is to be killed: `node victim.ts FILE PORT`. Says "ready" when it listens. */
const [file, port] = process.argv.slice(2);
const latchkey = await createLatchkey({
  databaseUrl: `sqlite:${file}`,
  baseUrl: `http://localhost:${port}`,
  outbox: `${file}-outbox`,
  logLevel: "silent",
  rateLimits: "off",
});
await listen(latchkey, { port: Number(port), host: "127.0.0.1" });
process.stdout.write("ready\n");
