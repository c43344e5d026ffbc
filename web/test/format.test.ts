import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ageText,
  communeOf,
  dialable,
  distance,
  fold,
  initials,
  minutesText,
  money,
  nextReceipt,
  noPoint,
  roughPoint,
  shortSite,
  slackText,
  urgency,
} from "../src/shared/format.ts";

test("a coordinator reads how long is left, and how late it is, in both languages", () => {
  assert.equal(slackText(42, "vi"), "còn 42 phút");
  assert.equal(slackText(-12, "vi"), "trễ 12 phút");
  assert.equal(slackText(65, "vi"), "còn 1 giờ 05");
  assert.equal(slackText(42, "en"), "42 min left");
  assert.equal(slackText(-12, "en"), "12 min late");
  assert.equal(slackText(null, "vi"), "");
  assert.equal(slackText(undefined, "en"), "");
});

test("the last minute before a promise breaks is never shown as zero or as late", () => {
  assert.equal(slackText(0, "vi"), "còn dưới 1 phút");
  assert.equal(urgency(0), "risk");
  assert.equal(urgency(-1), "late");
});

test("urgency follows the 30 and 60 minute bands and the server's own warning", () => {
  assert.deepEqual(
    [29, 30, 59, 60].map((m) => urgency(m)),
    ["risk", "soon", "soon", "calm"],
  );
  assert.equal(urgency(200, true), "risk");
  assert.equal(urgency(null), "stopped");
});

test("money is written the Vietnamese way and never as NaN", () => {
  assert.equal(money(1250000), "1.250.000 ₫");
  assert.equal(money(-7800), "−7.800 ₫");
  assert.equal(money(0), "0 ₫");
  assert.equal(money(null), "–");
  assert.equal(money(Number.NaN), "–");
});

test("distances and ages take the unit a person would say", () => {
  assert.equal(distance(850, "vi"), "850 m");
  assert.equal(distance(12_440, "vi"), "12,4 km");
  assert.equal(distance(12_440, "en"), "12.4 km");
  assert.equal(distance(undefined, "vi"), "–");
  assert.equal(ageText(3, "vi"), "3 giây");
  assert.equal(ageText(720, "vi"), "12 phút");
  assert.equal(minutesText(2880, "vi"), "2 ngày");
});

test("a name is found without typing its marks, in either composition", () => {
  assert.equal(fold("Phường Vĩnh Hải, Đắk Lắk"), "phuong vinh hai, dak lak");
  assert.equal(fold("Vĩnh Hải".normalize("NFD")), fold("Vĩnh Hải".normalize("NFC")));
  assert.equal(fold(null), "");
});

test("a courier's badge takes the given name, and survives a missing one", () => {
  assert.equal(initials("Nguyễn Văn Đức"), "VĐ");
  assert.equal(initials(" "), "?");
  assert.equal(initials(null), "?");
});

test("the next receipt keeps its width and its prefix", () => {
  assert.equal(nextReceipt("AB-0099"), "AB-0100");
  assert.equal(nextReceipt("99"), "100");
  assert.equal(nextReceipt("0012/KH"), "0013/KH");
  assert.equal(nextReceipt("không số"), "");
  assert.equal(nextReceipt(null), "");
});

test("the commune is read out of an address as people write it", () => {
  assert.equal(communeOf("12 Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa"), "P. Vĩnh Hải");
  assert.equal(communeOf("Thôn 2, xã Vĩnh Thạnh, Khánh Hòa"), "xã Vĩnh Thạnh");
  assert.equal(communeOf("TT. Diên Khánh; Khánh Hòa"), "TT. Diên Khánh");
  assert.equal(communeOf("Phường Lộc Thọ"), "Phường Lộc Thọ");
  assert.equal(communeOf("Số 5 Điện Biên Phủ"), null);
  assert.equal(communeOf(null), null);
});

test("a long site name is shortened before its place, never in it", () => {
  assert.equal(shortSite("Trung tâm PVHCC phường Nam Nha Trang"), "TTPVHCC phường Nam Nha Trang");
  assert.equal(shortSite("Trung tâm Phục vụ hành chính công tỉnh"), "TTPVHCC tỉnh");
  assert.equal(shortSite("Bộ phận Một cửa xã Diên Lạc (cũ)"), "Một cửa xã Diên Lạc (cũ)");
  assert.equal(shortSite("Một cửa TP Nha Trang"), "Một cửa TP Nha Trang");
  assert.equal(shortSite(null), "");
});

test("a phone number is dialled without its spaces", () => {
  assert.equal(dialable("+84 905 123.456"), "+84905123456");
});

test("only a point that stands for a wider place is called approximate", () => {
  assert.equal(roughPoint("commune"), true);
  assert.equal(roughPoint("door"), false);
  assert.equal(roughPoint("none"), false);
  assert.equal(noPoint("none"), true);
  assert.equal(roughPoint(null), false);
});
