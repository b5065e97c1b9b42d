import { attachedAt, type ClientRig, createClientRig } from "./client-rig.ts";

/** A live client whose channel `a` has been attached at 0 and is heard. */
export async function listening(options: Parameters<ClientRig["client"]["channel"]>[1] = {}) {
  const rig = createClientRig();
  await rig.welcome();
  const channel = rig.client.channel<number>("a", options);
  const got: number[] = [];
  const off = channel.on("message", ({ data }) => got.push(data));
  rig.socket.take();
  rig.socket.say(attachedAt(1, 0));
  return { ...rig, rig, channel, got, off };
}
