/** By account. In memory, for the whole process: Next.js loads a module once for pages and once for routes. */
globalThis.notes ??= new Map();
export const { notes } = globalThis;
