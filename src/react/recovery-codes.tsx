import { useStatus } from "./card.tsx";

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
  const [status, say] = useStatus();
  const site = location.host;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(codes.join("\n"));
      say("Copied.");
    } catch {
      say("Copying is not allowed here. Download or print them instead.");
    }
  };
  const download = () => {
    const words = `Recovery codes of ${email} on ${site}\nEach works once.\n\n${codes.join("\n")}\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([words], { type: "text/plain" }));
    link.download = `recovery-codes-${site.replace(/[^a-z0-9.-]/gi, "-")}.txt`;
    link.click();
    URL.revokeObjectURL(link.href);
    say("Downloaded.");
  };
  return (
    <div className="lk-codes">
      <p>
        <strong>Keep these recovery codes.</strong> Each one logs you in once if you lose your phone. They are
        shown only now.
      </p>
      <p className="lk-only-print">
        Recovery codes of {email} on {site}
      </p>
      <ol className="lk-code-list">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <div className="lk-actions">
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
      {status}
    </div>
  );
}
