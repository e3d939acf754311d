/** The two functions of Next.js that its adapter calls; Next.js itself is the app's. */
declare module "next/headers.js" {
  export function headers(): Promise<Headers>;
}

declare module "next/navigation.js" {
  export function redirect(to: string): never;
}
