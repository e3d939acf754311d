/** The three functions of Next.js that the adapter calls; the app brings Next.js itself. */
declare module "next/headers.js" {
  export function headers(): Promise<Headers>;
}

declare module "next/navigation.js" {
  export function redirect(to: string): never;
}

declare module "next/server.js" {
  export function connection(): Promise<void>;
}
