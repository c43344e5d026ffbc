import assert from "node:assert/strict";
import { test } from "node:test";
import {
  badEnd,
  BATCH,
  due,
  goodEnd,
  issues,
  lacks,
  nextBatch,
  payloadOf,
  run,
  settle,
  viewOf,
  waitingCount,
  wire,
  type Proof,
} from "../src/courier/queue.ts";
import type { EventType, Kept, Pack, PackStop } from "../src/courier/types.ts";

function event(seq: number, type: EventType, more: Partial<Kept> = {}): Kept {
  return {
    event_id: `event-${seq}`,
    device_seq: seq,
    type,
    stop_id: "s1",
    request_ids: ["r1"],
    at_device: "2026-11-23T08:00:00.000+07:00",
    clock_offset_ms: 0,
    lat: null,
    lng: null,
    accuracy_m: null,
    payload: {},
    media: [],
    courier_id: "c1",
    state: "waiting",
    ...more,
  };
}

function stop(more: Partial<PackStop> = {}): PackStop {
  return {
    stop_id: "s1",
    kind: "pickup",
    place: { at: "citizen" },
    request_ids: ["r1", "r2"],
    state: "open",
    requests: [{ id: "r1" }, { id: "r2" }],
    ...more,
  };
}

const proof: Proof = {
  requestIds: ["r1"],
  papersChecked: true,
  slipSigned: true,
  recordNo: "12/BB",
  officerId: "cb-017",
  relation: "SELF",
  recipientName: "Nguyễn Thị A",
  idType: "CCCD",
  last4: "1234",
  receipts: {},
  safety: {},
  signed: true,
};

test("each kind of stop ends with the event the server expects there", () => {
  assert.equal(goodEnd(stop()), "collected");
  assert.equal(goodEnd(stop({ place: { at: "shop" } })), "collected");
  assert.equal(goodEnd(stop({ kind: "delivery", place: { at: "shop" } })), "handed_over");
  assert.equal(goodEnd(stop({ kind: "delivery", place: { at: "citizen" } })), "delivered");
  assert.equal(goodEnd(stop({ kind: "delivery", place: { at: "office" } })), "arrived_office");
  assert.equal(badEnd(stop()), "collect_failed");
  assert.equal(badEnd(stop({ kind: "delivery" })), "delivery_failed");
  assert.equal(badEnd(stop({ kind: "delivery", place: { at: "shop" } })), "handover_refused");
});

test("what waits goes out in the order it happened, however the store returned it", () => {
  const batch = nextBatch([event(3, "collected"), event(1, "arrived"), event(2, "cash_taken")], "c1");
  assert.deepEqual(
    batch.map((one) => one.device_seq),
    [1, 2, 3],
  );
});

test("one courier's acts are never sent under another's name", () => {
  const mixed = [event(1, "arrived"), event(2, "arrived", { courier_id: "c2" })];
  assert.deepEqual(
    nextBatch(mixed, "c2").map((one) => one.event_id),
    ["event-2"],
  );
  assert.equal(waitingCount(mixed, "c1"), 1);
});

test("a long day offline is sent in batches, oldest first", () => {
  const many = Array.from({ length: BATCH + 20 }, (_, i) => event(BATCH + 20 - i, "arrived"));
  const batch = nextBatch(many, "c1");
  assert.equal(batch.length, BATCH);
  assert.equal(batch[0]?.device_seq, 1);
  assert.equal(batch.at(-1)?.device_seq, BATCH);
});

test("positions are sent but not counted as waiting work", () => {
  assert.equal(waitingCount([event(1, "position"), event(2, "collected")], "c1"), 1);
});

test("a finished stop shows done at once, before the server has heard of it", () => {
  const view = viewOf(stop(), [event(1, "collected", { request_ids: ["r1", "r2"] })]);
  assert.equal(view.state, "done");
  assert.equal(view.waiting, true);
});

test("a stop done for some of its dossiers stays open for the rest", () => {
  const view = viewOf(stop(), [event(1, "arrived"), event(2, "collected", { request_ids: ["r1"] })]);
  assert.equal(view.state, "arrived");
  assert.deepEqual(
    view.open.map((task) => task.id),
    ["r2"],
  );
});

test("an act the server refused opens the stop again instead of looking done", () => {
  const refused = event(1, "collected", { request_ids: ["r1", "r2"], state: "rejected", code: "guard_signature" });
  assert.equal(viewOf(stop(), [refused]).state, "open");
  assert.deepEqual(
    issues([refused, event(2, "arrived")]).map((one) => one.event_id),
    ["event-1"],
  );
});

test("a dossier that could not be collected is not asked for at the shop later", () => {
  const pack: Pack = {
    stops: [
      stop({ request_ids: ["r1"], requests: [{ id: "r1" }] }),
      stop({ stop_id: "s2", kind: "delivery", place: { at: "shop" }, request_ids: ["r1"], requests: [{ id: "r1" }] }),
    ],
  };
  const views = run(pack, [event(1, "collect_failed")]);
  assert.deepEqual(
    views.map((view) => view.state),
    ["failed", "failed"],
  );
});

test("the server's own word that a stop is done is believed", () => {
  assert.equal(viewOf(stop({ state: "done" }), []).state, "done");
  assert.equal(
    viewOf(
      stop({
        requests: [
          { id: "r1", status: "COLLECTED" },
          { id: "r2", status: "CANCELLED" },
        ],
      }),
      [],
    ).state,
    "done",
  );
});

test("an empty or half-empty pack is shown without an error", () => {
  assert.deepEqual(run(null, []), []);
  assert.deepEqual(run({}, []), []);
  const bare = viewOf({ stop_id: "s9" }, []);
  assert.equal(bare.state, "open");
  assert.equal(viewOf({ stop_id: "s9", request_ids: ["x"], requests: null, place: null }, []).open[0]?.id, "x");
});

test("an answer settles the events it names and leaves the others waiting", () => {
  const after = settle(
    [event(1, "arrived"), event(2, "collected"), event(3, "cash_taken"), event(4, "delivered")],
    [
      { event_id: "event-1", result: "duplicate" },
      { event_id: "event-2", result: "rejected", code: "guard_signature" },
      { event_id: "event-4", result: "conflict", server_state: { r1: { status: "CANCELLED" } } },
    ],
  );
  assert.deepEqual(
    after.map((one) => one.state),
    ["applied", "rejected", "waiting", "conflict"],
  );
  assert.equal(after[1]?.code, "guard_signature");
});

test("this phone's private notes never go to the server", () => {
  const sent = wire(event(1, "arrived", { code: "x", server_state: {} }));
  assert.deepEqual(Object.keys(sent).sort(), [
    "accuracy_m",
    "at_device",
    "clock_offset_ms",
    "device_seq",
    "event_id",
    "lat",
    "lng",
    "media",
    "payload",
    "request_ids",
    "stop_id",
    "type",
  ]);
});

test("a form cannot be finished without what the law asks for at that stop", () => {
  assert.deepEqual(lacks("collected", { ...proof, papersChecked: false, slipSigned: false, signed: false }, []), [
    "papers",
    "slip",
    "signature",
  ]);
  assert.deepEqual(lacks("handed_over", { ...proof, recordNo: " ", officerId: "" }, []), ["record", "officer"]);
  assert.deepEqual(lacks("delivered", { ...proof, last4: "123" }, []), ["last4"]);
  assert.deepEqual(lacks("collected", { ...proof, requestIds: [] }, []), ["requests"]);
  assert.deepEqual(lacks("delivered", proof, []), []);
});

test("a state fee needs its receipt number, postage alone does not", () => {
  const fee = { id: "r1", money: { postage: 26000, state_fee: 80000 } };
  assert.deepEqual(lacks("collected", proof, [fee]), ["receipt"]);
  assert.deepEqual(lacks("collected", { ...proof, receipts: { r1: "BL-1" } }, [fee]), []);
  assert.deepEqual(lacks("collected", proof, [{ id: "r1", money: { postage: 26000, state_fee: 0 } }]), []);
  assert.equal(due({ postage: 26000 }), 26000);
  assert.equal(due(null), 0);
});

test("payloads carry exactly the guarded keys", () => {
  assert.deepEqual(payloadOf("collected", proof, "abc"), {
    slip_signed: true,
    signature: "abc",
    documents_checked: true,
  });
  const ticked = payloadOf("handed_over", { ...proof, safety: { mask: true, sanitiser: false } }, "abc");
  assert.deepEqual(ticked["safety"], { mask: true, sanitiser: false });
  assert.deepEqual(payloadOf("handed_over", proof, "abc"), {
    record_no: "12/BB",
    signature: "abc",
    officer_id: "cb-017",
  });
  assert.deepEqual(payloadOf("delivered", proof, "abc"), {
    signature: "abc",
    recipient: { relation: "SELF", name: "Nguyễn Thị A", id_type: "CCCD", id_last4: "1234" },
  });
});
