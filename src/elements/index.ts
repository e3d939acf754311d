/** `latchkey/elements`: the card "Login management" as the custom element `<login-management>`, for any page. */
import type { Ending } from "../client/index.ts";
import { LoginManagementElement } from "./login-management.ts";

export { LoginManagementElement };

// There is no `customElements` on a server.
if (globalThis.customElements?.get("login-management") === undefined)
  globalThis.customElements?.define("login-management", LoginManagementElement);

declare global {
  interface HTMLElementTagNameMap {
    "login-management": LoginManagementElement;
  }
  /** Fired at the element; bubbles. */
  interface GlobalEventHandlersEventMap {
    "latchkey-signed-out": CustomEvent<Ending>;
  }
}
