import assert from "node:assert/strict";
import { test } from "node:test";
import { lines, names, pins, point, roomFor } from "../src/board/map/pins.ts";
import { filterCounts, inBand, neighbour, rail, slackNow, visible, type Wish } from "../src/board/select.ts";
import { changeText } from "../src/board/change_words.ts";
import type { Board, BoardRequest } from "../src/board/types.ts";

const wish: Wish = { filter: "all", search: "", band: null, minutesPassed: 0 };

function request(id: string, more: Partial<BoardRequest> = {}): BoardRequest {
  return {
    id,
    status: "ASSIGNED",
    courier_id: "c1",
    leg: "pickup",
    slack_minutes: 90,
    due_at: "2026-11-23T15:10:00+07:00",
    ...more,
  };
}

const board: Board = {
  requests: [
    request("late", {
      slack_minutes: -5,
      place: { name: "Phường Vĩnh Hải", lat: 12.28, lng: 109.19, precision: "commune" },
    }),
    request("risk", { slack_minutes: 20, place: { name: "Phường Vĩnh Hải", lat: 12.28, lng: 109.19 } }),
    request("free", { courier_id: null, status: "DISPATCHED", citizen_name: "Trần Văn Bình" }),
    request("held", { status: "COLLECTED", slack_minutes: null }),
    request("over", { status: "DELIVERED", slack_minutes: null }),
  ],
  couriers: [{ id: "c1", name: "Đoàn Minh Tú" }],
};

const ids = (list: BoardRequest[]) => list.map((one) => one.id);

test("each filter shows what its name says and its count agrees", () => {
  const counts = filterCounts(board, 0);
  for (const filter of ["all", "unassigned", "risk", "late", "collected", "done"] as const) {
    assert.equal(visible(board, { ...wish, filter }).length, counts[filter], filter);
  }
  assert.deepEqual(ids(visible(board, { ...wish, filter: "unassigned" })), ["free"]);
  assert.deepEqual(ids(visible(board, { ...wish, filter: "late" })), ["late"]);
  assert.deepEqual(ids(visible(board, { ...wish, filter: "risk" })), ["risk"]);
  assert.deepEqual(ids(visible(board, { ...wish, filter: "collected" })), ["held"]);
  assert.deepEqual(ids(visible(board, { ...wish, filter: "done" })), ["over"]);
});

test("search finds place, citizen and courier without marks, all words needed", () => {
  assert.deepEqual(ids(visible(board, { ...wish, search: "vinh hai" })), ["late", "risk"]);
  assert.deepEqual(ids(visible(board, { ...wish, search: "binh tran" })), ["free"]);
  assert.deepEqual(ids(visible(board, { ...wish, search: "doan hai" })), ["late", "risk"]);
  assert.deepEqual(ids(visible(board, { ...wish, search: "nobody" })), []);
});

test("slack runs on between answers and a promise turns late without a new one", () => {
  assert.equal(slackNow(request("x", { slack_minutes: 2 }), 3), -1);
  assert.deepEqual(ids(visible(board, { ...wish, filter: "late", minutesPassed: 25 })), ["late", "risk"]);
  assert.equal(slackNow(request("x", { slack_minutes: null }), 3), null);
});

test("a due band keeps its beginning and leaves its end to the next band", () => {
  const band = { from_at: "2026-11-23T15:00:00+07:00", to_at: "2026-11-23T15:15:00+07:00" };
  assert.equal(inBand("2026-11-23T15:00:00+07:00", band), true);
  assert.equal(inBand("2026-11-23T15:15:00+07:00", band), false);
  assert.equal(inBand("2026-11-23T09:00:00+07:00", { from_at: null, to_at: band.to_at }), true);
  assert.equal(inBand(null, band), false);
});

test("every band counts exactly what choosing it would list, and what is late stands apart", () => {
  const now = "2026-11-23T14:50:00+07:00";
  const day: Board = {
    now,
    due_bands: [
      { from_at: "2026-11-23T14:45:00+07:00", to_at: "2026-11-23T15:00:00+07:00", count: 3 },
      { from_at: "2026-11-23T15:00:00+07:00", to_at: "2026-11-23T15:15:00+07:00", count: 1 },
    ],
    requests: [
      request("late", { slack_minutes: -4, due_at: "2026-11-23T14:46:00+07:00", courier_id: null }),
      request("soon", { slack_minutes: 5, due_at: "2026-11-23T14:55:00+07:00" }),
      request("next", { slack_minutes: 20, due_at: "2026-11-23T15:10:00+07:00", courier_id: null }),
      request("held", { status: "COLLECTED", slack_minutes: null }),
    ],
  };
  const found = rail(day, 0);
  assert.deepEqual(found.late, { count: 1, unassigned: 1 });
  assert.deepEqual(
    found.bands.map((one) => [one.count, one.unassigned]),
    [
      [1, 0],
      [1, 1],
    ],
  );
  for (const one of found.bands) assert.equal(visible(day, { ...wish, band: one.band }).length, one.count);
  assert.equal(rail(day, 6).late.count, 2, "a band empties into the late ones as time passes");
  assert.deepEqual(rail(null, 0), { late: { count: 0, unassigned: 0 }, bands: [] });
});

test("empty quarter hours at the far end of the day are cut, the next three hours stay", () => {
  const at = (n: number) => new Date(Date.parse("2026-11-23T08:00:00Z") + n * 900_000).toISOString();
  const due_bands = Array.from({ length: 24 }, (_, n) => ({ from_at: at(n), to_at: at(n + 1) }));
  assert.equal(rail({ now: at(0), due_bands, requests: [] }, 0).bands.length, 12);
  assert.equal(
    rail({ now: at(0), due_bands, requests: [request("x", { due_at: at(14), slack_minutes: 210 })] }, 0).bands.length,
    15,
  );
});

test("the map is labelled with communes, never with somebody's house number", () => {
  const at = { lat: 12.2, lng: 109.2, at: "citizen" };
  const texts = names({
    requests: [
      request("a", { place: { ...at, name: "12 Trần Phú, P. Vĩnh Hải, TP Nha Trang" } }),
      request("b", { place: { ...at, name: "Thôn Phú Trung, hẻm 4" } }),
    ],
  });
  assert.deepEqual(
    texts.filter((one) => one.look === "place").map((one) => one.text),
    ["P. Vĩnh Hải"],
  );
});

test("what would serve a left-out request is said in words, whatever its kind", () => {
  const name = () => "Đoàn Minh Tú";
  assert.equal(changeText({ kind: "extend_due", by_s: 640 }, name), "lùi hạn thêm 11 phút");
  assert.equal(changeText({ kind: "drop_skill", skills: ["HCC"] }, name), "bỏ yêu cầu nghiệp vụ HCC");
  assert.equal(
    changeText({ kind: "extend_shift", by_s: 1800, courier: "c1" }, name),
    "kéo dài ca của Đoàn Minh Tú thêm 30 phút",
  );
  assert.equal(changeText({ vi: "Thêm một bưu tá", en: "One more courier" }, name), "Thêm một bưu tá");
  assert.equal(changeText({ kind: "something_new" }, name), "");
  assert.equal(changeText(null, name), "");
});

test("the keys walk the list and stop at its ends", () => {
  const list = [{ id: "a" }, { id: "b" }];
  assert.equal(neighbour(list, null, 1), "a");
  assert.equal(neighbour(list, "a", 1), "b");
  assert.equal(neighbour(list, "b", 1), "b");
  assert.equal(neighbour(list, "gone", -1), "b");
  assert.equal(neighbour([], "a", 1), null);
});

test("a door where several couriers go is not shown as nobody's, nor as one courier's", () => {
  const place = { lat: 12, lng: 109 };
  const of = (a: string | null, b: string | null) =>
    pins({ requests: [request("a", { place, courier_id: a }), request("b", { place, courier_id: b })] }, 0)[0];
  assert.deepEqual([of("c1", "c1")?.courierId, of("c1", "c1")?.someFree], ["c1", false]);
  assert.deepEqual(
    [of("c1", "c2")?.courierId, of("c1", "c2")?.couriers, of("c1", "c2")?.someFree],
    [null, ["c1", "c2"], false],
  );
  assert.deepEqual([of("c1", null)?.courierId, of("c1", null)?.someFree], [null, true]);
});

test("requests at one door share a pin, the most pressing first, finished ones none", () => {
  const found = pins(board, 0);
  assert.equal(found.length, 1);
  assert.deepEqual(found[0]?.ids, ["late", "risk"]);
  assert.equal(found[0]?.how, "late");
  assert.equal(found[0]?.rough, true);
});

test("a board with nothing in it, or nulls everywhere, draws without an error", () => {
  const bare: Board = {
    requests: [{ id: "x", place: null }],
    couriers: [{ id: "c", position: null }],
    routes: [{ courier_id: "c", stops: null }],
    shops: null,
  };
  assert.deepEqual(pins(null, 0), []);
  assert.deepEqual(pins(bare, 0), []);
  assert.deepEqual(lines(bare, bare.routes), [{ courierId: "c", points: [], stops: [] }]);
  assert.equal(visible(bare, wish).length, 1);
  assert.deepEqual(visible(null, wish), []);
  assert.equal(point({ lat: Number.NaN, lng: 1 }), null);
  assert.equal(point({ lat: 120, lng: 1 }), null);
});

test("Hoàng Sa and Trường Sa stand on every map", () => {
  const texts = names(null)
    .map((one) => one.text)
    .join(" ");
  assert.match(texts, /Hoàng Sa/);
  assert.match(texts, /Trường Sa/);
});

test("a line leads from the courier through the stops still open", () => {
  const [line] = lines({ couriers: [{ id: "c", position: { lat: 12, lng: 109 } }] }, [
    {
      courier_id: "c",
      stops: [
        { stop_id: "1", state: "done", place: { lat: 12.1, lng: 109 } },
        { stop_id: "2", state: "open", place: { lat: 12.2, lng: 109 } },
      ],
    },
  ]);
  assert.deepEqual(line?.points, [
    [12, 109],
    [12.2, 109],
  ]);
  assert.equal(line?.stops[1]?.no, 2);
});

test("names never run into one another, into pins, or over the edge", () => {
  const view = { width: 400, height: 300 };
  const at = (key: string, x: number, y: number, rank = 1) => ({
    key,
    x,
    y,
    width: 80,
    rank,
    sides: ["below", "above"] as const,
  });
  assert.equal(roomFor([at("a", 200, 150), at("b", 205, 152, 2)], [], view).get("b"), "above");
  assert.equal(roomFor([at("a", 200, 150), at("b", 205, 152, 2), at("c", 202, 150, 3)], [], view).has("c"), false);
  assert.equal(roomFor([at("a", 200, 150)], [{ x: 200, y: 173, width: 24, height: 24 }], view).get("a"), "above");
  assert.equal(roomFor([at("a", 10, 150)], [], view).has("a"), false);
});
