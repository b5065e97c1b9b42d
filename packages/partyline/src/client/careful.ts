import type { PartylineError } from "../protocol/partyline-error.ts";
import type { Command, Link, Transport } from "./link.ts";

/** Whether something on the way ended a WebSocket because of what was sent: 1002, 1003, 1007 to 1010. */
export function isObjection({ cause }: PartylineError): boolean {
  return typeof cause === "number" && /^10(0[237-9]|10)$/.test(`${cause}`);
}

/**
 * Wraps a transport whose last link ended over something that was sent on it. The new link has one command at a time
 * under way, until all that wait are answered. If it ends in the same way before that, it refuses the command that was
 * under way.
 */
export function carefully(openLink: Transport): Transport {
  return (request) => {
    const waiting: Command[] = [];
    let flying: Command | undefined;
    let careful = true;

    const sendNext = (): void => {
      for (flying = waiting.shift(); flying; flying = waiting.shift()) if (sendNow(flying)) return;
      careful = false;
    };
    /** Whether the command has left. */
    const sendNow = (command: Command): boolean => {
      let left = false;
      link.send({
        channel: command.channel,
        get first() {
          return command.first;
        },
        fields() {
          const fields = command.fields();
          left = fields !== undefined;
          return fields;
        },
        answer(frame) {
          command.answer(frame);
          if (command === flying) sendNext();
        },
      });
      return left;
    };
    const link: Link = openLink({
      ...request,
      host: {
        ...request.host,
        end(error, silence) {
          const culprit = isObjection(error) && careful ? flying : undefined;
          flying = undefined;
          culprit?.answer({
            t: "error",
            code: "refused",
            message: error.message,
            remedy: "Send less, or find the gateway that closes the connection.",
          });
          request.host.end(error, silence);
        },
      },
    });
    return {
      ...link,
      send(command) {
        if (!careful) link.send(command);
        else {
          waiting.push(command);
          if (!flying) sendNext();
        }
      },
    };
  };
}
