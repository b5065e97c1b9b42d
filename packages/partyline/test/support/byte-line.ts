import { connect, type Socket } from "node:net";

/** A connection of bytes: what came so far, and a wait for more of it. */
export class ByteLine {
  readonly socket: Socket;
  text = "";
  ended = false;
  #wake = (): void => undefined;

  constructor(to: number) {
    this.socket = connect(to, "127.0.0.1");
    this.socket.setEncoding("utf8").on("data", (piece: string) => {
      this.text += piece;
      this.#wake();
    });
    this.socket.on("close", () => {
      this.ended = true;
      this.#wake();
    });
    this.socket.on("error", () => undefined);
  }

  async until(arrived: () => boolean): Promise<void> {
    while (!arrived()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
