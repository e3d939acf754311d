import { useEffect, useState } from "react";
import type { Ending } from "../../src/client/index.ts";
import { DeleteAccountCard } from "../../src/react/account/delete-account-card.tsx";
import { EmailCard } from "../../src/react/account/email-card.tsx";
import { LoginMethodsCard } from "../../src/react/account/login-methods-card.tsx";
import { PasswordCard } from "../../src/react/account/password-card.tsx";
import { RecentActivity } from "../../src/react/account/recent-activity.tsx";
import { LatchkeyProvider, useLoginMethods, useSessions, useWho } from "../../src/react/index.ts";
import { LoginManagement } from "../../src/react/login-management/login-management.tsx";
import { type Answer, useIsAnnounced } from "../../src/react/parts/card.tsx";
import { useElapsed } from "../../src/react/parts/late.ts";
import { authorizationFailure, takeSite } from "../../src/react/proof/sites.ts";
import { TwoFactorCard } from "../../src/react/two-factor/two-factor-card.tsx";
import { type Check, useCheckOnReturn } from "../check-on-return.ts";
import {
  leaveNotice,
  SiteLinks,
  takeBackNotice,
  takeFromAddress,
  useFrame,
  usePath,
  useTitle,
} from "../frame.tsx";
import { Header } from "../header.tsx";
import { TwoFactorNeeded } from "../two-factor-needed.tsx";
import { tellingOfUnanswered } from "../unanswered-change.ts";

export function SecurityPage() {
  const { config, client } = useFrame();
  const path = usePath();
  const [telling] = useState(() => tellingOfUnanswered(client));
  const leave = ({ reason }: Ending) => {
    if (reason !== "none") takeBackNotice("unanswered");
    location.replace(path("/login"));
  };
  return (
    <LatchkeyProvider {...config} client={telling} onSignedOut={leave}>
      <Cards />
    </LatchkeyProvider>
  );
}

function Cards() {
  const path = usePath();
  const [answer] = useState(takeAnswer);
  const isAnnounced = useIsAnnounced();
  useTitle("Security settings");
  const check = useCheckOnReturn();
  useGoToCard();
  return (
    <div data-hidden={check !== "checked" || undefined}>
      <Header />
      {check !== "checked" && <Checking key={check} check={check} />}
      <main className="settings">
        <h1>Security settings</h1>
        {answer && !answer.isOfMethods && (
          <p className="why" role="status">
            {isAnnounced && answer.sentence}
          </p>
        )}
        <TwoFactorNeeded />
        <LoginManagement />
        <PasswordCard />
        <EmailCard />
        <TwoFactorCard />
        <LoginMethodsCard answer={answer?.isOfMethods ? answer : undefined} />
        <RecentActivity />
        <DeleteAccountCard
          onDeleted={() => {
            leaveNotice("deleted");
            location.replace(path("/login"));
          }}
        />
        <SiteLinks />
      </main>
    </div>
  );
}

/** The result of a visit to another site, and whether to show it in the card "Login methods". */
function takeAnswer(): (Answer & { isOfMethods: boolean }) | null {
  const site = takeSite();
  const error = authorizationFailure(takeFromAddress("error"), site);
  const isConnected = takeFromAddress("connected") !== null;
  takeFromAddress("proved");
  const isOfMethods = location.hash === "#login-methods";
  if (error !== null) return { sentence: error, isTrouble: true, isOfMethods };
  if (!isConnected) return null;
  return { sentence: `${site ?? "The site"} was connected.`, isTrouble: false, isOfMethods };
}

const CHECKING = {
  checking: "Checking that you are still logged in.",
  unanswered: "No answer from the server. Your page comes back as soon as there is one.",
  refused:
    "This browser couldn't prove yet that it is the one you logged in with. Your page comes back as soon as it can; reload it to log in again.",
};

/** Says why the page is hidden, once that takes long enough to be noticed. */
function Checking({ check }: { check: Exclude<Check, "checked"> }) {
  const isLate = useElapsed(200);
  if (check === "checking" && !isLate) return null;
  return (
    <p className="checking" role="status">
      {CHECKING[check]}
    </p>
  );
}

/**
 * Scrolls to the card that the URL or a resumed action points at. The cards grow as their lists arrive, so
 * the page scrolls again after that, unless the person has done something meanwhile.
 */
function useGoToCard(): void {
  const isSettled = [useWho(), useSessions(), useLoginMethods()].every(({ isPending }) => !isPending);
  const [hasMoved, setMoved] = useState(false);
  useEffect(() => {
    const over = new AbortController();
    const options = { once: true, passive: true, signal: over.signal } as const;
    for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"])
      window.addEventListener(kind, () => setMoved(true), options);
    return () => over.abort();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once at first, and once more when all is there.
  useEffect(() => {
    if (hasMoved) return;
    const begun = document.activeElement?.closest(".lk-card");
    (begun ?? document.getElementById(location.hash.slice(1)))?.scrollIntoView();
  }, [isSettled]);
}
