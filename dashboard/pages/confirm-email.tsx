import { useEffect, useState } from "react";
import type { Confirmation } from "../../src/client/index.ts";
import { Button } from "../../src/react/parts/button.tsx";
import { Waiting } from "../../src/react/parts/card.tsx";
import { type Action, FormProblem, useAction } from "../../src/react/parts/form.tsx";
import { Mark, OneTask, useFrame, usePath } from "../frame.tsx";
import { forgetToken, takeTokenAndKeep } from "../link-token.ts";
import { Change, LogInFirst, OtherAccount } from "./confirm-email/change.tsx";
import { Disowned, UnknownAccount } from "./confirm-email/new-account.tsx";
import { Address, type Answering, type Asked, ConfirmButton } from "./confirm-email/parts.tsx";
import { confirm, readConfirmation, type Step } from "./confirm-email/steps.ts";
import { Gone, ToAccount } from "./link-page.tsx";

const GONE = {
  words: "Send a new link from your security settings, unless your address is already confirmed there.",
  next: { way: "Open your security settings", to: "/settings/security#email" },
};

/** Says what a link would confirm, before it does: opening the link changes nothing. */
export function ConfirmEmailPage() {
  const { client } = useFrame();
  const [token] = useState(takeTokenAndKeep);
  const [step, setStep] = useState<Step>({ at: token === null ? "missing" : "loading" });
  const goTo = (next: Step) => {
    if (next.at === "confirmed" || next.at === "disowned" || next.at === "expired") forgetToken();
    setStep(next);
  };
  const reading = useAction(async () => {
    try {
      goTo(await readConfirmation(client, token ?? ""));
    } catch (error) {
      setStep({ at: "unread" });
      throw error;
    }
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page is opened.
  useEffect(() => {
    if (token !== null) void reading.act();
  }, []);
  const answering = useAction(async (link: Confirmation, mine: boolean) =>
    goTo(await confirm(client, token ?? "", link, mine)),
  );
  return <AtStep step={step} reading={reading} answering={answering} />;
}

function AtStep({ step, reading, answering }: { step: Step; reading: Action<[]>; answering: Answering }) {
  switch (step.at) {
    case "loading":
      return <Loading />;
    case "unread":
      return <Unread reading={reading} />;
    case "missing":
    case "expired":
      return <Gone {...GONE} isMissing={step.at === "missing"} />;
    case "own":
      return <OwnAccount link={step.link} answering={answering} />;
    case "unknown":
      return <UnknownAccount link={step.link} answering={answering} />;
    case "change":
      return <Change {...step} answering={answering} />;
    case "loggedOut":
      return <LogInFirst link={step.link} />;
    case "otherAccount":
      return <OtherAccount {...step} />;
    case "confirmed":
      return <Confirmed link={step.link} />;
    case "disowned":
      return <Disowned />;
  }
}

/** Sets no title yet: otherwise the next one would count as a change, and be announced. */
function Loading() {
  return (
    <main className="one-task">
      <Mark />
      <div className="lk-card">
        <Waiting bones={["line", "row", "button"]} />
      </div>
    </main>
  );
}

function Unread({ reading }: { reading: Action<[]> }) {
  return (
    <OneTask title="The link couldn't be read">
      <FormProblem problem={reading.problem} />
      <Button kind="main" wide working={reading.working} onClick={() => void reading.act()}>
        Try again
      </Button>
    </OneTask>
  );
}

function OwnAccount({ link, answering }: Asked) {
  const path = usePath();
  return (
    <OneTask title="Confirm your email address">
      <p>
        Confirm that <Address>{link.email}</Address> is yours.
      </p>
      <ConfirmButton link={link} answering={answering} />
      <ToAccount href={path("/")} />
    </OneTask>
  );
}

function Confirmed({ link }: { link: Confirmation }) {
  const path = usePath();
  return (
    <OneTask title="Address confirmed">
      <p role="status">
        Your address is confirmed.
        {link.kind === "change" && (
          <>
            {" "}
            It is <Address>{link.email}</Address> now, and your other devices were logged out.
          </>
        )}
      </p>
      <ToAccount href={path("/")} />
    </OneTask>
  );
}
