import { escapeXml } from "./chart.ts";

/** What `node --cpu-prof` writes, as far as it is read here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** µs before each sample. */
  readonly timeDeltas: readonly number[];
}

/** A function as called from where it was called. */
export interface Call {
  readonly name: string;
  readonly from: Origin;
  /** µs, with what it calls. */
  readonly time: number;
  readonly calls: readonly Call[];
}

type Origin = "partyline" | "node" | "other" | "outside";

/** When nothing is done, and what is done before anything is: Node starts, and modules are loaded. */
const LEFT_OUT = /^\(idle\) | node:internal\/(main|modules)\//;

/** The calls of a profile as a tree, without the start of the process and the time in which nothing was done. */
export function callTree({ nodes, samples, timeDeltas }: CpuProfile): Call {
  const own = new Map<number, number>();
  for (const [index, id] of samples.entries()) own.set(id, (own.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const build = (id: number): Call | undefined => {
    const node = byId.get(id);
    if (!node || LEFT_OUT.test(`${node.callFrame.functionName} ${node.callFrame.url}`)) return undefined;
    const calls = (node.children ?? [])
      .flatMap((child) => build(child) ?? [])
      .toSorted((a, b) => b.time - a.time);
    const time = calls.reduce((sum, call) => sum + call.time, own.get(id) ?? 0);
    return { name: nameOf(node.callFrame), from: originOf(node.callFrame), time, calls };
  };
  const [root] = nodes;
  return (root && build(root.id)) ?? { name: "", from: "outside", time: 0, calls: [] };
}

function nameOf({ functionName, url }: CpuProfile["nodes"][number]["callFrame"]): string {
  const file = url.replace(/^.*\/(?:dist|src)\//, "").replace(/^.*node_modules\//, "");
  const name = functionName === "" ? "(anonymous)" : functionName;
  return file === "" ? name : `${name} ${file}`;
}

function originOf({ functionName, url }: CpuProfile["nodes"][number]["callFrame"]): Origin {
  if (/\/packages\/partyline\//.test(url)) return "partyline";
  if (url.startsWith("node:")) return "node";
  return url === "" || functionName.startsWith("(") ? "outside" : "other";
}

const WIDTH = 960;
const ROW = 18;
const HEAD = 48;
/** A call that is narrower is left out, px. */
const LEAST = 3;
const CHARACTER = 6.2;

const STYLE = `
  text { font: 11px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 14px }
  rect { stroke: #fff; stroke-width: .5 }
  .partyline { fill: #80b8f5 } .node { fill: #a7dbb2 } .other { fill: #f4cf9a } .outside { fill: #d5d9de }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } rect { stroke: #0d1117 }
    .partyline { fill: #1158a7 } .node { fill: #22663a } .other { fill: #8a5a15 } .outside { fill: #454c55 }
  }
`;

/** A flame graph, callers above what they call; widths are CPU time. */
export function flameGraph(title: string, root: Call): string {
  const shapes: string[] = [];
  let depth = 0;
  const draw = (call: Call, x: number, level: number): void => {
    const width = (call.time / root.time) * WIDTH;
    if (width < LEAST) return;
    depth = Math.max(depth, level);
    const y = HEAD + level * ROW;
    const part = `${((100 * call.time) / root.time).toFixed(1)} %`;
    const room = Math.floor((width - 6) / CHARACTER);
    const label = room < 4 ? "" : call.name.length > room ? `${call.name.slice(0, room - 1)}…` : call.name;
    shapes.push(
      `<g><title>${escapeXml(`${call.name}, ${part}`)}</title>` +
        `<rect class="${call.from}" x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW}"/>` +
        `<text x="${(x + 3).toFixed(1)}" y="${y + 13}">${escapeXml(label)}</text></g>`,
    );
    let at = x;
    for (const inner of call.calls) {
      draw(inner, at, level + 1);
      at += (inner.time / root.time) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const legend =
    "Blue: partyline. Green: Node's own JavaScript. Grey: C++, system calls and garbage collection. Orange: others.";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEAD + (depth + 1) * ROW + 4}" role="img" aria-labelledby="title">`,
    `<title id="title">${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="0" y="18">${escapeXml(title)}</text>`,
    `<text x="0" y="38">${legend}</text>`,
    ...shapes,
    "</svg>\n",
  ].join("\n");
}
