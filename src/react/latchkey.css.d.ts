/** The style sheet has nothing to import by name: `import "latchkey/react/latchkey.css"` is for a bundler. */
export {};
