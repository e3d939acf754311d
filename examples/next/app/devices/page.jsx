import { requireSession } from "latchkey/next";
import { Suspense } from "react";
import { latchkey } from "../../lib/latchkey.js";
import { Devices } from "./devices.jsx";

export default function DevicesPage() {
  return (
    <Suspense>
      <OwnDevices />
    </Suspense>
  );
}

async function OwnDevices() {
  await requireSession(latchkey, "/devices");
  return <Devices />;
}
