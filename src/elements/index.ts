/** `latchkey/elements`: the card "Login management" as the custom element `<login-management>`, for any page. */
import type { Ending } from "../client/index.ts";
import { LoginManagementElement } from "./login-management.ts";

export { LoginManagementElement };

// Missing on a server.
if (globalThis.customElements?.get("login-management") === undefined)
  globalThis.customElements?.define("login-management", LoginManagementElement);

declare global {
  interface HTMLElementTagNameMap {
    "login-management": LoginManagementElement;
  }
  /** At the element, and at whatever it bubbles to. */
  interface GlobalEventHandlersEventMap {
    "latchkey-signed-out": CustomEvent<Ending>;
  }
}
