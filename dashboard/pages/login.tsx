import { useEffect, useRef, useState } from "react";
import type { SecondFactorAsked, SignedIn } from "../../src/client/index.ts";
import { Button } from "../../src/react/parts/button.tsx";
import { Form, FormProblem, Submit, text, useAction } from "../../src/react/parts/form.tsx";
import { EmailField, PasswordField } from "../../src/react/parts/typed-fields.tsx";
import { answerWithPasskey, canOfferPasskeys } from "../../src/react/proof/passkeys.ts";
import { authorizationFailure, takeSite } from "../../src/react/proof/sites.ts";
import { because, type Why, whyHere } from "../../src/react/why-here.ts";
import { inWords, type Problem } from "../../src/react/words.ts";
import type { Config } from "../config.ts";
import { OneTask, takeFromAddress, takeNotice, useFrame, useGoOn, usePath } from "../frame.tsx";
import { keptToken } from "../link-token.ts";
import { OtherWays, Providers } from "../providers.tsx";
import { BackFromSite } from "./back-from-site.tsx";
import { SecondStep } from "./second-step.tsx";

export function LoginPage() {
  const { config } = useFrame();
  const [isBack, setBack] = useState(() => stepIs("place"));
  const [isHalfDone, setHalfDone] = useState(() => stepIs("two-factor"));
  const [why, setWhy] = useState(() => whyThisPage(config));
  const startAgain = (sentence: string | null) => {
    takeFromAddress("step");
    setWhy(sentence === null ? null : because(sentence));
    setHalfDone(false);
  };
  const goHalfway = () => {
    keepSecondStep();
    setHalfDone(true);
  };
  if (isBack) return <BackFromSite onNobody={() => setBack(false)} />;
  if (isHalfDone) return <SecondStep onOver={startAgain} />;
  return <FirstStep why={why} onSent={() => setWhy(null)} onHalfDone={goHalfway} />;
}

function stepIs(name: string): boolean {
  return new URLSearchParams(location.search).get("step") === name;
}

/** Keeps the step in the URL: a phone may reload the page while the person is in the authenticator app. */
function keepSecondStep(): void {
  const url = new URL(location.href);
  url.searchParams.set("step", "two-factor");
  history.replaceState(null, "", url);
}

/** The previous page's notice, the result of a login at another site, or why the session has ended. */
function whyThisPage({ ending, sessionDays }: Config): Why | null {
  const said = takeNotice() ?? authorizationFailure(takeFromAddress("error"), takeSite());
  if (said !== null) return because(said);
  return whyHere(ending, ending.now, sessionDays) ?? toConfirm();
}

/** The reason if a confirmation page has sent the person here; this tab keeps its link's token. */
function toConfirm(): Why | null {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  if (!next.endsWith("/confirm-email") || keptToken() === null) return null;
  return because("Log in to confirm your new address.");
}

type Arrive = (answer: SignedIn | SecondFactorAsked) => Promise<void>;

type FirstStepProps = { why: Why | null; onSent: () => void; onHalfDone: () => void };

function FirstStep({ why, onSent, onHalfDone }: FirstStepProps) {
  const { client, config } = useFrame();
  const path = usePath();
  const goOn = useGoOn();
  const [email] = useState(takeEmail);
  const arrive: Arrive = async (answer) => ("twoFactor" in answer ? onHalfDone() : goOn());
  const action = useAction(async (form: FormData) => {
    onSent();
    await arrive(await client.signIn({ email: text(form, "email"), password: text(form, "password") }));
  });
  const byPasskey = useAction(async () => {
    onSent();
    const passkey = await answerWithPasskey(await client.passkeySignInOptions());
    await arrive(await client.signInWithPasskey({ passkey }));
  });
  const refused = usePasskeyAutofill(arrive, byPasskey.working);
  useLateProof(goOn);
  const { search, hash } = location;
  return (
    <OneTask title="Log in">
      <Reason why={why} />
      <Form action={action}>
        <EmailField
          autoComplete={config.passkeys ? "username webauthn" : "username"}
          defaultValue={email}
          problem={action.problem}
          aria-describedby={why === null ? undefined : REASON}
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
      <p className="links">
        <a href={path("/forgot-password") + search + hash}>Forgot password?</a>
        {config.signUp !== "closed" && <a href={path("/sign-up") + search + hash}>Create account</a>}
      </p>
      <OtherWays isAny={config.passkeys || config.oidc.length > 0}>
        {config.passkeys && (
          <Button wide working={byPasskey.working} onClick={() => void byPasskey.act()}>
            Log in with a passkey
          </Button>
        )}
        <FormProblem problem={byPasskey.problem ?? refused} />
        <Providers />
      </OtherWays>
    </OneTask>
  );
}

/**
 * Continues without a login if the session's device proof was missing a moment ago, perhaps because the
 * browser couldn't reach the server, and is there by now.
 */
function useLateProof(goOn: () => Promise<never>): void {
  const { client, config } = useFrame();
  const latest = useRef(goOn);
  latest.current = goOn;
  const { reason } = config.ending;
  useEffect(() => {
    if (reason !== "device_proof_needed") return;
    let isOver = false;
    client.session({ background: true }).then(
      () => void (isOver || latest.current()),
      // The page already says that a login is needed.
      () => {},
    );
    return () => {
      isOver = true;
    };
  }, [client, reason]);
}

const REASON = "reason";

/** Describes the focused field, since screen readers don't read the other text of a newly loaded page. */
function Reason({ why }: { why: Why | null }) {
  const path = usePath();
  if (why === null) return null;
  return (
    <p className="why" id={REASON}>
      {why.sentence}
      {why.question !== null && (
        <>
          {" "}
          {why.question} <a href={path("/forgot-password")}>Reset your password</a>.
        </>
      )}
    </p>
  );
}

/** The address that was typed on the sign-up page. It comes in the fragment, so that no server sees it. */
function takeEmail(): string {
  const given = new URLSearchParams(location.hash.slice(1));
  const email = given.get("email") ?? "";
  const place = given.get("place") ?? "";
  const hash = place === "" ? "" : `#${place}`;
  if (email !== "") history.replaceState(null, "", location.pathname + location.search + hash);
  return email;
}

/** How long to offer passkeys with the same challenge, in ms: a minute less than the server accepts it. */
const OFFER_LASTS = 9 * 60_000;

/**
 * Offers the person's passkeys in the email field, if the browser supports that. Starts again when the
 * challenge runs out, when the chosen passkey is refused, and when another prompt (`paused`) has ended
 * without a login. Returns the problem with a refused passkey.
 */
function usePasskeyAutofill(arrive: Arrive, paused: boolean): Problem | null {
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
      await latest.current(answer);
    };
    // A closed prompt needs no message: the form is still there.
    offer().catch(() => {});
    const timer = setTimeout(again, OFFER_LASTS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [client, config.passkeys, paused, round]);
  return problem;
}
