import { dayOf } from "../../client/index.ts";
import { Button } from "../parts/button.tsx";
import { copy, useStatus } from "../parts/card.tsx";

/** Shows ten recovery codes, once, to be copied, downloaded or printed. */
export function RecoveryCodes({
  codes,
  email,
  onDone,
}: {
  codes: string[];
  email: string;
  onDone: () => void;
}) {
  const status = useStatus();
  // `now` is 0, so that the date includes the year.
  const today = dayOf(new Date().toISOString(), 0);
  const heading = `Recovery codes of ${email} on ${location.host}, made on ${today}`;
  const download = () => {
    saveAsFile(`${heading}\nEach works once. Cross it out.\n\n${codes.join("\n")}\n`);
    status.say("Downloaded.");
  };
  return (
    <div className="lk-codes">
      <p className="lk-step lk-no-print" tabIndex={-1}>
        <strong>Keep these recovery codes.</strong> Each one logs you in once if you lose your phone. You
        won't see them again.
      </p>
      <p className="lk-only-print">{heading}. Each works once. Cross it out.</p>
      <ol className="lk-code-list">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="lk-actions lk-no-print">
        <Button onClick={() => void copy(codes.join("\n"), status, "Download or print them instead.")}>
          Copy
        </Button>
        <Button onClick={download}>Download</Button>
        <Button onClick={() => window.print()}>Print</Button>
        <Button kind="main" onClick={onDone}>
          I have saved them
        </Button>
      </div>
      <div className="lk-no-print">{status.line}</div>
    </div>
  );
}

function saveAsFile(words: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([words], { type: "text/plain" }));
  link.download = `recovery-codes-${location.host.replace(/[^a-z0-9.-]/gi, "-")}.txt`;
  link.click();
  URL.revokeObjectURL(link.href);
}
