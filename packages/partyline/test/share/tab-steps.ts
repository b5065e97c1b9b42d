/** The steps of which the histories of tabs are made. */
import fc from "fast-check";

export type Step =
  | { readonly do: "open" | "kill" | "freeze" | "leave" | "thaw" | "close" | "cut" | "restart" }
  | { readonly do: "read" | "iterate"; readonly channel: number; readonly since: number }
  | { readonly do: "stop" | "resume" | "take"; readonly channel: number }
  | {
      readonly do: "publish" | "post" | "delete";
      readonly channel: number;
      readonly key: number;
      readonly many: number;
    }
  | { readonly do: "move"; readonly times: number; readonly which: number }
  | { readonly do: "pass"; readonly ms: number };

type Doing = "kill" | "freeze" | "leave" | "thaw" | "close";

/** Most of a history is about one channel. */
const channel = fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 2);
export const step: fc.Arbitrary<Step & { readonly who: number }> = fc
  .tuple(
    fc.nat(3),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant({ do: "open" as const }) },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constantFrom<Doing[]>("kill", "freeze", "leave", "thaw", "thaw", "close"),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "cut" as const, "restart" as const) }),
      },
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constantFrom("read" as const, "iterate" as const),
          channel,
          since: fc.nat(4),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          do: fc.constantFrom("stop" as const, "resume" as const, "take" as const),
          channel,
        }),
      },
      {
        weight: 10,
        arbitrary: fc.record({
          do: fc.constantFrom("publish" as const, "post" as const, "delete" as const),
          channel,
          key: fc.nat(5),
          many: fc.constantFrom(1, 1, 2, 3, 6),
        }),
      },
      {
        weight: 8,
        arbitrary: fc.record({
          do: fc.constant("move" as const),
          times: fc.integer({ min: 1, max: 12 }),
          which: fc.nat(7),
        }),
      },
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant("pass" as const),
          ms: fc.constantFrom(0, 0, 60, 300, 1500, 4000),
        }),
      },
    ),
  )
  .map(([who, made]) => ({ ...made, who }));
