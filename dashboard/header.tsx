import { type KeyboardEvent, useRef, useState } from "react";
import { type Client, Refused, Unreachable } from "../src/client/index.ts";
import { useClient, useWho } from "../src/react/index.ts";
import { type Action, Cancelled, FormProblem, useAction } from "../src/react/parts/form.tsx";
import type { Problem } from "../src/react/words.ts";
import { Mark, untilLeft } from "./frame.tsx";

export function Header() {
  const client = useClient();
  const { data: who } = useWho();
  const leaving = useAction(() => logOut(client), stillLoggedIn);
  return (
    <header>
      <div className="header">
        <Mark />
        {who && <AccountMenu email={who.account.email} leaving={leaving} />}
      </div>
      <div className="header-problem">
        <FormProblem problem={leaving.problem} />
      </div>
    </header>
  );
}

/** Logs out. Then this page, like every other tab, goes to the login page. */
async function logOut(client: Client): Promise<void> {
  try {
    await client.signOut();
  } catch (error) {
    // The log-out may have happened all the same. Then the page leaves, and no error is shown.
    await client.checkSession({ background: true }).catch((unsure: unknown) => {
      throw unsure instanceof Refused && unsure.isSignedOut ? new Cancelled() : unsure;
    });
    throw error;
  }
  await untilLeft();
}

/** Says that the log-out may have failed: nobody should leave a device wrongly believing they logged out. */
function stillLoggedIn(error: unknown): Problem {
  return error instanceof Unreachable && error.status === null
    ? { sentence: "No answer from the server: you may still be logged in here. Try again." }
    : { sentence: "You are still logged in here: the server couldn't log you out. Try again." };
}

function AccountMenu({ email, leaving }: { email: string; leaving: Action<[]> }) {
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  // Browsers from before 2024 may not support popovers; there the menu is always open.
  const close = () => menu.current?.hidePopover?.();
  const signOut = async () => {
    if (!(await leaving.act())) close();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") button.current?.focus();
    // Closing returns the focus to the button, and Tab continues from there.
    if (event.key === "Tab") close();
  };
  return (
    <div className="menu">
      <button
        ref={button}
        type="button"
        className="lk-button lk-quiet menu-button"
        popoverTarget="account-menu"
        aria-haspopup="menu"
        aria-expanded={isOpen}
      >
        <bdi className="menu-email">{email}</bdi>
        <svg className="menu-chevron" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
          <path d="M2.5 4.5 6 8l3.5-3.5" />
        </svg>
        <span className="lk-only-read">, account menu</span>
      </button>
      <div
        ref={menu}
        id="account-menu"
        className="menu-items"
        popover="auto"
        role="menu"
        aria-label="Account menu"
        onKeyDown={onKey}
        onToggle={(event) => {
          const opens = event.newState === "open";
          setOpen(opens);
          if (opens) menu.current?.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
        }}
      >
        <button
          type="button"
          role="menuitem"
          data-working={leaving.working || undefined}
          aria-disabled={leaving.working || undefined}
          onClick={() => void signOut()}
        >
          Log out
        </button>
      </div>
    </div>
  );
}
