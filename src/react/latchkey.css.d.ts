/** For bundlers: `import "latchkey/react/latchkey.css"`. The style sheet exports nothing. */
export {};
