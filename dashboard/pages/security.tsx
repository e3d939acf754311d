import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Refused } from "../../src/client/index.ts";
import { DeleteAccountCard } from "../../src/react/delete-account-card.tsx";
import { EmailCard } from "../../src/react/email-card.tsx";
import { LatchkeyProvider, useClient, useWho } from "../../src/react/index.ts";
import { LoginManagement } from "../../src/react/login-management.tsx";
import { LoginMethodsCard } from "../../src/react/login-methods-card.tsx";
import { PasswordCard } from "../../src/react/password-card.tsx";
import { RecentActivity } from "../../src/react/recent-activity.tsx";
import { TwoFactorCard } from "../../src/react/two-factor-card.tsx";
import { sentenceOf } from "../../src/react/words.ts";
import { leaveNotice, Mark, useFrame, usePath, useTitle } from "../frame.tsx";

export function SecurityPage() {
  const { config, client } = useFrame();
  const path = usePath();
  return (
    <LatchkeyProvider {...config} client={client} onSignedOut={() => location.replace(path("/login"))}>
      <Cards />
    </LatchkeyProvider>
  );
}

function Cards() {
  const path = usePath();
  const [answer] = useState(readAnswer);
  useTitle("Security settings");
  const isChecked = useCheckOnReturn();
  useGoToCard();
  return (
    <>
      <Header />
      <main className="settings" data-hidden={!isChecked || undefined}>
        <h1>Security settings</h1>
        {answer && (
          <p className="why" role="status">
            {answer}
          </p>
        )}
        <LoginManagement />
        <PasswordCard />
        <EmailCard />
        <TwoFactorCard />
        <LoginMethodsCard />
        <RecentActivity />
        <DeleteAccountCard
          onDeleted={() => {
            leaveNotice("deleted");
            location.replace(path("/login"));
          }}
        />
      </main>
    </>
  );
}

/** What came of a round to another site. */
function readAnswer(): string | null {
  const parameters = new URLSearchParams(location.search);
  const error = sentenceOf(parameters.get("error"));
  const connected = parameters.has("connected") ? "The site was connected." : null;
  const proved = parameters.has("proved")
    ? "Thank you, that was you. You won't be asked again for 10 minutes."
    : null;
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  return error ?? connected ?? proved;
}

/** A page that is looked at again shows nothing before its session was checked. */
function useCheckOnReturn(): boolean {
  const client = useClient();
  const [isChecked, setChecked] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const check = () => {
      clearTimeout(timer);
      client.checkSession().then(
        () => setChecked(true),
        (error: unknown) => {
          // Where nobody is signed in, the page is leaving already; where nobody answers, it asks again.
          if (!(error instanceof Refused)) timer = setTimeout(check, 3_000);
        },
      );
    };
    const again = () => {
      setChecked(false);
      check();
    };
    const onVisibility = () => (document.visibilityState === "hidden" ? setChecked(false) : again());
    const onShow = (event: PageTransitionEvent) => event.persisted && again();
    document.addEventListener("visibilitychange", onVisibility);
    window.addEventListener("pageshow", onShow);
    window.addEventListener("online", check);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
      window.removeEventListener("pageshow", onShow);
      window.removeEventListener("online", check);
    };
  }, [client]);
  return isChecked;
}

/** A mail can point at a card; the cards are there only once the page has drawn them. */
function useGoToCard(): void {
  useEffect(() => {
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
  }, []);
}

function Header() {
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
