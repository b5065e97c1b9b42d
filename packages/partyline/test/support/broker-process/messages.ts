/** What the process is asked. The answer to `open` is the path. */
export type Ask =
  | { readonly n: number; readonly do: "open"; readonly past: string }
  | { readonly n: number; readonly do: "advance"; readonly past: string; readonly milliseconds: number }
  | { readonly n: number; readonly do: "forget"; readonly past: string; readonly channel: string };

export interface Answer {
  readonly n: number;
  readonly path: string;
}
