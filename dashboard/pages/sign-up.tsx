import { useState } from "react";
import { Refused } from "../../src/client/index.ts";
import { Button } from "../../src/react/parts/button.tsx";
import { Form, FormProblem, Submit, text, useAction } from "../../src/react/parts/form.tsx";
import { EmailField, NewPasswordField } from "../../src/react/parts/typed-fields.tsx";
import { makePasskey } from "../../src/react/proof/passkeys.ts";
import { EMPTY_FIELDS, type Problem } from "../../src/react/words.ts";
import { OneTask, useFrame, useGoOn, usePath } from "../frame.tsx";
import { dropToken, takeToken } from "../link-token.ts";
import { OtherWays, Providers } from "../providers.tsx";
import { Gone } from "./link-page.tsx";

export function SignUpPage() {
  const { config } = useFrame();
  const [token] = useState(takeToken);
  const [email, setEmail] = useState("");
  const [isSent, setSent] = useState(false);
  if (config.signUp === "closed") return <Closed />;
  if (token !== null) return <Finish token={token} />;
  if (isSent) return <Sent email={email} onAgain={() => setSent(false)} />;
  return <Begin email={email} setEmail={setEmail} onSent={() => setSent(true)} />;
}

function Closed() {
  const path = usePath();
  return (
    <OneTask title="Create account">
      <p>New accounts can't be created here. Ask whoever runs this site.</p>
      <p className="links">
        <a href={path("/login")}>Log in</a>
      </p>
    </OneTask>
  );
}

type BeginProps = { email: string; setEmail: (email: string) => void; onSent: () => void };

function Begin({ email, setEmail, onSent }: BeginProps) {
  const { client, config } = useFrame();
  const path = usePath();
  const goOn = useGoOn();
  const asksPassword = config.signUp === "open";
  const action = useAction(async (form: FormData) => {
    const answer = await client.signUp({ email, password: text(form, "password") });
    if (answer && "session" in answer) await goOn();
    else onSent();
  });
  const byPasskey = useAction(async () => {
    const passkey = await makePasskey(await client.passkeyOptions({ email }));
    await client.signUpWithPasskey({ email, passkey });
    await goOn();
  });
  const withPasskey = () => {
    const isEmpty = email.trim() === "";
    action.refuse(isEmpty ? { field: "email", sentence: EMPTY_FIELDS.email ?? "" } : null);
    if (!isEmpty) void byPasskey.act();
  };
  const problem = action.problem ?? byPasskey.problem;
  const { search, hash } = location;
  return (
    <OneTask title="Create account">
      <Form action={action}>
        <EmailField value={email} onChange={(event) => setEmail(event.target.value)} problem={problem} />
        {problem?.code === "email_taken" && (
          <a href={`${path("/login")}${search}#${new URLSearchParams({ email, place: hash.slice(1) })}`}>
            Log in instead
          </a>
        )}
        {asksPassword && <FirstPassword problem={problem} />}
        <FormProblem problem={problem} fields={["email", "password", "newPassword"]} />
        <Submit working={action.working}>Create account</Submit>
      </Form>
      <p className="links">
        <a href={path("/login") + search + hash}>I already have an account</a>
      </p>
      <OtherWays isAny={(asksPassword && config.passkeys) || config.oidc.length > 0}>
        {asksPassword && config.passkeys && (
          <Button wide working={byPasskey.working} onClick={withPasskey}>
            Sign up with a passkey
          </Button>
        )}
        <Providers />
      </OtherWays>
    </OneTask>
  );
}

function FirstPassword({ problem }: { problem: Problem | null }) {
  const { config } = useFrame();
  const own = problem?.field === "newPassword" ? { ...problem, field: "password" } : problem;
  return (
    <NewPasswordField label="Password" name="password" minLength={config.passwordMinLength} problem={own} />
  );
}

function Sent({ email, onAgain }: { email: string; onAgain: () => void }) {
  const path = usePath();
  return (
    <OneTask title="Check your email">
      <p role="status">
        We sent a link to <bdi className="lk-address">{email}</bdi>. Open it within 24 hours to choose your
        password. Check your spam folder too.
      </p>
      <p className="links">
        <a href={path("/login") + location.search + location.hash}>Back to log in</a>
        <button type="button" className="lk-link" onClick={onAgain}>
          Use another address
        </button>
      </p>
    </OneTask>
  );
}

const GONE = {
  words: "If you have already chosen a password, log in with it.",
  next: { way: "Ask for a new link", to: "/sign-up" },
};

/** The page behind the emailed link: the address is confirmed, and the password is chosen here. */
function Finish({ token }: { token: string }) {
  const { client } = useFrame();
  const path = usePath();
  const goOn = useGoOn();
  const [isExpired, setExpired] = useState(false);
  const action = useAction(async (form: FormData) => {
    try {
      await client.finishSignUp({ token, password: text(form, "password") });
      await goOn();
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== "link_expired") throw error;
      dropToken();
      setExpired(true);
    }
  });
  if (isExpired) return <Gone {...GONE} isMissing={false} />;
  return (
    <OneTask title="Choose a password">
      <Form action={action}>
        <FirstPassword problem={action.problem} />
        <FormProblem problem={action.problem} fields={["newPassword"]} />
        <Submit working={action.working}>Create account</Submit>
      </Form>
      <p className="links">
        {/* A link to the page's own URL keeps its history entry, so the token has to be dropped first. */}
        <a href={path("/sign-up")} onClick={dropToken}>
          Ask for a new link
        </a>
      </p>
    </OneTask>
  );
}
