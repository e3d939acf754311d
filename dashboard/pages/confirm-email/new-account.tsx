import { useState } from "react";
import { type Confirmation, dayAndTimeOf, deviceInSentence } from "../../../src/client/index.ts";
import { Button } from "../../../src/react/parts/button.tsx";
import { ConfirmDialog } from "../../../src/react/parts/dialog.tsx";
import { FormProblem } from "../../../src/react/parts/form.tsx";
import { OneTask } from "../../frame.tsx";
import { Address, type Asked, Choice, Facts } from "./parts.tsx";

export function UnknownAccount({ link, answering }: Asked) {
  const [isAsking, setAsking] = useState(false);
  const ask = (asks: boolean) => {
    answering.refuse(null);
    setAsking(asks);
  };
  return (
    <OneTask title="Is this your account?">
      <p>
        Someone created an account with <Address>{link.email}</Address>. Nothing changes until you answer.
      </p>
      <Facts>
        <p>
          Created {dayAndTimeOf(link.createdAt)} with {deviceInSentence(link.label)}
        </p>
        <Held link={link} />
      </Facts>
      <Choice title="If you created it">
        {whatConfirmingDoes(link).map((words) => (
          <p key={words} className="lk-words">
            {words}
          </p>
        ))}
        {!isAsking && <FormProblem problem={answering.problem} />}
        <Button kind="main" wide working={answering.working} onClick={() => void answering.act(link, true)}>
          This is my account
        </Button>
      </Choice>
      <Choice title="If you didn't, or aren't sure">
        <p className="lk-words">
          This logs out every device and removes everything set up there. We send you a link to choose a new
          password: then the account is yours.
        </p>
        <button type="button" className="lk-button lk-plain lk-wide disown" onClick={() => ask(true)}>
          I didn't create it
        </button>
      </Choice>
      {isAsking && <Disown link={link} answering={answering} onClose={() => ask(false)} />}
    </OneTask>
  );
}

/** Lists what somebody has set up in the account so far. */
function Held({ link: { twoFactor, methods } }: { link: Confirmation }) {
  if (!twoFactor && methods.length === 0) return <p>Nothing else was set up</p>;
  return (
    <ul>
      {twoFactor && <li>Two-factor authentication is on</li>}
      {methods.map(({ kind, name }, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two can have the same name, and none ever moves.
        <li key={place}>
          {kind === "passkey" ? "Passkey" : "Log in with"}{" "}
          <bdi>{kind === "passkey" ? `“${name}”` : name}</bdi>
        </li>
      ))}
    </ul>
  );
}

function whatConfirmingDoes({ twoFactor, methods }: Confirmation): string[] {
  const paragraphs = ["This confirms your address. Devices that are logged in stay logged in."];
  if (twoFactor)
    paragraphs.push(
      "Two-factor authentication stays on: you'll need its code even after a password reset. If you don't have that authenticator app, choose “I didn't create it”.",
    );
  const kinds = new Set(methods.map(({ kind }) => (kind === "passkey" ? "passkeys" : "other sites")));
  const others = [...kinds].join(" and ");
  if (others !== "")
    paragraphs.push(`Your next password reset removes the ${others} that were added before you confirmed.`);
  return paragraphs;
}

/** Asks for confirmation of the answer that can't be undone. */
function Disown({ link, answering, onClose }: Asked & { onClose: () => void }) {
  return (
    <ConfirmDialog
      title="You didn't create this account?"
      words="This logs out every device and removes every way to log in: the password, two-factor authentication, passkeys and other sites. It can't be undone. The link that we send you is then the only way in."
      action={answering}
      confirm="I didn't create it"
      onConfirm={() => void answering.act(link, false)}
      onClose={onClose}
    />
  );
}

export function Disowned() {
  return (
    <OneTask title="Nobody else can log in now">
      <p role="status">
        Every device was logged out and everything set up there was removed. We sent you a link to choose a
        new password: then the account is yours.
      </p>
      <p className="lk-words">
        If you don't want the account, ignore that email: nobody can log in to it without the link.
      </p>
    </OneTask>
  );
}
