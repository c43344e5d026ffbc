"""Take in a table the operator brings: communes, one-stop shops, couriers; a file is taken whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from dispatch.domain.network import CourierBody, ShopBody
from dispatch.domain.places import Gazetteer
from dispatch.domain.revision import revised
from dispatch.domain.sheet_bodies import nested
from dispatch.domain.sheets import BadTable, Problem, Row, read
from dispatch.domain.text import Shape
from dispatch.domain.unit_tables import MAX_PROBLEMS, read_units

if TYPE_CHECKING:
    from dispatch.store import Session

AUTHOR = "command line"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,79}")
_LISTS = {"skills", "communes"}

Body = TypeVar("Body", bound=Shape)


@dataclass(frozen=True)
class Taken:
    """What an import did, in sentences for a terminal, Vietnamese and English; `notes` are about single lines."""

    told: tuple[str, ...]
    notes: tuple[Problem, ...] = ()


def map_in_force(session: Session, packaged: Gazetteer) -> Gazetteer:
    """The packaged map with what was imported so far in place of its own."""
    imported = session.units.imported()
    return revised(packaged, *imported) if any(imported) else packaged


def import_communes(session: Session, packaged: Gazetteer, content: bytes, source: str) -> Taken:
    """Keep the communes and links of an official table; `source` (decree or file name) stands with each of them.

    Raises `BadTable` where a row is wrong or the map would no longer fit together.
    """
    session.lock("import:communes")
    table = read_units(read(content), map_in_force(session, packaged), source)
    session.units.put(table.communes.values(), table.links.values(), source)
    try:
        now = map_in_force(session, packaged)
    except ValueError as error:
        vi, en = f"bản đồ không còn khớp ({error}); nhập bảng đầy đủ", f"the map would not fit together: {error}"
        raise BadTable([Problem(0, vi, en)]) from error
    old = sum(1 for era, _ in table.communes if era == "2020")
    new = len(table.communes) - old
    divided = sum(1 for one in now if one.era == "2020" and len(now.today(one)) > 1)
    return Taken(
        (
            f"{old} xã bản đồ 2020, {new} xã bản đồ 2025, {len(table.links)} liên kết đã nhập; {divided} xã cũ bị chia "
            f"· {old} communes of 2020, {new} of 2025, {len(table.links)} links taken; {divided} old communes divided",
            "có hiệu lực khi khởi động lại hệ thống · in force when the system is started again",
        ),
        tuple(sorted(table.notes)),
    )


def import_shops(session: Session, packaged: Gazetteer, content: bytes, mode: str, now: datetime) -> Taken:
    """Create or replace one-stop shops: column `id` and the fields of `PUT /v1/admin/shops/{id}`.

    Raises `BadTable`.
    """
    places, counted = map_in_force(session, packaged), [0, 0]
    problems: list[Problem] = []
    for line, shop_id, body in _bodies(read(content), ShopBody, problems):
        if places.get(body.commune_code, body.era) is None:
            vi = f"không có xã mã {body.commune_code} trên bản đồ {body.era}"
            problems.append(Problem(line, vi, f"no commune {body.commune_code} on the map of {body.era}"))
        if not problems:
            counted[not session.network.put_shop(mode, shop_id, body.model_dump(), now)] += 1
            session.access.audit(mode, now, AUTHOR, "shop.put", shop_id, {"imported": True})
    return _counted("Bộ phận Một cửa", "one-stop shops", counted, problems)


def import_couriers(
    session: Session, content: bytes, mode: str, now: datetime, hash_pin: Callable[[str], str]
) -> Taken:
    """Create or replace couriers: column `id` and the fields of `PUT /v1/admin/couriers/{id}`.

    Lists (`skills`, `communes`) are divided by semicolons; a commune is `22333@2025`. Raises `BadTable`.
    """
    problems: list[Problem] = []
    counted = [0, 0]
    phones: dict[str, int] = {}
    for line, courier_id, body in _bodies(read(content), CourierBody, problems):
        office = session.network.office(mode, body.home_office_id)
        if office is None:
            vi, en = f"không có bưu cục {body.home_office_id}", f"there is no post office {body.home_office_id}"
            problems.append(Problem(line, vi, en))
        first = phones.setdefault(body.phone, line)
        others = [one for one in session.network.couriers_by_phone(body.phone) if one.mode == mode]
        if first != line or any(one.id != courier_id for one in others):
            vi, en = f"số {body.phone} đã có bưu tá khác", f"another courier has the phone {body.phone}"
            problems.append(Problem(line, vi, en))
        if office is not None and not problems:
            values = body.model_dump(exclude={"pin", "base"}) | {
                "pin_hash": hash_pin(body.pin),
                "base_lat": body.base.lat if body.base else office.lat,
                "base_lng": body.base.lng if body.base else office.lng,
                "wrong_pins": 0,
                "locked_until": None,
            }
            counted[not session.network.put_courier(mode, courier_id, values, now)] += 1
            session.access.audit(mode, now, AUTHOR, "courier.put", courier_id, {"imported": True})
    return _counted("bưu tá", "couriers", counted, problems)


def _counted(vi: str, en: str, counted: list[int], problems: list[Problem]) -> Taken:
    if problems:
        raise BadTable(problems[:MAX_PROBLEMS])
    created, replaced = counted
    return Taken((f"{vi}: {created} mới, {replaced} thay · {en}: {created} created, {replaced} replaced",))


def _bodies(rows: list[Row], shape: type[Body], problems: list[Problem]) -> Iterator[tuple[int, str, Body]]:
    """(line, id, body) of every good row; what is wrong with the others goes to `problems`."""
    header, *data = rows
    columns = [" ".join(cell.split()) for cell in header.cells]
    unknown = [name for name in columns if name and name != "id" and name.split(".")[0] not in shape.model_fields]
    if "id" not in columns or unknown:
        told = ", ".join(unknown) or "id"
        vi = f"cột lạ hoặc thiếu: {told}; xem docs/imports.md"
        raise BadTable([Problem(header.line, vi, f"unknown or missing columns: {told}; see docs/imports.md")])
    seen: dict[str, int] = {}
    for row in data:
        filled = {name: cell for name, cell in zip(columns, row.cells, strict=False) if name and cell}
        own_id = filled.pop("id", "")
        if not _ID.fullmatch(own_id):
            problems.append(Problem(row.line, f"id «{own_id}» không đúng mẫu", f"“{own_id}” cannot be an id"))
            continue
        if seen.setdefault(own_id, row.line) != row.line:
            vi, en = f"id {own_id} đã có ở dòng {seen[own_id]}", f"{own_id} stands in line {seen[own_id]} already"
            problems.append(Problem(row.line, vi, en))
            continue
        try:
            yield row.line, own_id, shape.model_validate(nested(_values(filled)), strict=False)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_input=False)[:5]:
                where = ".".join(str(part) for part in fault["loc"])
                problems.append(Problem(row.line, f"cột {where}: sai giá trị", f"column {where}: {fault['msg']}"))
        if len(problems) >= MAX_PROBLEMS:
            return


def _values(filled: dict[str, str]) -> dict[str, Any]:
    """Cells by column, lists divided by semicolons."""
    return {
        column: [_item(part.strip()) for part in cell.split(";") if part.strip()] if column in _LISTS else cell
        for column, cell in filled.items()
    }


def _item(text: str) -> Any:
    code, at, era = text.partition("@")
    return {"code": code, "era": era} if at else text
