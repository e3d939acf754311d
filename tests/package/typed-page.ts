// A page in TypeScript with the element in it; `npm run check:package` compiles it against the package.
import type { Ending } from "latchkey/client";
import { LoginManagementElement } from "latchkey/elements";

const sayWhy = ({ detail }: CustomEvent<Ending>) => console.log(detail.reason);

const list = document.querySelector("login-management") ?? new LoginManagementElement();
list.addEventListener("latchkey-signed-out", ({ detail }) => console.log(detail.by));
list.addEventListener("latchkey-signed-out", sayWhy);
document.addEventListener("latchkey-signed-out", sayWhy);
window.addEventListener("latchkey-signed-out", (event) => event.preventDefault());
