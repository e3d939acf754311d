import { useState } from "react";
import type { Account } from "../../client/index.ts";
import { Button } from "../parts/button.tsx";
import { Card, useStatus, Waiting } from "../parts/card.tsx";
import { REST } from "../parts/focus.ts";
import { Field, Form, FormProblem, SubmitOrCancel, text, useAction } from "../parts/form.tsx";
import { OneSession } from "../parts/one-session.tsx";
import { CurrentPasswordField, currentPassword } from "../parts/typed-fields.tsx";
import { THANKS, useProof, useResume } from "../proof/proof.tsx";
import { useClient, useHasPassword, useWho } from "../queries.ts";

const FIELDS = ["email", "currentPassword"];

/** The address, whether it is confirmed, and how to change it. */
export function EmailCard() {
  return (
    <OneSession>
      <Email />
    </OneSession>
  );
}

function Email() {
  const client = useClient();
  const { data: who } = useWho();
  const [isOpen, setOpen] = useState(false);
  const status = useStatus();
  useResume("email", () => {
    setOpen(true);
    status.say(THANKS);
  });
  const again = useAction(async () => {
    await client.sendVerification();
    status.say(`We sent a link to ${who?.account.email}.`);
  });
  return (
    <Card
      id="email"
      title="Email"
      words="The address you log in with, and where security emails go."
      status={status}
      step={isOpen ? "form" : REST}
    >
      {who ? <Address {...who.account} /> : <Waiting bones={["line"]} />}
      {status.line}
      <FormProblem problem={again.problem} />
      {isOpen ? (
        <ChangeEmail
          onDone={(email) => {
            setOpen(false);
            status.say(`We sent a link to ${email}. Your address changes when you open it.`);
          }}
          onCancel={() => setOpen(false)}
        />
      ) : (
        <div className="lk-actions">
          <Button opens="form" onClick={() => setOpen(true)}>
            Change email
          </Button>
          {who && !who.account.emailVerified && (
            <Button kind="quiet" working={again.working} onClick={() => void again.act()}>
              Resend confirmation email
            </Button>
          )}
        </div>
      )}
    </Card>
  );
}

function Address({ email, emailVerified }: Account) {
  return (
    <p className="lk-value">
      <bdi className="lk-address">{email}</bdi>{" "}
      <span className={emailVerified ? "lk-muted" : "lk-warning"}>
        {emailVerified ? "Confirmed" : "Not confirmed yet"}
      </span>
    </p>
  );
}

function ChangeEmail({ onDone, onCancel }: { onDone: (email: string) => void; onCancel: () => void }) {
  const client = useClient();
  const withProof = useProof();
  const hasPassword = useHasPassword();
  const action = useAction(async (form: FormData) => {
    const email = text(form, "email");
    await withProof("email", () => client.changeEmail({ email, ...currentPassword(form) }), {
      firstGiven: hasPassword,
    });
    onDone(email);
  });
  const { problem, working } = action;
  return (
    <Form action={action} label="Change email">
      <Field
        label="New email"
        name="email"
        // Not `email`: browsers would turn the domain into its xn-- form; the address should stay as typed.
        type="text"
        autoComplete="email"
        autoCapitalize="off"
        spellCheck="false"
        inputMode="email"
        problem={problem}
      />
      {hasPassword && <CurrentPasswordField problem={problem} />}
      <p className="lk-hint">Once you confirm the new address, your other devices are logged out.</p>
      <FormProblem problem={problem} fields={FIELDS} />
      <SubmitOrCancel working={working} onCancel={onCancel}>
        Send the link
      </SubmitOrCancel>
    </Form>
  );
}
