/** What the process is asked. Each is answered with the past's path, in order. */
export type Ask =
  | { readonly do: "open"; readonly past: string }
  | { readonly do: "advance"; readonly past: string; readonly milliseconds: number }
  | { readonly do: "forget"; readonly past: string; readonly channel: string };
