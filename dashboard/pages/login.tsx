import { useEffect, useRef, useState } from "react";
import { Refused, type SecondFactorAsked, type SignedIn } from "../../src/client/index.ts";
import { Field, Form, FormProblem, PasswordField, Submit, text, useAction } from "../../src/react/form.tsx";
import { answerWithPasskey, canOfferPasskeys } from "../../src/react/passkeys.ts";
import { inWords, type Problem, sentenceOf, type Why, whyHere } from "../../src/react/words.ts";
import { OneTask, takeNotice, useFrame, useGoOn, usePath } from "../frame.tsx";
import { Providers } from "../providers.tsx";

export function LoginPage() {
  const [needsCode, setNeedsCode] = useState(
    () => new URLSearchParams(location.search).get("step") === "two-factor",
  );
  return needsCode ? (
    <SecondStep onOver={() => setNeedsCode(false)} />
  ) : (
    <FirstStep onHalfDone={() => setNeedsCode(true)} />
  );
}

/** The server knows why the session of this browser's cookie is over; nobody else can put words here. */
function useWhy(): Why | null {
  const { client } = useFrame();
  const [why, setWhy] = useState<Why | null>(() => {
    const said = takeNotice() ?? sentenceOf(new URLSearchParams(location.search).get("error"));
    return said === null ? null : { sentence: said, question: null };
  });
  useEffect(() => {
    client.session({ background: true }).catch((error: unknown) => {
      if (error instanceof Refused && error.isSignedOut) {
        setWhy((before) => before ?? whyHere(error.ending, Date.now()));
      }
    });
  }, [client]);
  return why;
}

function FirstStep({ onHalfDone }: { onHalfDone: () => void }) {
  const { client, config } = useFrame();
  const path = usePath();
  const goOn = useGoOn();
  const why = useWhy();
  const arrive = (answer: SignedIn | SecondFactorAsked) => ("twoFactor" in answer ? onHalfDone() : goOn());
  const action = useAction(async (form: FormData) => {
    arrive(await client.signIn({ email: text(form, "email"), password: text(form, "password") }));
  });
  const byPasskey = useAction(async () => {
    const passkey = await answerWithPasskey(await client.passkeySignInOptions());
    arrive(await client.signInWithPasskey({ passkey }));
  });
  const refused = usePasskeyAutofill(arrive, byPasskey.working);
  const { search } = location;
  return (
    <OneTask title="Log in">
      {why && (
        <p className="why" role="status">
          {why.sentence}
          {why.question !== null && (
            <>
              {" "}
              {why.question} <a href={path("/forgot-password")}>Reset your password</a>.
            </>
          )}
        </p>
      )}
      <Form action={action}>
        <Field
          label="Email"
          name="email"
          type="email"
          inputMode="email"
          autoComplete={config.passkeys ? "username webauthn" : "username"}
          autoCapitalize="off"
          autoFocus
          problem={action.problem}
        />
        <PasswordField
          label="Password"
          name="password"
          autoComplete="current-password"
          problem={action.problem}
        />
        <FormProblem problem={action.problem} fields={["email", "password"]} />
        <Submit working={action.working}>Log in</Submit>
      </Form>
      {config.passkeys && (
        <button
          type="button"
          className="lk-button lk-plain lk-wide"
          data-working={byPasskey.working || undefined}
          onClick={() => void byPasskey.act()}
        >
          Log in with a passkey
        </button>
      )}
      <FormProblem problem={byPasskey.problem ?? refused} />
      <Providers />
      <p className="links">
        <a href={path("/forgot-password")}>Forgot password?</a>
        {config.signUp !== "closed" && <a href={path("/sign-up") + search}>Create account</a>}
      </p>
    </OneTask>
  );
}

/** How long a prompt in the email field is good for, in ms: a minute less than its challenge lives at the server. */
const OFFER_LASTS = 9 * 60_000;

/**
 * Offers the person's passkeys in the email field, where the browser can; silent where it can't. Begins anew
 * when its time is over, when the one that was chosen is refused, and after another prompt (`paused`) has
 * come to nothing. Returns what there is to say where one was refused.
 */
function usePasskeyAutofill(
  arrive: (answer: SignedIn | SecondFactorAsked) => void,
  paused: boolean,
): Problem | null {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [round, setRound] = useState(0);
  const { client, config } = useFrame();
  const latest = useRef(arrive);
  latest.current = arrive;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each round is a new offer.
  useEffect(() => {
    if (!config.passkeys || paused) return;
    let isOver = false;
    const again = () => setRound((before) => before + 1);
    const offer = async () => {
      if (!(await canOfferPasskeys())) return;
      const options = await client.passkeySignInOptions();
      if (isOver) return;
      const passkey = await answerWithPasskey(options, true);
      const answer = await client.signInWithPasskey({ passkey }).catch((error: unknown) => {
        setProblem(inWords(error));
        again();
        throw error;
      });
      latest.current(answer);
    };
    // A prompt that was closed needs no sentence: the form is still there.
    offer().catch(() => {});
    const timer = setTimeout(again, OFFER_LASTS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, config.passkeys, paused, round]);
  return problem;
}

function SecondStep({ onOver }: { onOver: () => void }) {
  const { client } = useFrame();
  const goOn = useGoOn();
  const [byRecovery, setByRecovery] = useState(false);
  const action = useAction(async (form: FormData) => {
    const given = text(form, "code");
    await client.giveSecondFactor(byRecovery ? { recoveryCode: given } : { code: given });
    goOn();
  });
  const { problem } = action;
  return (
    <OneTask title="One more step">
      <p className="lk-words">
        {byRecovery
          ? "Type one of the recovery codes that you saved."
          : "Open your authenticator app and type its code."}
      </p>
      <Form action={action}>
        {byRecovery ? (
          <Field
            key="recovery"
            label="Recovery code"
            name="code"
            autoComplete="off"
            spellCheck={false}
            problem={problem}
            autoFocus
          />
        ) : (
          <Field
            key="totp"
            label="Authentication code"
            name="code"
            autoComplete="one-time-code"
            inputMode="numeric"
            problem={problem}
            autoFocus
          />
        )}
        <FormProblem problem={problem} fields={["code"]} />
        <Submit working={action.working}>Verify</Submit>
      </Form>
      <p className="links">
        <button type="button" className="lk-link" onClick={() => setByRecovery(!byRecovery)}>
          {byRecovery ? "Use a code of the app" : "Use a recovery code"}
        </button>
        <button type="button" className="lk-link" onClick={onOver}>
          Start again
        </button>
      </p>
    </OneTask>
  );
}
