import assert from "node:assert/strict";
import { test } from "node:test";
import { clockOffset, clockText, dateText, instant, minutesUntil, momentText, rfc3339 } from "../src/shared/time.ts";

const at = Date.parse("2026-11-23T14:05:09+07:00");

test("every clock shows Vietnamese time, wherever the browser stands", () => {
  assert.equal(clockText("2026-11-23T07:05:09Z"), "14:05");
  assert.equal(clockText(at, true), "14:05:09");
  assert.equal(dateText("2026-11-23T18:30:00Z"), "24/11/2026");
  assert.equal(dateText("2026-11-23"), "23/11/2026");
  assert.equal(clockText(null), "–");
  assert.equal(clockText("not a time"), "–");
});

test("an instant of another day carries its date", () => {
  assert.equal(momentText("2026-11-23T15:10:00+07:00", at), "15:10");
  assert.equal(momentText("2026-11-24T07:31:00+07:00", at), "07:31 24/11");
});

test("a plain date is no instant, so no minutes are counted to it", () => {
  assert.equal(instant("2026-11-23"), null);
  assert.equal(minutesUntil("2026-11-23", at), null);
});

test("a promise turns late only after its instant, not in the minute before", () => {
  assert.equal(minutesUntil("2026-11-23T14:05:39+07:00", at), 0);
  assert.equal(minutesUntil("2026-11-23T14:05:08+07:00", at), -1);
});

test("device times are written with the offset and read back to the same millisecond", () => {
  assert.equal(rfc3339(at), "2026-11-23T14:05:09.000+07:00");
  assert.equal(Date.parse(rfc3339(at + 123)), at + 123);
});

test("device time plus the measured offset gives the server's time", () => {
  const sent = at - 60_000;
  const offset = clockOffset("2026-11-23T14:05:09.000+07:00", sent - 200, sent + 200);
  assert.equal(offset, 60_000);
  assert.equal(clockOffset(null, 0, 0), null);
});

test("a server time in whole seconds is taken at the middle of its second", () => {
  assert.equal(clockOffset("2026-11-23T14:05:09+07:00", at, at), 500);
});
