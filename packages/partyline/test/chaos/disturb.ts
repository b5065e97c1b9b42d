import type { Faults } from "../../src/testing/line/faults.ts";
import type { LineFault } from "./history.ts";

/** Does to a line what a step says. */
export function disturbLine(line: Faults): (fault: LineFault) => void {
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
