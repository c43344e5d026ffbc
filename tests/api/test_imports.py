"""A file of requests: every row is told what became of it, nothing is made twice, nothing of others is touched."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from dispatch import clock
from dispatch.bootstrap import System
from dispatch.flows import bulk_intake, intake
from tests.api.conftest import NOON, Api, make_shop
from tests.api.sending import as_csv, as_xlsx, errors, read, requests_of, row, send, statuses, take

LATER = "2026-11-24T09:00:00+07:00"
Body = Callable[..., dict[str, Any]]


def finished(caller: Api) -> list[dict[str, Any]]:
    told = caller.get("/v1/events?after=0").json["data"]
    return [entry for entry in told if entry["type"] == "import.finished"]


def test_each_row_becomes_a_request_priced_and_promised_at_the_instant_of_the_call(system: System, shop: Api) -> None:
    rows = [row(1), row(2, kind="two_way", documents__0__name="Đơn", documents__0__original="true"), row(3)]
    told = take(system, shop, as_csv(rows))
    assert told["status"] == "succeeded" and told["progress"] == 1.0
    result = told["result"]
    assert [(line["row"], line["status"]) for line in result["rows"]] == [
        (2, "created"),
        (3, "created"),
        (4, "created"),
    ]
    assert (result["total"], result["created"], result["duplicate"], result["error"]) == (3, 3, 0, 0)
    made = shop.get(f"/v1/requests/{result['rows'][1]['request_id']}", at=NOON).json
    assert made["external_ref"] == "IM-00002" and made["created_at"] == NOON and len(made["legs"]) == 2
    assert made["documents"] == [{"name": "Đơn", "copies": 1, "original": True}]
    assert made["quote"]["postage_total"] == result["rows"][1]["postage_total"] == 52_000
    assert result["postage_total"] == 2 * 26_000 + 52_000
    with system.store.begin() as session:
        kept = session.consignments.get("test", made["id"])
    assert kept is not None and kept.body["channel"] == "IMPORT"


def test_the_shop_is_told_once_that_an_import_is_over(system: System, shop: Api) -> None:
    told = take(system, shop, as_csv([row(1), row(2, weight_g="nặng")]))
    bulk_intake.run(system, told["id"], "RA")
    [entry] = finished(shop)
    assert entry["data"]["id"] == told["id"] and entry["occurred_at"] == NOON and entry["livemode"] is False
    assert entry["data"]["counts"] == {"created": 1, "duplicate": 0, "error": 1}


def test_the_same_rows_make_nothing_twice_whatever_file_brings_them(system: System, shop: Api) -> None:
    rows = [row(number) for number in range(1, 8)]
    first = take(system, shop, as_csv(rows))
    made = [line["request_id"] for line in first["result"]["rows"]]
    turned = [dict(reversed(one.items())) | {"note": ""} for one in rows]
    for content in (as_csv(rows), as_csv(turned, delimiter=";", bom=True), as_xlsx(rows), as_csv(rows, newline="\n")):
        again = take(system, shop, content, at=LATER)
        assert statuses(again) == ["duplicate"] * 7
        assert [line["request_id"] for line in again["result"]["rows"]] == made
    assert len(requests_of(shop)) == 7


def test_the_same_call_again_is_answered_with_the_same_operation(system: System, shop: Api) -> None:
    first, again = (send(shop, as_csv([row(1)]), key="one") for _ in range(2))
    assert again.json == first.json and again.headers["Idempotent-Replayed"] == "true"
    assert send(shop, as_csv([row(2)]), key="one").json["code"] == "idempotency_key_reused"


def test_the_same_file_sent_by_many_at_once_makes_each_request_once(system: System, shop: Api) -> None:
    rows = [row(number) for number in range(1, 41)]
    sent = []
    for seed in range(4):
        mixed = list(rows)
        random.Random(seed).shuffle(mixed)
        sent.append(send(shop, as_csv(mixed)).json["id"])
    with ThreadPoolExecutor(4) as pool:
        while any(read(shop, one)["status"] != "succeeded" for one in sent):
            list(pool.map(lambda one: bulk_intake.run(system, one, "RA", batch=7), sent))
    told = [line for one in sent for line in read(shop, one)["result"]["rows"]]
    assert sorted(line["status"] for line in told) == ["created"] * 40 + ["duplicate"] * 120
    assert len({line["request_id"] for line in told}) == 40 == len(requests_of(shop))


def test_imports_of_two_workers_at_the_same_moment_give_way_to_each_other(
    system: System, shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatch.store.past.Past.others_running", lambda *_: False)
    rows = [row(number) for number in range(1, 41)]
    sent = [send(shop, as_csv(order)).json["id"] for order in (rows, rows[::-1])]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: bulk_intake.run(system, one, "RA", batch=20), sent))
    told = [line for one in sent for line in read(shop, one)["result"]["rows"]]
    assert sorted(line["status"] for line in told) == ["created"] * 40 + ["duplicate"] * 40
    assert len(requests_of(shop)) == 40


def test_a_reference_with_other_content_is_an_error_that_names_the_request(system: System, shop: Api) -> None:
    first = take(system, shop, as_csv([row(1)]))["result"]["rows"][0]["request_id"]
    told = take(system, shop, as_csv([row(1, weight_g="250"), row(2), row(2), row(2, citizen__name="Trần Văn B")]))
    assert statuses(told) == ["error", "created", "duplicate", "error"]
    lines = told["result"]["rows"]
    assert lines[0]["errors"][0]["code"] == "duplicate_external_ref"
    assert lines[0]["errors"][0]["existing_id"] == first
    assert lines[2]["request_id"] == lines[1]["request_id"] == lines[3]["errors"][0]["existing_id"]


def test_a_row_that_came_by_the_api_before_is_a_duplicate(system: System, shop: Api, body: Body) -> None:
    officer = {"id": "cb-017", "address_confirmed": True}
    made = shop.post("/v1/requests", body(external_ref="IM-00001", officer=officer), at=NOON).json["id"]
    same = row(1, citizen__address__raw="12 Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa")
    told = take(system, shop, as_csv([same | {"officer.id": "cb-017", "officer.address_confirmed": "TRUE"}]))
    assert statuses(told) == ["duplicate"] and told["result"]["rows"][0]["request_id"] == made
    assert statuses(take(system, shop, as_csv([same]))) == ["error"]


WRONG = [
    (row(1), []),
    (row(2, citizen__phone="905123456"), [("/citizen/phone", "leading_zero_lost")]),
    (row(3, citizen__phone="4.2E+10"), [("/citizen/phone", "number_mangled")]),
    (row(4, citizen__phone="905123456.0"), [("/citizen/phone", "number_mangled")]),
    (row(5, dossier__accepted_on="43924"), [("/dossier/accepted_on", "date_cell")]),
    (row(6, dossier__accepted_on="03/04/2020"), [("/dossier/accepted_on", "date_format")]),
    (row(7, dossier__submitted_at="43924.375"), [("/dossier/submitted_at", "date_cell")]),
    (row(8, citizen__address__commune_code="691"), [("/citizen/address/commune_code", "leading_zero_lost")]),
    (row(9, citizen__name="#REF!"), [("/citizen/name", "spreadsheet_error")]),
    (row(10, weight_g=""), [("/weight_g", "missing")]),
    (row(11, weight_g="1.200", kind="cả hai"), [("/kind", "literal_error"), ("/weight_g", "int_parsing")]),
    (row(12, citizen__address__commune_code="99999"), [("/citizen/address/commune_code", "unknown_commune")]),
    (row(13, dossier__code="chưa có"), [("/dossier/code", "invalid_dossier_code")]),
    (row(14, channel="HOTLINE"), [("/channel", "channel_is_import"), ("/hotline", "hotline_incomplete")]),
    (row(15, shop_id="cua-nguoi-khac"), [("/shop_id", "unknown_shop")]),
    (row(16, notice_at="2026-11-23T10:06:00+07:00"), [("/notice_at", "notice_in_future")]),
]


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_what_is_wrong_with_a_row_is_told_at_its_number_and_holds_up_no_other(
    system: System, shop: Api, write: Callable[..., bytes], query: str
) -> None:
    told = take(system, shop, write([cells for cells, _ in WRONG]), query)
    wanted = {number: sorted(found) for number, (_, found) in enumerate(WRONG, 2) if found}
    assert {number: sorted(found) for number, found in errors(told).items()} == wanted
    assert statuses(told) == ["error" if found else "created" for _, found in WRONG]
    assert len(requests_of(shop)) == (0 if query else 1)


def test_errors_speak_the_readers_language_and_say_what_to_do(system: System, shop: Api) -> None:
    told = take(system, shop, as_csv([row(1, citizen__phone="905123456", dossier__accepted_on="43924")]))
    vietnamese = [error["message"] for error in told["result"]["rows"][0]["errors"]]
    english = read(shop, told["id"], **{"Accept-Language": "en"})["result"]["rows"][0]["errors"]
    assert "0905123456" in vietnamese[0] and "văn bản" in vietnamese[0] and "2020-04-03" in vietnamese[1]
    assert "make the column text" in english[0]["message"] and "2020-04-03" in english[1]["message"]


def test_a_dry_run_tells_the_same_and_keeps_nothing(system: System, shop: Api) -> None:
    take(system, shop, as_csv([row(1)]))
    rows = [row(1), row(1, weight_g="90"), row(2), row(2), row(2, weight_g="90"), row(3, weight_g="0"), row(4)]
    rows += [row(number) for number in range(5, 60)] + [row(4)]  # the last in another batch than its first
    before = len(shop.get("/v1/events?after=0").json["data"])
    tried = take(system, shop, as_csv(rows), "?dry_run=true")
    assert tried["result"]["dry_run"] is True and len(requests_of(shop)) == 1
    assert len(shop.get("/v1/events?after=0").json["data"]) == before + 1  # that it is over
    done = take(system, shop, as_csv(rows))
    assert statuses(tried) == statuses(done)
    assert [errors(tried).get(number) for number in range(2, 70)] == [
        errors(done).get(number) for number in range(2, 70)
    ]
    for name in ("created", "duplicate", "error", "postage_total", "payable_by_citizen"):
        assert tried["result"][name] == done["result"][name]
    assert {line["request_id"] for line in tried["result"]["rows"] if line["status"] == "created"} == {None}


def test_rows_have_the_numbers_a_spreadsheet_shows(system: System, shop: Api) -> None:
    lines = as_csv([row(1, note="hai\r\ndòng"), row(2, weight_g="x")]).split(b"\r\n")
    content = b"\r\n".join([*lines[:-2], b"", *lines[-2:]])
    told = take(system, shop, content)
    assert [line["row"] for line in told["result"]["rows"]] == [2, 4] and errors(told) == {
        4: [("/weight_g", "int_parsing")]
    }
    made = shop.get(f"/v1/requests/{told['result']['rows'][0]['request_id']}").json
    assert made["note"] == "hai\r\ndòng"


def test_a_cell_beyond_the_header_is_told_and_not_lost(system: System, shop: Api) -> None:
    content = as_csv([row(1)]).replace(b'"1 Tr', b"1 Tr").replace('Hòa"'.encode(), "Hòa".encode())
    told = take(system, shop, content)
    assert ("", "cell_without_column") in errors(told)[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00a", "UTF-8"),
        (b"PK\x03\x04 no book", "broken XLSX"),
        ("external_ref,họ tên\n1,2\n".encode(), "unknown columns: họ tên"),
        (b"external_ref,kind,kind\n1,2,3\n", "twice: kind"),
        (b"citizen.name,citizen\n1,2\n", "unknown columns: citizen"),
        (b'external_ref,kind\n"1,2\n', "line 2: quotes or separators"),
    ],
)
def test_a_file_that_cannot_be_read_fails_as_a_whole_and_says_why(
    system: System, shop: Api, content: bytes, said: str
) -> None:
    operation_id = take(system, shop, content)["id"]
    told = read(shop, operation_id, **{"Accept-Language": "en"})
    assert told["status"] == "failed" and told["error"]["code"] == "unreadable_table"
    assert said in told["error"]["message"] and requests_of(shop) == []
    assert [entry["data"]["status"] for entry in finished(shop)] == ["failed"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_result_is_a_file_that_can_be_put_right_and_sent_again(system: System, shop: Api, form: str) -> None:
    rows = [row(1, note="=1+1"), row(2, weight_g="x"), row(3, citizen__phone="+84 905 123 456", note="hai\ndòng")]
    told = take(system, shop, as_csv(rows))
    answer = shop.get(f"/v1/imports/{told['id']}/result?format={form}")
    assert answer.status_code == 200 and f"{told['id']}.{form}" in answer.headers["Content-Disposition"]
    if form == "csv":
        lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
        lines = [
            ["" if cell is None else str(cell).strip() for cell in line] for line in sheet.iter_rows(values_only=True)
        ]
    assert lines[0][:6] == [
        *(f"result.{name}" for name in ("row", "status", "request_id", "reason_vi", "reason_en")),
        "external_ref",
    ]
    assert lines[2][:3] == ["3", "error", ""] and lines[2][3].startswith("weight_g: phải là số nguyên")
    lines[2][lines[0].index("weight_g")] = "70"
    if form == "csv":
        text = io.StringIO(newline="")
        csv.writer(text).writerows(lines)
        again = text.getvalue().encode()
    else:
        sheet["A1"].parent.cell(3, lines[0].index("weight_g") + 1).value = "70"
        kept = io.BytesIO()
        sheet.parent.save(kept)
        again = kept.getvalue()
    second = take(system, shop, again)
    assert statuses(second) == ["duplicate", "created", "duplicate"], errors(second)
    third = shop.get(f"/v1/imports/{second['id']}/result").data.decode("utf-8-sig").splitlines()[0]
    assert third.count("result.row") == 1


def test_an_operator_imports_for_many_shops_and_each_is_told_of_its_own(
    system: System, operator: Api, shop: Api
) -> None:
    other = operator.as_key(make_shop(operator, "kh-khac"))
    rows = [row(1, shop_id="kh-nha-trang"), row(2, shop_id="kh-khac"), row(3, shop_id="")]
    without = take(system, operator, as_csv(rows))
    assert statuses(without) == ["created", "created", "error"] and errors(without)[4] == [("/shop_id", "unknown_shop")]
    with_one = take(system, operator, as_csv(rows), "?shop_id=kh-khac")
    assert statuses(with_one) == ["duplicate", "duplicate", "created"]
    assert [entry["data"]["counts"]["created"] for entry in finished(shop)] == [1, 0]
    assert [entry["data"]["counts"]["created"] for entry in finished(other)] == [1, 1]
    assert send(operator, as_csv(rows), "?shop_id=khong-co").json["code"] == "unknown_shop"


def test_nothing_of_an_import_is_seen_or_touched_by_another_shop(system: System, operator: Api, shop: Api) -> None:
    told = take(system, shop, as_csv([row(1)]))
    other = operator.as_key(make_shop(operator, "kh-khac"))
    for path in (f"/v1/operations/{told['id']}", f"/v1/imports/{told['id']}/result"):
        assert other.get(path).status_code == 404 and shop.get(path).status_code == 200
    assert other.post(f"/v1/operations/{told['id']}/cancel").status_code == 404
    assert send(other, as_csv([row(1)]), "?shop_id=kh-nha-trang").json["code"] == "unknown_shop"
    foreign = take(system, other, as_csv([row(1, shop_id="kh-nha-trang")]))
    assert errors(foreign) == {2: [("/shop_id", "unknown_shop")]}
    assert len(finished(shop)) == 1 and len(finished(other)) == 1
    assert statuses(take(system, other, as_csv([row(1)]))) == ["created"]
    second_key = operator.post("/v1/admin/keys", {"scope": "shop", "shop_id": "kh-nha-trang", "mode": "test"}).json[
        "key"
    ]
    assert operator.as_key(second_key).get(f"/v1/operations/{told['id']}").status_code == 200


def test_what_is_no_file_is_refused_at_once(shop: Api) -> None:
    too_large = send(shop, b"x" * 20_000_001)
    assert (too_large.status_code, too_large.json["code"]) == (413, "body_too_large") and "20 MB" in too_large.text
    assert send(shop, b"x" * 25_000_000).status_code == 413
    sent = {"Authorization": f"Bearer {shop.key}", "Idempotency-Key": "k"}
    plain = shop.client.post("/v1/imports", data=b"a,b", content_type="text/csv", headers=sent)
    assert (plain.status_code, plain.json["code"]) == (415, "unsupported_media_type")
    nameless = shop.client.post("/v1/imports", data={"tep": (io.BytesIO(b"a"), "a.csv")}, headers=sent)
    assert nameless.status_code == 422 and nameless.json["errors"][0]["pointer"] == "/file"
    assert send(shop, b"a", "?dry_run=maybe").status_code == 422


def test_progress_rises_batch_by_batch_and_another_goes_on_where_one_stopped(system: System, shop: Api) -> None:
    sent = send(shop, as_csv([row(number) for number in range(1, 11)])).json["id"]
    seen = [read(shop, sent)["progress"]]
    while bulk_intake.run(system, sent, "RA", batch=3, spell_s=0.0) == "queued":
        told = read(shop, sent)
        seen.append(told["progress"])
        assert told["status"] == "running" and "rows" not in told["result"]
    assert seen == [0.0, 0.3, 0.6, 0.9, 0.99]
    told = read(shop, sent)
    assert told["status"] == "succeeded" and told["progress"] == 1.0 and len(requests_of(shop)) == 10
    assert statuses(told) == ["created"] * 10 and len(finished(shop)) == 1


@pytest.mark.parametrize("in_hand", [True, False])
def test_a_cancelled_import_keeps_what_was_taken_in_and_tells_of_it(
    system: System, shop: Api, monkeypatch: pytest.MonkeyPatch, in_hand: bool
) -> None:
    sent, advance = send(shop, as_csv([row(number) for number in range(1, 11)])).json["id"], bulk_intake._advance

    def cancelled_after_one(*args: Any) -> Any:
        if args[1].reached:
            assert shop.post(f"/v1/operations/{sent}/cancel").json["status"] == "running"
        return advance(*args)

    if in_hand:
        monkeypatch.setattr(bulk_intake, "_advance", cancelled_after_one)
        assert bulk_intake.run(system, sent, "RA", batch=3) == "cancelled"
    else:
        assert bulk_intake.run(system, sent, "RA", batch=3, spell_s=0.0) == "queued"
        assert shop.post(f"/v1/operations/{sent}/cancel").json["status"] == "cancelled"
    assert bulk_intake.run(system, sent, "RA") is None
    told = read(shop, sent)
    assert told["status"] == "cancelled" and statuses(told) == ["created"] * 3 and len(requests_of(shop)) == 3
    [entry] = finished(shop)
    assert entry["data"]["status"] == "cancelled" and entry["data"]["counts"]["created"] == 3
    assert shop.post(f"/v1/operations/{sent}/cancel").json["code"] == "operation_ended"


def test_an_unexpected_failure_of_one_row_costs_only_that_row(
    system: System, shop: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = intake.accept

    def failing(*args: Any) -> Any:
        if args[3].external_ref == "IM-00004":
            raise ZeroDivisionError
        return accept(*args)

    monkeypatch.setattr(intake, "accept", failing)
    told = take(system, shop, as_csv([row(number) for number in range(1, 8)]))
    assert statuses(told) == ["created"] * 3 + ["error"] + ["created"] * 3
    assert errors(told) == {5: [("", "internal_error")]} and len(requests_of(shop)) == 6


def test_the_file_goes_when_the_import_ends_and_its_rows_after_a_month(system: System, shop: Api) -> None:
    told = take(system, shop, as_csv([row(1), row(2, weight_g="x")]))
    with system.store.begin() as session:
        assert session.imports.content(told["id"]) == b"" and len(session.imports.rows(told["id"])) == 2
    clock.forget(system)
    assert len(read(shop, told["id"])["result"]["rows"]) == 2
    with system.store.begin() as session:
        session.imports.forget(session.wall_clock() + timedelta(seconds=1))
    after = read(shop, told["id"])["result"]
    assert after["rows"] == [] and after["created"] == 1
    assert shop.get(f"/v1/imports/{told['id']}/result").status_code == 404
    assert statuses(take(system, shop, as_csv([row(1)]))) == ["duplicate"]
