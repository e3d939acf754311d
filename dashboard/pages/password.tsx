import { useState } from "react";
import { Refused } from "../../src/client/index.ts";
import { Field, Form, FormProblem, Submit, text, useAction } from "../../src/react/parts/form.tsx";
import { NewPasswordField } from "../../src/react/parts/password-fields.tsx";
import { leaveNotice, OneTask, takeToken, useFrame, usePath } from "../frame.tsx";

export function ForgotPasswordPage() {
  const [sentTo, setSentTo] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const again = () => {
    setTyped(sentTo ?? "");
    setSentTo(null);
  };
  if (sentTo === null) return <AskForLink email={typed} onSent={setSentTo} />;
  return (
    <OneTask title="Check your email">
      <p role="status">
        If <bdi className="lk-address">{sentTo}</bdi> has an account, a link is on its way. It works for 30
        minutes. Look in the spam folder too.
      </p>
      <p className="links">
        <BackToLogin />
        <button type="button" className="lk-link" onClick={again}>
          Use another address
        </button>
      </p>
    </OneTask>
  );
}

function AskForLink({ email, onSent }: { email: string; onSent: (email: string) => void }) {
  const { client } = useFrame();
  const action = useAction(async (form: FormData) => {
    const typed = text(form, "email");
    await client.askForReset({ email: typed });
    onSent(typed);
  });
  return (
    <OneTask title="Reset your password">
      <Form action={action}>
        <p className="lk-words">
          We send you a link. When you set a new password with it, every device is logged out.
        </p>
        <Field
          label="Email"
          name="email"
          type="email"
          inputMode="email"
          autoComplete="username"
          autoCapitalize="off"
          autoFocus
          defaultValue={email}
          problem={action.problem}
        />
        <FormProblem problem={action.problem} fields={["email"]} />
        <Submit working={action.working}>Send the link</Submit>
      </Form>
      <p className="links">
        <BackToLogin />
      </p>
    </OneTask>
  );
}

function BackToLogin() {
  const path = usePath();
  return <a href={path("/login")}>Back to log in</a>;
}

export function ResetPasswordPage() {
  const { client, config } = useFrame();
  const path = usePath();
  const [token] = useState(takeToken);
  const [isExpired, setExpired] = useState(false);
  const action = useAction(async (form: FormData) => {
    try {
      await client.resetPassword({ token: token ?? "", password: text(form, "newPassword") });
      leaveNotice("reset");
      location.replace(path("/login"));
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "link_expired") throw error;
      setExpired(true);
    }
  });
  if (token === null)
    return (
      <NoLink
        title="The link is missing"
        words="Open this page from the link in the email. Open it once more, or ask for a new one."
      />
    );
  if (isExpired)
    return (
      <NoLink
        title="This link no longer works"
        words="This link has expired or was already used. Your password is as it was."
      />
    );
  return (
    <OneTask title="Choose a new password">
      <Form action={action}>
        <p className="lk-words">It logs out every device, this one too.</p>
        <NewPasswordField minLength={config.passwordMinLength} autoFocus problem={action.problem} />
        <FormProblem problem={action.problem} fields={["newPassword"]} />
        <Submit working={action.working}>Set the password</Submit>
      </Form>
      <p className="links">
        <a href={path("/forgot-password")}>Ask for a new link</a>
      </p>
    </OneTask>
  );
}

function NoLink({ title, words }: { title: string; words: string }) {
  const path = usePath();
  return (
    <OneTask title={title}>
      <p role="status">{words}</p>
      <a className="lk-button lk-main lk-wide" href={path("/forgot-password")}>
        Send a new link
      </a>
      <p className="links">
        <BackToLogin />
      </p>
    </OneTask>
  );
}
