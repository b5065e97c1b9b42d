const KINDS = ["pass", "shot", "ball lost", "recovery", "set piece", "challenge"];

/** JSON like that of an application: events of a match, as many as fill so many bytes, about. */
export function record(no: number, size: number): string {
  let state = no * 7_919 + 1;
  const random = (below: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const event = (): string => {
    const [x, y] = [random(1_000) / 1_000, random(1_000) / 1_000];
    return JSON.stringify({
      kind: KINDS[random(6)],
      from: `Player${random(22)}`,
      to: `Player${random(22)}`,
      x,
      y,
    });
  };
  const events = [event()];
  for (let length = size - 100; length > 0;) {
    const one = event();
    events.push(one);
    length -= one.length + 1;
  }
  return `{"no":${no},"at":${1_795_000_000_000 + no * 40},"events":[${events.join(",")}]}`;
}
