import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fill, say } from "../src/shared/i18n.ts";
import { PROVINCES } from "../src/shared/provinces.ts";
import { sha256 } from "../src/shared/sha256.ts";
import { uuid7 } from "../src/shared/uuid.ts";

test("a picture's name is the SHA-256 the server computes, at every padding edge", () => {
  for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 70_000]) {
    const data = Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) % 256);
    assert.equal(sha256(data), createHash("sha256").update(data).digest("hex"), `${size} bytes`);
  }
});

test("event ids are version 7 and sort by the moment they were made", () => {
  const first = uuid7(1_700_000_000_000);
  const later = uuid7(1_700_000_000_001);
  assert.match(first, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(first < later);
  assert.equal(Number.parseInt(first.replaceAll("-", "").slice(0, 12), 16), 1_700_000_000_000);
  assert.notEqual(uuid7(1), uuid7(1));
});

test("texts fill their places and never print undefined", () => {
  assert.equal(fill("{n} việc của {who}", { n: 2 }), "2 việc của ");
  assert.equal(say({ vi: "muộn", en: "late" }), "muộn");
  assert.equal(say({ en: "late" }), "late");
  assert.equal(say(null), "");
});

test("all 63 provinces of 2020 are there once, each with its two-digit code", () => {
  assert.equal(PROVINCES.length, 63);
  assert.equal(new Set(PROVINCES.map((one) => one.code)).size, 63);
  assert.ok(PROVINCES.every((one) => /^\d{2}$/.test(one.code) && one.name.length > 2));
});
