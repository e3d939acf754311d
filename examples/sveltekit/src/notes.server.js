/** By account, in memory. */
export const notes = new Map();
