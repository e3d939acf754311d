/** The notes of each account, in memory. */
export const notes = new Map();
