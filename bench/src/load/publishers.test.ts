import { expect, it } from "vitest";
import { answerStatus } from "./publishers.ts";

it("an answer has its status once it is complete", () => {
  const answer = "HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\nbody";
  const early = Array.from({ length: answer.length }, (_, length) => answerStatus(answer.slice(0, length)));
  expect(early.filter((status) => status !== undefined)).toEqual([]);
  expect(answerStatus(answer)).toBe(201);
});

it("an answer without a body is complete with its head", () => {
  expect(answerStatus("HTTP/1.1 204 No Content\r\nDate: x\r\n\r\n")).toBe(204);
});
