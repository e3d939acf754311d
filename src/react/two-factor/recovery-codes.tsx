import { dayOf } from "../../client/index.ts";
import { useStatus } from "../parts/card.tsx";

/** Ten codes, shown once: to copy, to download, to print. */
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
  const site = location.host;
  // With its year, whenever it is read again.
  const today = dayOf(new Date().toISOString(), 0);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(codes.join("\n"));
      status.say("Copied.");
    } catch {
      status.warn("Copying is not allowed here. Download or print them instead.");
    }
  };
  const download = () => {
    const words = `Recovery codes of ${email} on ${site}, made on ${today}\nEach works once. Cross it out.\n\n${codes.join("\n")}\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([words], { type: "text/plain" }));
    link.download = `recovery-codes-${site.replace(/[^a-z0-9.-]/gi, "-")}.txt`;
    link.click();
    URL.revokeObjectURL(link.href);
    status.say("Downloaded.");
  };
  return (
    <div className="lk-codes">
      <p className="lk-step lk-no-print" tabIndex={-1}>
        <strong>Keep these recovery codes.</strong> Each one logs you in once if you lose your phone. They are
        shown only now.
      </p>
      <p className="lk-only-print">
        Recovery codes of {email} on {site}, made on {today}. Each works once. Cross it out.
      </p>
      <ol className="lk-code-list">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="lk-actions lk-no-print">
        <button type="button" className="lk-button lk-plain" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" className="lk-button lk-plain" onClick={download}>
          Download
        </button>
        <button type="button" className="lk-button lk-plain" onClick={() => window.print()}>
          Print
        </button>
        <button type="button" className="lk-button lk-main" onClick={onDone}>
          I have saved them
        </button>
      </div>
      <div className="lk-no-print">{status.line}</div>
    </div>
  );
}
