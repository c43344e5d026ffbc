"""The figures that leave the post: each is asked for over HTTP after real requests were made and carried."""

from __future__ import annotations

import csv
import io

import openpyxl
import pypdfium2
import pytest

from dispatch.flows import reports
from tests.api.conftest import Api, make_shop
from tests.api.reporting import NAMES, Body, filed_in_march, made, play, report, words_of

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


# what every report keeps to
def test_the_folder_is_the_registry_and_holds_every_promised_report() -> None:
    assert set(reports.names()) == NAMES


@pytest.mark.parametrize("form", ["json", *TYPES])
def test_an_empty_world_has_every_report_in_every_form(operator: Api, form: str) -> None:
    for name in sorted(NAMES):
        query = f"from=2020-04-01&to=2020-04-15&province=56&format={form}"
        answer = operator.get(f"/v1/reports/{name}?{query}", at="2020-04-16T08:00:00+07:00")
        assert answer.status_code == 200, answer.text
        if form == "json":
            told = answer.json
            assert (told["report"], told["from"], told["to"]) == (name, "2020-04-01", "2020-04-15")
            assert len(told["definition"]) > 80
            assert isinstance(told["rows"], list) and isinstance(told["totals"], dict)
            continue
        assert answer.headers["Content-Type"] == TYPES[form]
        filename = f"{name}_56_2020-04-01_2020-04-15.{form}"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{filename}"'
        assert len(answer.data) > 20


def test_the_definition_speaks_the_language_of_the_caller(operator: Api) -> None:
    path = "/v1/reports/sla?from=2020-04-01&to=2020-04-15"
    vi, en = (operator.get(path, headers={"Accept-Language": lang}).json["definition"] for lang in ("vi", "en"))
    assert "không muộn hơn hạn" in vi and "not later than due" in en
    assert operator.get(path).json["definition"] == vi


WRONG = {
    "to=2020-04-15": "/from",
    "from=2020-04-01": "/to",
    "from=2020-04-31&to=2020-05-01": "/from",
    "from=yesterday&to=2020-05-01": "/from",
    "from=2020-04-15&to=2020-04-01": "/to",
    "from=0001-01-01&to=2020-04-01": "/from",
    "from=2020-01-01&to=9999-12-31": "/to",
    "from=2010-01-01&to=2020-01-01": "/to",
    "from=2020-04-01&to=2020-04-02&province=khanh-hoa": "/province",
    "from=2020-04-01&to=2020-04-02&format=docx": "/format",
    "from=2020-04-01&to=2020-04-02&percent=30": "/percent",
    "from=2020-04-01&to=2020-04-02&color=red": "/color",
}


def test_dates_and_keys_that_make_no_sense_are_pointed_at(operator: Api) -> None:
    for query, pointer in WRONG.items():
        answer = operator.get(f"/v1/reports/sla?{query}")
        assert (answer.status_code, answer.json["code"]) == (422, "validation_failed"), query
        assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer], query


def test_an_unknown_report_is_404_and_a_shop_gets_none(operator: Api, shop: Api) -> None:
    query = "from=2020-04-01&to=2020-04-02"
    assert operator.get(f"/v1/reports/weather?{query}").status_code == 404
    assert shop.get(f"/v1/reports/sla?{query}").status_code == 403


def test_a_program_that_asks_for_a_file_by_accept_gets_it(operator: Api) -> None:
    path = "/v1/reports/sla?from=2020-04-01&to=2020-04-02&format=csv"
    for accept in ("text/csv", "*/*", "application/octet-stream"):
        assert operator.get(path, headers={"Accept": accept}).status_code == 200


def test_more_lines_than_a_caller_can_read_are_refused_not_cut(operator: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/v1/reports/coverage?from=2020-04-01&to=2020-04-15&province=56"
    assert operator.get(path).status_code == 200
    monkeypatch.setattr(reports, "MAX_PRINTED_LINES", 100)
    refused = operator.get(f"{path}&format=pdf")
    assert (refused.status_code, refused.json["code"]) == (422, "report_too_large")
    assert operator.get(f"{path}&format=csv").status_code == 200


# deferred-postage
def test_kh05_the_province_gets_the_list_of_what_it_owes_in_time(operator: Api, shop: Api, body: Body) -> None:
    """C07: filed 20/3, registered 3/4, intra-district: 26.000 on the list due Friday 17/4 17:00, hard stop 19/4."""
    owed = made(shop, filed_in_march(body), "2020-04-03T08:30:00+07:00")
    assert owed["quote"]["status"] == "DEFERRED"
    review = filed_in_march(body, dossier={"submitted_at": "2020-04-01T09:00:00+07:00"})
    assert made(shop, review, "2020-04-06T09:00:00+07:00")["quote"]["status"] == "PENDING_REVIEW"
    paying = made(shop, body(), "2020-04-06T09:05:00+07:00")
    assert paying["quote"]["status"] == "FIRM"

    told = report(operator, "deferred-postage", "2020-04-01", "2020-04-19", province=56)
    assert (told["due_at"], told["hard_stop_at"]) == ("2020-04-17T17:00:00+07:00", "2020-04-19T23:59:00+07:00")
    (row,) = told["rows"]
    assert {key: row[key] for key in row if key not in ("request_id", "decision_no")} == {
        "dossier_code": "000.00.16.H32-200320-0015",
        "citizen_name": "Nguyễn Thị Ánh Nguyệt",
        "address": "12 Trần Phú, P. Vĩnh Hải, TP Nha Trang, Khánh Hòa",
        "shop_id": "kh-nha-trang",
        "submitted_on": "2020-03-20",
        "registered_on": "2020-04-03",
        "weight_g": 80,
        "zone": "INTRA_DISTRICT",
        "amount": 26000,
        "item_id": owed["item_id"],
        "status": "DEFERRED",
        "list": "MAIN",
    }
    assert (told["totals"]["count"], told["totals"]["amount"]) == (1, 26000)
    assert report(operator, "deferred-postage", "2020-04-04", "2020-04-19", province=56)["rows"] == []
    assert report(operator, "deferred-postage", "2020-04-03", "2020-04-03")["totals"]["count"] == 1
    assert report(operator, "deferred-postage", "2020-04-01", "2020-04-19", province="02")["rows"] == []


def test_reviewed_late_settled_and_called_off_dossiers_stand_where_they_belong(
    operator: Api, shop: Api, body: Body
) -> None:
    settled = made(shop, filed_in_march(body), "2020-04-03T08:30:00+07:00")
    dropped = made(shop, filed_in_march(body), "2020-04-03T08:31:00+07:00")
    late = made(shop, filed_in_march(body), "2020-04-20T08:30:00+07:00")
    charged = made(shop, filed_in_march(body), "2020-04-20T08:31:00+07:00")
    assert late["quote"]["status"] == "PENDING_REVIEW"
    at = "2020-04-21T09:00:00+07:00"
    assert shop.post(f"/v1/requests/{dropped['id']}/cancel", {"reason": "đổi ý"}, at=at).status_code == 200
    for found, decision in ((late, "DEFER"), (charged, "CHARGE")):
        told = {"decision": decision, "reason": "đã xét", "evidence": "cv-1"}
        assert operator.post(f"/v1/reviews/{found['id']}/decide", told, at=at).status_code == 200
    outcome = {"request_ids": [settled["id"]], "decision_no": "15/QĐ-UBND", "outcome": "SETTLED_BY_PROVINCE"}
    assert operator.post("/v1/settlements", outcome, at=at).status_code == 200

    told = report(operator, "deferred-postage", "2020-04-01", "2020-04-30", province=56)
    assert [(row["item_id"], row["status"], row["list"]) for row in told["rows"]] == [
        (settled["item_id"], "SETTLED_BY_PROVINCE", "MAIN"),
        (late["item_id"], "DEFERRED", "SUPPLEMENTARY"),
    ]
    assert told["totals"]["amount"] == 52000
    assert told["totals"]["main"] == told["totals"]["supplementary"] == {"count": 1, "amount": 26000}


def test_the_list_is_the_same_in_every_form_and_runs_nothing(operator: Api, shop: Api, body: Body) -> None:
    citizen = {
        "name": '=HYPERLINK("http://evil","Ngọc, Ánh")',
        "phone": "0905123456",
        "address": {"raw": '@12 "Trần Phú", P. Vĩnh Hải', "commune_code": "22330", "era": "2020"},
    }
    for _ in range(60):
        made(shop, filed_in_march(body), "2020-04-03T08:30:00+07:00")
    hostile = made(shop, filed_in_march(body, citizen=citizen), "2020-04-03T08:31:00+07:00")
    period = ("deferred-postage", "2020-04-01", "2020-04-19")
    told = report(operator, *period, province=56)["rows"]
    assert len(told) == 61

    text = report(operator, *period, province=56, format="csv").data
    assert text.startswith(b"\xef\xbb\xbf") and text.count(b"\r\n") == 62
    lines = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))
    assert [line["item_id"] for line in lines] == [row["item_id"] for row in told]
    assert lines[0]["citizen_name"] == "Nguyễn Thị Ánh Nguyệt" and lines[0]["amount"] == "26000"
    assert lines[-1]["citizen_name"] == "'" + citizen["name"]
    assert lines[-1]["address"] == "'" + citizen["address"]["raw"]

    book = openpyxl.load_workbook(io.BytesIO(report(operator, *period, province=56, format="xlsx").data))
    cells = list(book["Số liệu"].iter_rows(values_only=True))
    assert len(cells) == 63 and cells[0][0] == "Mã hồ sơ\nDossier code"
    assert cells[61][1] == citizen["name"] and book["Số liệu"]["B62"].data_type == "s"
    assert cells[1][8] == 26000 and cells[62][8] == 61 * 26000
    assert f"{cells[1][5]:%Y-%m-%d}" == "2020-04-03"
    said = " ".join(str(row[0]) for row in book["Thuyết minh"].iter_rows(values_only=True))
    assert "Mỗi dòng là một hồ sơ" in said and "17:00 17/04/2020" in said

    document = report(operator, *period, province=56, format="pdf").data
    printed = words_of(document)
    pages = len(pypdfium2.PdfDocument(document))
    assert pages > 1
    for wanted in ("N.T.Á.Nguyệt", "1.586.000₫", f"Trang{pages}/{pages}", "Tổngcộng", "nộihuyện", hostile["item_id"]):
        assert wanted in printed, wanted
    assert printed.count("Mãhồsơ") >= pages - 1, "the head stands on every page of figures"
    assert "NguyễnThịÁnhNguyệt" not in printed, "the paper leaves the post: names are shortened"
    assert "Mỗidònglàmộthồsơmàbưuđiệntạmthờichưathucước" in printed


# online-intake
def test_hg19_agencies_get_what_was_sent_in_and_returned_by_channel(operator: Api, shop: Api, body: Body) -> None:
    make_shop(operator, "hg-center", province_code="02", commune_code="00694", lat=22.82, lng=104.98)
    day = "2020-04-{}T{}:00+07:00"
    before = made(shop, body(kind="pickup"), day.format("01", "00:00").replace("04-01", "03-31"))
    first = made(shop, body(kind="pickup"), day.format("01", "00:00"))
    counter = {"code": "000.00.16.H32-200320-0015", "submitted_via": "COUNTER"}
    last = made(shop, body(kind="two_way", dossier=counter), "2020-04-15T23:59:59+07:00")
    made(shop, body(kind="pickup"), "2020-04-16T00:00:00+07:00")
    dropped = made(shop, body(kind="pickup"), "2020-04-16T00:01:00+07:00")
    shop.post(f"/v1/requests/{dropped['id']}/cancel", {"reason": "đổi ý"}, at="2020-04-16T00:02:00+07:00")
    at = "2020-04-{}T{}:00+07:00"
    delivered = made(shop, body(), at.format("16", "08:00"))
    e_returned = made(shop, body(), at.format("16", "08:00"))
    assert shop.post(f"/v1/requests/{e_returned['id']}/e-returned", {}, at=at.format("16", "09:00")).status_code == 200
    steps = [("assigned", "09:10"), ("collected", "09:20"), ("delivered", "15:00")]
    play(shop, delivered["id"], *[(event, at.format("16", clock)) for event, clock in steps])
    steps = [("assigned", "09:10"), ("collected", "09:20"), ("handed_over", "15:00")]
    play(shop, first["id"], *[(event, at.format("16", clock)) for event, clock in steps])

    period = report(operator, "online-intake", "2020-04-01", "2020-04-15", province=56)
    (row,) = period["rows"]
    assert (row["shop_id"], row["sent"], row["filed"], row["returned"]) == ("kh-nha-trang", 2, 0, 0)
    assert row["by_channel"]["ONLINE"]["sent"] == 1 and row["by_channel"]["COUNTER"]["sent"] == 1
    (row,) = report(operator, "online-intake", "2020-04-16", "2020-04-16", province=56)["rows"]
    assert (row["sent"], row["filed"], row["returned"]) == (1, 1, 2)
    assert row["by_channel"]["BCCI"]["returned"] == row["by_channel"]["ELECTRONIC"]["returned"] == 1
    month = report(operator, "online-intake", "2020-03-01", "2020-04-30")
    assert month["totals"]["sent"] == 4 and before["id"] != last["id"]
    lines = list(
        csv.DictReader(
            io.StringIO(
                report(operator, "online-intake", "2020-04-16", "2020-04-16", format="csv").text.lstrip("\ufeff")
            )
        )
    )
    assert lines[0]["by_channel.BCCI.returned"] == "1"
