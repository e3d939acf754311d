/** Latchkey runs on the server as it is: its database, its files and its threads are not for the bundler. */
export default { serverExternalPackages: ["latchkey"] };
