import { requireSession } from "latchkey/next";
import { latchkey } from "../../lib/latchkey.js";
import { Devices } from "./devices.jsx";

export default async function DevicesPage() {
  await requireSession(latchkey, "/devices");
  return <Devices />;
}
