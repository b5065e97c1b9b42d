import { defineChannels } from "partyline";
import { type ChatMessage, isChatMessage, isTyping, MAX_NAME, MAX_TEXT, type Typing } from "./message.ts";

/** Any library that speaks Standard Schema does this (zod, valibot, arktype); two checks need none. */
function schema<Message>(check: (value: unknown) => value is Message, remedy: string) {
  const validate = (value: unknown): { value: Message } | { issues: { message: string }[] } =>
    check(value) ? { value } : { issues: [{ message: remedy }] };
  return { "~standard": { version: 1, vendor: "example-chat", validate } } as const;
}

export const channels = defineChannels({
  "chat/:room": {
    message: schema<ChatMessage>(
      isChatMessage,
      `send { by, name, text }; a name has 1 to ${MAX_NAME} characters and a text 1 to ${MAX_TEXT}`,
    ),
    retention: { count: 1000, age: "7d" },
  },
  // Nobody wants to know who was typing a minute ago: it reaches who is there and is kept nowhere.
  "typing/:room": { message: schema<Typing>(isTyping, "send { by, name, typing }"), keep: "nothing" },
});
