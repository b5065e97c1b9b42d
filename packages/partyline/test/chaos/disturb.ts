import type { Faults } from "../../src/testing/line/faults.ts";
import type { LineFault } from "./history.ts";
import type { WorldClient } from "./world.ts";

/** Does to a line what a step says, and ends that: a slow uplink stays slow. */
export function troubleLine(line: Faults, uplink: number | undefined): Pick<WorldClient, "disturb" | "mend"> {
  const slow = (): void => {
    if (uplink !== undefined) line.throttle(uplink, "up");
  };
  slow();
  return {
    disturb: disturbLine(line),
    mend() {
      line.mend();
      slow();
    },
  };
}

function disturbLine(line: Faults): (fault: LineFault) => void {
  return (step) => {
    switch (step.fault) {
      case "cut":
      case "unplug":
      case "stripUpgrade":
        return line[step.fault]();
      case "halfClose":
      case "blackhole":
      case "buffer":
        return line[step.fault](step.direction);
      case "delay":
      case "throttle":
      case "split":
        return line[step.fault](step.amount);
    }
  };
}
