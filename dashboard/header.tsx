import { type KeyboardEvent, useRef, useState } from "react";
import { useClient, useWho } from "../src/react/index.ts";
import { Mark } from "./frame.tsx";

export function Header() {
  const { data: who } = useWho();
  return (
    <header className="header">
      <Mark />
      {who && <AccountMenu email={who.account.email} />}
    </header>
  );
}

function AccountMenu({ email }: { email: string }) {
  const client = useClient();
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const signOut = () => void client.signOut().catch(() => client.checkSession());
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") button.current?.focus();
    // The focus is at the button again, and goes on from there.
    if (event.key === "Tab") menu.current?.hidePopover();
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
        <button type="button" role="menuitem" onClick={signOut}>
          Log out
        </button>
      </div>
    </div>
  );
}
