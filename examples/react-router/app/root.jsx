import { Outlet, Scripts } from "react-router";

const STYLE = {
  maxWidth: "40rem",
  margin: "2rem auto",
  padding: "0 1rem",
  fontFamily: "system-ui, sans-serif",
};

export default function Root() {
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Your notes</title>
      </head>
      <body style={STYLE}>
        <Outlet />
        <Scripts />
      </body>
    </html>
  );
}
