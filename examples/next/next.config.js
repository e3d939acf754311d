/**
 * `create-next-app` sets `cacheComponents`; the app is the same without it. Latchkey runs on the server as it
 * is: its database, its files and its threads are not for the bundler.
 */
export default {
  cacheComponents: true,
  serverExternalPackages: ["latchkey"],
};
