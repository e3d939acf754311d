import { useState } from "react";
import { Refused } from "../../src/client/index.ts";
import { Form, FormProblem, Submit, text, useAction } from "../../src/react/parts/form.tsx";
import { canBeEmail, EmailField, NewPasswordField } from "../../src/react/parts/typed-fields.tsx";
import { leaveNotice, leaveTo, OneTask, useFrame, usePath } from "../frame.tsx";
import { dropToken, takeToken } from "../link-token.ts";
import { Gone } from "./link-page.tsx";

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
        minutes. Check your spam folder too.
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
    // Checked here: the server answers any text alike, so as not to reveal which addresses have accounts.
    if (!canBeEmail(typed)) throw new Refused(422, "invalid_email");
    await client.askForReset({ email: typed });
    onSent(typed);
  });
  return (
    <OneTask title="Reset your password">
      <Form action={action}>
        <p className="lk-words">
          We send you a link. When you set a new password with it, every device is logged out.
        </p>
        <EmailField defaultValue={email} problem={action.problem} />
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
  return <a href={path("/login") + location.search + location.hash}>Back to log in</a>;
}

const GONE = {
  words:
    "If you have just set a password with it, log in with that one. If you got several emails, only the link in the newest one works.",
  next: { way: "Send a new link", to: "/forgot-password" },
};

export function ResetPasswordPage() {
  const { client, config } = useFrame();
  const path = usePath();
  const [token] = useState(takeToken);
  const [isExpired, setExpired] = useState(false);
  const action = useAction(async (form: FormData) => {
    try {
      await client.resetPassword({ token: token ?? "", password: text(form, "newPassword") });
      leaveNotice("reset");
      await leaveTo(path("/login"));
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "link_expired") throw error;
      dropToken();
      setExpired(true);
    }
  });
  if (token === null || isExpired) return <Gone {...GONE} isMissing={token === null} />;
  return (
    <OneTask title="Choose a new password">
      <Form action={action}>
        <p className="lk-words">This logs out every device, including this one.</p>
        <NewPasswordField minLength={config.passwordMinLength} autoFocus problem={action.problem} />
        <FormProblem problem={action.problem} fields={["newPassword"]} />
        <Submit working={action.working}>Set the password</Submit>
      </Form>
      <p className="links">
        <a href={path("/forgot-password")}>Send a new link</a>
      </p>
    </OneTask>
  );
}
