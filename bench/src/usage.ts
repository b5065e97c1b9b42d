import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Memory that a process and those that it started have of the system, MB. */
export function residentMegabytes(pid: number): number {
  const kilobytes = (one: number): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, "utf8"))?.[1] ?? 0);
  const all = family(pid);
  const sum = all ? all.reduce((total, one) => total + kilobytes(one), 0) : Number(askPs("rss", pid));
  return (sum * 1_024) / 1e6;
}

/** CPU time, user's and system's, that a process and those that it started have had, µs. */
export function cpuMicroseconds(pid: number): number {
  const all = family(pid);
  if (!all) return 1e6 * seconds(askPs("time", pid));
  return all.reduce((total, one) => total + (1e6 / TICKS) * ticks(one), 0);
}

/** Time that all cores have had, and what of it the host of a virtual machine gave to others, in ticks. */
export interface HostTime {
  readonly all: number;
  readonly stolen: number;
}

/** Since the machine was started; `undefined` where the system does not tell. */
export function hostTime(): HostTime | undefined {
  try {
    return parseHostTime(readFileSync("/proc/stat", "utf8"));
  } catch {
    return undefined;
  }
}

/** The first line of /proc/stat (proc_stat(5)). What guests had is in what users had, and does not count twice. */
export function parseHostTime(stat: string): HostTime {
  const times = stat.slice(0, stat.indexOf("\n")).trim().split(/ +/).slice(1, 9).map(Number);
  return { all: times.reduce((sum, time) => sum + time, 0), stolen: times[7] ?? 0 };
}

/** The unit of /proc/PID/stat. Linux tells every program the same, whatever the kernel's own clock. */
const TICKS = 100;

function ticks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** A process and its children, as far as /proc tells. */
function family(pid: number): readonly number[] | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return [pid, ...children.map(Number)];
  } catch {
    return undefined;
  }
}

function askPs(field: "rss" | "time", pid: number): string {
  return spawnSync("ps", ["-o", `${field}=`, "-p", String(pid)])
    .stdout.toString()
    .trim();
}

/** `[[hours:]minutes:]seconds`, as `ps` writes a time. */
function seconds(time: string): number {
  return time.split(":").reduce((total, part) => total * 60 + Number(part), 0);
}
