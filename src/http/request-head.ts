/** What a check reads of a request, so that a server's own request serves as well as a `Request`. */
export type RequestHead = {
  readonly method: string;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
};
